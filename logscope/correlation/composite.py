"""Ids that are one only together: a ticket's number and the branch that gave it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import polars as pl

from logscope.correlation.classes import BEGINS, NAMED_ENTITY_NOVELTY, NUMBER_SEEN, RECURS_LONG
from logscope.correlation.columns import begins, statistics
from logscope.correlation.keys import JOINT, Key, is_measure, is_scoped_name, snake_case
from logscope.records.schema import ROW

_MOST = 6
"""Columns of which pairs are looked at, those in most records."""
_HELD = 0.05
"""Share of the records that a pair must hold."""
_LEAST = 20
"""Values that a pair must have,"""
_MORE = 2
"""and so many times more than each of the two."""
_SHAPES = ("int", "prefixed", "token", "word", "uuid", "hex")


def composite(
    held: pl.DataFrame, fields: Mapping[str, str], texts: pl.Series, order: pl.DataFrame
) -> tuple[Key, dict[str, Any], pl.DataFrame] | None:
    """The pair of columns that acts as an id where no column does so alone; None where there is none.

    Its values must begin as transactions do, be soon over, and go through several steps: any two columns have many pairs.

    Args:
        held: Distinct `row`, `group`, `value`, `shape` of columns.
        fields: The name of the record field that each group mostly is.
        texts: What the numbers in `value` stand for.
        order: As for `statistics`.

    Returns:
        The key, its statistics, and `row`, `value` (text).
    """
    light = (
        held.filter(pl.col("group").is_in([group for group, name in fields.items() if not _vetoed(name)]))
        .group_by(pl.col("group").cast(pl.String))
        .agg(distinct=pl.col("value").n_unique(), support=pl.col(ROW).n_unique(), shape=pl.col("shape").mode().min())
        .filter(
            (pl.col("distinct") >= 3) & pl.col("shape").is_in(_SHAPES) & (pl.col("support") >= _HELD * order.height)
        )
        .sort("support", "group", descending=[True, False])
        .head(_MOST)
    )
    able, distinct = light["group"].to_list(), dict(light.select("group", "distinct").iter_rows())
    single = {
        group: held.filter(pl.col("group") == group).select(ROW, "value").unique(ROW, keep="none") for group in able
    }
    best: tuple[float, Key, dict[str, Any], pl.DataFrame] | None = None
    for pair in combinations(able, 2):
        both = single[pair[0]].join(single[pair[1]], on=ROW, suffix="_b")
        codes = both.select(ROW, value=pl.struct("value", "value_b").rank("dense").cast(pl.UInt32))
        if codes["value"].n_unique() < max(_LEAST, _MORE * max(distinct[pair[0]], distinct[pair[1]])):
            continue
        row = _told(codes, order)
        if row is None or (best is not None and best[0] >= row["support"]):
            continue
        names = [fields[group] for group in pair]
        value = pl.concat_str(
            *(pl.Series(texts.gather(both[column])).alias(column) for column in ("value", "value_b")), separator=JOINT
        )
        told = (
            f"strong: neither is an id alone; {row['distinct']:,} pairs, of which {row['repeat']:.0%} stand in several "
            f"records and {row['begins']:.0%} begin with what is said of each but once"
        )
        key = Key("_".join(snake_case(name) for name in names), fields=(JOINT.join(names),), why=told)
        best = (row["support"], key, row, both.select(ROW, value=value))
    return None if best is None else best[1:]


def _vetoed(name: str) -> bool:
    return is_measure(name) or is_scoped_name(name) or JOINT in name


def _told(codes: pl.DataFrame, order: pl.DataFrame) -> dict[str, Any] | None:
    """Statistics of a pair that acts as an id."""
    held = codes.with_columns(group=pl.lit("pair"), shape=pl.lit("token"), length=pl.lit(0))
    row = statistics(held, order).row(0, named=True)
    good = (
        row["repeat"] >= NUMBER_SEEN and row["xt"] >= NUMBER_SEEN and row["novelty"] >= NAMED_ENTITY_NOVELTY
        and row["recurs"] < RECURS_LONG
    )  # fmt: skip
    if not good:
        return None
    row["begins"] = begins(codes, order)
    return row if row["begins"] >= BEGINS else None
