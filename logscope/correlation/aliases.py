"""Differently named columns that hold one id, told by the values they share."""

from __future__ import annotations

import polars as pl

from logscope.records.schema import ROW

CONTAINMENT = 0.3
SHARED = 3
VETO_TOGETHER = 0.2
VETO_EQUAL = 0.5

_ONE_SHAPE = {"hex": "id", "int": "id", "token": "id"}


class Groups:
    """Union-find over column names with vetoes between whole groups; the result does not depend on order."""

    def __init__(self, names: list[str]) -> None:
        """Each name by itself."""
        self._of = {name: frozenset([name]) for name in names}
        self._vetoed: set[frozenset[str]] = set()

    def veto(self, one: str, other: str) -> None:
        """Never join these two."""
        self._vetoed.add(frozenset((one, other)))

    def join(self, one: str, other: str) -> bool:
        """Join the groups of two names, unless a veto stands between any two of their members."""
        left, right = self._of[one], self._of[other]
        if left == right:
            return True
        if any(frozenset((a, b)) in self._vetoed for a in left for b in right):
            return False
        merged = left | right
        for name in merged:
            self._of[name] = merged
        return True

    def all(self) -> list[tuple[str, ...]]:
        """The groups, sorted."""
        return sorted({tuple(sorted(group)) for group in self._of.values()})


def alias_groups(held: pl.DataFrame, stats: pl.DataFrame) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """Which columns are one key.

    Args:
        held: Distinct `row`, `group`, `value` of columns that could be ids.
        stats: `columns.statistics` of them.

    Returns:
        Groups of names, and for each joined name why, in words.
    """
    names = stats["group"].to_list()
    shapes = {name: _ONE_SHAPE.get(shape, shape) for name, shape in stats.select("group", "shape").iter_rows()}
    distinct = dict(stats.select("group", "distinct").iter_rows())
    support = dict(stats.select("group", "support").iter_rows())
    values = held.select("group", "value").unique()
    shared = (
        values.join(values, on="value", suffix="_other")
        .filter(pl.col("group") < pl.col("group_other"))
        .group_by("group", "group_other")
        .agg(n=pl.len(), example=pl.col("value").min())
    )
    groups = Groups(names)
    beside = held.join(held, on=ROW, suffix="_other").filter(pl.col("group") < pl.col("group_other"))
    together = beside.group_by("group", "group_other", ROW).agg(
        (pl.col("value") == pl.col("value_other")).any().alias("same")
    )
    for one, other, rows, equal in (
        together.group_by("group", "group_other").agg(n=pl.len(), same=pl.col("same").mean()).iter_rows()
    ):
        if rows > VETO_TOGETHER * min(support[one], support[other]) and equal < VETO_EQUAL:
            groups.veto(one, other)
    why: dict[str, str] = {}
    for one, other, count, example in shared.sort(
        ["n", "group", "group_other"], descending=[True, False, False]
    ).iter_rows():
        containment = count / min(distinct[one], distinct[other])
        if count < SHARED or containment < CONTAINMENT or (shapes[one] != shapes[other]):
            continue
        if groups.join(one, other):
            words = f"{count:,} shared values ({containment:.0%}), like {example}"
            why.setdefault(one, words)
            why.setdefault(other, words)
    return groups.all(), why
