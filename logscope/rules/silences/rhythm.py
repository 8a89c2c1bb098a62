"""What gap is usual, and so how long a silence has to be.

The usual gap is weighted by time: the shortest one such that the gaps up to it make up three quarters
of the time. A mean or a quantile over records would be that within bursts: a job that writes a
thousand lines each hour has gaps of milliseconds, and all its time passes in gaps of an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from logscope.rules.model.silence import LEAST_BEATS, Silence
from logscope.rules.sequence import GROUP, in_order

_SHARE = 0.75
_HEARD = 2
"""So many times the silence that is told must have been heard before."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a silence after one beat is measured by."""

    usual_us: int
    """The usual gap."""
    half_us: int
    """Time after which others must have been heard."""
    due_us: int
    """Its last moment: the end of a beat."""


def beats(silence: Silence, hits: pl.DataFrame) -> pl.DataFrame:
    """The last hit of each group and beat: `group`, `beat`, `t` (microseconds), `place` (in the hits), in order.

    Args:
        silence: Says how long a beat is.
        hits: With `group`, `time`, `source_id`, `line`, in any order.
    """
    ordered = in_order(hits.select(GROUP, "time", "source_id", "line").with_row_index("place"))
    time = pl.col("time").to_physical()
    return ordered.select(GROUP, (time // silence.beat_us).alias("beat"), time.alias("t"), "place").unique(
        [GROUP, "beat"], keep="last", maintain_order=True
    )


class Rhythms:
    """When each group wrote.

    Args:
        silence: The rule's.
        found: As `beats` gives them, of the groups that are asked for, as far back as the history reaches.
    """

    def __init__(self, silence: Silence, found: pl.DataFrame) -> None:
        """Keeps each group's moments."""
        self._silence = silence
        self._times = {
            group: part["t"] for (group,), part in found.partition_by(GROUP, as_dict=True, maintain_order=True).items()
        }

    def bound(self, group: int, last_us: int) -> Bound | None:
        """What a silence of a group after a moment is measured by; None: its rhythm is not known.

        Args:
            group: Its number.
            last_us: The last moment of one of its beats.
        """
        times = self._times[group]
        first = times.search_sorted(last_us - self._silence.history_us)
        heard = times[first : times.search_sorted(last_us, side="right")]
        if heard.len() < LEAST_BEATS:
            return None
        gaps = heard.diff().drop_nulls().sort()
        total = last_us - int(heard[0])
        usual = int(gaps[min(int(gaps.cum_sum().search_sorted(_SHARE * total)), gaps.len() - 1)])
        length = max(self._silence.after_us, round(self._silence.times * usual))
        if total < _HEARD * length:
            return None
        beat = self._silence.beat_us
        due = ((last_us + length) // beat + 1) * beat - 1
        return Bound(usual, last_us + length // 2, due)


class Others:
    """Who was heard in each beat.

    Args:
        silence: The rule's.
        hits: Of all groups, as far as silences reach.
    """

    def __init__(self, silence: Silence, hits: pl.DataFrame | None) -> None:
        """Per beat the lowest and the highest group that wrote."""
        self._beat = silence.beat_us
        frame = pl.DataFrame(schema={GROUP: pl.UInt32, "time": pl.Int64}) if hits is None else hits
        frame = frame.filter(pl.col(GROUP).is_not_null())
        beat = (pl.col("time").to_physical() // self._beat).alias("beat")
        heard = frame.group_by(beat).agg(low=pl.col(GROUP).min(), high=pl.col(GROUP).max()).sort("beat")
        self._beats, self._low, self._high = heard["beat"], heard["low"], heard["high"]

    def heard(self, group: int, bound: Bound) -> bool:
        """Whether another group wrote in the second half of a silence."""
        first = self._beats.search_sorted(bound.half_us // self._beat + 1)
        last = self._beats.search_sorted(bound.due_us // self._beat, side="right")
        low, high = self._low[first:last], self._high[first:last]
        return bool(((low != group) | (high != group)).any())


def reach_us(bounds: Iterable[Bound]) -> tuple[int, int]:
    """The time in which others have to be looked for."""
    known = list(bounds)
    return min(bound.half_us for bound in known), max(bound.due_us for bound in known)
