"""Figures over time, as a face gets them."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("all", "service", "rule", "shape", "source", "level")
"""What figures can be told by, besides the keys."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of one value, of a stretch of time or the whole."""

    records: int
    errors: int
    """Records of level error and above."""
    transactions: int
    failed: int
    """Of these transactions those with an error."""
    p50: int | None
    p95: int | None
    p99: int | None
    """Durations, microseconds; None: no transaction."""
    detections: int

    @property
    def error_share(self) -> float | None:
        """Share of transactions with an error, of records where there are no transactions; None: of nothing."""
        if self.transactions:
            return self.failed / self.transactions
        return self.errors / self.records if self.records else None


_NOTHING = Figures(0, 0, 0, 0, None, None, None, 0)


@dataclass(frozen=True, slots=True)
class Trend:
    """One value over time."""

    value: str
    whole: Figures
    stretches: dict[int, Figures]
    """By their place; those in which there is nothing are left out."""

    def at(self, place: int) -> Figures:
        """The figures of a stretch of time."""
        return self.stretches.get(place, _NOTHING)


@dataclass(frozen=True, slots=True)
class Trends:
    """Figures over time."""

    over: str
    start: int
    """Of the first stretch, microseconds since 1970 UTC."""
    every: int
    """Length of a stretch, microseconds."""
    count: int
    """Stretches."""
    series: tuple[Trend, ...]
    """Most records or transactions first."""
    left_out: int = 0
    """Values that are not among them."""

    def values(self, series: Trend, of: str) -> tuple[float | None, ...]:
        """One figure over time.

        Args:
            series: One of `series`.
            of: `rate` (records a second), `error_share`, or a figure's name.
        """
        told = (series.at(place) for place in range(self.count))
        if of == "rate":
            return tuple(each.records / (self.every / 1_000_000) for each in told)
        return tuple(getattr(each, of) for each in told)
