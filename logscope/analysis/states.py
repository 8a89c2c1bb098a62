"""Fields that tell how far a transaction is (`to=PAID`): what a message leaves out, and a step has.

A name is chosen for what its values do, not for how it reads: they are few words, change within transactions, and are
not told by the message already; and which one it is can mostly be said from the message and from how often that came
before, as it can of a state and not of whatever a customer happened to choose.
"""

from __future__ import annotations

import polars as pl

WORD = r"^[A-Za-z][A-Za-z_.-]{0,31}$"
"""A state: one word without digits, as templates take those with digits for values."""
_MOST_STATES = 12
_WORDS = 0.9
"""Share of a field's values that are such words."""
_LEAST_CHANGING = 3
_CHANGING = 0.25
"""Transactions that hold a field more than once, in which it changes: so many, and this share of them."""
_FORETOLD = 0.6
"""Share of values that are the usual one at their place."""


def candidates(pairs: pl.DataFrame) -> pl.DataFrame:
    """Of fields of records those that may be states, by their values alone.

    Args:
        pairs: With `name`, `value`.
    """
    pairs = pairs.with_columns(word=pl.col("value").str.contains(WORD).fill_null(False))
    names = (
        pairs.group_by("name")
        .agg(pl.col("word").mean(), states=pl.col("value").filter("word").n_unique())
        .filter((pl.col("word") >= _WORDS) & pl.col("states").is_between(2, _MOST_STATES))
    )
    return pairs.filter("word").join(names, on="name", how="semi", maintain_order="left").drop("word")


def telling(held: pl.DataFrame) -> tuple[str, ...]:
    """Names of the fields that tell how far a transaction is, in order.

    Args:
        held: `candidates` in records that stand in transactions, in the order of records: `transaction`, `row`,
            `source`, `step` (a code of service and message), `name`, `value`.
    """
    return tuple(sorted(_changing(held) & _free(held) & _foretold(held)))


def _changing(held: pl.DataFrame) -> set[str]:
    """What changes within transactions."""
    told = (
        held.group_by("name", "transaction")
        .agg(pl.len(), values=pl.col("value").n_unique())
        .filter(pl.col("len") > 1)
        .group_by("name")
        .agg(changing=(pl.col("values") > 1).sum(), share=(pl.col("values") > 1).mean())
    )
    return set(told.filter((pl.col("changing") >= _LEAST_CHANGING) & (pl.col("share") >= _CHANGING)).get_column("name"))


def _free(held: pl.DataFrame) -> set[str]:
    """What neither the message nor the source says already: both come with several values."""
    found = []
    for by in ("step", "source"):
        often = held.group_by("name", by, "value").len().filter(pl.col("len") > 1)
        several = often.group_by("name", by).len().filter(pl.col("len") > 1)
        found.append(set(several.get_column("name")))
    return found[0] & found[1]


def _foretold(held: pl.DataFrame) -> set[str]:
    """What is mostly the usual value, once it is known which message it is, and the how many-eth."""
    turn = pl.int_range(pl.len()).over("transaction", "name", "step").alias("turn")
    told = (
        held.unique(["transaction", "row", "name"], maintain_order=True)
        .with_columns(turn)
        .group_by("name", "step", "turn", "value")
        .len()
        .group_by("name", "step", "turn")
        .agg(pl.col("len").max().alias("usual"), pl.col("len").sum().alias("all"))
        .group_by("name")
        .agg(share=pl.col("usual").sum() / pl.col("all").sum())
    )
    return set(told.filter(pl.col("share") >= _FORETOLD).get_column("name"))
