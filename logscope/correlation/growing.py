"""Arrays that grow, and a dictionary from values to codes: what the linker keeps its state in."""

from __future__ import annotations

import polars as pl

NONE = 0xFFFF_FFFF
"""UInt32 that stands for "no number"."""


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
        """All of it, not copied."""
        return self._data.head(self._height)


class Dictionary:
    """64-bit hashes of values to dense codes, in order of first appearance.

    A sorted base answers a small lookup in logarithmic time, whatever it holds; what is new gathers
    in a small frame that is merged now and then.
    """

    def __init__(self) -> None:
        """Empty."""
        self._hashes = pl.Series([], dtype=pl.UInt64)
        self._codes = pl.Series([], dtype=pl.UInt32)
        self._recent = pl.DataFrame(schema={"hash": pl.UInt64, "code": pl.UInt32})
        self._size = 0

    def encode(self, hashes: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Codes of hashes, new ones included.

        Args:
            hashes: UInt64, repeats allowed.

        Returns:
            The codes (UInt32, same height), and the places in `hashes` where each new code was
            first met, in order of the new codes.
        """
        if self._size == 0 and len(hashes) > _MANY:
            return self._encode_first(hashes)
        first = (
            pl.DataFrame({"hash": hashes})
            .with_row_index("place")
            .group_by("hash")
            .agg(pl.col("place").first())
            .sort("place")
        )
        known = self._known(first["hash"])
        fresh = first.filter(known.is_null())
        made = pl.int_range(self._size, self._size + fresh.height, dtype=pl.UInt32, eager=True)
        table = pl.DataFrame({"hash": first["hash"], "code": known}).filter(known.is_not_null())
        added = pl.DataFrame({"hash": fresh["hash"], "code": made})
        self._size += fresh.height
        self._add(added)
        table = pl.concat([table, added])
        codes = pl.DataFrame({"hash": hashes}).join(table, on="hash", how="left", maintain_order="left")["code"]
        return codes, fresh["place"]

    def _encode_first(self, hashes: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The same while nothing is held: one sort instead of grouping and a join."""
        places = hashes.arg_unique().sort()
        distinct = hashes.gather(places)
        by_hash = distinct.arg_sort().cast(pl.UInt32)
        order = hashes.arg_sort()
        ranked = hashes.gather(order)
        run = (ranked != ranked.shift(1)).fill_null(True).cum_sum() - 1
        codes = pl.repeat(0, len(hashes), dtype=pl.UInt32, eager=True).scatter(order, by_hash.gather(run))
        self._hashes, self._codes, self._size = distinct.gather(by_hash), by_hash, len(distinct)
        return codes.alias("code"), places.cast(pl.UInt32).alias("place")

    def _known(self, hashes: pl.Series) -> pl.Series:
        if len(self._hashes) == 0 or len(hashes) == 0:
            based = pl.repeat(None, len(hashes), dtype=pl.UInt32, eager=True)
        else:
            place = self._hashes.search_sorted(hashes).clip(0, len(self._hashes) - 1)
            same = self._hashes.gather(place) == hashes
            based = pl.select(pl.when(same).then(self._codes.gather(place))).to_series()
        if self._recent.is_empty():
            return based.rename("code")
        recent = pl.DataFrame({"hash": hashes}).join(self._recent, on="hash", how="left", maintain_order="left")["code"]
        return pl.select(pl.coalesce(based, recent)).to_series().rename("code")

    def _add(self, added: pl.DataFrame) -> None:
        self._recent = pl.concat([self._recent, added])
        if self._recent.height > 50_000 + len(self._hashes) // 8:
            base = pl.DataFrame({"hash": self._hashes, "code": self._codes})
            merged = pl.concat([base, self._recent]).sort("hash")
            self._hashes, self._codes = merged["hash"].rechunk(), merged["code"].rechunk()
            self._recent = self._recent.clear()
