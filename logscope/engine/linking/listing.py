"""Transactions as a list: filtered by what their records say, with where these records are."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.api import Cancel
from logscope.engine.loading.zones import local_zone
from logscope.engine.rendering import detection_json
from logscope.engine.viewing.fieldnames import require_fields
from logscope.errors import FilterError
from logscope.query.filters import Filter, once
from logscope.query.transactions import compile_transaction_filter
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.answers import Detection
    from logscope.engine.session import Session


_DERIVED = ("path", "duration_ms", "rules", "shape")


def listed(
    session: Session, where: str, *, sort: str, descending: bool, cancel: Cancel, columns: Collection[str] | None
) -> pl.DataFrame:
    """The transaction frame, filtered and sorted: what is not asked for is not read.

    Args:
        session: With transactions made.
        where: A filter on transactions.
        sort: A column.
        descending: The greatest first.
        cancel: Looked at between segments.
        columns: Of those beyond figures; None: all.

    Raises:
        FilterError: It does not compile, or names a column or field that nothing has.
    """
    with session.correlating.unchanged():
        frame = session.detecting.found.with_rules(session.correlating.transactions(figures=True))
        shaped = sort == "shape" or "shape" in where
        frame = session.analysing.with_shapes(frame, cancel, wanted=shaped)
        with session.loading.courtesy:
            if where.strip():
                frame = matching(session, frame, where, cancel)
            frame = session.correlating.completed(frame, {*columns, sort} if columns is not None else None)
    if columns is None:
        frame = _arranged(frame)
    return frame.sort(sort, descending=descending, maintain_order=True, nulls_last=True)


def _arranged(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns in the order of `schema.TRANSACTIONS`, others behind."""
    first = [name for name in schema.TRANSACTIONS if name in frame.columns]
    return frame.select(*first, *(name for name in frame.columns if name not in schema.TRANSACTIONS))


def matching(session: Session, frame: pl.DataFrame, where: str, cancel: Cancel) -> pl.DataFrame:
    """The transactions that a filter keeps.

    Args:
        session: With transactions made.
        frame: Rows of the transaction frame, figures at least.
        where: A filter on transactions.
        cancel: Looked at between segments.

    Raises:
        FilterError: It does not compile, or names a column or field that nothing has.
    """
    compiled = compile_transaction_filter(where, now_us=session.selection.now(session.store.view), zone=local_zone())
    seen: set[str] = set()
    hits = [
        _hits(session, record_filter, columns, cancel, seen)
        for record_filter, columns in zip(compiled.record_filters, compiled.hit_columns, strict=True)
    ]
    for record_filter in compiled.record_filters:
        require_fields(record_filter, seen, session.correlating.key_names())
    keys = session.correlating.key_names()
    names = {*schema.TRANSACTIONS, *frame.columns, *_DERIVED, *keys, *(schema.KEY_PREFIX + key for key in keys), "was"}
    for name, column in compiled.field_terms:
        if name not in names:
            near = once(get_close_matches(name, names, n=3), as_key=name.startswith(schema.KEY_PREFIX))
            mend = f"did you mean {' or '.join(near)}?" if near else "keys and columns are those of `--json`"
            raise FilterError(f"transactions have no column {name}", column=column, mend=mend)
    needed = {*compiled.columns, *(name for name, _ in compiled.field_terms)}
    if compiled.searches:
        needed.update(schema.KEY_PREFIX + key for key in keys)
    asked = session.correlating.completed(frame, needed)
    return frame.filter(compiled.mask(asked, hits))


def _hits(
    session: Session, record_filter: Filter, columns: Collection[str], cancel: Cancel, seen: set[str]
) -> pl.DataFrame:
    """Rows that match, with the transactions they stand in, in the order of records."""
    view = session.searching.view(record_filter, cancel=cancel, seen=seen)
    members = session.correlating.groups_of(view.rows).rename({"transaction": "number"})
    place = pl.DataFrame({schema.ROW: view.rows}).with_row_index("_place")
    hits = place.join(members, on=schema.ROW).sort("_place").drop("_place")
    wanted = [name for name in columns if name not in (schema.ROW, "time")]
    frame = session.frames.rows_bulk(hits.get_column(schema.ROW), session.store.view, ["time", *wanted])
    return hits.hstack(frame.drop(schema.ROW))


def member_places(session: Session, numbers: Collection[int]) -> dict[int, list[tuple[str, int]]]:
    """Source and line of the records of some transactions, in order."""
    members = session.correlating.members_of(numbers)
    index = session.store.view.index.select("source_id", "line")[members.get_column(schema.ROW)]
    places: dict[int, list[tuple[str, int]]] = {}
    for number, source_id, line in zip(members.get_column("transaction"), *index.get_columns(), strict=True):
        places.setdefault(number, []).append((session.source_name(source_id), line))
    return places


def record_places(session: Session, rows: Collection[int]) -> list[tuple[str, int]]:
    """Source and line of some records, in their order."""
    index = session.store.view.index.select("source_id", "line")[list(rows)]
    return [(session.source_name(source_id), line) for source_id, line in index.iter_rows()]


def transaction_ids(session: Session, rows: pl.Series) -> list[list[str]]:
    """Per record the ids of the transactions it stands in."""
    session.prepare_transactions(cancel=Cancel(), asked=True)
    groups = session.correlating.groups_of(rows)
    if groups.is_empty():
        return [[] for _ in rows]
    names = session.correlating.naming.identities(groups.get_column("transaction").to_list())
    by_row: dict[int, list[str]] = {}
    for row, number in groups.select(schema.ROW, "transaction").iter_rows():
        by_row.setdefault(row, []).append(names[number])
    return [sorted(by_row.get(row, [])) for row in rows]


def with_members(session: Session, detection: Detection) -> dict[str, Any]:
    """A detection's JSON object with its records: of its transaction, those a correlation counted, else its steps'."""
    entry = detection_json(detection)
    if detection.number is not None:
        places = member_places(session, [detection.number]).get(detection.number, [])
    else:
        steps = sorted(detection.steps.values(), key=lambda step: (step["time"], step["source"], step["line"]))
        stepped = list(dict.fromkeys((step["source"], step["line"]) for step in steps))
        places = record_places(session, detection.rows) if detection.rows else stepped
    if places:
        entry["members"] = [{"source": source, "line": line} for source, line in places]
    return entry
