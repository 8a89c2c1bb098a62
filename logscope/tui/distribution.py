"""How long transactions take, as a few figures and one line of bars."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from logscope.layout.histogram import sparkline
from logscope.text import human_duration

BARS = 18
_FIRST = 1_000
"""Microseconds of the first bar: what is shorter counts as that."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of the durations of some transactions."""

    count: int
    p50: int
    p95: int
    p99: int
    """Microseconds."""
    bars: str
    """Over the logarithm of the duration."""

    @property
    def words(self) -> str:
        """`p50 390 ms · p95 1.9 s · p99 8.1 s`."""
        told = (("p50", self.p50), ("p95", self.p95), ("p99", self.p99))
        return " · ".join(f"{name} {human_duration(value)}" for name, value in told)


def distribution(frame: pl.DataFrame) -> Distribution:
    """Of the transactions of a frame."""
    if frame.is_empty():
        return Distribution(0, 0, 0, 0, "")
    spans = frame["duration"].dt.total_microseconds()
    half, most, nearly = (int(spans.quantile(share) or 0) for share in (0.5, 0.95, 0.99))
    first = math.log10(_FIRST)
    longest = math.log10(float(spans.max() or 0) + _FIRST)  # type: ignore[arg-type]  # a number: the column is one
    share = ((spans.clip(0) + _FIRST).log10() - first) / max(1e-9, longest - first)
    counts = dict((share * (BARS - 1)).floor().cast(pl.Int32).value_counts().rows())
    return Distribution(frame.height, half, most, nearly, sparkline([counts.get(place, 0) for place in range(BARS)]))
