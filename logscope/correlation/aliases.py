"""Differently named columns that hold one id, told by the values they share."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from logscope.records.schema import ROW

CONTAINMENT = 0.3
SHARED = 3
NEAR = 0.05
"""Numbers count up in many places: those of one key are first seen at about the same place in the log."""
VETO_TOGETHER = 0.2
VETO_EQUAL = 0.9

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


def _together(held: pl.DataFrame) -> pl.DataFrame:
    """Per two groups the records that hold both, and the share of these where a value of both is equal."""
    slim = held.select(ROW, "group").unique()
    pair = pl.col("group") < pl.col("group_other")
    both = slim.join(slim, on=ROW, suffix="_other").filter(pair).group_by("group", "group_other").agg(rows=pl.len())
    equal = held.join(held, on=[ROW, "value"], suffix="_other").filter(pair)
    equal = equal.group_by("group", "group_other").agg(equal=pl.col(ROW).n_unique())
    table = both.join(equal, on=["group", "group_other"], how="left")
    return table.select("group", "group_other", "rows", equal=pl.col("equal").fill_null(0) / pl.col("rows"))


def alias_groups(
    held: pl.DataFrame,
    stats: pl.DataFrame,
    texts: pl.Series,
    *,
    alone: Callable[[str], bool] = lambda _: False,
) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """Which columns are one key.

    Args:
        held: Distinct `row`, `group`, `value` of columns that could be ids, `at` (place in the log, 0 to 1).
        stats: `columns.statistics` of them.
        texts: What the numbers in `value` stand for.
        alone: Which names say nothing of what they hold: such a one needs shared values with every member
            of a group, others with one.

    Returns:
        Groups of names, and for each joined name why, in words.
    """
    names = stats["group"].to_list()
    shapes = {name: _ONE_SHAPE.get(shape, shape) for name, shape in stats.select("group", "shape").iter_rows()}
    distinct = dict(stats.select("group", "distinct").iter_rows())
    support = dict(stats.select("group", "support").iter_rows())
    values = held.group_by("group", "value").agg(pl.col("at").min())
    shared = (
        values.join(values, on="value", suffix="_other")
        .filter(pl.col("group") < pl.col("group_other"))
        .group_by("group", "group_other")
        .agg(n=pl.len(), example=pl.col("value").min(), apart=(pl.col("at") - pl.col("at_other")).abs().median())
    )
    groups = Groups(names)
    common = {
        frozenset((one, other)): n / min(distinct[one], distinct[other])
        for one, other, n in shared.select("group", "group_other", "n").iter_rows()
    }
    unsaying = [name for name in names if alone(name)]
    for one in unsaying:
        for other in names:
            if other != one and common.get(frozenset((one, other)), 0.0) < CONTAINMENT:
                groups.veto(one, other)
    short = {
        name
        for name, shape, length in stats.select("group", "shape", "length").iter_rows()
        if shape == "int" and length < 12
    }
    for one, other, rows, equal in _together(held).iter_rows():
        if rows > VETO_TOGETHER * min(support[one], support[other]) and equal < VETO_EQUAL:
            groups.veto(one, other)
    why: dict[str, str] = {}
    ranked = shared.sort(["n", "group", "group_other"], descending=[True, False, False])
    for one, other, count, example, apart in ranked.iter_rows():
        containment = count / min(distinct[one], distinct[other])
        if count < SHARED or containment < CONTAINMENT or (shapes[one] != shapes[other]):
            continue
        if one in short and other in short and apart > NEAR:
            continue
        if groups.join(one, other):
            words = f"{count:,} shared values ({containment:.0%}), like {texts[example]}"
            why.setdefault(one, words)
            why.setdefault(other, words)
    return groups.all(), why
