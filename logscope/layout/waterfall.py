"""A transaction as lanes of cells over a time axis: pure data, drawn by the screens and by reports.

Time runs linearly within stretches of activity; a silence that is long against the activity around
it is folded into a few cells and labelled with its length, so that 200 ms of work followed by a
minute of nothing still shows the work.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from logscope.text import human_duration

FOLD_WIDTH = 10
"""Cells that a folded silence takes about: its length between two strokes."""

_NICE = (1, 2, 5)


def _fold_width(cut: tuple[int, int]) -> int:
    """Its label, and a blank before what comes after it."""
    return len(_fold_label(*cut)) + 1


def _fold_label(start: int, end: int) -> str:
    return f"╱ {human_duration(end - start)} ╱"


@dataclass(frozen=True, slots=True)
class Point:
    """A record in the waterfall."""

    time: int
    """Microseconds."""
    lane: str
    error: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A step that did not happen: the window in which it should have."""

    start: int
    end: int
    lane: str
    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """A long silence that is drawn short."""

    column: int
    """Its first cell."""
    width: int
    start: int
    end: int

    @property
    def label(self) -> str:
        """Its length for people, a little narrower than the fold."""
        return _fold_label(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of cells in which time is linear."""

    column: int
    width: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on the axis."""

    column: int
    label: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell of a lane holds."""

    records: tuple[int, ...]
    """Places of the records in the points that were given."""
    error: bool


@dataclass(frozen=True, slots=True)
class Shade:
    """A window that stayed empty, drawn in its lane."""

    column: int
    width: int
    lane: str
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One service instance."""

    name: str
    cells: dict[int, Cell]
    """Column -> what is there."""
    first: int
    last: int
    """First and last column used, for the line between."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Everything there is to draw."""

    width: int
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    folds: tuple[Fold, ...]
    gap: tuple[int, int] | None
    """Columns (first, exclusive last) of the longest silence that is not folded."""
    shades: tuple[Shade, ...]
    columns: tuple[int, ...]
    """Per point its column."""


class Axis:
    """Times to columns, silences folded."""

    def __init__(self, stretches: Sequence[Stretch], folds: Sequence[Fold], width: int) -> None:
        """An axis of `width` cells over stretches and folds in order."""
        self.stretches = tuple(stretches)
        self.folds = tuple(folds)
        self.width = width
        self._starts = [stretch.start for stretch in self.stretches]

    def column(self, time: int) -> int:
        """The cell of a time; times in a fold fall on the cell before it, times outside on the ends."""
        place = bisect_right(self._starts, time) - 1
        if place < 0:
            return 0
        stretch = self.stretches[place]
        if time >= stretch.end or stretch.end == stretch.start:
            return stretch.column + (stretch.width - 1 if time >= stretch.end > stretch.start else 0)
        share = (time - stretch.start) / (stretch.end - stretch.start)
        return stretch.column + min(stretch.width - 1, int(share * stretch.width))


def _silences(times: Sequence[int], width: int) -> list[tuple[int, int]]:
    """The silences worth folding, in order: ten times as long as all much shorter ones together.

    Compared with the shorter ones only, so that two long silences do not hide each other.
    """
    gaps = sorted(((after - before, before, after) for before, after in itertools.pairwise(times)), reverse=True)
    folded: list[tuple[int, int]] = []
    for length, before, after in gaps[: max(0, width // 3 // FOLD_WIDTH)]:
        shorter = sum(other for other, _, _ in gaps if other < length / 4)
        if not shorter or length < 10 * shorter:
            break
        folded.append((before, after))
    return sorted(folded)


def axis(times: Sequence[int], width: int) -> Axis:
    """An axis over sorted times.

    Args:
        times: Ascending, microseconds, at least one.
        width: Cells, at least 1.
    """
    width = max(1, width)
    cuts = _silences(times, width)
    # A fold must leave a cell for everything else.
    while cuts and sum(_fold_width(cut) for cut in cuts) + len(cuts) + 1 > width * 2 // 3:
        cuts.remove(min(cuts, key=lambda cut: cut[1] - cut[0]))
    bounds: list[tuple[int, int]] = []
    begin = times[0]
    for before, after in cuts:
        bounds.append((begin, before))
        begin = after
    bounds.append((begin, times[-1]))
    free = width - sum(_fold_width(cut) for cut in cuts)
    total = sum(end - start for start, end in bounds)
    # Every stretch gets a cell, the rest goes by its length.
    spare = free - len(bounds)
    widths = [1 + (int((end - start) / total * spare) if total else 0) for start, end in bounds]
    widths[widths.index(max(widths))] += free - sum(widths)
    stretches: list[Stretch] = []
    folds: list[Fold] = []
    column = 0
    for place, ((start, end), cells) in enumerate(zip(bounds, widths, strict=True)):
        stretches.append(Stretch(column, cells, start, end))
        column += cells
        if place < len(cuts):
            folds.append(Fold(column, _fold_width(cuts[place]), *cuts[place]))
            column += folds[-1].width
    return Axis(stretches, folds, width)


def _step(span: int, cells: int) -> int:
    """A round number of microseconds such that labels fit in `cells`."""
    wanted = max(1.0, span / max(1, cells // 11))
    size = 1
    while True:
        for nice in _NICE:
            if nice * size >= wanted:
                return nice * size
        size *= 10


def axis_ticks(time_axis: Axis, origin: int) -> tuple[Tick, ...]:
    """Labels that do not overlap: round distances from the first record within each stretch.

    Args:
        time_axis: The axis.
        origin: Time of the first record.
    """
    ticks: list[Tick] = []
    free = 0
    for stretch in time_axis.stretches:
        span = stretch.end - stretch.start
        step = _step(span, stretch.width)
        first = -(-(stretch.start - origin) // step) * step
        offsets = list(range(first, stretch.end - origin + 1, step)) or [stretch.start - origin]
        for offset in offsets:
            label = human_duration(offset).replace(".0 ", " ")
            column = time_axis.column(origin + offset)
            end = stretch.column + stretch.width
            # A label that runs up to a fold would run into its label.
            if column >= free and column + len(label) + (end < time_axis.width) <= end:
                ticks.append(Tick(column, label))
                free = column + len(label) + 2
    return tuple(ticks)


def _longest_gap(columns: Sequence[int], folds: Sequence[Fold]) -> tuple[int, int] | None:
    """The widest run of cells without a record that is no fold, if it is worth shading."""
    best: tuple[int, int] | None = None
    used = sorted(set(columns))
    for left, right in itertools.pairwise(used):
        if any(left < fold.column + fold.width and fold.column < right for fold in folds):
            continue
        if right - left > 4 and (best is None or right - left > best[1] - best[0]):
            best = (left + 1, right)
    return best


def waterfall(points: Sequence[Point], width: int, missing: Sequence[Missing] = ()) -> Waterfall:
    """Lay a transaction out.

    Args:
        points: Its records in order of time.
        width: Cells of a lane, at least 1.
        missing: Steps that did not happen.

    Returns:
        Lanes in order of first appearance; a lane that only misses something is there too.
    """
    width = max(1, width)
    if not points:
        return Waterfall(width, (), (), (), None, (), ())
    last = max(points[-1].time, *(gap.end for gap in missing)) if missing else points[-1].time
    times = [point.time for point in points]
    if last > times[-1]:
        times.append(last)
    time_axis = axis(times, width)
    columns = tuple(time_axis.column(point.time) for point in points)
    held: dict[str, dict[int, list[int]]] = {}
    for place, (point, column) in enumerate(zip(points, columns, strict=True)):
        held.setdefault(point.lane, {}).setdefault(column, []).append(place)
    for gap in missing:
        held.setdefault(gap.lane, {})
    lanes = []
    for name, cells in held.items():
        filled = {
            column: Cell(tuple(places), any(points[place].error for place in places))
            for column, places in cells.items()
        }
        lanes.append(Lane(name, filled, min(filled, default=0), max(filled, default=0)))
    shades = []
    for gap in missing:
        left, right = time_axis.column(gap.start), time_axis.column(gap.end)
        shades.append(Shade(left, max(1, right - left + 1), gap.lane, gap.text))
    return Waterfall(
        width,
        tuple(lanes),
        axis_ticks(time_axis, points[0].time),
        time_axis.folds,
        _longest_gap(columns, time_axis.folds),
        tuple(shades),
        columns,
    )
