"""Small frame work that all readers share: partition, scatter, one column of parts, long pairs."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from logscope.formats.keyvalue import PAIR
from logscope.records.schema import TIME

LONG: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "name": pl.String,
    "value": pl.String,
    "kind": pl.UInt8,
}
"""Fields in long form; the first of equal (row, name) wins."""


def rows(height: int) -> pl.Series:
    """0 .. height-1 as UInt32, named `row`."""
    return pl.int_range(height, dtype=pl.UInt32, eager=True).alias("row")


def nothing(height: int, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Series:
    """An all-null column."""
    return pl.Series([None], dtype=dtype).new_from_index(0, height)


def constant(value: str | int, height: int, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Series:
    """A column of one value."""
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


def dtype_of(name: str) -> pl.DataType | type[pl.DataType]:
    """The dtype of an all-null column of this name."""
    if name == "time":
        return TIME
    return pl.UInt8 if name == "level" else pl.String


def coalesce(first: pl.Series, second: pl.Series) -> pl.Series:
    """`first` where it has a value, else `second`; of different dtypes: as `unify` makes them."""
    if first.null_count() == 0 or second.null_count() == len(second):
        return first
    if first.null_count() == len(first):
        return second.alias(first.name)
    first, second = unify([first, second])
    return first.zip_with(first.is_not_null(), second)


def unify(parts: Sequence[pl.Series]) -> list[pl.Series]:
    """Parts of one column with one dtype: mixed numbers are Float64, anything else mixed is String."""
    dtypes = {part.dtype for part in parts if part.null_count() < len(part)}
    if not dtypes:
        return [part.cast(parts[0].dtype, strict=False) for part in parts]
    if len(dtypes) == 1:
        (dtype,) = dtypes
        return [part if part.dtype == dtype else nothing(len(part), dtype) for part in parts]
    target = pl.Float64 if dtypes == {pl.Int64, pl.Float64} else pl.String
    return [part.cast(target, strict=False) for part in parts]


def scatter(parts: Sequence[tuple[pl.Series, pl.Series]], height: int) -> pl.Series:
    """One column of parts, each with the row numbers its values belong to; together all rows."""
    if len(parts) == 1:
        return parts[0][1]
    values = pl.concat(unify([values for _, values in parts]))
    order = pl.concat([where.cast(pl.UInt32) for where, _ in parts]).arg_sort()
    return values.gather(order)


def long_of(name: str, values: pl.Series, kind: int) -> pl.DataFrame:
    """One field of all records in long form."""
    return (
        pl.DataFrame({"row": rows(len(values)), "name": constant(name, len(values)), "value": values.cast(pl.String)})
        .filter(pl.col("value").is_not_null())
        .with_columns(pl.lit(kind, pl.UInt8).alias("kind"))
    )


def pair_lists(long: pl.DataFrame, height: int) -> pl.Series:
    """Long form to List(`PAIR`) per record, in the order given, the first of equal names only."""
    lists = (
        long.unique(["row", "name"], keep="first", maintain_order=True)
        .group_by("row", maintain_order=True)
        .agg(pl.struct("name", "value", "kind").alias("pairs"))
    )
    joined = pl.DataFrame({"row": rows(height)}).join(lists, on="row", how="left", maintain_order="left")
    empty = pl.Series([[]], dtype=pl.List(PAIR))
    return joined["pairs"].cast(pl.List(PAIR)).fill_null(empty.new_from_index(0, height)).alias("fields")
