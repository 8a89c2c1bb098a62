"""Records of a coarser grain: a login or a batch job stands in each transaction that holds its value."""

from __future__ import annotations

import polars as pl

from logscope.correlation.pieces import Pieces
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved

ATTACH_CAP = 1_000_000
"""A coarser value whose records times transactions are more is not attached: that is no login but a hub."""

_MEMBER = {"pos": pl.UInt32, "owner": pl.UInt32}
_ATTACHED = {"value": pl.UInt32, **_MEMBER}


class Attachments:
    """Which records without a finer key stand in which transactions."""

    def __init__(self) -> None:
        """Empty."""
        self._table = pl.DataFrame(schema=_ATTACHED)
        self.refused: frozenset[int] = frozenset()

    def saved(self) -> Saved:
        """What is attached, and the values that are not."""
        refused = pl.Series(sorted(self.refused), dtype=pl.UInt32)
        return {"attached": self._table, "refused": refused.to_frame("value")}

    def restore(self, frames: Saved) -> None:
        """Know what `saved` told."""
        self._table = frames["attached"]
        self.refused = frozenset(frames["refused"]["value"].to_list())

    def keep_only(self, pos: Kept, nodes: Kept) -> None:
        """Let go of all other records, and of what they were attached to."""
        self._table = pos.rows_of(nodes.rows_of(nodes.rows_of(self._table, "owner"), "value"), "pos")
        self.refused = frozenset(nodes.by_number(self.refused).values())

    def update(self, pieces: Pieces, dirty: pl.Series, merges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Attach anew what the values of some records decide.

        Args:
            pieces: All records, with their present transactions.
            dirty: Positions whose transactions or values may have changed.
            merges: Nodes that became one (`old`, `new`).

        Returns:
            Distinct `pos`, `owner` of the records concerned, before and after.
        """
        empty = pl.DataFrame(schema=_MEMBER)
        if not len(pieces.coarse.pos):
            return empty, empty
        values = pl.concat([pieces.coarse.of(dirty)["node"], merges["old"], merges["new"]]).unique()
        if not len(values):
            return empty, empty
        held = pieces.coarse.holding(values)
        owners = pieces.owners(held["pos"].unique())
        lone = held.join(owners.select("pos").unique(), on="pos", how="anti").unique()
        hit = self._table["value"].is_in(values.implode()) | self._table["pos"].is_in(dirty.implode())
        old = self._table.filter(hit)
        if lone.is_empty() and old.is_empty():
            return empty, empty
        wanted = lone["node"].unique()
        ties = (
            held.filter(pl.col("node").is_in(wanted.implode())).join(owners, on="pos").select("node", "owner").unique()
        )
        load = (
            lone.group_by("node")
            .agg(pl.len().alias("records"))
            .join(ties.group_by("node").agg(pl.len().alias("transactions")), on="node")
        )
        over = load.filter(pl.col("records").cast(pl.UInt64) * pl.col("transactions") > ATTACH_CAP)["node"]
        self.refused = (self.refused - set(values.to_list())) | set(over.to_list())
        new = (
            lone.filter(~pl.col("node").is_in(over.implode()))
            .join(ties, on="node")
            .select(value="node", pos="pos", owner="owner")
        )
        self._table = pl.concat([self._table.filter(~hit), new])
        concerned = pl.concat([old["pos"], new["pos"]]).unique()
        after = self.of(concerned)
        before = pl.concat(
            [
                old,
                self._table.filter(
                    self._table["pos"].is_in(old["pos"].implode()) & ~self._table["value"].is_in(values.implode())
                ),
            ]
        )
        return before.select("pos", "owner").unique(), after

    def of(self, pos: pl.Series) -> pl.DataFrame:
        """Distinct `pos`, `owner` of some records."""
        return self._table.filter(pl.col("pos").is_in(pos.implode())).select("pos", "owner").unique()

    def in_owners(self, owners: pl.Series) -> pl.DataFrame:
        """Distinct `pos`, `owner` of some transactions."""
        return self._table.filter(pl.col("owner").is_in(owners.implode())).select("pos", "owner").unique()

    def everything(self) -> pl.DataFrame:
        """Distinct `pos`, `owner` of all."""
        return self._table.select("pos", "owner").unique()
