"""Moments by group and time, asked for many at once."""

from __future__ import annotations

import polars as pl

_GROUP = pl.Series([2**64], dtype=pl.Int128)


def _keys(group: pl.Series, time: pl.Series) -> pl.Series:
    # Both in one number: a search over two columns would need a join.
    return group.cast(pl.Int128) * _GROUP + time.cast(pl.Int128)


class Timeline:
    """Moments.

    Args:
        group: Of each moment, ascending.
        time: Microseconds, ascending within a group.
    """

    def __init__(self, group: pl.Series, time: pl.Series) -> None:
        """Sorted already."""
        self._group = group
        self._time = time
        self._sorted = _keys(group, time)

    def upto(self, group: pl.Series, time: pl.Series) -> pl.Series:
        """How many moments lie before these or at them (UInt32); differences count within a group."""
        return self._sorted.search_sorted(_keys(group, time), side="right").cast(pl.UInt32)

    def count(self, group: pl.Series, low: pl.Series, high: pl.Series) -> pl.Series:
        """How many moments lie in [low, high] (Int64)."""
        return self.upto(group, high).cast(pl.Int64) - self.upto(group, low - 1).cast(pl.Int64)

    def after(self, group: pl.Series, time: pl.Series) -> pl.Series:
        """The time of the next moment strictly later, null where there is none in the group."""
        places = self.upto(group, time)
        found = places.zip_with(places < self._time.len(), pl.repeat(None, places.len(), dtype=pl.UInt32, eager=True))
        same = (self._group.gather(found) == group).fill_null(False)
        times = self._time.gather(found)
        return times.zip_with(same, pl.repeat(None, times.len(), dtype=times.dtype, eager=True))
