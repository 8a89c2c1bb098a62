"""Services that leave a step out which they take elsewhere: an exception that nobody logs, an early return."""

from __future__ import annotations

import polars as pl

USUAL = 0.05
"""Share of transactions in which a step may be missing where it is held to follow."""
_LEAST = 5
"""Transactions that show that a step follows, or that it does not."""
_SURE = 3.5
"""Standard deviations by which the shares must differ."""


def incomplete(placed: pl.DataFrame) -> pl.DataFrame:
    """Steps that follow another one in the same service elsewhere, and are missing here; the clearest first.

    That a step follows is told by counts, not by order alone, since a service may do several things at once:
    a transaction lacks step B after step A if it has fewer of B than of A. What a minute's end cuts off
    is cut on both sides, and so told on neither.

    Args:
        placed: `number`, `mine` (here, or elsewhere), `service`, `template`, ordered by number and rank.

    Returns:
        One row per service: `service`, `after`, `missing` (templates), `times`, `n`, `share`, `share_b` (elsewhere), `sure`.
    """
    counts = placed.group_by("number", "mine", "service", "template").agg(n=pl.len())
    follow = (
        placed.filter(~pl.col("mine"))
        .select("service", "template", missing=pl.col("template").shift(-1).over("number", "service"))
        .drop_nulls()
        .group_by("service", "template", "missing")
        .agg(seen=pl.len())
        .filter((pl.col("seen") >= _LEAST) & (pl.col("template") != pl.col("missing")))
        .drop("seen")
    )
    if follow.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    each = counts.join(follow, on=["service", "template"]).join(
        counts.select("number", "mine", "service", missing="template", m="n"),
        on=["number", "mine", "service", "missing"],
        how="left",
    )
    each = each.group_by("service", "template", "missing", "mine").agg(
        n=pl.len(), times=(pl.col("n") > pl.col("m").fill_null(0)).sum()
    )
    here, other = each.filter("mine").drop("mine"), each.filter(~pl.col("mine")).drop("mine")
    told = here.join(other, on=["service", "template", "missing"], suffix="_b").filter(
        (pl.col("n_b") >= _LEAST) & (pl.col("times_b") <= USUAL * pl.col("n_b"))
    )
    if told.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    total = pl.col("n") + pl.col("n_b")
    expected = (pl.col("times") + pl.col("times_b")) * pl.col("n") / total
    deviation = (expected * pl.col("n_b") / total).clip(lower_bound=1e-9).sqrt()
    told = told.with_columns(
        share=pl.col("times") / pl.col("n"),
        share_b=pl.col("times_b") / pl.col("n_b"),
        sure=(pl.col("times") - expected) / deviation,
    ).filter((pl.col("times") >= 3) & (pl.col("sure") >= _SURE))
    told = told.with_columns(weight=pl.col("sure") * (pl.col("share") - pl.col("share_b")))
    told = told.sort("weight", "service", "template", "missing", descending=[True, False, False, False])
    first = told.unique(subset="service", keep="first", maintain_order=True)
    return first.select("service", "missing", "times", "n", "share", "share_b", "sure", after="template").select(
        *_SCHEMA
    )


_SCHEMA = {
    "service": pl.String, "after": pl.String, "missing": pl.String, "times": pl.UInt32, "n": pl.UInt32,
    "share": pl.Float64, "share_b": pl.Float64, "sure": pl.Float64,
}  # fmt: skip
