"""Who hands to whom: the service map, from the order of records within transactions."""

from __future__ import annotations

import polars as pl

from logscope.analysis.spans import calls


def loads(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per service: `service`, `transactions`, `records`, `errors`, `p50`, `p95` (microseconds).

    Args:
        rows: `number`, `service`, `at` (microseconds), `error`.
    """
    each = (
        _named(rows)
        .group_by("number", "service")
        .agg(records=pl.len(), error=pl.col("error").any(), span=pl.col("at").max() - pl.col("at").min())
    )
    return (
        each.group_by("service")
        .agg(
            transactions=pl.len(),
            records=pl.col("records").sum(),
            errors=pl.col("error").sum(),
            p50=pl.col("span").quantile(0.5, "nearest").cast(pl.Int64),
            p95=pl.col("span").quantile(0.95, "nearest").cast(pl.Int64),
        )
        .with_columns(pl.col("service").cast(pl.String))
        .sort("transactions", "service", descending=[True, False])
    )


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Services as numbers beneath their names: groups are told by them in half the time."""
    names = rows.get_column("service").unique().drop_nulls().sort()
    return rows.with_columns(pl.col("service").cast(pl.Enum(names)))


def hops(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per hand-over: `caller`, `callee`, `transactions`, `p50`, `p95`, `errors`.

    A service hands to one that came into the transaction after it; the way back is no hand-over.

    Args:
        rows: `number`, `rank`, `service`, `at` (microseconds), `error`, sorted by number and rank; and, where records
            name their step and its parent, `span` and `parent`.
    """
    said = calls(rows) if "span" in rows.columns else None
    rows = _named(rows.select("number", "rank", "service", "at", "error"))
    entered = rows.group_by("number", "service").agg(entered=pl.col("rank").min(), failed=pl.col("error").any())
    rows = rows.join(entered, on=["number", "service"], how="left", maintain_order="left")
    before = rows.select(
        pl.col("number").shift(1).alias("_number"),
        caller=pl.col("service").shift(1),
        caller_entered=pl.col("entered").shift(1),
        left=pl.col("at").shift(1),
    )
    turns = rows.hstack(before).filter(
        (pl.col("number") == pl.col("_number"))
        & (pl.col("caller") != pl.col("service"))
        & (pl.col("caller_entered") < pl.col("entered"))
    )
    turns = turns.select("number", "caller", callee="service", span=pl.col("at") - pl.col("left"), failed="failed")
    if said is not None:
        # What the records say themselves needs no guess by their order.
        turns = turns.cast({"caller": pl.String, "callee": pl.String})
        turns = pl.concat([turns.join(said.select("number").unique(), on="number", how="anti"), said])
    once = turns.group_by("number", "caller", "callee").agg(pl.col("span").max(), pl.col("failed").first())
    return (
        once.group_by("caller", "callee")
        .agg(
            transactions=pl.len(),
            p50=pl.col("span").quantile(0.5, "nearest").cast(pl.Int64),
            p95=pl.col("span").quantile(0.95, "nearest").cast(pl.Int64),
            errors=pl.col("failed").sum(),
        )
        .with_columns(pl.col("caller", "callee").cast(pl.String))
        .sort("transactions", "caller", "callee", descending=[True, False, False])
    )
