"""The waterfall of a transaction as SVG, from the same layout that the screens draw."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from logscope.layout.waterfall import Lane, Missing, Point, Waterfall, waterfall
from logscope.reports.case import CaseTransaction
from logscope.text import clean

_CELLS = 110
_CELL = 7
_NAMES = 190
_ROW = 22
_TOP = 26


def picture(transaction: CaseTransaction) -> str:
    """An `<svg>` element: a lane per service and host, a mark per record, silences folded.

    Args:
        transaction: With records.
    """
    points = [Point(record.time, record.lane, record.error) for record in transaction.records]
    missing = [Missing(each.start, each.end, each.lane, each.text) for each in transaction.absences]
    drawn = waterfall(points, _CELLS, missing)
    width, height = _NAMES + _CELLS * _CELL + 10, _TOP + _ROW * max(1, len(drawn.lanes)) + 8
    parts = [
        (
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="waterfall of {_text(transaction.title, 80)}">'
        )
    ]
    parts += _axis(drawn, height)
    tops = {lane.name: _TOP + _ROW * number for number, lane in enumerate(drawn.lanes)}
    for shade in drawn.shades:
        top = tops[shade.lane]
        x = _x(shade.column)
        parts.append(
            f'<rect class="absent" x="{x}" y="{top + 3}" width="{shade.width * _CELL}" height="{_ROW - 6}"/>'
            f'<text class="absent" x="{x + 3}" y="{top + 15}">✖ {_text(shade.text, 60)}</text>'
        )
    for lane in drawn.lanes:
        parts += _lane(lane, tops[lane.name])
    return "".join([*parts, "</svg>"])


def _x(column: int) -> int:
    return _NAMES + column * _CELL


def _text(text: str, cap: int) -> str:
    return escape(clean(text, cap=cap))


def _axis(drawn: Waterfall, height: int) -> Sequence[str]:
    parts = []
    for tick in drawn.ticks:
        x = _x(tick.column)
        parts.append(
            f'<line class="tick" x1="{x}" x2="{x}" y1="{_TOP - 6}" y2="{height}"/>'
            f'<text class="tick" x="{x + 2}" y="{_TOP - 9}">{escape(tick.label)}</text>'
        )
    for fold in drawn.folds:
        x, wide = _x(fold.column), fold.width * _CELL
        parts.append(
            f'<rect class="fold" x="{x}" y="{_TOP - 4}" width="{wide}" height="{height - _TOP + 4}"/>'
            f'<text class="tick" x="{x + 3}" y="{_TOP - 9}">{escape(fold.label)}</text>'
        )
    return parts


def _lane(lane: Lane, top: int) -> Sequence[str]:
    middle = top + _ROW // 2
    parts = [f'<text class="lane" x="0" y="{middle + 4}">{_text(lane.name, 30)}</text>']
    if lane.cells:
        parts.append(
            f'<line class="work" x1="{_x(lane.first) + 3}" x2="{_x(lane.last) + 3}" y1="{middle}" y2="{middle}"/>'
        )
    for column, cell in sorted(lane.cells.items()):
        x = _x(column)
        title = f"<title>{len(cell.records)} records</title>" if len(cell.records) > 1 else ""
        if cell.error:
            # Errors are told by form, not by colour alone: paper may be grey.
            shape = f"M{x} {middle + 6}l4 -11l4 11z"
            parts.append(f'<path class="error" d="{shape}">{title}</path>')
        else:
            radius = 3 if len(cell.records) == 1 else 4
            parts.append(f'<circle class="record" cx="{x + 3}" cy="{middle}" r="{radius}">{title}</circle>')
    return parts
