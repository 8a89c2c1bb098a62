"""How far clocks are apart, from transactions that run over both: what waits must frame what it waits for.

If one clock's records frame another's in transaction after transaction (asked, answered), the answer
cannot have begun before the question nor ended after it was read. Each transaction leaves an interval
for the difference of the clocks; together they leave a narrow one.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

LEAST = 20
"""Shared transactions below which nothing is said."""
_MOST = 20_000
_OUTLIERS = 0.02
_COMMON = 0.3
"""Share of the shared transactions that a frame must stand in."""
_CERTAIN = 50
"""Transactions that it takes to say that a clock is off: a call that is not logged looks like a clock's error."""
_TIGHT = 4
"""How many times its spread a difference must be."""


@dataclass(frozen=True, slots=True)
class Between:
    """How far one clock is ahead of another."""

    clock: int
    reference: int
    low: int
    """Microseconds; the difference lies between `low` and `high`."""
    high: int
    transactions: int

    @property
    def certain(self) -> bool:
        """Whether the clocks cannot be equal, and it is known by how much they are not."""
        nearest = min(abs(self.low), abs(self.high))
        apart = self.low > 0 or self.high < 0
        return apart and self.spread * _TIGHT <= nearest and self.transactions >= _CERTAIN

    @property
    def ahead(self) -> int:
        """The middle of the interval; 0 where the clocks may be equal."""
        return (self.low + self.high) // 2 if self.certain else 0

    @property
    def spread(self) -> int:
        """Half the width of the interval."""
        return (self.high - self.low) // 2


def between(rows: pl.DataFrame) -> list[Between]:
    """What can be told of every pair of clocks, the best founded of each.

    Args:
        rows: `number`, `clock` (code), `step` (template code), `at` (microseconds), `rank`, of
            transactions; the first 20,000 of them count.
    """
    several = rows.group_by("number").agg(clocks=pl.col("clock").n_unique()).filter(pl.col("clocks") > 1)
    chosen = several.sort("number").head(_MOST)
    rows = rows.join(chosen.select("number"), on="number", how="semi").sort("number", "clock", "at", "rank")
    if rows.is_empty():
        return []
    blocks = rows.group_by("number", "clock").agg(begin=pl.col("at").min(), end=pl.col("at").max())
    same = (pl.col("number") == pl.col("number").shift(-1)) & (pl.col("clock") == pl.col("clock").shift(-1))
    gaps = rows.with_columns(same=same, then=pl.col("step").shift(-1), until=pl.col("at").shift(-1)).filter("same")
    gaps = gaps.select("number", "step", "then", outer="clock", asked="at", answered="until")
    # A frame that stands twice in a transaction (two calls of one kind) does not tell which is meant.
    once = pl.len().over("number", "outer", "step", "then") == 1
    pairs = gaps.filter(once).join(blocks, on="number").filter(pl.col("outer") != pl.col("clock"))
    shared = blocks.join(blocks, on="number", suffix="_b").filter(pl.col("clock") != pl.col("clock_b"))
    shared = shared.group_by(outer="clock", clock="clock_b").agg(shared=pl.len())
    frames = (
        pairs.group_by("outer", "clock", "step", "then")
        .agg(
            low=(pl.col("end") - pl.col("answered")).quantile(1 - _OUTLIERS, "nearest").cast(pl.Int64),
            high=(pl.col("begin") - pl.col("asked")).quantile(_OUTLIERS, "nearest").cast(pl.Int64),
            transactions=pl.len(),
        )
        .join(shared, on=["outer", "clock"])
        .filter(
            (pl.col("low") <= pl.col("high"))
            & (pl.col("transactions") >= LEAST)
            & (pl.col("transactions") >= _COMMON * pl.col("shared"))
        )
    )
    # Where the clocks as they are frame regularly too, they are taken to agree.
    held = gaps.join(blocks, on="number").filter(
        (pl.col("outer") != pl.col("clock"))
        & (pl.col("begin") >= pl.col("asked"))
        & (pl.col("end") <= pl.col("answered"))
    )
    agreeing = (
        held.group_by("outer", "clock", "step", "then")
        .agg(
            low=(pl.col("end") - pl.col("answered")).quantile(1 - _OUTLIERS, "nearest").cast(pl.Int64),
            high=(pl.col("begin") - pl.col("asked")).quantile(_OUTLIERS, "nearest").cast(pl.Int64),
            transactions=pl.col("number").n_unique(),
        )
        .join(shared, on=["outer", "clock"])
        .filter((pl.col("transactions") >= LEAST) & (pl.col("transactions") >= _COMMON * pl.col("shared")))
    )
    frames = pl.concat([frames, agreeing.select(frames.columns)])
    return _best(frames)


def _best(frames: pl.DataFrame) -> list[Between]:
    """One estimate per pair: clocks that may be equal are taken to be, else the least difference."""
    found: dict[tuple[int, int], Between] = {}
    columns = ("outer", "clock", "low", "high", "transactions")
    for outer, clock, low, high, count in frames.select(columns).iter_rows():
        lower = outer < clock
        estimate = Between(clock, outer, low, high, count) if lower else Between(outer, clock, -high, -low, count)
        pair = (estimate.clock, estimate.reference)
        if pair not in found or _preference(estimate) < _preference(found[pair]):
            found[pair] = estimate
    return [found[pair] for pair in sorted(found)]


def _preference(estimate: Between) -> tuple[bool, int, int]:
    return (estimate.certain, abs(estimate.ahead), estimate.spread)


def offsets(estimates: list[Between]) -> dict[int, tuple[int, int, int]]:
    """Per clock: microseconds it is ahead, the spread of that, transactions.

    Clocks are told against what most of those that share transactions agree upon.

    Args:
        estimates: Of pairs.
    """
    told: dict[int, tuple[int, int, int]] = {}
    weight: dict[int, int] = {}
    for each in estimates:
        for clock in (each.clock, each.reference):
            weight[clock] = weight.get(clock, 0) + each.transactions
    for root in sorted(weight, key=lambda clock: (-weight[clock], clock)):
        if root not in told:
            middle = _middle(_reached(estimates, root, weight[root]))
            told |= _reached(estimates, middle, weight[middle])
    # What the spread allows to be nothing is not told as something.
    return {
        clock: (ahead if abs(ahead) > spread else 0, spread, count) for clock, (ahead, spread, count) in told.items()
    }


def _reached(estimates: list[Between], root: int, count: int) -> dict[int, tuple[int, int, int]]:
    """Clocks that share transactions with others from `root` on, against `root`."""
    told = {root: (0, 0, count)}
    while True:
        edges = [
            (-each.transactions, each.spread + told[known][1], clock, sign * each.ahead + told[known][0])
            for each in estimates
            for known, clock, sign in ((each.reference, each.clock, 1), (each.clock, each.reference, -1))
            if known in told and clock not in told
        ]
        if not edges:
            return told
        # Along what most transactions tell, then along the narrowest, since spreads add up.
        shared, spread, clock, ahead = min(edges)
        told[clock] = (ahead, spread, -shared)


def _middle(told: dict[int, tuple[int, int, int]]) -> int:
    """The clock with which most agree, within their spreads."""

    def agreeing(middle: int) -> int:
        ahead, spread, _ = told[middle]
        return sum(abs(other - ahead) <= spread + wide for other, wide, _ in told.values())

    return max(told, key=lambda clock: (agreeing(clock), -abs(told[clock][0]), -clock))
