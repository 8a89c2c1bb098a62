"""Members of transactions laid out side by side: each transaction's records in one run, in record order."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from logscope.records.schema import ROW

_HIGH = 1 << 32


@dataclass(frozen=True, slots=True)
class Runs:
    """Where the records of each transaction stand in `rows`."""

    number: pl.Series
    """Distinct transactions (UInt32), ascending unless they were asked for otherwise."""
    begin: pl.Series
    """UInt32: the place of the first record."""
    length: pl.Series
    """UInt32: how many there are."""
    rows: pl.Series
    """UInt32: rows of records."""

    @classmethod
    def of(cls, members: pl.DataFrame, order: pl.Series) -> Runs:
        """Lay members out.

        Args:
            members: A frame MEMBERS.
            order: Rows in record order, at least those of the members.
        """
        rows = members[ROW]
        if order.is_sorted() and len(order) and order[-1] == len(order) - 1:
            rank = rows  # all records, in the order of their rows
        else:
            size = int(order.max()) + 1 if len(order) else 0  # type: ignore[arg-type]  # a UInt32 maximum is an int
            places = pl.repeat(0, size, dtype=pl.UInt32, eager=True)
            places = places.scatter(order, pl.int_range(len(order), dtype=pl.UInt32, eager=True))
            rank = places.gather(rows)
        # One sort of whole numbers instead of one by transaction, time, source, line and row.
        packed = members.select(both=pl.col("transaction").cast(pl.UInt64) * _HIGH + rank)["both"].sort()
        number = (packed // _HIGH).cast(pl.UInt32)
        begin = (number != number.shift(1)).fill_null(True).arg_true().cast(pl.UInt32)
        ends = pl.concat([begin.slice(1), pl.Series([len(number)], dtype=pl.UInt32)])
        laid = order.gather((packed % _HIGH).cast(pl.UInt32)).cast(pl.UInt32)
        return cls(number.gather(begin), begin, ends - begin, laid)

    def only(self, numbers: pl.Series) -> Runs:
        """The runs of some transactions, in the order given; unknown numbers are left out."""
        place = self.number.search_sorted(numbers).clip(0, max(0, len(self.number) - 1))
        place = place.filter(self.number.gather(place) == numbers)
        begin, length = self.begin.gather(place), self.length.gather(place)
        at = pl.DataFrame({"begin": begin, "end": begin + length}).select(
            place=pl.int_ranges("begin", "end", dtype=pl.UInt32)
        )
        rows = self.rows.gather(at.explode("place", empty_as_null=True)["place"].drop_nulls())
        return Runs(self.number.gather(place), length.cum_sum().cast(pl.UInt32) - length, length, rows)

    @property
    def last(self) -> pl.Series:
        """The place of each transaction's last record."""
        return self.begin + self.length - 1

    def members(self) -> pl.DataFrame:
        """`number`, `row` of all, in order."""
        repeated = pl.DataFrame({"number": self.number, "length": self.length})
        return repeated.select(pl.col("number").repeat_by("length").explode()).hstack([self.rows.alias(ROW)])
