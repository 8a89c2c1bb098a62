"""What the rules of a correlation found, as rows by group and time, whether records or alerts of another."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from logscope.rules.model.windows import Windows
from logscope.rules.windows.timeline import Timeline

GROUP = "g"
KEYS = "key"


@dataclass(frozen=True, slots=True)
class Matches:
    """The matches of a correlation's slots.

    `frame` has `g` (UInt32), `ts` (Int64), `slot` (UInt8), `eid` (UInt64, one per record or alert), `at`
    (UInt32: a hit's position, or an alert's place), `v` (String, or Float64 of numeric types), by g and ts.
    """

    frame: pl.DataFrame
    keys: pl.DataFrame
    """`g`, and the folded values `key0`, ... of the group."""
    children: tuple[Alerts | None, ...]
    """Per slot: the alerts of the correlation that stands there."""

    def timeline(self) -> Timeline:
        """All matches."""
        return Timeline(self.frame[GROUP], self.frame["ts"])

    def of_slot(self, slot: int) -> Timeline:
        """The matches of one slot."""
        chosen = self.frame.filter(pl.col("slot") == slot)
        return Timeline(chosen[GROUP], chosen["ts"])


@dataclass(frozen=True, slots=True)
class Alerts:
    """Where a correlation's condition holds.

    `frame`: `place` (UInt32), `g`, `start` and `end` of the window (microseconds), `metric` (Float64),
    `rises` (it did not hold just before), `pending` (its end has not passed), `c0`, ... per clause.
    """

    node: Windows
    number: int
    """Tells the correlations of one tree apart."""
    frame: pl.DataFrame
    matches: Matches
