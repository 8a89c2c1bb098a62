"""Which key names a step of a transaction and which one its parent, told by what their values do."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from logscope.correlation.keys import Key
from logscope.correlation.plan import Level, Plan
from logscope.correlation.relations import ONE, Sample, members_at
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


def with_trees(sample: Sample, plan: Plan) -> tuple[Sample, Plan]:
    """The plan where no id holds a whole tree: what hangs together by steps and parents is a transaction.

    Args:
        sample: The evidence.
        plan: With `spans`.

    Returns:
        The evidence with the values of a key that holds a step and its parent, and the plan with that key, at no
        grain; the two keys themselves link no more, and of the others those whose values stay in one tree.
    """
    sample, plan, name, members = _trees(sample, plan)
    links = [
        key.name for key in plan.keys if key.links and key.name != name and _within(sample, plan, key.name, members)
    ]
    span, parent = plan.spans or ("", "")
    why = (
        f"{members['transaction'].n_unique():,} trees: steps ({span}) name their parents ({parent}), "
        "and no id holds a whole tree"
    )
    levels = (Level(None, (name, *links), why="trees of steps"), *(each for each in plan.levels if each.grain))
    return sample, replace(plan.with_grain(None, why), levels=levels)


def with_trace(sample: Sample, plan: Plan) -> Plan:
    """The plan with an id of whole trees as a strong key, also where it seemed to be a thing's.

    Where all traces run side by side from the beginning to the end, theirs live as long as anything; but each tree of
    steps holds one of them, and each of them one tree.

    Args:
        sample: The evidence; of it values and records are looked at.
        plan: With `spans`.
    """
    others = [key for key in plan.keys if key.origin == "found" and key.klass in ("weak", "hub")]
    if (
        any(key.klass == "strong" and key.links and key.name not in (plan.spans or ()) for key in plan.keys)
        or not others
    ):
        return plan
    sample, trees, _, members = _trees(sample, plan)
    count = members["transaction"].n_unique()
    for key in others:
        held = sample.values.filter(pl.col("key") == trees.place(key.name)).select(ROW, "value")
        pairs = held.join(members, on=ROW).select("value", "transaction").unique()
        whole = min(pairs["value"].n_unique(), pairs["transaction"].n_unique())
        if whole >= max(_LEAST, _ONE * count, _ONE * pairs.height, _ONE * held["value"].n_unique()):
            why = f"strong: each of {count:,} trees of steps holds one of its values, and each value one tree"
            return plan.with_keys([replace(key, klass="strong", active=True, why=why)])
    return plan


def _trees(sample: Sample, plan: Plan) -> tuple[Sample, Plan, str, pl.DataFrame]:
    """Evidence and plan with a key of steps and parents, its name, and the MEMBERS that hang together by it alone."""
    assert plan.spans is not None
    span, parent = (plan.key(name) for name in plan.spans)
    taken = {key.name for key in plan.keys}
    base = span.name.removesuffix("_id") + "_tree"
    name = next(each for each in (base, *(f"{base}_{n}" for n in range(2, len(taken) + 3))) if each not in taken)
    patterns = (*span.patterns, *parent.patterns)
    words = f"strong: {span.name} and its parent's, {parent.name}; what hangs together by them is one tree"
    places = [plan.place(key.name) for key in (span, parent)]
    own = sample.values.filter(pl.col("key").is_in(places))
    # What stands for a root's parent (`root`, `none`) would be the parent of all trees: the sample's values are without.
    shape = parent.shape or span.shape
    tree = Key(
        name, "strong", (*span.fields, *parent.fields), next(iter(patterns), None), patterns[1:], "found", why=words,
        shape=shape,
    )  # fmt: skip
    parts = [replace(key, active=False, why=f"{key.why}; links as a part of {name}") for key in (span, parent)]
    plan = plan.with_keys([*parts, tree])
    own = own.with_columns(key=pl.lit(plan.place(name), pl.UInt16)).unique()
    sample = replace(sample, values=pl.concat([sample.values, own]).sort(ROW, "key", "value"), linked={})
    return sample, plan, name, members_at(sample, plan, None, [name])


def _within(sample: Sample, plan: Plan, name: str, members: pl.DataFrame) -> bool:
    """Whether a key's values stay in one tree."""
    held = sample.values.filter(pl.col("key") == plan.place(name)).join(members, on=ROW)
    counts = held.group_by("value", "scope").agg(n=pl.col("transaction").n_unique())
    return counts.is_empty() or (counts["n"] <= 1).sum() >= ONE * counts.height
