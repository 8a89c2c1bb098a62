"""Which fields belong to the step that a record is, beside its message: chosen once, and then kept.

The choice is made of the earliest records alone, so that it is the same whether they came at once or one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.analysis.masking import masked
from logscope.analysis.states import candidates, telling
from logscope.correlation.extract import columns_needed
from logscope.engine.linking.replanning import linked
from logscope.engine.viewing.summaries import STATELESS
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_SAMPLE = 20_000
"""Records from which on the choice is made for good."""
_GROWN = 2


class StateFields:
    """Chooses them.

    Args:
        session: With records, and a plan of keys, which is found if there is none.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is chosen yet."""
        self._session = session
        self._names: tuple[str, ...] = ()
        self._seen = 0

    def names(self, cancel: Cancel) -> tuple[str, ...]:
        """Names of the fields; others only while there are few records.

        Args:
            cancel: Looked at now and then.
        """
        records = self._session.store.view.records
        if self._seen < _SAMPLE and records >= _GROWN * self._seen and records != self._seen:
            self._names = self._chosen(cancel)
            self._seen = records
        return self._names

    def _chosen(self, cancel: Cancel) -> tuple[str, ...]:
        session = self._session
        view = session.store.view
        rows = session.selection.rows_inside(session.store.ordered(view), view).head(_SAMPLE)
        pairs = session.frames.pairs(rows, view).filter(~pl.col("name").is_in(STATELESS))
        messages = session.frames.rows(rows, view, ("message", "service")).with_row_index("place")
        apart = ~pl.col("message").fill_null("").str.contains(pl.col("value"), literal=True)
        pairs = candidates(pairs.cast({schema.ROW: pl.UInt32}).join(messages, on=schema.ROW).filter(apart))
        if pairs.is_empty():
            return ()
        cancel.check()
        if session.correlating.plan is None:
            session.find_keys(cancel=cancel)
        plan = session.correlating.plan
        if plan is None or not plan.linking:
            return ()
        wanted = {*columns_needed(plan, plan.linking), "time", "source_id", "line"} - {schema.ROW}
        frame = session.frames.rows_bulk(rows, view, wanted)
        text = masked(pairs.get_column("message").fill_null("").rename("text"))
        step = pl.struct(pl.col("service").fill_null(""), text).rank("dense").cast(pl.UInt32)
        held = (
            pairs.with_columns(step=step)
            .join(frame.select(schema.ROW, source="source_id"), on=schema.ROW)
            .join(linked(frame, plan).members, on=schema.ROW)
            .sort("place", "name")
        )
        return telling(held)
