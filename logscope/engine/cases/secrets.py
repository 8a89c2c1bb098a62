"""Which values of a case name somebody or something, and must be masked before it leaves the house."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import TransactionDetail
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.session import Session

MOST_RECORDS = 2_000
"""Records of a transaction that a report tells; of more it says how many are left out."""
_NAMES = ("user", "username", "customer", "account", "name", "email", "mail", "phone", "login", "tenant")


def sensitive_values(
    session: Session, details: Sequence[TransactionDetail], pinned: Sequence[int] = ()
) -> dict[str, str]:
    """Values of keys (weak ones too), hosts, and fields that name people: value -> its kind.

    Args:
        session: With transactions made.
        details: The transactions that are told.
        pinned: Rows of records that are told by themselves.
    """
    rows = pl.Series(
        schema.ROW,
        [*(m.line.row for detail in details for m in detail.members[:MOST_RECORDS]), *pinned],
        dtype=pl.UInt32,
    )
    lines = [*(m.line for detail in details for m in detail.members), *session.lines_of(rows.tail(len(pinned)))]
    known = {line.host: "host" for line in lines if line.host}
    for fields in session.frames.fields(rows, session.store.view):
        for entry in fields:
            name = str(entry["name"]).rsplit(".", 1)[-1].lower()
            if any(part in name for part in _NAMES):
                known[str(entry["value"])] = name
    plan = session.correlating.plan
    # A weak key is told unless it names people: services, methods and states are what a report is read for.
    secret = [
        key
        for key in (plan.keys if plan is not None else ())
        if key.klass in ("strong", "scoped") or any(part in key.name for part in _NAMES)
    ]
    for key in secret:
        values = session.correlating.key_values(key.name)
        mine = values.filter(pl.col(schema.ROW).is_in(rows.implode())).get_column("value").cast(pl.String).unique()
        known.update(dict.fromkeys(mine.to_list(), key.name))
    for detail in details:
        known[detail.transaction] = "transaction"
    for service in {line.service for line in lines}:
        known.pop(service or "", None)
    return known
