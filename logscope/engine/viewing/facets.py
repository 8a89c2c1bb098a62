"""Values of fields: counted over a view for facets, read for the columns on screen.

Segments are counted newest first, a few at a time; what is asked about a few records of many reads
only those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.browsing import Facet, FieldShare, Numbers
from logscope.engine.loading.ahead import ahead
from logscope.engine.viewing.sampling import sample_rows
from logscope.language.writing import quoted
from logscope.records import schema
from logscope.records.severity import LEVELS

if TYPE_CHECKING:
    from logscope.engine.answers import View
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session
    from logscope.records.pieces import Segment

TOP = 1_000
"""Values that a facet lists."""
_SAMPLE = 5_000
_PARTIAL_SECONDS = 0.25
_MERGE = 16
"""Counts of so many segments are added up at a time."""
_SMALL = 200_000
"""Records that are read by themselves, not by their segments."""
_COLUMNS = ("service", "level", "host", "source", "format", "pid")
"""Columns worth a facet; times and texts are not."""


def column_of(name: str) -> str:
    """The frame's column of what a user calls a field: its columns win over fields of the same name."""
    if name in schema.USER_COLUMNS or name.startswith(schema.FIELD_PREFIX):
        return name
    return schema.FIELD_PREFIX + name


def value_filter(name: str, value: str) -> str:
    """The filter that keeps one value of a column or field."""
    return f"level={value}" if name == "level" else f"{name}={quoted(value)}"


def _texts(column: pl.Series) -> pl.Series:
    """A column as text; levels by their words."""
    if column.name == "level":
        words = list(LEVELS)
        return column.replace_strict(list(range(1, len(words) + 1)), words, default=None, return_dtype=pl.String)
    if column.name == "time_from":
        kinds = list(schema.TIME_FROM)
        return column.replace_strict(list(range(len(kinds))), kinds, default=None, return_dtype=pl.String)
    return column.cast(pl.String, strict=False)


def _counted(column: pl.Series) -> pl.DataFrame:
    texts = _texts(column).rename("value")
    return texts.drop_nulls().value_counts(name="count").cast({"count": pl.Int64})


def _added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if not parts:
        return pl.DataFrame(schema={"value": pl.String, "count": pl.Int64})
    if len(parts) == 1:
        return parts[0]
    return pl.concat(parts).group_by("value").agg(pl.col("count").sum())


def _numbers(counts: pl.DataFrame) -> Numbers | None:
    """Spread of the values where all are numbers."""
    found = counts.select(number=pl.col("value").cast(pl.Float64, strict=False), count="count")
    if not found.height or found.get_column("number").null_count():
        return None
    found = found.filter(pl.col("number").is_finite()).sort("number")
    if not found.height:
        return None
    places, numbers = found.get_column("count").cum_sum(), found.get_column("number")
    total = int(places[-1])

    def quantile(share: float) -> float:
        return float(numbers[min(int(places.search_sorted(max(1, round(total * share)))), len(numbers) - 1)])

    return Numbers(float(numbers[0]), quantile(0.5), quantile(0.95), float(numbers[-1]))


def _facet(name: str, counts: pl.DataFrame, records: int, *, complete: bool) -> Facet:
    top = counts.sort("count", "value", descending=[True, False]).head(TOP)
    return Facet(
        name,
        tuple(top.rows()),
        counts.height,
        int(counts.get_column("count").sum()),
        records,
        _numbers(counts) if complete else None,
        complete,
    )


def facet(
    session: Session, view: View, name: str, cancel: Cancel, partial: Callable[[Facet], None] | None = None
) -> Facet:
    """The values of a column or field in a view (see `Browsing.facet`)."""
    parts: list[pl.DataFrame] = []
    looked, told = 0, time.monotonic()
    for column in _columns(session, view, column_of(name)):
        cancel.check()
        looked += len(column)
        parts.append(_counted(column))
        if len(parts) >= _MERGE:
            parts = [_added(parts)]
        if partial is not None and time.monotonic() - told > _PARTIAL_SECONDS:
            parts, told = [_added(parts)], time.monotonic()
            partial(_facet(name, parts[0], looked, complete=False))
    return _facet(name, _added(parts), looked, complete=True)


def _columns(session: Session, view: View, name: str) -> Iterator[pl.Series]:
    """A column of the view's records, in pieces, those with the newest records first."""
    store = session.store.view
    if len(view.rows) <= min(_SMALL, store.records // 4) or name in schema.INDEX_COLUMNS:
        for start in range(0, len(view.rows), _SMALL):
            rows = view.rows.slice(max(0, len(view.rows) - start - _SMALL), min(_SMALL, len(view.rows) - start))
            yield session.frames.rows(rows, store, [name]).get_column(name)
        return
    whole = len(view.rows) == store.records
    inside = pl.repeat(value=False, n=store.records, dtype=pl.Boolean, eager=True)
    if not whole:
        inside = inside.scatter(view.rows, values=True)
    times = store.index.get_column("time")
    segments = sorted(store.segments(), key=lambda one: times[one.pieces[-1].row + one.pieces[-1].records - 1])

    def read(segment: Segment) -> pl.Series:
        rows = segment.rows()
        kept = None if whole else inside[rows]
        if kept is not None and not kept.any():
            return pl.Series(name, dtype=pl.String)
        column = session.frames.segment(segment, store, [name]).get_column(name)
        return column if kept is None else column.filter(kept)

    yield from ahead(read, segments[::-1])


def field_shares(session: Session, view: View, cancel: Cancel) -> list[FieldShare]:
    """Columns and fields of a sample of a view, most common first; columns before fields."""
    rows = sample_rows(view.rows, _SAMPLE)
    if not len(rows):
        return []
    store = session.store.view
    told = []
    frame = session.frames.rows(rows, store, _COLUMNS)
    for name in _COLUMNS:
        texts = _texts(frame.get_column(name)).drop_nulls()
        if len(texts):
            told.append(FieldShare(name, len(texts) / len(rows), texts[0]))
    cancel.check()
    pairs = session.frames.pairs(rows, store)
    counted = (
        pairs.group_by("name")
        .agg(count=pl.col(schema.ROW).n_unique(), value=pl.col("value").first())
        .sort("count", "name", descending=[True, False])
    )
    taken = set(schema.USER_COLUMNS)
    for name, count, value in counted.iter_rows():
        shown = schema.FIELD_PREFIX + name if name in taken else name
        told.append(FieldShare(shown, count / len(rows), value or ""))
    # A field that became a column is told twice: the column first.
    return sorted(told, key=lambda one: one.name.startswith(schema.FIELD_PREFIX))


def cells(session: Session, rows: Sequence[int], names: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Values of columns or fields of some records as text."""
    if not rows or not names:
        return {}
    wanted = list(dict.fromkeys(column_of(name) for name in names))
    series = pl.Series(schema.ROW, rows, dtype=pl.UInt32)
    frame = session.frames.rows(series, session.store.view, wanted)
    columns = [_texts(frame.get_column(column_of(name))).fill_null("").to_list() for name in names]
    return dict(zip(rows, zip(*columns, strict=True), strict=True))
