"""`query`, `sql`, `stats`."""

from __future__ import annotations

import argparse
import time as clock
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from logscope.cli.opening import loaded, opened, source_exit
from logscope.cli.output import Object, level_text, table, write_objects
from logscope.text import clean

if TYPE_CHECKING:
    import polars as pl

    from logscope.engine.answers import View
    from logscope.engine.session import Session

_CHUNK = 4096
_POLL_SECONDS = 0.1


def run_query(arguments: argparse.Namespace) -> int:
    """The records that match a filter."""
    from logscope.engine.api import Cancel

    if arguments.follow:
        return _follow(arguments)
    found: list[View] = []

    def read(session: Session) -> None:
        if not arguments.transactions:
            found.extend(session.read_matching(arguments.filter))
        if not found:
            session.read_all()

    with loaded(arguments, read) as session:
        if not found:
            seen: set[str] = set()
            found.append(session.view(arguments.filter, cancel=Cancel(), seen=seen))
            session.check_fields(arguments.filter, seen)
        rows = found[0].rows
        if arguments.limit is not None:
            rows = rows.head(max(0, arguments.limit))
        elif arguments.tail is not None:
            rows = rows.tail(max(0, arguments.tail))
        objects = _records(session, rows, with_transactions=arguments.transactions)
        write_objects(objects, arguments, people=_people, flat=_flat)
        return source_exit(session, arguments)


def _follow(arguments: argparse.Namespace) -> int:
    """Matching records as they come, until a signal."""
    with opened(arguments) as session:
        compiled = session.compile(arguments.filter)
        next_row = 0
        while True:
            moved = session.loading.step()
            view = session.store.view
            if view.records > next_row:
                rows = session.searching.since(compiled, next_row)
                next_row = view.records
                objects = _records(session, rows, with_transactions=False)
                write_objects(objects, argparse.Namespace(**(vars(arguments) | {"output": None})), people=_people)
            elif not moved:
                if not session.loading.live:
                    return source_exit(session, arguments)
                clock.sleep(_POLL_SECONDS)


def _records(session: Session, rows: pl.Series, *, with_transactions: bool) -> Iterator[Object]:
    """JSON objects of records, read and made a stretch at a time."""
    from logscope.engine.linking.listing import transaction_ids
    from logscope.engine.rendering import RECORD_COLUMNS, record_json

    view = session.store.view
    for start in range(0, len(rows), _CHUNK):
        part = rows.slice(start, _CHUNK)
        frame, fields = session.frames.told(part, view, RECORD_COLUMNS)
        transactions = transaction_ids(session, part) if with_transactions else [None] * len(part)
        for record, values, ids in zip(frame.iter_rows(named=True), fields, transactions, strict=True):
            yield record_json(record, values, ids)


def _people(objects: Iterator[Object]) -> Iterator[str]:
    for record in objects:
        text = str(record.get("message") or record.get("raw") or "")
        service = clean(str(record.get("service") or "-"))[:14].ljust(14)
        yield f"{record['time'][:23]}Z  {level_text(record.get('level'))}  {service}  {clean(text)}"


def _flat(record: Object) -> Object:
    fields = record.get("fields") or {}
    flat = {name: value for name, value in record.items() if name != "fields"}
    return flat | {f"fields.{name}": value for name, value in fields.items()}


def run_sql(arguments: argparse.Namespace) -> int:
    """SQL over records, transactions, detections."""
    from logscope.engine.viewing.tables import query_sql

    with loaded(arguments) as session:
        frame = query_sql(session, arguments.query)
        write_objects(_sql_objects(frame), arguments, people=_sql_people)
        return source_exit(session, arguments)


def _sql_objects(frame: pl.DataFrame) -> Iterator[Object]:
    from datetime import datetime, timedelta

    from logscope.engine.rendering import iso_of

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return iso_of(value)
        if isinstance(value, timedelta):
            return value / timedelta(milliseconds=1)
        return value

    for row in frame.iter_rows(named=True):
        yield {name: plain(value) for name, value in row.items()}


def _sql_people(objects: Iterator[Object]) -> Iterator[str]:
    rows = list(objects)
    if not rows:
        return
    names = list(rows[0])
    yield from table([["" if row[n] is None else str(row[n]) for n in names] for row in rows], names)
