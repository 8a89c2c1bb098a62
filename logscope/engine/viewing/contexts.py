"""Records round the records of a view; records by their place; which sources are looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import View
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.session import Session

_FIRST = 16
"""Records of a pipe that tell it from others."""


def with_context(session: Session, view: View, around: int) -> View:
    """A view with so many records of all, in order of time, before and after each of its own.

    Args:
        session: With the records.
        view: The hits.
        around: How many on each side.

    Returns:
        A view whose `context` is true for records that are not of `view`.
    """
    store = session.store.view
    order = session.selection.shown(session.store.ordered(store), store)
    if around < 1 or len(view.rows) >= len(order):
        return view
    hit = pl.repeat(value=False, n=store.records, dtype=pl.Boolean, eager=True).scatter(view.rows, values=True)
    hit = hit[order]
    # A record is within reach of a hit if the running count of hits grows in the window around it.
    padded = pl.concat(
        [pl.zeros(around + 1, pl.UInt32, eager=True), hit.cast(pl.UInt32), pl.zeros(around, pl.UInt32, eager=True)]
    ).cum_sum()
    width = 2 * around + 1
    near = padded.slice(width, len(hit)) > padded.slice(0, len(hit))
    return View(order.filter(near), view.filter, view.generation, view.complete, context=~hit.filter(near))


def located(session: Session, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Rows of records by (source, line)."""
    ids = {
        ingest.source.name: ingest.binding.ref.source_id
        for ingest in session.loading.ingests
        if ingest.binding is not None
    }
    known = [(source, line, ids[source]) for source, line in places if source in ids]
    if not known:
        return {}
    wanted = pl.DataFrame(
        known, schema={"source": pl.String, "line": schema.LINE, "source_id": pl.UInt16}, orient="row"
    )
    index = session.store.view.index.select("source_id", "line").with_row_index(schema.ROW)
    index = index.filter(pl.col("line").is_in(wanted.get_column("line").implode()))
    found = index.join(wanted, on=["source_id", "line"])
    return {(source, line): row for source, line, row in found.select("source", "line", schema.ROW).iter_rows()}


def fingerprint(session: Session) -> str:
    """A hash of what the sources are; empty while a pipe has not shown enough of itself."""
    told: list[str] = []
    for ingest in session.loading.ingests:
        name = ingest.source.name
        if name != "-":
            told.append(str(Path(name).absolute()) if "://" not in name else name)
            continue
        if ingest.records < _FIRST and not ingest.source.finished():
            return ""
        view = session.store.view
        if ingest.binding is None:
            return ""
        own = (view.index.get_column("source_id") == ingest.binding.ref.source_id).arg_true()
        first = own.head(_FIRST).cast(pl.UInt32)
        told += ["-", *session.frames.raw(first, view)]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:16] if told else ""


def hide_sources(session: Session, names: Sequence[str]) -> None:
    """Views have no records of these sources from now on; all others again."""
    session.selection.hidden = frozenset(
        ingest.binding.ref.source_id
        for ingest in session.loading.ingests
        if ingest.binding is not None and ingest.source.name in names
    )
