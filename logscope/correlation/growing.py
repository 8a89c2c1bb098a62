"""Arrays that grow: what the linker keeps its state in."""

from __future__ import annotations

import polars as pl

from logscope.records.renumbering import NONE, Kept

__all__ = ["NONE", "GrowingArray", "distinct", "distinct_pairs", "within"]

_MANY = 100_000
"""From so many on, work over all numbers beats hashing those at hand."""


def within(values: pl.Series, members: pl.Series, total: int) -> pl.Series:
    """Which values are among the members.

    Args:
        values: UInt32.
        members: UInt32, repeats allowed.
        total: More than the greatest of either.
    """
    if not len(members):
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    if len(values) + len(members) < max(_MANY, total // 8):
        return values.is_in(members.implode())
    return pl.repeat(False, total, dtype=pl.Boolean, eager=True).scatter(members, True).gather(values)


def distinct(numbers: pl.Series, total: int) -> pl.Series:
    """The distinct numbers (UInt32) below `total`, in no order."""
    if len(numbers) < max(_MANY, total // 8):
        return numbers.unique()
    marked = pl.repeat(False, total, dtype=pl.Boolean, eager=True).scatter(numbers, True)
    return marked.arg_true().cast(pl.UInt32).alias(numbers.name)


def distinct_pairs(table: pl.DataFrame) -> pl.DataFrame:
    """Distinct rows of a frame with two columns of UInt32, in no order; packed, which takes half the time."""
    one, other = table.columns
    packed = table.select(both=pl.col(one).cast(pl.UInt64) * (1 << 32) + pl.col(other))["both"]
    if len(packed) > 1 and not (packed > packed.shift(1)).all():
        packed = packed.unique()
    else:
        return table
    return packed.to_frame("both").select(
        (pl.col("both") // (1 << 32)).cast(pl.UInt32).alias(one),
        (pl.col("both") % (1 << 32)).cast(pl.UInt32).alias(other),
    )


class GrowingArray:
    """A Series that is appended to in amortised constant time and written in place."""

    __slots__ = ("_data", "_fill", "_height")

    def __init__(self, dtype: type[pl.DataType], fill: int) -> None:
        """Empty.

        Args:
            dtype: An integer type.
            fill: What unwritten places hold.
        """
        self._fill = fill
        self._data = pl.Series([], dtype=dtype)
        self._height = 0

    def __len__(self) -> int:
        return self._height

    def resize(self, height: int) -> None:
        """Grow to `height` places; the new ones hold the fill value."""
        if height > len(self._data):
            size = max(1024, height, int(len(self._data) * 1.5)) - len(self._data)
            blank = pl.repeat(self._fill, size, dtype=self._data.dtype, eager=True)
            self._data = pl.concat([self._data, blank], rechunk=True)
        self._height = max(height, self._height)

    def extend(self, values: pl.Series) -> None:
        """Append."""
        start = self._height
        if start == 0 and len(self._data) == 0:
            self._data, self._height = values.cast(self._data.dtype).rechunk().clone(), len(values)
            return
        self.resize(start + len(values))
        self.put(pl.int_range(start, start + len(values), dtype=pl.UInt32, eager=True), values)

    def put(self, places: pl.Series, values: pl.Series | int) -> None:
        """Write at places."""
        if len(places):
            self._data.scatter(places, values)

    def take(self, places: pl.Series) -> pl.Series:
        """Read at places (UInt32 Series)."""
        return self._data.gather(places)

    def view(self) -> pl.Series:
        """All of it, not copied; what is written later does not change it."""
        return self._data.head(self._height)

    def keep_only(self, places: Kept) -> None:
        """Let go of all other places; the rest close up."""
        self.resize(places.total)
        self.restore(self._data.gather(places.numbers))

    def restore(self, values: pl.Series) -> None:
        """Hold what `view` gave another one."""
        self._data, self._height = values.cast(self._data.dtype).rechunk(), len(values)
