"""The table of transactions of a session, made when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation.transactions import summarise
from logscope.engine.summaries import REQUEST_COLUMNS, request_or_message
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.correlation.linker import Linker
    from logscope.engine.frames import Frames
    from logscope.engine.keyvalues import KeyValues
    from logscope.records.store import Store

_RECORD_COLUMNS = ["time", "source_id", "line", "level", "service", "source"]


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
        self._table: pl.DataFrame | None = None

    def forget(self) -> None:
        """What is linked has changed."""
        self._table = None

    def count(self, linker: Linker) -> int:
        """How many transactions there are."""
        if self._table is not None:
            return self._table.height
        return int(linker.members().get_column("transaction").n_unique())

    def frame(self, linker: Linker) -> pl.DataFrame:
        """The transaction frame of everything linked."""
        if self._table is None:
            self._table = self._summarised(linker, linker.members(), linker.identities())
        return self._table

    def some(self, linker: Linker, numbers: pl.Series) -> pl.DataFrame:
        """The transaction frame of some transactions alone."""
        if self._table is not None:
            return self._table.filter(pl.col("number").is_in(numbers.implode()))
        return self._summarised(linker, linker.members_of(numbers), linker.identities(numbers))

    def _summarised(self, linker: Linker, members: pl.DataFrame, identities: pl.DataFrame) -> pl.DataFrame:
        view = self._store.view
        rows = members.get_column(schema.ROW).unique().sort()
        records = self._frames.rows_bulk(rows, view, _RECORD_COLUMNS)
        newest = view.index.get_column("time").to_physical().max()
        table = summarise(
            members,
            records,
            self._values.linked(),
            linker.plan,
            identities=identities,
            now_us=int(newest) if isinstance(newest, int) else 0,
        )
        order = members.join(records.select(schema.ROW, "time", "source_id", "line"), on=schema.ROW)
        return self._with_texts(table, order)

    def _with_texts(self, table: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
        """First and last message of every transaction: of these alone the text is read."""
        ends = (
            members.sort("time", "source_id", "line")
            .group_by(pl.col("transaction").alias("number"))
            .agg(first=pl.col(schema.ROW).first(), last=pl.col(schema.ROW).last())
        )
        rows = pl.concat([ends.get_column("first"), ends.get_column("last")]).unique().sort()
        texts = self._frames.rows_bulk(rows, self._store.view, ["message", *REQUEST_COLUMNS])
        told = pl.DataFrame({schema.ROW: rows, "text": request_or_message(texts)})
        for name in ("first", "last"):
            ends = ends.join(told, left_on=name, right_on=schema.ROW, how="left", maintain_order="left")
            ends = ends.with_columns(pl.col("text").alias(name)).drop("text")
        return table.drop("first", "last").join(ends, on="number", how="left", maintain_order="left")
