"""The linker: key values in, transactions out; in one batch or in many, in any order, with equal results.

What a batch touches is taken apart and linked anew from its records; everything else stays as it is.
So a scan is one batch, a watch many, and there is no second implementation.
"""

from __future__ import annotations

import polars as pl

from logscope.correlation.assign import assign
from logscope.correlation.batch import linkable
from logscope.correlation.components import chain_edges, components, neighbours
from logscope.correlation.delta import Delta, renamed
from logscope.correlation.growing import NONE, distinct
from logscope.correlation.linked import Linked
from logscope.records.schema import ROW

__all__ = ["Delta", "Linker"]


class Linker(Linked):
    """Transactions of all records seen so far, under one plan.

    The result is a pure function of the set of (record, its key values, time, source, line) and the
    plan; only numbers depend on the order of arrival.
    """

    def _reset(self) -> None:
        level = self.plan.level
        linking = {plan_key: place for place, plan_key in enumerate(key.name for key in self.plan.keys)}
        active = set(self.plan.linking)
        self._grain = linking[level.grain] if level.grain is not None else None
        self._links = [linking[name] for name in level.links if name in active]
        self._coarser = [linking[name] for name in level.coarser if name in active]
        self._begin()

    def add(self, values: pl.DataFrame, records: pl.DataFrame) -> Delta:
        """Take in records; rows seen before are replaced.

        Args:
            values: KEY_VALUES of these records, or `row`, `key`, `code` as `linkable` takes them; keys that
                do not link are passed over.
            records: `row`, `time`, `source_id`, `line` of at least the rows in `values`.

        Returns:
            What changed.
        """
        wanted = [*self._links, *self._coarser] + ([] if self._grain is None else [self._grain])
        batch = linkable(values, records, wanted, self._vocabulary)
        if batch.is_empty():
            return Delta(pl.Series(ROW, [], dtype=pl.UInt32), pl.Series("transaction", [], dtype=pl.UInt32))
        if not self._pieces.count:
            return self._first(batch)
        lost = self._lost(batch)
        return self._link(batch) if lost.is_empty() else self._anew(batch)

    def _held(self, pos: pl.Series) -> pl.DataFrame:
        """Key values of records as they were added, with their order."""
        pairs = pl.concat([self._pieces.links.of(pos), self._pieces.coarse.of(pos)])
        code = self._nodes.entity.take(pairs["node"]).alias("code")
        return self._pieces.index(pairs["pos"]).hstack([self._nodes.key.take(pairs["node"]).alias("key"), code])

    def _lost(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Key values that rows seen before held and do not hold any more."""
        pos = self._pieces.positions(batch[ROW].unique())
        held = self._held(pos.filter(pos != NONE))
        return held.join(batch, on=[ROW, "code"], how="anti")

    def _anew(self, batch: pl.DataFrame) -> Delta:
        """Link everything again: a value that is gone may have been what held records together."""
        held = self._held(self._pieces.everything())
        kept = held.join(batch.select(ROW).unique(), on=ROW, how="anti").select(batch.columns)
        before = self.members()
        nodes, was = self._nodes, self._was
        nodes.forget_epochs()
        self._reset()
        self._nodes, self._was = nodes, was
        self._link(pl.concat([kept, batch]))
        after = self.members()
        both = ["transaction", ROW]
        changed = pl.concat([before.join(after, on=both, how="anti"), after.join(before, on=both, how="anti")])
        alive = after["transaction"].unique()
        dirty = changed["transaction"].unique()
        gone = dirty.filter(~dirty.is_in(alive.implode()))
        return Delta(
            changed[ROW].unique().sort(),
            dirty.filter(dirty.is_in(alive.implode())).sort(),
            dict.fromkeys(gone.to_list()),
        )

    def _place(self, batch: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Number what the batch holds: `pos`, `node`, `key`; and what `Nodes.encode` says of older nodes."""
        nodes, moved = self._nodes.encode(batch)
        self._labels.resize(len(self._nodes))
        pos = self._pieces.add(batch.with_columns(nodes.alias("node")), pl.col("key").is_in(self._coarser))
        return pl.DataFrame({"pos": pos, "node": nodes, "key": batch["key"]}), moved

    def _first(self, batch: pl.DataFrame) -> Delta:
        """Link while nothing is held: all is new, so nothing is compared."""
        pairs, moved = self._place(batch)
        everything = self._pieces.everything()
        if self._grain is not None:
            self._earlier(pairs.filter(pl.col("key") == self._grain))
        self._update_hubs(everything)
        self._solve(everything)
        self._attached.update(self._pieces, everything, moved)
        members = self.members()
        return Delta(
            distinct(members[ROW], int(batch[ROW][-1]) + 1).sort(),
            distinct(members["transaction"], len(self._nodes)).sort(),
        )

    def _link(self, batch: pl.DataFrame) -> Delta:
        pairs, moved = self._place(batch)
        merges = moved.filter(pl.col("old") != pl.col("new"))
        dirty = self._dirty(pairs, moved)
        told = self._leads(self._pieces.owners(dirty), moved)
        self._merge(merges, dirty)
        touched, dirty = dirty, self._update_hubs(dirty)
        before = self._pieces.owners(dirty)
        if len(dirty) > len(touched):
            told = pl.concat([told, self._leads(before, moved)]).unique(
                subset="owner", keep="first", maintain_order=True
            )
        self._solve(dirty)
        lone_before, lone_after = self._attached.update(self._pieces, dirty, merges)
        after = self._pieces.owners(dirty)
        return self._delta(pl.concat([before, lone_before]), pl.concat([after, lone_after]), told)

    def _dirty(self, pairs: pl.DataFrame, moved: pl.DataFrame) -> pl.Series:
        """Positions of all records whose transaction may change with this batch."""
        fresh = pairs["pos"].unique()
        old = pl.concat([moved["old"], moved["new"]])
        owners = old
        if self._grain is not None:
            # A grain value's first record decides where it was born.
            owners = pl.concat([old, self._earlier(pairs.filter(pl.col("key") == self._grain))]).unique()
        if self._pieces.count == len(fresh):
            return fresh.sort()
        labels = pl.concat([self._label.take(pl.concat([pairs["node"], old])), self._pieces.label.take(fresh)]).unique()
        found = self._pieces.holding(labels.filter(labels != NONE), owners)
        more = self._pieces.label.take(found).unique()
        more = more.filter((more != NONE) & ~more.is_in(labels.implode()))
        parts = [fresh, found]
        if len(more):
            parts.append(self._pieces.holding(more, more.clear()))
        return pl.concat(parts).unique().sort()

    def _earlier(self, grains: pl.DataFrame) -> pl.Series:
        """Note the first record of each grain value; those whose first record changed."""
        nodes = distinct(grains["node"], len(self._nodes))
        known = pl.DataFrame({"node": nodes, "pos": self._born.take(nodes)}).filter(pl.col("pos") != NONE)
        first = self._pieces.earliest(pl.concat([known, grains.select("node", "pos")]), "node")
        changed = first.join(known, on="node", suffix="_old").filter(pl.col("pos") != pl.col("pos_old"))["node"]
        self._born.put(first["node"], first["pos"])
        return changed

    def _merge(self, merges: pl.DataFrame, dirty: pl.Series) -> None:
        """Epochs that a late record joined: the older node takes over."""
        if merges.is_empty():
            return
        self._pieces.rename(merges, dirty)
        self._hubs.forget(merges["old"], self._nodes.key.take(merges["old"]))
        if self._grain is not None:
            first = merges.select(node="new", pos=self._born.take(merges["old"])).filter(pl.col("pos") != NONE)
            if first.height:
                self._earlier(first)
        self._label.put(merges["old"], NONE)

    def _update_hubs(self, dirty: pl.Series) -> pl.Series:
        """Recount degrees in the dirty records; with values that became hubs or none, more records are dirty."""
        pairs = self._link_pairs(dirty)
        held = distinct(pairs["node"], len(self._nodes))
        nodes = pl.DataFrame({"node": held, "key": self._nodes.key.take(held)})
        flipped, freed = self._hubs.update(nodes, neighbours(pairs), len(self._nodes))
        if not flipped and not freed:
            return dirty
        changed = pl.Series(sorted(flipped | freed), dtype=pl.UInt32)
        labels = pl.concat(
            [self._label.take(changed), self._pieces.label.take(self._pieces.links.holding(changed)["pos"])]
        )
        labels = labels.filter(labels != NONE).unique()
        found = [dirty, self._pieces.links.holding(changed)["pos"], self._pieces.holding(labels, labels.clear())]
        return pl.concat(found).unique().sort()

    def _link_pairs(self, pos: pl.Series) -> pl.DataFrame:
        """`pos`, `node`, `key` of linking keys other than the grain."""
        pairs = self._pieces.links.of(pos)
        pairs = pairs.with_columns(key=self._nodes.key.take(pairs["node"]))
        return pairs if self._grain is None else pairs.filter(pl.col("key") != self._grain)

    def _solve(self, dirty: pl.Series) -> None:
        """Link the dirty records anew."""
        pairs = self._pieces.links.of(dirty)
        grains = pairs.clear()
        if self._grain is not None:
            of_grain = self._nodes.key.take(pairs["node"]) == self._grain
            grains, pairs = pairs.filter(of_grain), pairs.filter(~of_grain)
        hubs = self._hubs.mask(pairs["node"])
        if hubs.any():
            self._label.put(pairs["node"].filter(hubs), NONE)
            pairs = pairs.filter(~hubs)
        total = len(self._nodes)
        nodes = distinct(pairs["node"], total)
        labels = components(nodes, chain_edges(pairs), total)
        self._label.put(nodes, labels)
        self._unit.put(nodes, labels)
        first = pairs.filter((pl.col("pos") != pl.col("pos").shift(1)).fill_null(True))
        self._pieces.label.put(dirty, NONE)
        self._pieces.label.put(first["pos"], self._label.take(first["node"]))
        most = self.plan.hub_degree
        members, units = assign(pairs, grains, self._pieces.label.view(), self._born, total, most)
        self._unit.put(units["node"], units["unit"])
        self._pieces.set_owners(dirty, members)

    def _delta(self, before: pl.DataFrame, after: pl.DataFrame, told: pl.DataFrame) -> Delta:
        key = ["pos", "owner"]
        lost = before.join(after, on=key, how="anti")
        gained = after.join(before, on=key, how="anti")
        rows = self._pieces.row.take(pl.concat([lost["pos"], gained["pos"]]).unique()).sort()
        present = after["owner"].unique()
        gone = before.filter(~pl.col("owner").is_in(present.implode()))
        if gone.height:
            # A grain value may live on in records that this batch did not touch.
            alive = self._alive(gone["owner"].unique())
            gone = gone.filter(~pl.col("owner").is_in(alive.implode()))
        successors = self._pieces.ordered(gone.join(after, on="pos", suffix="_new")).unique(
            subset="owner", keep="first", maintain_order=True
        )
        removed: dict[int, int | None] = dict.fromkeys(gone["owner"].unique().to_list())
        removed |= dict(zip(successors["owner"].to_list(), successors["owner_new"].to_list(), strict=True))
        leads = self._leads(
            after.filter(
                pl.col("owner").is_in(told["owner"].implode())
                | pl.col("owner").is_in([number for number in removed.values() if number is not None])
            )
        )
        was, changed = renamed(self._nodes, self._was, told, leads, removed)
        dirty = pl.concat([lost["owner"], gained["owner"], pl.Series(changed, dtype=pl.UInt32)]).unique()
        dirty = dirty.filter(~dirty.is_in(pl.Series(sorted(removed), dtype=pl.UInt32).implode()))
        return Delta(rows.rename(ROW), dirty.sort().rename("transaction"), removed, was)

    def _alive(self, owners: pl.Series) -> pl.Series:
        found = self._pieces.holding(owners.clear(), owners)
        held = self._pieces.owners(found)["owner"].unique()
        return held.filter(held.is_in(owners.implode()))
