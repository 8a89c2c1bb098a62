"""Shapes: transactions grouped by the sequence of their templates.

Services work side by side, and which of two logs first is chance: a shape is the set of what each
service did in its own order. What repeats at once (a retry, a poll, a list of three) is told once.
"""

from __future__ import annotations

import polars as pl

_LONGEST_LOOP = 3
"""Steps of a loop that is told once."""


def without_repeats(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Rows without the second and later turns of loops of up to three steps.

    Args:
        rows: With `step`, sorted so that each group's rows stand in their order.
        by: Columns of the group.
    """
    rows = rows.with_columns(_group=pl.struct(by).rle_id())
    for period in range(1, _LONGEST_LOOP + 1):
        again = (pl.col("step") == pl.col("step").shift(period)) & (pl.col("_group") == pl.col("_group").shift(period))
        rows = rows.with_columns(_again=again.fill_null(value=False))
        # A row is part of a repetition if some stretch of `period` rows around it repeats as a whole.
        whole = [
            pl.all_horizontal([pl.col("_again").shift(back - place, fill_value=False) for place in range(period)])
            for back in range(period)
        ]
        rows = rows.filter(~pl.any_horizontal(whole))
    return rows.drop("_group", "_again")


def signatures(rows: pl.DataFrame) -> pl.DataFrame:
    """`number`, `signature` (UInt64): equal for transactions of one shape.

    Args:
        rows: `number`, `lane` (service code), `step` (template code), `rank` (place in order).
    """
    rows = without_repeats(rows.sort("number", "lane", "rank"), ["number", "lane"])
    row = pl.int_range(pl.len(), dtype=pl.UInt32)
    begins = pl.struct("number", "lane").rle_id().alias("run")
    rows = rows.with_columns(begins, row=row)
    rows = rows.with_columns(place=pl.col("row") - pl.col("row").first().over("run"))
    mixed = pl.struct("lane", "step", "place").hash(11)
    return rows.select("number", mixed=mixed).group_by("number").agg(signature=pl.col("mixed").bitwise_xor())


def numbered(table: pl.DataFrame, signed: pl.DataFrame) -> pl.DataFrame:
    """`number`, `shape`: shapes numbered from 1, most transactions first.

    Args:
        table: The transaction frame; equal counts go by the earliest start and id.
        signed: What `signatures` gives.
    """
    told = table.select("number", "start", "transaction").join(signed, on="number")
    order = (
        told.group_by("signature")
        .agg(pl.len(), pl.col("start").min(), pl.col("transaction").min())
        .sort("len", "start", "transaction", descending=[True, False, False])
        .with_row_index("shape", 1)
    )
    return told.join(order.select("signature", "shape"), on="signature").select(
        "number", pl.col("shape").cast(pl.UInt32)
    )


def summarised(table: pl.DataFrame) -> pl.DataFrame:
    """One row per shape: `shape`, `transactions`, `p50`, `p95`, `errors`, `example` (a transaction's number).

    Args:
        table: Transactions with `shape`, `number`, `duration`, `errors`, `start`, `transaction`.
    """
    span = pl.col("duration").dt.total_microseconds()
    rows = table.drop_nulls("shape").with_columns(span=span)
    rows = rows.with_columns(off=(span - span.median().over("shape")).abs())
    rows = rows.sort("off", "start", "transaction")
    return (
        rows.group_by("shape", maintain_order=True)
        .agg(
            transactions=pl.len(),
            p50=pl.col("span").quantile(0.5, "nearest").cast(pl.Int64),
            p95=pl.col("span").quantile(0.95, "nearest").cast(pl.Int64),
            errors=(pl.col("errors") > 0).sum(),
            example=pl.col("number").first(),
        )
        .sort("transactions", "shape", descending=[True, False])
    )
