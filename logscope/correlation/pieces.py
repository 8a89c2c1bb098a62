"""What the linker keeps of every record that holds a key: its order, its nodes, its transactions."""

from __future__ import annotations

import polars as pl

from logscope.correlation.growing import NONE, GrowingArray, within
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, below, numbers, under
from logscope.records.schema import LINE, ROW

SEVERAL = NONE - 1
"""Owner of a record that stands in several transactions; they are in a frame beside."""

_MEMBER = {"pos": pl.UInt32, "owner": pl.UInt32}
_PAIR = {"pos": pl.UInt32, "node": pl.UInt32}


class PairTable:
    """(record, node) pairs, each record's in one run."""

    def __init__(self) -> None:
        """Empty."""
        self.pos = GrowingArray(pl.UInt32, NONE)
        self.node = GrowingArray(pl.UInt32, NONE)
        self._start = GrowingArray(pl.UInt32, 0)
        self._length = GrowingArray(pl.UInt32, 0)
        self._whole = True
        """Whether all runs stand there once, ordered by pos."""

    def add(self, pairs: pl.DataFrame, height: int) -> None:
        """Append runs; a record's earlier run, if any, is passed over from now on.

        Args:
            pairs: `pos`, `node`, each pos in one run.
            height: Records so far.
        """
        self._start.resize(height)
        self._length.resize(height)
        if pairs.is_empty():
            return
        base = len(self.pos)
        self._whole = self._whole and (base == 0 or bool(self.pos.view()[base - 1] < pairs["pos"][0]))
        begins = (pairs["pos"] != pairs["pos"].shift(1)).fill_null(True).arg_true()
        ends = pl.concat([begins.slice(1), pl.Series([pairs.height], dtype=begins.dtype)])
        where = pairs["pos"].gather(begins)
        self._start.put(where, (begins + base).cast(pl.UInt32))
        self._length.put(where, (ends - begins).cast(pl.UInt32))
        self.pos.extend(pairs["pos"])
        self.node.extend(pairs["node"])

    def drop(self, pos: pl.Series) -> None:
        """Forget the runs of records."""
        self._whole = self._whole and not len(pos)
        self._length.put(pos, 0)

    def of(self, pos: pl.Series) -> pl.DataFrame:
        """`pos`, `node` of some records, in the order of `pos`."""
        if self._whole and len(pos) == len(self._start) and pos.is_sorted():
            return pl.DataFrame({"pos": self.pos.view(), "node": self.node.view()})
        runs = pl.DataFrame({"pos": pos, "start": self._start.take(pos), "length": self._length.take(pos)})
        runs = runs.filter(pl.col("length") > 0)
        if runs.height == 0:
            return pl.DataFrame(schema=_PAIR)
        at = runs.select(
            "pos", place=pl.int_ranges("start", pl.col("start") + pl.col("length"), dtype=pl.UInt32)
        ).explode("place", empty_as_null=True)
        return at.select("pos", node=self.node.take(at["place"]))

    def rename(self, old_to_new: pl.DataFrame, pos: pl.Series) -> None:
        """Rewrite nodes (`old`, `new`) in the runs of some records."""
        runs = pl.DataFrame({"start": self._start.take(pos), "length": self._length.take(pos)})
        at = runs.select(place=pl.int_ranges("start", pl.col("start") + pl.col("length"), dtype=pl.UInt32))
        places = at.explode("place", empty_as_null=True)["place"].drop_nulls()
        found = pl.DataFrame({"place": places, "old": self.node.take(places)}).join(old_to_new, on="old")
        self.node.put(found["place"], found["new"])

    def saved(self) -> Saved:
        """The pairs, and where each record's run is."""
        pairs = pl.DataFrame({"pos": self.pos.view(), "node": self.node.view()})
        runs = pl.DataFrame({"start": self._start.view(), "length": self._length.view()})
        return {"pairs": pairs, "runs": runs, "whole": numbers(whole=int(self._whole))}

    def restore(self, frames: Saved) -> None:
        """Hold what `saved` told."""
        pairs, runs = frames["pairs"], frames["runs"]
        self.pos.restore(pairs["pos"])
        self.node.restore(pairs["node"])
        self._start.restore(runs["start"])
        self._length.restore(runs["length"])
        self._whole = bool(frames["whole"].item())

    def keep_only(self, pos: Kept, nodes: Kept) -> None:
        """Let go of all other records; those that stay hold nodes that stay."""
        pairs = self.of(pos.numbers)
        self.__init__()  # type: ignore[misc]  # as new
        self.add(pl.DataFrame({"pos": pos.new(pairs["pos"]), "node": nodes.new(pairs["node"])}), len(pos))

    def holding(self, nodes: pl.Series) -> pl.DataFrame:
        """`pos`, `node` of all pairs of some nodes; pairs of replaced runs among them."""
        if not len(nodes):
            return pl.DataFrame(schema=_PAIR)
        if len(nodes) * 4 > len(self.node):
            return pl.DataFrame({"pos": self.pos.view(), "node": self.node.view()}).filter(
                pl.col("node").is_in(nodes.implode())
            )
        places = self.node.view().is_in(nodes.implode()).arg_true()
        return pl.DataFrame({"pos": self.pos.take(places), "node": self.node.take(places)}, schema=_PAIR)


