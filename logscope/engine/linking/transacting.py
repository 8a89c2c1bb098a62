"""The table of transactions of a session: figures for all, texts and lists for those that are wanted."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation.runs import Runs
from logscope.correlation.transactions import figures, key_values, named, oversize
from logscope.engine.viewing.summaries import REQUEST_COLUMNS, request_or_message
from logscope.records import schema
from logscope.records.owntimes import with_own_times

if TYPE_CHECKING:
    from logscope.correlation.linker import Linker
    from logscope.engine.linking.keyvalues import KeyValues
    from logscope.engine.viewing.frames import Frames
    from logscope.records.pieces import StoreView
    from logscope.records.store import Store

_NAMES = {"services": "service", "path": "service", "sources": "source"}
_IDENTITY = ("transaction", "was")
_TEXTS = ("first", "last")
_LIST = pl.List(pl.String)


class TransactionTable:
    """Summarises what is linked.

    Args:
        store: The records.
        frames: Their columns.
        values: Their key values.
    """

    def __init__(self, store: Store, frames: Frames, values: KeyValues) -> None:
        """Nothing is summarised yet."""
        self._store = store
        self._frames = frames
        self._values = values
        self.forget()

    def forget(self) -> None:
        """What is linked has changed."""
        self._runs: Runs | None = None
        self._figures: pl.DataFrame | None = None
        self._whole: pl.DataFrame | None = None

    def figures(self, linker: Linker) -> pl.DataFrame:
        """What is a number per transaction (see `correlation.transactions`), and `oversize`, of everything linked."""
        if self._figures is None:
            view = self._store.view
            runs = Runs.of(linker.members(), self._store.ordered(view))
            self._figures, self._runs = self._summed(runs, linker, view), runs
        return self._figures

    def _summed(self, runs: Runs, linker: Linker, view: StoreView) -> pl.DataFrame:
        plan = linker.plan
        index = view.index.select("time", "time_from", "level")
        newest = with_own_times(index).get_column("time").to_physical().max()
        table = figures(runs, index, plan, int(newest) if isinstance(newest, int) else 0)
        values = self._values.since(plan, plan.linking, 0, view.records)
        words = oversize(table, runs, index, values, self._values.vocabulary, plan)
        return table.join(words, on="number", how="left", maintain_order="left")

    def some(self, linker: Linker, numbers: pl.Series, columns: Collection[str]) -> pl.DataFrame:
        """Some transactions alone, made from their own records.

        Args:
            linker: What they are of.
            numbers: UInt32; those that are none are left out.
            columns: Of those that `complete` can add.
        """
        members = linker.members_of(numbers)
        view = self._store.view
        runs = Runs.of(members, self._order(members.get_column(schema.ROW), view))
        return self._completed(self._summed(runs, linker, view), runs, linker, columns)

    def _order(self, rows: pl.Series, view: StoreView) -> pl.Series:
        rows = rows.unique()
        if len(rows) * 4 > view.records:
            return self._store.ordered(view)
        index = view.index.select("time", "source_id", "line")[rows].with_columns(rows)
        return index.sort("time", "source_id", "line", schema.ROW).get_column(schema.ROW)

    def columns(self, linker: Linker) -> frozenset[str]:
        """What `complete` can add."""
        keys = (schema.KEY_PREFIX + key.name for key in linker.plan.keys)
        return frozenset({*_NAMES, *_IDENTITY, *_TEXTS, *keys})

    def complete(self, table: pl.DataFrame, linker: Linker, names: Collection[str] | None = None) -> pl.DataFrame:
        """A part of the table with more columns.

        Args:
            table: Rows of `figures`.
            linker: What they are of.
            names: Wanted columns; None: all.
        """
        self.figures(linker)
        assert self._runs is not None
        wanted = self.columns(linker) if names is None else self.columns(linker).intersection(names)
        return self._completed(table, self._runs, linker, wanted.difference(table.columns))

    def _completed(self, table: pl.DataFrame, runs: Runs, linker: Linker, names: Collection[str]) -> pl.DataFrame:
        """Columns of the table's transactions, read from the records of these alone."""
        if not names:
            return table
        if table.height < len(runs.number):
            runs = runs.only(table.get_column("number").sort())
        members = runs.members()
        parts = [*self._named(members, names), *self._keys(members, linker, names), *self._texts(runs, names)]
        if any(name in names for name in _IDENTITY):
            whole = table.height * 2 > linker.nodes
            found = linker.identities(None if whole else runs.number).rename(
                {"transaction": "number", "id": "transaction"}
            )
            parts.append(found.select("number", *(name for name in _IDENTITY if name in names)))
        for part in parts:
            table = table.join(part, on="number", how="left", maintain_order="left")
        lists = [name for name in (*_NAMES, "was") if name in names]
        return table.with_columns(pl.col(name).fill_null(pl.lit([], _LIST)) for name in lists)

    def _named(self, members: pl.DataFrame, names: Collection[str]) -> list[pl.DataFrame]:
        found = []
        view = self._store.view
        for column in ("service", "source"):
            asked = [name for name, of in _NAMES.items() if of == column and name in names]
            if asked:
                told = self._frames.rows_bulk(members.get_column(schema.ROW), view, [column]).get_column(column)
                each, path = named(members, told)
                found += [path if name == "path" else each.rename({"names": name}) for name in asked]
        return found

    def _keys(self, members: pl.DataFrame, linker: Linker, names: Collection[str]) -> list[pl.DataFrame]:
        plan = linker.plan
        found = []
        for key in plan.keys:
            column = schema.KEY_PREFIX + key.name
            if column not in names:
                continue
            if key.name in plan.linking:
                values = self._values.since(plan, [key.name], 0, self._store.view.records).select(schema.ROW, "code")
                found.append(key_values(members, values, self._values.vocabulary, key.name))
            else:
                found.append(pl.DataFrame(schema={"number": pl.UInt32, column: _LIST}))
        return found

    def _texts(self, runs: Runs, names: Collection[str]) -> list[pl.DataFrame]:
        """First and last message of transactions: of these alone the text is read."""
        asked = [name for name in _TEXTS if name in names]
        if not asked:
            return []
        ends = {"first": runs.rows.gather(runs.begin), "last": runs.rows.gather(runs.last)}
        rows = pl.concat([ends[name] for name in asked]).unique().sort()
        texts = self._frames.rows_bulk(rows, self._store.view, ["message", *REQUEST_COLUMNS])
        told = request_or_message(texts)
        places = {name: rows.search_sorted(ends[name]) for name in asked}
        return [pl.DataFrame({"number": runs.number, **{name: told.gather(places[name]) for name in asked}})]

    def frame(self, linker: Linker) -> pl.DataFrame:
        """The transaction frame of everything linked, with all columns."""
        if self._whole is None:
            whole = self.complete(self.figures(linker), linker)
            keys = [schema.KEY_PREFIX + key.name for key in linker.plan.keys]
            columns = (pl.col(name).cast(kind) for name, kind in schema.TRANSACTIONS.items())
            self._whole = whole.select(*columns, "path", "was", *keys)
        return self._whole
