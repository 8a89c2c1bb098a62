"""SQL over a session: `records`, `transactions`, `detections` as lazy frames.

`records` is read segment by segment with the columns and the predicate that a query needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
from polars.io.plugins import register_io_source

from logscope.engine.api import Cancel
from logscope.engine.rendering import json_line
from logscope.engine.viewing.fieldnames import field_types
from logscope.errors import FilterError
from logscope.query.sql import check_sql, run_sql
from logscope.records import schema
from logscope.records.severity import LEVELS

if TYPE_CHECKING:
    from logscope.engine.session import Session

_TEXT = ("source", "format", "host", "service", "pid", "message", "raw")


def query_sql(session: Session, text: str, cancel: Cancel | None = None) -> pl.DataFrame:
    """The result of one SELECT.

    Args:
        session: With everything read.
        text: SQL; reads the session's tables and nothing else.
        cancel: Looked at between segments.

    Raises:
        FilterError: It is no single SELECT over known tables, or fails.
        Cancelled: It was given up.
    """
    asked = cancel or Cancel()
    tables: dict[str, pl.LazyFrame] = {}
    for name in check_sql(text):
        tables[name] = _MAKERS[name](session, asked)
    try:
        return run_sql(text, tables)
    except FilterError:
        # What stops a table from within reaches us as an error of the engine.
        asked.check()
        raise


def records_table(session: Session, cancel: Cancel) -> pl.LazyFrame:
    """All records with columns and `fields.NAME`s, read when the query runs."""
    fields = field_types(session.store, session.frames)
    columns: dict[str, pl.DataType | type[pl.DataType]] = {
        "time": schema.TIME,
        "time_from": pl.String,
        "level": pl.String,
        "line": schema.LINE,
        **dict.fromkeys(_TEXT, pl.String),
        **fields,
    }

    def read(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = list(columns) if with_columns is None else with_columns
        view = session.store.view
        left = n_rows
        for segment in view.segments():
            cancel.check()
            frame = session.frames.segment(segment, view, frozenset({"time", *wanted}))
            frame = session.selection.inside(frame, view)
            frame = frame.select([_typed(frame, name, columns[name]) for name in wanted])
            if predicate is not None:
                frame = frame.filter(predicate)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            yield frame
            if left == 0:
                return

    return register_io_source(read, schema=columns)


def _typed(frame: pl.DataFrame, name: str, dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    if name == "level":
        return pl.col(name).replace_strict(list(range(1, 7)), list(LEVELS), default=None, return_dtype=pl.String)
    if name == "time_from":
        kinds = list(schema.TIME_FROM)
        return pl.col(name).replace_strict(list(range(len(kinds))), kinds, default=None, return_dtype=pl.String)
    if name not in frame.columns:
        return pl.lit(None, dtype).alias(name)
    return pl.col(name).cast(dtype, strict=False)


def _transactions_table(session: Session, cancel: Cancel) -> pl.LazyFrame:
    frame = session.transactions(cancel=cancel)
    return frame.with_columns(
        duration_ms=pl.col("duration").dt.total_microseconds() / 1000,
        level=_typed(frame, "level", pl.String),
    ).lazy()


def _detections_table(session: Session, cancel: Cancel) -> pl.LazyFrame:
    session.prepare_transactions(cancel=cancel)
    found = session.detections()
    times = {
        name: pl.Series([getattr(d, name) for d in found], dtype=pl.Int64).cast(pl.Datetime("us"))
        for name in ("time", "start", "end")
    }
    texts = ("detection", "rule", "title", "level", "transaction", "message", "state", "reason")
    columns: dict[str, pl.Series] = {
        name: pl.Series([getattr(d, name) for d in found], dtype=pl.String) for name in texts
    }
    columns |= {name: column.dt.replace_time_zone("UTC") for name, column in times.items()}
    columns["output"] = pl.Series([json_line(d.output) for d in found], dtype=pl.String)
    return pl.DataFrame(columns).lazy()


_MAKERS = {"records": records_table, "transactions": _transactions_table, "detections": _detections_table}
