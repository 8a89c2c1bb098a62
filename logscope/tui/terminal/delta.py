"""The bytes that turn what the terminal shows into what is wanted."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection

from logscope.tui.terminal import sgr
from logscope.tui.terminal.cells import Cell
from logscope.tui.terminal.grid import Grid, Row
from logscope.tui.terminal.pen import Pen, Piece, write_all

_GAP = 4
"""Equal cells that are cheaper written again than jumped over."""
_TOGETHER = 6
"""Rows that are written together, colour by colour: more would take fewer bytes still, and be seen coming."""
_SCROLLED_LEAST = 3
"""Rows that must have moved together for a scroll to pay."""


def delta(pen: Pen, shown: Grid, wanted: Grid, touched: Collection[int]) -> None:
    """Make `shown` equal to `wanted`.

    Args:
        pen: Writes what it takes; nothing if nothing differs.
        shown: What the terminal shows; changed.
        wanted: What it is to show.
        touched: The rows that may differ.
    """
    changed = [y for y in sorted(touched) if shown.row(y) != wanted.row(y)]
    if len(changed) > _SCROLLED_LEAST:
        moved = _moved(shown, wanted, changed)
        if moved is not None:
            top, bottom, by = moved
            pen.scroll(top, bottom, by)
            blank = [Row() for _ in range(abs(by))]
            rows = shown.rows[top : bottom + 1]
            shown.rows[top : bottom + 1] = [*rows[by:], *blank] if by > 0 else [*blank, *rows[:by]]
            changed = [y for y in range(top, bottom + 1) if shown.rows[y] != wanted.row(y)] + [
                y for y in changed if not top <= y <= bottom
            ]
    _rows(pen, changed, shown, wanted)


def _moved(shown: Grid, wanted: Grid, changed: list[int]) -> tuple[int, int, int] | None:
    """The stretch of rows that has moved: top, bottom, and by how many rows up (down if negative)."""
    first, last = changed[0], changed[-1]
    before: dict[object, list[int]] = {}
    for y in range(first, last + 1):
        before.setdefault(shown.row(y).key(), []).append(y)
    votes: Counter[int] = Counter()
    for y in changed:
        olds = before.get(wanted.row(y).key(), ())
        # Rows that are all over the screen, blank ones above all, tell nothing.
        if 0 < len(olds) <= 2 and any(wanted.row(y).cells):
            votes.update(old - y for old in olds if old != y)
    if not votes:
        return None
    by, count = votes.most_common(1)[0]
    if count < _SCROLLED_LEAST:
        return None
    matched = [y for y in changed if first <= y + by <= last and shown.row(y + by) == wanted.row(y)]
    low, high = matched[0], matched[-1]
    # At the ends rows have moved that changed on the way: the cursor's, those beside a scroll bar's thumb.
    while first <= low - 1 and first <= low - 1 + by and _came(shown, wanted, low - 1, by):
        low -= 1
    while high + 1 <= last and high + 1 + by <= last and _came(shown, wanted, high + 1, by):
        high += 1
    top, bottom = min(low, low + by), max(high, high + by)
    kept = sum(shown.row(y) == wanted.row(y) for y in range(top, bottom + 1))
    if len(matched) <= kept + 1:
        return None
    # Cells that nobody painted would show what was moved there, and nobody would paint over it.
    width = _width(wanted)
    return (top, bottom, by) if all(wanted.row(y).covers(width) for y in range(top, bottom + 1)) else None


def _came(shown: Grid, wanted: Grid, y: int, by: int) -> bool:
    """Whether a row looks more like the one `by` below it did than like itself before."""
    cells = wanted.row(y).cells
    return _alike(shown.row(y + by).cells, cells) > _alike(shown.row(y).cells, cells)


def _alike(old: list[Cell | None], new: list[Cell | None]) -> int:
    return sum(map(operator.eq, old, new))


def _rows(pen: Pen, changed: list[int], shown: Grid, wanted: Grid) -> None:
    """Write what differs in rows."""
    width = _width(wanted)
    pieces: list[Piece] = []
    begun = 0
    for y in changed:
        old, new = shown.row(y), wanted.row(y)
        if old.wild or new.wild or y - begun >= _TOGETHER:
            write_all(pen, pieces, width)
            pieces, begun = [], y
        if old.wild and new.cells == old.cells and new.wild[: len(old.wild)] == old.wild:
            added = new.wild[len(old.wild) :]
        else:
            _pieces(y, [] if old.wild else old.cells, new.cells, pieces)
            added = new.wild
        if added:
            write_all(pen, pieces, width)
            pieces = []
            for x, text, _ in added:
                pen.raw(y, x, text)
        shown.rows[y] = new.copy()
    write_all(pen, pieces, width)


def _width(grid: Grid) -> int:
    return max((len(row.cells) for row in grid.rows), default=0)


def _pieces(y: int, old: list[Cell | None], new: list[Cell | None], pieces: list[Piece]) -> None:
    """Add the stretches of one style each that differ in a row; blanks go with the text beside them."""
    known = len(old)
    style, start, end, blank = "", 0, -1, False
    text: list[str] = []
    for x, cell in enumerate(new):
        if cell is None or (x < known and old[x] == cell):
            continue
        char, look = cell
        fits = text and (
            look == style or (char == " " and sgr.blank_fits(style, look)) or (blank and sgr.blank_fits(look, style))
        )
        if fits and x != end:
            between = new[end:x]
            fits = len(between) <= _GAP and all(
                each is not None and (each[1] == style or (each[0] == " " and sgr.blank_fits(style, each[1])))
                for each in between
            )
            if fits:
                text += [each[0] for each in between if each is not None]
        if not fits:
            if text:
                pieces.append(Piece(y, start, style, "".join(text), blank))
            style, start, blank = look, x, char == " "
            text = []
        elif blank and char != " ":
            style, blank = look, False
        text.append(char)
        end = x + 1
    if text:
        pieces.append(Piece(y, start, style, "".join(text), blank))
