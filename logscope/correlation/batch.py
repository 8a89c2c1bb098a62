"""What the linker takes in: distinct key values with the place of their records, in order."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from logscope.correlation.vocabulary import Vocabulary
from logscope.records.schema import ROW

_ORDER = (ROW, "key", "value", "scope")
_CODED = (ROW, "key", "code")


def linkable(
    values: pl.DataFrame, records: pl.DataFrame, keys: Collection[int], vocabulary: Vocabulary
) -> pl.DataFrame:
    """Values of linking keys, with their records' order.

    Args:
        values: KEY_VALUES; or `row`, `key`, `code`, distinct and in the order of the result already.
        records: `row`, `time`, `source_id`, `line`; values of other rows are left out.
        keys: Places of the keys that link.
        vocabulary: Of the keys; receives what is new.

    Returns:
        `row`, `key`, `code`, `time` (Int64, microseconds), `source_id`, `line`; distinct, ordered by row,
        key, value and scope.
    """
    wanted = pl.col("key").is_in(list(keys))
    if "code" in values.columns:
        table = (
            values.select(_CODED) if set(keys) >= set(values["key"].unique()) else values.filter(wanted).select(_CODED)
        )
    else:
        texts = values.select(_ORDER).filter(wanted & pl.col("value").is_not_null())
        if not increasing(texts):
            texts = texts.unique().sort(_ORDER)
        table = texts.select(ROW, "key", vocabulary.encode(texts))
    index = records.select(pl.col("time").dt.epoch("us"), "source_id", "line")
    rows = records[ROW]
    total = max(_highest(rows), _highest(table[ROW])) + 1
    if total > 8 * (table.height + records.height):
        return table.join(index.hstack([rows]), on=ROW, maintain_order="left")
    absent = records.height
    places = pl.repeat(absent, total, dtype=pl.UInt32, eager=True).scatter(
        rows, pl.int_range(absent, dtype=pl.UInt32, eager=True)
    )
    at = places.gather(table[ROW])
    known = at < absent
    if not known.all():
        table, at = table.filter(known), at.filter(known)
    return table.hstack([index[name].gather(at) for name in index.columns])


def _highest(rows: pl.Series) -> int:
    highest = rows.max()
    return highest if isinstance(highest, int) else -1


def increasing(table: pl.DataFrame) -> bool:
    """Whether `row`, `key`, `value`, `scope` are distinct and in order.

    Texts are compared only where row and key are one.
    """
    row, key = pl.col(ROW), pl.col("key")
    same = (row == row.shift(1)) & (key == key.shift(1))
    if table.select(((row < row.shift(1)) | ((row == row.shift(1)) & (key < key.shift(1)))).any()).item():
        return False
    value, scope = pl.col("value"), pl.col("scope").fill_null("")
    close = table.filter((same | same.shift(-1)).fill_null(False))
    behind = (value < value.shift(1)) | ((value == value.shift(1)) & (scope <= scope.shift(1)))
    return not close.select((same & behind).any()).item()
