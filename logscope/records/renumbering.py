"""Numbers that close up when some are let go: rows, nodes, codes and groups are all renumbered the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import polars as pl

NONE = 0xFFFF_FFFF
"""UInt32 that stands for "no number"."""


class Kept:
    """Which of the numbers below a total stay; they keep their order and leave no gap.

    Args:
        numbers: Those that stay, UInt32, distinct and ascending.
        total: How many there were; greater numbers, such as `NONE`, mean something else and are left alone.
    """

    def __init__(self, numbers: pl.Series, total: int) -> None:
        """Nothing is looked up yet."""
        self.numbers = numbers.cast(pl.UInt32)
        self.total = total

    @classmethod
    def among(cls, parts: Iterable[pl.Series], total: int) -> Kept:
        """The numbers below `total` of some series, repeats allowed."""
        mask = pl.repeat(False, total, dtype=pl.Boolean, eager=True)
        for part in parts:
            mask = mask.scatter(part.filter(part < total), True)
        return cls(mask.arg_true(), total)

    def without(self, numbers: pl.Series) -> Kept:
        """The same numbering, in which some of those that stay count as gone."""
        other = Kept(self.numbers, self.total)
        other.__dict__["_new"] = self._new.clone().scatter(numbers, NONE)
        return other

    @property
    def held(self) -> pl.Series:
        """Those that stay and do not count as gone."""
        return self.numbers.filter(self.mask(self.numbers))

    def __len__(self) -> int:
        """How many stay."""
        return len(self.numbers)

    @cached_property
    def _new(self) -> pl.Series:
        blank = pl.repeat(NONE, self.total, dtype=pl.UInt32, eager=True)
        return blank.scatter(self.numbers, pl.int_range(len(self), dtype=pl.UInt32, eager=True))

    def new(self, numbers: pl.Series) -> pl.Series:
        """What numbers (UInt32) are from now on; `NONE` if they do not stay, null if they were null."""
        if not self.total:
            return numbers
        inside = numbers < self.total
        found = self._new.gather(pl.select(pl.when(inside).then(numbers).otherwise(0)).to_series())
        return found.zip_with(inside.fill_null(False), numbers).rename(numbers.name)

    def mask(self, numbers: pl.Series) -> pl.Series:
        """Which numbers stay; those that mean something else do not, nor does null."""
        return ((numbers < self.total) & (self.new(numbers) != NONE)).fill_null(False)

    def rows_of(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        """The rows of a frame whose number in a column stays, with the new ones."""
        kept = frame.filter(self.mask(frame[column]))
        return kept.with_columns(self.new(kept[column]))

    def by_number(self, numbers: Iterable[int]) -> Mapping[int, int]:
        """The new numbers of those among some that stay."""
        known = pl.Series(list(numbers), dtype=pl.UInt32)
        known = known.filter(self.mask(known))
        return dict(zip(known.to_list(), self.new(known).to_list(), strict=True))
