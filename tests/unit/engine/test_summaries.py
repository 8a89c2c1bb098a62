"""What lists say of a record."""

from __future__ import annotations

import polars as pl
import pytest

from logscope.engine.viewing.summaries import request_or_message, words_first

_TRACE, _SPAN = "fe3974115b911675d0640788986f80c9", "105c0354cf3c8799"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"TraceID: {_TRACE} SpanID: {_SPAN} Request started", f"Request started TraceID: {_TRACE} SpanID: {_SPAN}"),
        (f"trace={_TRACE}, charge begin\nat x", f"charge begin\nat x trace={_TRACE},"),
        (f"TraceID: {_TRACE}", f"TraceID: {_TRACE}"),
        ("amount=5 charge begin", "amount=5 charge begin"),
        ("charge begin", "charge begin"),
        ("", ""),
        (None, None),
    ],
)
def test_ids_step_behind_the_words(message: str | None, shown: str | None) -> None:
    column = pl.Series("message", [message], dtype=pl.String)
    assert words_first(column).to_list() == [shown]
    assert request_or_message(column.to_frame()).to_list() == [shown]
