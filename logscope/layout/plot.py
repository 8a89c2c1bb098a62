"""Figures over time as a plot: pure data, drawn by the screens and by reports."""

from __future__ import annotations

from collections.abc import Sequence

from logscope.layout.histogram import stack

_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Bits of a braille cell, by column, from the lowest dot to the highest."""
_BRAILLE = 0x2800


def columns(values: Sequence[float | None], width: int, *, add: bool) -> list[float | None]:
    """As many values as there are columns: several are put together, fewer are repeated.

    Args:
        values: One per equal stretch; None: nothing to tell.
        width: Columns, at least one.
        add: Put together by their sum, spread over what one fills; else by the greatest.
    """
    if not values:
        return [None] * width
    told: list[float | None] = []
    for place in range(width):
        first = place * len(values) // width
        last = max(first + 1, (place + 1) * len(values) // width)
        part = [value for value in values[first:last] if value is not None]
        told.append((sum(part) if add else max(part)) if part else None)
    return told


def bars(values: Sequence[float | None], height: int, top: float | None = None) -> list[str]:
    """Bars of eighth blocks, one a column; lines from top to bottom.

    Args:
        values: Not negative; one a column.
        height: Lines.
        top: What reaches the top; by default the greatest value.
    """
    highest = top if top is not None else max((value for value in values if value is not None), default=0)
    cells = [stack(_eighths(value, highest, height), height) for value in values]
    return ["".join(column[row] for column in cells) for row in range(height)]


def _eighths(value: float | None, highest: float, height: int) -> int:
    if value is None or value <= 0 or highest <= 0:
        return 0
    return max(1, min(8 * height, round(value / highest * 8 * height)))


def lines(values: Sequence[float | None], width: int, height: int, top: float | None = None) -> list[str]:
    """A line of braille dots, two columns and four rows a cell; gaps where there is nothing to tell.

    Args:
        values: Not negative; resampled to two a cell.
        width: Cells.
        height: Lines.
        top: What reaches the top; by default the greatest value.
    """
    points = columns(values, 2 * width, add=False)
    highest = top if top is not None else max((value for value in points if value is not None), default=0)
    cells = [[0] * width for _ in range(height)]
    before: int | None = None
    for place, value in enumerate(points):
        if value is None:
            before = None
            continue
        dot = 0 if highest <= 0 else min(4 * height - 1, round(value / highest * (4 * height - 1)))
        low, high = (dot, dot) if before is None else (min(before, dot), max(before, dot))
        for each in range(low, high + 1):
            cells[height - 1 - each // 4][place // 2] |= _DOTS[place % 2][each % 4]
        before = dot
    return ["".join(chr(_BRAILLE + bits) if bits else " " for bits in row) for row in cells]
