"""What is linked, to be asked, saved and let go of; `linker.py` is what changes it."""

from __future__ import annotations

import polars as pl

from logscope.correlation.attach import Attachments
from logscope.correlation.bounding import referenced, together
from logscope.correlation.growing import NONE, distinct
from logscope.correlation.hubs import Hubs
from logscope.correlation.labels import Labels
from logscope.correlation.nodes import Nodes
from logscope.correlation.pieces import Pieces
from logscope.correlation.plan import Plan
from logscope.correlation.vocabulary import Vocabulary
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, below, under
from logscope.records.schema import MEMBERS, ROW

_FORMER = pl.Schema({"transaction": pl.UInt32(), "was": pl.List(pl.String)})


class Linked:
    """Transactions of all records seen so far, under one plan.

    Args:
        plan: Frozen; another plan needs another one.
        vocabulary: Of the plan's keys, if values come as codes.
    """

    def __init__(self, plan: Plan, vocabulary: Vocabulary | None = None) -> None:
        """Nothing linked yet."""
        self.plan = plan
        self._vocabulary = Vocabulary(plan.keys) if vocabulary is None else vocabulary
        self._grain: int | None = None
        self._reset()

    def _reset(self) -> None:
        """As before the first record."""
        self._begin()

    def _begin(self) -> None:
        self._nodes = Nodes(self.plan, self._vocabulary)
        self._pieces = Pieces()
        self._hubs = Hubs(self.plan.hub_degree)
        self._attached = Attachments()
        self._labels = Labels()
        self._label, self._unit, self._born = self._labels.label, self._labels.unit, self._labels.born
        self._was: dict[int, tuple[str, ...]] = {}

    def _leads(self, members: pl.DataFrame, moved: pl.DataFrame | None = None) -> pl.DataFrame:
        """`owner`, `lead` (the node that gives the id), `start` (of its epoch, as it was before `moved`)."""
        owners = distinct(members["owner"], len(self._nodes))
        schema = {"owner": pl.UInt32, "lead": pl.UInt32, "start": pl.Int64}
        if not len(owners):
            return pl.DataFrame(schema=schema)
        if self._grain is None:
            own = members
            leads = []
        else:
            of_grain = self._nodes.key.take(owners) == self._grain
            named = owners.filter(of_grain)
            leads = [pl.DataFrame({"owner": named, "lead": named})]
            own = members.filter(self._nodes.key.take(members["owner"]) != self._grain)
        if own.height:
            earliest = self._pieces.earliest(own, "owner")
            # A record's nodes stand in the order of keys and values: the first is the least.
            pairs = self._pieces.links.of(distinct(earliest["pos"], self._pieces.count)).join(
                earliest, on="pos", maintain_order="left"
            )
            pairs = pairs.filter(self._unit.take(pairs["node"]) == pairs["owner"])
            leads.append(pairs[pairs["owner"].arg_unique().sort()].select("owner", lead="node"))
        table = pl.concat(leads)
        table = table.with_columns(start=self._nodes.start.take(table["lead"]))
        if moved is not None and moved.height:
            before = moved.select(lead="old", was="start").unique(subset="lead")
            table = (
                table.join(before, on="lead", how="left").with_columns(start=pl.coalesce("was", "start")).drop("was")
            )
        return table.select(schema.keys()).cast(pl.Schema(schema))

    @property
    def nodes(self) -> int:
        """Nodes known so far: no transaction has a higher number, nor are there more of them."""
        return len(self._nodes)

    def count(self) -> int:
        """How many transactions there are."""
        return len(distinct(self.members()["transaction"], len(self._nodes)))

    def members(self) -> pl.DataFrame:
        """Which record stands in which transaction: a frame MEMBERS."""
        table = pl.concat([self._pieces.owners(self._pieces.everything()), self._attached.everything()])
        return self._as_members(table)

    def members_of(self, numbers: pl.Series) -> pl.DataFrame:
        """The members of some transactions: a frame MEMBERS."""
        wanted = numbers.cast(pl.UInt32)
        held = self._pieces.owners(self._pieces.holding(wanted.clear(), wanted))
        table = pl.concat([held, self._attached.in_owners(wanted)])
        return self._as_members(table.filter(pl.col("owner").is_in(wanted.implode())))

    def groups_of(self, rows: pl.Series) -> pl.DataFrame:
        """`row`, `transaction` (number) of some rows; rows in none are left out."""
        pos = self._pieces.positions(rows.cast(pl.UInt32))
        pos = distinct(pos.filter(pos != NONE), self._pieces.count)
        return self._as_members(pl.concat([self._pieces.owners(pos), self._attached.of(pos)])).select(
            ROW, "transaction"
        )

    def _as_members(self, table: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame({"transaction": table["owner"], ROW: self._pieces.row.take(table["pos"])}, schema=MEMBERS)

    def identities(self, numbers: pl.Series | None = None) -> pl.DataFrame:
        """`transaction` (number), `id`, `was` (List of String) of some transactions, or of all."""
        if numbers is None:
            members = self._pieces.owners(self._pieces.everything())
        else:
            wanted = numbers.cast(pl.UInt32)
            members = self._pieces.owners(self._pieces.holding(wanted.clear(), wanted))
            members = members.filter(pl.col("owner").is_in(wanted.implode()))
        leads = self._leads(members)
        ids = self._nodes.identities(leads["lead"], leads["start"])
        return (
            pl.DataFrame({"transaction": leads["owner"], "id": ids})
            .join(self._former(), on="transaction", how="left")
            .with_columns(pl.col("was").fill_null(pl.lit([], pl.List(pl.String))))
            .sort("transaction")
        )

    def _former(self) -> pl.DataFrame:
        names = [list(names) for names in self._was.values()]
        return pl.DataFrame({"transaction": list(self._was), "was": names}, schema=_FORMER)

    def saved(self) -> Saved:
        """All that is linked; not the vocabulary, which linkers at other grains share."""
        frames = {"former": self._former()}
        for name, part in self._parts().items():
            frames |= under(name, part.saved())
        return frames

    def restore(self, frames: Saved) -> None:
        """Take up what `saved` told of one with an equal plan, and a vocabulary that was restored too."""
        self._was = {number: tuple(names) for number, names in frames["former"].iter_rows()}
        for name, part in self._parts().items():
            part.restore(below(name, frames))

    def _parts(self) -> dict[str, Nodes | Pieces | Hubs | Attachments | Labels]:
        return {
            "nodes": self._nodes, "pieces": self._pieces, "hubs": self._hubs, "attached": self._attached,
            "labels": self._labels,
        }  # fmt: skip

    def together(self, rows: pl.Series, most: int | None, *, lone: bool = True) -> pl.Series | None:
        """See `bounding.together`."""
        return together(self._pieces, self._attached if lone else None, rows, most)

    def needed(self, rows: Kept) -> Kept:
        """The nodes that must stay for the records of some rows, hubs among them."""
        pos = self._pieces.positions(rows.held)
        values = pl.Series(sorted(self._hubs.values | self._attached.refused), dtype=pl.UInt32)
        parts = [*referenced(self._pieces, pos.filter(pos != NONE)), self._nodes.recent(), values]
        held = Kept.among(parts, len(self._nodes))
        self._labels.resize(len(self._nodes))
        return Kept.among([held.numbers, *self._labels.named_by(held.numbers)], len(self._nodes))

    def codes_of(self, nodes: Kept) -> pl.Series:
        """The codes that nodes stand for."""
        return self._nodes.entity.take(nodes.numbers)

    def keep_only(self, rows: Kept, nodes: Kept, codes: Kept) -> None:
        """Let go of all other records.

        Args:
            rows: Those that stay: whole transactions.
            nodes: As `needed` told; transactions are renumbered like them.
            codes: What the vocabulary keeps.
        """
        stays = rows.mask(self._pieces.row.view())
        pos = Kept(stays.arg_true(), self._pieces.count)
        self._attached.keep_only(pos, nodes)
        self._pieces.keep_only(rows, pos, nodes)
        self._labels.keep_only(pos, nodes)
        self._hubs.keep_only(nodes)
        self._nodes.keep_only(nodes, codes)
        self._was = {new: self._was[old] for old, new in nodes.by_number(self._was).items()}

    def hubs(self) -> pl.DataFrame:
        """`key`, `value`, `scope` of values that do not link because they tie too much together."""
        found = sorted(self._hubs.values | self._attached.refused)
        table = self._nodes.describe(pl.Series(found, dtype=pl.UInt32))
        return table.select("key", "value", "scope").sort("key", "value", "scope")

    def evidence(self, number: int) -> pl.DataFrame:
        """`row`, `node`, `key`, `value` of what holds a transaction together (hubs left out)."""
        return self.evidence_of(pl.Series([number], dtype=pl.UInt32)).drop("transaction")

    def evidence_of(self, numbers: pl.Series) -> pl.DataFrame:
        """`transaction`, and as `evidence` tells of each."""
        members = self.members_of(numbers)
        members = members.select("transaction", pos=self._pieces.positions(members[ROW]))
        pos = distinct(members["pos"], self._pieces.count)
        pairs = pl.concat([self._pieces.links.of(pos), self._pieces.coarse.of(pos)])
        pairs = pairs.filter(~self._hubs.mask(pairs["node"])).join(members, on="pos")
        told = self._nodes.describe(pairs["node"])
        return told.select(
            pairs["transaction"], pl.Series(ROW, self._pieces.row.take(pairs["pos"])), "node", "key", "value"
        ).sort("transaction", ROW, "key", "value")
