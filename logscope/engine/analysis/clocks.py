"""A clock that is off is set right within the session, as `--offset` would; shifting back undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.errors import UsageError
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.session import Session


def shift(session: Session, name: str, offset: int) -> None:
    """Move the times of a source, or of a host's records wherever they are.

    What comes later of a source is moved too; of a host that shares its sources with others, only
    what is there.

    Args:
        session: With records.
        name: A source as it is listed, or a host.
        offset: Microseconds to add.

    Raises:
        UsageError: There is neither source nor host of that name.
    """
    view = session.store.view
    sources = [
        ingest
        for source, ingest in zip(session.loading.sources, session.loading.ingests, strict=False)
        if source.name == name
    ]
    if sources:
        ids = [ingest.binding.ref.source_id for ingest in sources if ingest.binding is not None]
        rows = view.index.get_column("source_id").is_in(ids).arg_true().cast(pl.UInt32)
        for ingest in sources:
            ingest.move(offset)
    else:
        parts = [
            frame.get_column(schema.ROW).filter((frame.get_column("host") == name).fill_null(value=False))
            for frame in (session.frames.segment(segment, view, ["host"]) for segment in view.segments())
        ]
        rows = pl.concat(parts) if parts else pl.Series(schema.ROW, dtype=pl.UInt32)
    if rows.is_empty():
        raise UsageError(f"no source or host {name!r}", mend="name one as it is listed")
    session.store.shift(rows, offset)
    _tell_spans(session, rows)
    plan = session.correlating.plan
    if plan is not None:
        session.use_plan(plan)


def _tell_spans(session: Session, rows: pl.Series) -> None:
    """Sources of records that were moved have another first and last time."""
    index = session.store.view.index.select("source_id", "time", "time_from")
    ids = index.get_column("source_id").gather(rows).unique()
    timed = index.filter(
        pl.col("source_id").is_in(ids.implode()) & (pl.col("time_from") != schema.FROM_FILE)
    ).with_columns(pl.col("time").to_physical())
    spans = timed.group_by("source_id").agg(start=pl.col("time").min(), end=pl.col("time").max())
    known = {one: (start, end) for one, start, end in spans.iter_rows()}
    for ingest in session.loading.ingests:
        if ingest.binding is not None and ingest.binding.ref.source_id in known:
            ingest.start, ingest.end = known[ingest.binding.ref.source_id]
