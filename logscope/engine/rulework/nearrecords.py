"""Records that nearly matched a rule over single records: all but one number holds, and that one nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import NearMiss
from logscope.language.filter import And, FieldTerm, Not, to_text
from logscope.query.filters import Filter, compile_filter
from logscope.query.relaxing import relaxed
from logscope.records import schema
from logscope.rules.nearmiss import NEAR, shown_number

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session
    from logscope.rules.model.rule import Rule

_MOST = 200


def near_records(session: Session, rule: Rule, cancel: Cancel) -> list[NearMiss]:
    """What nearly matched, the newest first; nothing of a rule that compares no number.

    Args:
        session: With everything read.
        rule: Of kind `record`.
        cancel: Looked at between segments.
    """
    asked = rule.sequence.steps[0].filter if rule.sequence is not None else None
    if not isinstance(asked, Filter):
        return []
    parts = asked.expression.items if isinstance(asked.expression, And) else (asked.expression,)
    found: list[NearMiss] = []
    for part in parts:
        loose = relaxed(part, NEAR)
        if loose is None or not isinstance(part, FieldTerm):
            continue
        rest = tuple(other for other in parts if other is not part)
        nearly = compile_filter(And((*rest, loose, Not(part))))
        rows = session.searching.view(nearly, cancel=cancel).rows.tail(_MOST).reverse()
        column = next(iter(compile_filter(part).columns))
        frame = session.frames.rows(rows, session.store.view, {"time", column}) if len(rows) else pl.DataFrame()
        for row, time, value in (
            frame.select(schema.ROW, pl.col("time").to_physical(), column).iter_rows() if len(rows) else ()
        ):
            more = ", all else does" if rest else ""
            found.append(
                NearMiss(
                    rule=rule.name, step="record", subject="", number=None, time=time, steps=(("record", row),), row=row,
                    by=None, text=f"{to_text(part)}: does not hold, it is {shown_number(value)}{more}",
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: one.time, reverse=True)[:_MOST]
