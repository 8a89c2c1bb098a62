"""Nodes: a key's value within its scope, and the epoch in which it means one thing."""

from __future__ import annotations

import polars as pl

from logscope.correlation.digest import digest, hexadecimal
from logscope.correlation.growing import NONE, GrowingArray, distinct
from logscope.correlation.plan import Plan
from logscope.correlation.vocabulary import Vocabulary
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved

NO_START = -(2**63)
"""Start of an epoch that never ends (values that are not reused)."""

_SPANS = {"entity": pl.UInt32, "start": pl.Int64, "end": pl.Int64, "node": pl.UInt32}


class Nodes:
    """The dictionary of all nodes seen, with stable numbers: older ones are smaller."""

    def __init__(self, plan: Plan, vocabulary: Vocabulary) -> None:
        """Empty.

        Args:
            plan: Keys and gaps; a key's place is its number.
            vocabulary: Of the plan's keys; a node is one of its codes (an *entity*) in one epoch.
        """
        self._plan = plan
        self._vocabulary = vocabulary
        self._gaps = {place: gap for place, key in enumerate(plan.keys) if (gap := plan.gap_us(key)) is not None}
        self._entity_node = GrowingArray(pl.UInt32, NONE)
        self.entity = GrowingArray(pl.UInt32, NONE)
        self.start = GrowingArray(pl.Int64, NO_START)
        self.key = GrowingArray(pl.UInt16, 0)
        self._spans = pl.DataFrame(schema=_SPANS)

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def any_gap(self) -> bool:
        """Whether any key has epochs."""
        return bool(self._gaps)

    def encode(self, values: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
        """Nodes of key values, new ones made.

        Args:
            values: `key`, `code`, `time` (Int64, microseconds).

        Returns:
            The node of each row (UInt32), and what changed among nodes known before: `old`, `new`
            (merged into; equal where only the epoch's start moved) and `start`, the old one.
        """
        entities = values["code"]
        self._entity_node.resize(len(self._vocabulary))
        nodes = self._entity_node.take(entities)
        fresh = distinct(entities.filter(nodes == NONE), len(self._vocabulary)).sort()
        if self._gaps and len(fresh):
            fresh = fresh.filter(~self._vocabulary.key.take(fresh).is_in(list(self._gaps)))
        if len(fresh):
            self._entity_node.put(fresh, self._make(fresh))
            nodes = self._entity_node.take(entities)
        moved = pl.DataFrame(schema={"old": pl.UInt32, "new": pl.UInt32, "start": pl.Int64})
        if self._gaps:
            keyed = values.select("key", "time", entity=entities).with_row_index("place")
            gapped = keyed.filter(pl.col("key").is_in(list(self._gaps)))
            if gapped.height:
                found, moved = self._epochs(gapped)
                nodes = nodes.scatter(found["place"], found["node"])
        return nodes, moved

    def _make(self, entities: pl.Series, starts: pl.Series | None = None) -> pl.Series:
        first = len(self)
        self.entity.extend(entities)
        self.key.extend(self._vocabulary.key.take(entities))
        if starts is None:
            self.start.resize(len(self.entity))
        else:
            self.start.extend(starts)
        return pl.int_range(first, first + len(entities), dtype=pl.UInt32, eager=True)

    def _epochs(self, gapped: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Epochs of the values touched, from their known spans and the new times: arrival order does not matter."""
        points = gapped.select("entity", "key", start="time").unique()
        touched = points["entity"].unique()
        hit = self._spans["entity"].is_in(touched.implode())
        spans = self._spans.filter(hit)
        gaps = pl.DataFrame(
            {"key": list(self._gaps), "gap": list(self._gaps.values())}, schema={"key": pl.UInt16, "gap": pl.Int64}
        )
        parts = [
            spans.with_columns(key=self._vocabulary.key.take(spans["entity"])),
            points.select(
                "entity", "start", pl.col("start").alias("end"), pl.lit(None, pl.UInt32).alias("node"), "key"
            ),
        ]
        line = pl.concat(parts).join(gaps, on="key", how="left").sort("entity", "start", "end")
        before = pl.col("end").cum_max().over("entity").shift(1)
        line = line.with_columns(
            epoch=(
                (pl.col("entity") != pl.col("entity").shift(1)).fill_null(True)
                | (pl.col("start") - before > pl.col("gap")).fill_null(False)
            ).cum_sum()
        )
        epochs = line.group_by("epoch", maintain_order=True).agg(
            pl.col("entity").first(), pl.col("start").min(), pl.col("end").max(), pl.col("node").min()
        )
        fresh = epochs.filter(pl.col("node").is_null())
        made = self._make(fresh["entity"], fresh["start"])
        epochs = epochs.join(fresh.select("epoch", made=made), on="epoch", how="left", maintain_order="left")
        epochs = epochs.with_columns(pl.coalesce("node", "made").alias("node")).drop("made")
        known = line.filter(pl.col("node").is_not_null()).select("epoch", old="node", old_start="start")
        moved = known.join(epochs, on="epoch").filter(
            (pl.col("old") != pl.col("node")) | (pl.col("old_start") != pl.col("start"))
        )
        self.start.put(epochs["node"], epochs["start"])
        self._spans = pl.concat([self._spans.filter(~hit), epochs.select(_SPANS.keys())])
        where = (
            line.filter(pl.col("node").is_null())
            .select("entity", "start", "epoch")
            .join(epochs.select("epoch", "node"), on="epoch")
        )
        found = gapped.join(where, left_on=["entity", "time"], right_on=["entity", "start"], how="left")
        return found.select("place", "node"), moved.select("old", new="node", start="old_start")

    def saved(self) -> Saved:
        """Every node, and the spans of values that are handed out again."""
        table = pl.DataFrame({"entity": self.entity.view(), "start": self.start.view(), "key": self.key.view()})
        return {"nodes": table, "of entities": self._entity_node.view().to_frame("node"), "spans": self._spans}

    def restore(self, frames: Saved) -> None:
        """Know what `saved` told; of a vocabulary that was restored too."""
        table = frames["nodes"]
        for array, name in ((self.entity, "entity"), (self.start, "start"), (self.key, "key")):
            array.restore(table[name])
        self._entity_node.restore(frames["of entities"]["node"])
        self._spans = frames["spans"]

    def recent(self) -> pl.Series:
        """Nodes whose epoch a record may still lengthen, if none comes later than the newest there is."""
        if not self._spans.height:
            return self._spans["node"]
        newest = int(self._spans["end"].max())  # type: ignore[arg-type]  # a maximum of Int64 is an int
        gaps = pl.DataFrame(
            {"key": list(self._gaps), "gap": list(self._gaps.values())}, schema={"key": pl.UInt16, "gap": pl.Int64}
        )
        spans = self._spans.with_columns(key=self.key.take(self._spans["node"])).join(gaps, on="key", how="left")
        return spans.filter(pl.col("end") + pl.col("gap") >= newest)["node"]

    def keep_only(self, nodes: Kept, codes: Kept) -> None:
        """Let go of all other nodes, and follow a vocabulary that let go of codes: none that a node stands for."""
        self._entity_node.keep_only(codes)
        self._entity_node.restore(nodes.new(self._entity_node.view()))
        for array in (self.entity, self.start, self.key):
            array.keep_only(nodes)
        self.entity.restore(codes.new(self.entity.view()))
        spans = nodes.rows_of(self._spans, "node")
        self._spans = spans.with_columns(codes.new(spans["entity"]))

    def forget_epochs(self) -> None:
        """Begin the epochs of reused values anew."""
        self._spans = self._spans.clear()

    def describe(self, nodes: pl.Series) -> pl.DataFrame:
        """`node`, `key`, `value`, `scope`, `start` of nodes, in their order."""
        told = self._vocabulary.describe(self.entity.take(nodes))
        return told.select(nodes.alias("node"), "key", "value", "scope", self.start.take(nodes).alias("start"))

    def identities(self, nodes: pl.Series, starts: pl.Series | None = None) -> pl.Series:
        """Transaction ids that nodes give: `digest` of key, value, scope and epoch, in hex.

        Args:
            nodes: UInt32.
            starts: Starts of their epochs, if not the present ones.
        """
        table = self.describe(nodes)
        if starts is not None:
            table = table.with_columns(starts.alias("start"))
        names = pl.Series([key.name for key in self._plan.keys], dtype=pl.String)
        start = pl.when(pl.col("start") != NO_START).then(pl.col("start").cast(pl.String)).otherwise(pl.lit(""))
        told = table.select(names.gather(table["key"]).alias("name"), "value", pl.col("scope").fill_null(""), start)
        return hexadecimal(digest(told.select(pl.concat_str(pl.all(), separator="\x1f")).to_series())).alias(
            "transaction"
        )
