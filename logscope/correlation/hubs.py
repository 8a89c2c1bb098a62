"""Values that tie too much together: they are found by degree, marked, and do not link."""

from __future__ import annotations

from collections import Counter

import polars as pl

from logscope.correlation.growing import NONE, GrowingArray
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved

HUB_FACTOR = 5
"""A hub also ties so many times more than 90 % of its key's values do."""

_COUNTS = {"key": pl.UInt16, "degree": pl.UInt32, "count": pl.Int64}
_GONE = {"node": pl.UInt32, "others": pl.UInt32}
_WIDE = {"node": pl.UInt32, "key": pl.UInt16, "hub": pl.Boolean}


class Hubs:
    """Degrees of linking nodes, the 90 % quantile per key, and the values beyond both limits.

    Whether a value is a hub depends on the set of records only: more than `limit` distinct values of
    other linking keys stand beside it, and more than HUB_FACTOR times its key's p90.
    """

    def __init__(self, limit: int) -> None:
        """Empty; `limit` is the plan's `hub_degree`."""
        self._limit = limit
        self._degree = GrowingArray(pl.UInt32, NONE)
        self._counts: dict[int, Counter[int]] = {}
        self._beside = pl.DataFrame(schema={"node": pl.UInt32, "other": pl.UInt32})
        self._wide: set[int] = set()
        self._keys: dict[int, int] = {}
        self._gone = pl.DataFrame(schema=_GONE)
        """What stood beside a hub and was let go: it stays a hub."""
        self.values: frozenset[int] = frozenset()

    def saved(self) -> Saved:
        """Degrees, how often each occurs, and what is wide."""
        counts = [(key, degree, n) for key, found in self._counts.items() for degree, n in found.items()]
        wide = [(node, self._keys[node], node in self.values) for node in sorted(self._wide)]
        return {
            "degrees": self._degree.view().to_frame("degree"),
            "counts": pl.DataFrame(counts, schema=_COUNTS, orient="row"),
            "beside": self._beside,
            "gone": self._gone,
            "wide": pl.DataFrame(wide, schema=_WIDE, orient="row"),
        }

    def restore(self, frames: Saved) -> None:
        """Know what `saved` told."""
        self._degree.restore(frames["degrees"]["degree"])
        self._counts = {}
        for key, degree, count in frames["counts"].iter_rows():
            self._counts.setdefault(key, Counter())[degree] = count
        self._beside, self._gone = frames["beside"], frames["gone"]
        wide = frames["wide"]
        self._wide = set(wide["node"].to_list())
        self._keys = dict(wide.select("node", "key").iter_rows())
        self.values = frozenset(wide.filter("hub")["node"].to_list())

    def keep_only(self, nodes: Kept) -> None:
        """Let go of all other nodes, none of them a hub; how many there were of each degree stays."""
        self._degree.keep_only(nodes)
        beside = nodes.rows_of(self._beside, "node")
        stays = nodes.mask(beside["other"])
        gone = beside.filter(~stays).group_by("node").agg(pl.len().cast(pl.UInt32).alias("others"))
        known = pl.concat([nodes.rows_of(self._gone, "node"), gone]).group_by("node").agg(pl.col("others").sum())
        values = nodes.by_number(self.values)
        self.values = frozenset(values.values())
        self._gone = known.filter(pl.col("node").is_in(sorted(self.values)))
        self._beside = nodes.rows_of(beside.filter(stays), "other")
        wide = nodes.by_number(self._wide)
        self._keys = {new: self._keys[old] for old, new in wide.items()}
        self._wide = set(wide.values())

    def mask(self, nodes: pl.Series) -> pl.Series:
        """Which nodes are hubs."""
        if not self.values:
            return pl.repeat(False, len(nodes), dtype=pl.Boolean, eager=True)
        return nodes.is_in(pl.Series(sorted(self.values), dtype=pl.UInt32).implode())

    def update(self, nodes: pl.DataFrame, beside: pl.DataFrame, total: int) -> tuple[frozenset[int], frozenset[int]]:
        """Take in the degrees of touched nodes.

        Args:
            nodes: Distinct `node`, `key` of all linking nodes in the records at hand.
            beside: `neighbours` in the records at hand: all that a node has, unless it is a hub.
            total: More than the greatest node.

        Returns:
            Nodes that became hubs, and that are none any more.
        """
        self._degree.resize(total)
        before = self.values
        mine = self.mask(beside["node"])
        kept = self._beside.filter(
            ~self._beside["node"].is_in(nodes["node"].implode()) | self.mask(self._beside["node"])
        )
        if before:
            beside = pl.concat(
                [beside, kept.filter(kept["node"].is_in(beside["node"].filter(mine).unique().implode()))]
            ).unique()
        degrees = beside.group_by("node").agg(pl.len().cast(pl.UInt32).alias("degree"))
        if self._gone.height:
            degrees = degrees.join(self._gone, on="node", how="left")
            degrees = degrees.select("node", degree=pl.col("degree") + pl.col("others").fill_null(0))
        table = nodes.join(degrees, on="node", how="left").with_columns(pl.col("degree").fill_null(0))
        table = table.with_columns(old=self._degree.take(table["node"]))
        self._count(table, "old", -1)
        self._count(table, "degree", 1)
        self._degree.put(table["node"], table["degree"])
        wide = table.filter(pl.col("degree") > self._limit)
        self._wide -= set(table["node"].to_list()) if self._wide else set()
        self._wide |= set(wide["node"].to_list())
        self._keys.update(zip(wide["node"].to_list(), wide["key"].to_list(), strict=True))
        self._beside = pl.concat([kept, beside.filter(beside["node"].is_in(wide["node"].implode()))]).unique()
        self.values = self._over()
        return self.values - before, before - self.values

    def forget(self, nodes: pl.Series, keys: pl.Series) -> None:
        """Drop nodes that were merged into others."""
        self._degree.resize(int(nodes.max()) + 1 if len(nodes) else 0)  # type: ignore[arg-type]
        self._count(pl.DataFrame({"key": keys, "old": self._degree.take(nodes)}), "old", -1)
        self._degree.put(nodes, NONE)
        gone = set(nodes.to_list())
        self._wide -= gone
        self.values -= gone

    def _count(self, table: pl.DataFrame, column: str, sign: int) -> None:
        for key, degree, count in table.filter(pl.col(column) != NONE).group_by("key", column).len().iter_rows():
            self._counts.setdefault(key, Counter())[degree] += sign * count

    def _over(self) -> frozenset[int]:
        """Nodes beyond both limits now."""
        if not self._wide:
            return frozenset()
        ceilings = {key: HUB_FACTOR * self._p90(key) for key in {self._keys[node] for node in self._wide}}
        wide = sorted(self._wide)
        degrees = self._degree.take(pl.Series(wide, dtype=pl.UInt32)).to_list()
        return frozenset(
            node for node, degree in zip(wide, degrees, strict=True) if degree > ceilings[self._keys[node]]
        )

    def _p90(self, key: int) -> int:
        counts = self._counts[key]
        total, seen = sum(counts.values()), 0
        for degree in sorted(counts):
            seen += counts[degree]
            if seen * 10 >= total * 9:
                return degree
        return 0
