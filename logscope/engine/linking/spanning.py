"""Steps and parents (spans) that records name, from the plan's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.linking.correlating import Correlating


def _keys(correlating: Correlating) -> tuple[str, str] | None:
    plan = correlating.plan
    if plan is None or plan.spans is None or not set(plan.spans) <= set(correlating.key_names()):
        return None
    return plan.spans


def spans_of(correlating: Correlating, rows: pl.Series) -> list[tuple[str | None, str | None]]:
    """The step that each record names, and that one's parent, in the order of the rows; (None, None) where it names none."""
    keys = _keys(correlating)
    if keys is None or rows.is_empty():
        return [(None, None)] * len(rows)
    columns = [schema.KEY_PREFIX + name for name in keys]
    frame = correlating.key_columns(pl.DataFrame({schema.ROW: rows.cast(pl.UInt32)}), columns)
    return frame.unique(schema.ROW, keep="first", maintain_order=True).select(columns).rows()


def span_columns(correlating: Correlating) -> pl.DataFrame | None:
    """`row`, `span`, `parent` (null: none named) of all records that name their step; None: no log does."""
    keys = _keys(correlating)
    if keys is None:
        return None
    span, parent = (correlating.key_values(name).unique(schema.ROW, keep="first") for name in keys)
    return span.rename({"value": "span"}).join(parent.rename({"value": "parent"}), on=schema.ROW, how="left")
