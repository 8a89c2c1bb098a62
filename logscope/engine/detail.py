"""One transaction with everything its view shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import Member, TransactionDetail
from logscope.records import schema
from logscope.records.severity import ERROR

if TYPE_CHECKING:
    from logscope.engine.session import Session

_MOST = 10_000
"""Records of one transaction that the view reads; a longer one is cut there, and says so."""


def transaction_detail(session: Session, number: int) -> TransactionDetail:
    """What the transaction view shows.

    Args:
        session: With transactions made.
        number: Which one.

    Raises:
        KeyError: There is none of that number (any more).
    """
    table = session.detecting.with_rules(session.correlating.transactions())
    found = table.filter(pl.col("number") == number)
    if found.is_empty():
        raise KeyError(number)
    entry = found.row(0, named=True)
    rows = session.correlating.members_of([number]).get_column(schema.ROW)
    lines = session.lines_of(rows.head(_MOST))
    marks = session.marks([line.row for line in lines])
    members = []
    previous = start = lines[0].time or 0
    for place, line in enumerate(lines):
        time = line.time or 0
        mark = marks.get(line.row)
        members.append(
            Member(
                line=line,
                since_previous=None if place == 0 else time - previous,
                since_start=time - start,
                error=line.level >= ERROR,
                step=None if mark is None else mark[:2],
            )
        )
        previous = time
    keys = {
        name.removeprefix(schema.KEY_PREFIX): tuple(entry[name])
        for name in table.columns
        if name.startswith(schema.KEY_PREFIX) and entry[name]
    }
    detections = session.detecting.of_transaction(number)
    plan = session.correlating.plan
    grain = plan.grain if plan is not None else None
    title = keys[grain][0] if grain in keys else next((values[0] for values in keys.values()), entry["transaction"])
    held = tuple(name for name in (plan.linking if plan else ()) if name in keys)
    return TransactionDetail(
        number=number,
        transaction=entry["transaction"],
        title=title,
        start=start,
        end=lines[-1].time or start,
        members=tuple(members),
        keys=keys,
        held_by=held,
        absent=tuple(step for detection in detections for step in session.detecting.absent_steps(detection)),
        rules=tuple(entry["rules"]),
        errors=entry["errors"],
        oversize=entry["oversize"] if len(rows) <= _MOST else f"the first {_MOST:,} of {len(rows):,} records",
    )