class Pieces:
    """Records by position: the order in which they came, which nothing else depends on."""

    def __init__(self) -> None:
        """Empty."""
        self.row = GrowingArray(pl.UInt32, NONE)
        self._time = GrowingArray(pl.Int64, 0)
        self._source = GrowingArray(pl.UInt16, 0)
        self._line = GrowingArray(LINE, 0)
        self._pos_of_row = GrowingArray(pl.UInt32, NONE)
        self.label = GrowingArray(pl.UInt32, NONE)
        self._owner = GrowingArray(pl.UInt32, NONE)
        self._several = pl.DataFrame(schema=_MEMBER)
        self.links = PairTable()
        self.coarse = PairTable()

    def saved(self) -> Saved:
        """Every record, its pairs and its transactions."""
        records = pl.DataFrame({name: array.view() for name, array in self._by_position().items()})
        return {
            "records": records,
            "positions": self._pos_of_row.view().to_frame("pos"),
            "several": self._several,
            **under("links", self.links.saved()),
            **under("coarse", self.coarse.saved()),
        }

    def restore(self, frames: Saved) -> None:
        """Hold what `saved` told."""
        for name, array in self._by_position().items():
            array.restore(frames["records"][name])
        self._pos_of_row.restore(frames["positions"]["pos"])
        self._several = frames["several"]
        self.links.restore(below("links", frames))
        self.coarse.restore(below("coarse", frames))

    def keep_only(self, rows: Kept, pos: Kept, nodes: Kept) -> None:
        """Let go of all other records: `pos` are the positions of the rows that stay."""
        for array in self._by_position().values():
            array.keep_only(pos)
        self.row.restore(rows.new(self.row.view()))
        for array in (self.label, self._owner):
            array.restore(nodes.new(array.view()))
        several = pos.rows_of(self._several, "pos")
        self._several = several.with_columns(nodes.new(several["owner"]))
        self._pos_of_row = GrowingArray(pl.UInt32, NONE)
        self._pos_of_row.resize(len(rows))
        self._pos_of_row.put(self.row.view(), pl.int_range(len(pos), dtype=pl.UInt32, eager=True))
        self.links.keep_only(pos, nodes)
        self.coarse.keep_only(pos, nodes)

    def _by_position(self) -> dict[str, GrowingArray]:
        return {
            "row": self.row, "time": self._time, "source": self._source, "line": self._line, "label": self.label,
            "owner": self._owner,
        }  # fmt: skip

    @property
    def count(self) -> int:
        """Records held."""
        return len(self.row)

    def positions(self, rows: pl.Series) -> pl.Series:
        """Positions of rows, NONE for those without a linking key."""
        inside = rows.filter(rows < len(self._pos_of_row))
        return self._pos_of_row.take(inside)

    def add(self, batch: pl.DataFrame, coarse: pl.Expr) -> pl.Series:
        """Take in records.

        Args:
            batch: `row`, `time` (microseconds), `source_id`, `line`, `node`; ordered by row.
            coarse: Which of its rows are values of a coarser key.

        Returns:
            The position of each row of the batch.
        """
        index = batch.select(ROW, "time", "source_id", "line")
        first = index.filter((pl.col(ROW) != pl.col(ROW).shift(1)).fill_null(True))
        highest = first[ROW].max()
        self._pos_of_row.resize(int(highest) + 1)  # type: ignore[arg-type]  # a UInt32 maximum is an int
        known = self._pos_of_row.take(first[ROW])
        fresh = first.filter(known == NONE)
        start = self.count
        made = pl.int_range(start, start + fresh.height, dtype=pl.UInt32, eager=True)
        self._pos_of_row.put(fresh[ROW], made)
        for array, name in ((self.row, ROW), (self._time, "time"), (self._source, "source_id"), (self._line, "line")):
            array.extend(fresh[name])
        self.label.resize(self.count)
        self._owner.resize(self.count)
        replaced = known.filter(known != NONE)
        self.links.drop(replaced)
        self.coarse.drop(replaced)
        pos = self._pos_of_row.take(batch[ROW])
        pairs = batch.select(pos.alias("pos"), "node", coarse=coarse)
        if pairs["coarse"].any():
            self.links.add(pairs.filter(~pl.col("coarse")), self.count)
            self.coarse.add(pairs.filter("coarse"), self.count)
        else:
            self.links.add(pairs, self.count)
            self.coarse.add(pairs.clear(), self.count)
        return pos.rename("pos")

    def index(self, pos: pl.Series) -> pl.DataFrame:
        """`row`, `time` (microseconds), `source_id`, `line` of records."""
        return pl.DataFrame(
            {
                ROW: self.row.take(pos),
                "time": self._time.take(pos),
                "source_id": self._source.take(pos),
                "line": self._line.take(pos),
            }
        )

    def ordered(self, table: pl.DataFrame) -> pl.DataFrame:
        """A table with column `pos`, in record order: time, source, line."""
        pos = table["pos"]
        return (
            table.with_columns(
                _time=self._time.take(pos),
                _source=self._source.take(pos),
                _line=self._line.take(pos),
                _row=self.row.take(pos),
            )
            .sort("_time", "_source", "_line", "_row")
            .drop("_time", "_source", "_line", "_row")
        )

    def earliest(self, table: pl.DataFrame, by: str) -> pl.DataFrame:
        """The rows of a table with column `pos` that are first in record order, one per value of `by`."""
        pos = table["pos"]
        index = pl.DataFrame(
            {"time": self._time.take(pos), "source": self._source.take(pos), "line": self._line.take(pos), "row": self.row.take(pos)}
        )  # fmt: skip
        later = pl.lit(True)
        for name in ("row", "line", "source", "time"):
            now, before = pl.col(name), pl.col(name).shift(1)
            later = (now > before) | ((now == before) & later)
        if index.select(later.fill_null(True).all()).item():
            return table[table[by].arg_unique().sort()]
        least = table.filter(
            index.select(by=table[by], time="time")
            .select(pl.col("time") == pl.col("time").min().over("by"))
            .to_series()
        )
        again = least[by].is_duplicated()
        if not again.any():
            return least
        ties = self.ordered(least.filter(again)).unique(subset=by, keep="first", maintain_order=True)
        return pl.concat([least.filter(~again), ties])

    def holding(self, labels: pl.Series, owners: pl.Series) -> pl.Series:
        """Positions in these components or transactions."""
        parts = []
        if len(labels):
            parts.append(self.label.view().is_in(labels.implode()).arg_true().cast(pl.UInt32))
        if len(owners):
            parts.append(self._owner.view().is_in(owners.implode()).arg_true().cast(pl.UInt32))
            parts.append(self._several.filter(pl.col("owner").is_in(owners.implode()))["pos"])
        return pl.concat(parts).unique() if parts else pl.Series([], dtype=pl.UInt32)

    def rename(self, merges: pl.DataFrame, pos: pl.Series) -> None:
        """Nodes that became one (`old`, `new`), within some records."""
        table = merges.select("old", "new")
        self.links.rename(table, pos)
        # Coarser values are not among what a component touches: find their records by value.
        found = self.coarse.holding(table["old"])["pos"].unique()
        if len(found):
            self.coarse.rename(table, found)

    def owners(self, pos: pl.Series) -> pl.DataFrame:
        """`pos`, `owner` of some records: their transactions, attached ones excepted."""
        owner = self._owner.take(pos)
        single = pl.DataFrame({"pos": pos, "owner": owner}, schema=_MEMBER)
        several = single.filter(pl.col("owner") == SEVERAL)
        single = single.filter(pl.col("owner") < SEVERAL)
        if several.is_empty():
            return single
        return pl.concat([single, self._several.join(several.select("pos"), on="pos", how="semi")])

    def set_owners(self, pos: pl.Series, members: pl.DataFrame) -> None:
        """Replace the transactions of some records by distinct `pos`, `owner`."""
        if self._several.height:
            self._several = self._several.filter(~pl.col("pos").is_in(pos.implode()))
        self._owner.put(pos, NONE)
        self._owner.put(members["pos"], members["owner"])
        # Of several owners of one record the last was kept, which tells those records apart without hashing.
        twice = members["pos"].filter(self._owner.take(members["pos"]) != members["owner"])
        if len(twice):
            repeated = members.filter(within(members["pos"], twice, self.count))
            self._owner.put(repeated["pos"], SEVERAL)
            self._several = pl.concat([self._several, repeated.select("pos", "owner")])

    def everything(self) -> pl.Series:
        """All positions."""
        return pl.int_range(0, self.count, dtype=pl.UInt32, eager=True)
