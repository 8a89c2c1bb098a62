"""Which key names a step of a transaction and which one its parent, told by what their values do."""

from __future__ import annotations

import polars as pl

from logscope.records.schema import ROW

_LEAST = 5
"""Values that both must share, and steps that must have a grandparent: with a trace id for a parent none has."""
_DIFFERENT = 0.8
"""Share of the records with both in which they differ: a root may name itself."""
_ONE = 0.95
"""Share of steps with exactly one parent."""
_KNOWN = 0.5
"""Share of the parents that are steps themselves; a root's may stand in somebody else's log."""


def span_pair(values: pl.DataFrame) -> tuple[int, int] | None:
    """The keys that hold a step's id and its parent's, by place; None where there are none.

    After Dapper (Sigelman et al., 2010): steps form a tree, each names its parent. So a parent is itself a step in
    other records, no step has two, and some have a grandparent.

    Args:
        values: KEY_VALUES of the sample.
    """
    slim = values.select(ROW, "key", "value").unique()
    distinct = slim.select("key", "value").unique()
    pair = pl.col("key") != pl.col("key_b")
    shared = distinct.join(distinct, on="value", suffix="_b").filter(pair).group_by("key", "key_b").len()
    best: tuple[int, int, int] | None = None
    for span, parent in shared.filter(pl.col("len") >= _LEAST).sort("key", "key_b").select("key", "key_b").iter_rows():
        known = _known_parents(slim, span, parent)
        if known and (best is None or known > best[0]):
            best = (known, span, parent)
    return None if best is None else best[1:]


def _known_parents(slim: pl.DataFrame, span: int, parent: int) -> int:
    """How many parents are steps, if two keys are a step and its parent; else 0."""
    steps = slim.filter(pl.col("key") == span)
    both = steps.select(ROW, span="value").join(
        slim.filter(pl.col("key") == parent).select(ROW, parent="value"), on=ROW
    )
    apart = both.filter(pl.col("span") != pl.col("parent"))
    if apart.is_empty() or apart.height < _DIFFERENT * both.height:
        return 0
    edges = apart.select("span", "parent").unique()
    counts = edges.group_by("span").len()
    if (counts["len"] == 1).sum() < _ONE * counts.height:
        return 0
    parents = edges.select("parent").unique()
    known = parents.join(steps.select(parent="value").unique(), on="parent", how="semi").height
    grand = edges.join(edges.select(parent="span", above="parent"), on="parent").height
    many = edges.group_by("parent").len()
    # A tree has branches; without any, the two could be told apart by nothing.
    branches = bool((many["len"] > 1).any())
    return known if known >= _KNOWN * parents.height and grand >= _LEAST and branches else 0
