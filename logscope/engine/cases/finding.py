"""The pins of a case among what is open now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.pinned import Found, Pin
from logscope.errors import PlanError

if TYPE_CHECKING:
    from logscope.engine.answers import Line
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_MOST_KEYS = 8
_TITLE = 120


def record_pin(line: Line, note: str = "") -> Pin:
    """A pin on a record."""
    return Pin("record", line.source, line.line, note, line.message[:_TITLE])


def transaction_pin(session: Session, number: int, note: str = "") -> Pin:
    """A pin on a transaction.

    Args:
        session: With transactions made.
        number: The transaction.
        note: What is written on it.
    """
    detail = session.transaction(number)
    first = detail.members[0].line
    names = [name for name in detail.held_by if name in detail.keys] + list(detail.keys)
    keys = tuple((name, detail.keys[name][0]) for name in dict.fromkeys(names) if detail.keys[name])
    return Pin("transaction", first.source, first.line, note, detail.title, detail.transaction, keys[:_MOST_KEYS])


def find_pins(session: Session, pins: Sequence[Pin], cancel: Cancel) -> list[Found]:
    """What pins stand for: a transaction by its id, else by its first record, else by a key's value.

    Args:
        session: With what is read so far.
        pins: In the order of the case.
        cancel: Looked at between pins.
    """
    named = _renamed(session, pins)
    places = [(named.get(pin.source, pin.source), pin.line) for pin in pins]
    rows = session.located(places)
    found = []
    wanted = any(pin.kind == "transaction" for pin in pins)
    table = session.transactions(cancel=cancel, columns=("transaction",)) if wanted else pl.DataFrame()
    for pin, place in zip(pins, places, strict=True):
        cancel.check()
        row = rows.get(place)
        number = _number(session, table, pin, row, cancel) if pin.kind == "transaction" else None
        found.append(Found(pin, row, number))
    return found


def _renamed(session: Session, pins: Sequence[Pin]) -> dict[str, str]:
    """Sources that lie elsewhere now: by their file's name, where that is one source's alone."""
    now = [source.name for source in session.loading.sources]
    told = {}
    for source in {pin.source for pin in pins}.difference(now):
        alike = [name for name in now if name.rsplit("/", 1)[-1] == source.rsplit("/", 1)[-1]]
        if len(alike) == 1:
            told[source] = alike[0]
    return told


def _number(session: Session, table: pl.DataFrame, pin: Pin, row: int | None, cancel: Cancel) -> int | None:
    same = table.filter(pl.col("transaction") == pin.transaction)
    if same.height:
        return int(same.item(0, "number"))
    if row is not None and (numbers := session.transactions_of(row)):
        held = [number for number in numbers if _holds(session, number, pin)]
        return int((held or list(numbers))[0])
    for name, value in pin.keys:
        try:
            key = session.key_name(name)
        except (PlanError, AssertionError):
            continue
        by_key = session.transactions(cancel=cancel, columns=(f"keys.{key}",))
        hits = by_key.filter(pl.col(f"keys.{key}").list.contains(value).fill_null(value=False))
        if hits.height:
            return int(hits.item(0, "number"))
    return None


def _holds(session: Session, number: int, pin: Pin) -> bool:
    keys = session.correlating.keys_of(number)
    return any(value in keys.get(name, ()) for name, value in pin.keys)
