from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from logscope.engine.analysis.absences import absences, stems

START = datetime(2026, 11, 1, 10, tzinfo=UTC)


def test_stems_end_before_the_first_value() -> None:
    texts = ["charge begin order_id=ORD-1", "login ok for u-17", "GET", "HikariPool-1 - stats", "all done", '{"a": 1}']
    assert stems(pl.Series(texts)).to_list() == ["charge begin", "login ok for", None, None, "all done", None]


def frame(transactions: list[list[str]]) -> pl.DataFrame:
    rows = [
        (number, START + timedelta(seconds=place), message)
        for number, messages in enumerate(transactions)
        for place, message in enumerate(messages)
    ]
    return pl.DataFrame(rows, schema=["transaction", "time", "message"], orient="row")


def test_a_step_that_is_usual_and_missing_in_a_few_is_found() -> None:
    whole = ["order created id=7", "charge begin id=7", "mail sent id=7", "charge settled id=7"]
    found = absences(frame([whole] * 30 + [whole[:3]] * 2))
    assert found[0].filter == 'has("charge begin") not has("charge settled")'
    assert (found[0].without, found[0].seen) == (2, 32)


def test_nothing_is_offered_where_nothing_is_missing_or_little_was_seen() -> None:
    whole = ["order created id=7", "order paid id=7"]
    assert absences(frame([whole] * 30)) == []
    assert absences(frame([whole] * 5 + [whole[:1]])) == []


def test_a_step_that_is_often_left_out_is_not_usual() -> None:
    assert absences(frame([["order created", "order paid"]] * 10 + [["order created"]] * 10)) == []
