"""Bars of a histogram as characters: pure data, drawn by the screens and by reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS = " ▁▂▃▄▅▆▇█"
"""Eighths of a cell, from nothing to full."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of the strip."""

    cells: tuple[str, ...]
    """Characters from top to bottom, one per line of the strip."""
    level: int
    """The worst level among its records that is worth showing, 0 if it holds none."""
    records: int
    detections: int


def eighths(values: Sequence[float], height: int = 1) -> list[int]:
    """Heights in eighths of a cell; anything above nothing shows at least one eighth.

    Args:
        values: Not negative.
        height: Cells a bar may be high.

    Returns:
        One number per value, 0 to `8 * height`.
    """
    highest = max(values, default=0)
    if highest <= 0:
        return [0] * len(values)
    return [max(1, round(value / highest * 8 * height)) if value > 0 else 0 for value in values]


def stack(level: int, height: int) -> tuple[str, ...]:
    """A bar of `level` eighths as characters from top to bottom.

    Args:
        level: 0 to `8 * height`.
        height: Cells high.
    """
    return tuple(BLOCKS[min(8, max(0, level - 8 * below))] for below in range(height - 1, -1, -1))


def worst_level(levels: Sequence[int]) -> int:
    """The highest level that any record of a bucket has.

    Args:
        levels: Records by level number.
    """
    return max((number for number, count in enumerate(levels) if count), default=0)


def bars(counts: Sequence[Sequence[int]], detections: Sequence[int], height: int = 1) -> list[Bar]:
    """The strip: one bar per bucket.

    Args:
        counts: Per bucket the records by level number (0 to 6).
        detections: Per bucket the detections decided in it.
        height: Lines of the strip.
    """
    totals = [sum(levels) for levels in counts]
    return [
        Bar(stack(high, height), worst_level(levels), total, found)
        for high, levels, total, found in zip(eighths(totals, height), counts, totals, detections, strict=True)
    ]


def sparkline(values: Sequence[float]) -> str:
    """One line of bars, as long as there are values."""
    return "".join(BLOCKS[high] for high in eighths(values))
