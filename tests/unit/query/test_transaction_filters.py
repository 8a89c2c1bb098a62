"""Filters on transactions: columns, list columns, and what is asked of their records."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from logscope.errors import FilterError
from logscope.query.transactions import compile_transaction_filter

T0 = dt.datetime(2026, 11, 1, 10, 0, tzinfo=dt.UTC)

RECORDS = pl.DataFrame(
    {
        "number": pl.Series([1, 1, 1, 2, 2, 3], dtype=pl.UInt32),
        "row": pl.Series(range(6), dtype=pl.UInt32),
        "time": [T0 + dt.timedelta(seconds=place) for place in range(6)],
        "raw": ["charge begin", "psp response", "charge settled", "charge begin", "psp response", "login"],
        "fields.code": [None, 200, None, None, 502, None],
        "service": ["payments", "psp", "payments", "payments", "psp", None],
    }
)
TRANSACTIONS = pl.DataFrame(
    {
        "number": pl.Series([1, 2, 3], dtype=pl.UInt32),
        "transaction": ["aa", "bb", "cc"],
        "start": [T0, T0, T0 - dt.timedelta(hours=1)],
        "end": [T0, T0, T0],
        "duration": pl.Series([2_000_000, 7_000_000, 0], dtype=pl.Duration("us")),
        "records": pl.Series([3, 2, 1], dtype=pl.UInt32),
        "errors": pl.Series([0, 1, 0], dtype=pl.UInt32),
        "level": pl.Series([3, 5, 0], dtype=pl.UInt8),
        "services": [["payments", "psp"], ["payments", "psp"], []],
        "sources": [["a.log"], ["a.log", "b.log"], ["c.log"]],
        "first": ["charge begin", "charge begin", "login"],
        "last": ["charge settled", "psp response", "login"],
        "oversize": pl.Series([None, "x", None], dtype=pl.String),
        "state": ["closed", "open", "closed"],
        "keys.order_id": [["ORD-1"], ["ORD-2", "ORD-22"], None],
        "rules": [[], ["charge_never_settled"], None],
    }
)

RULES: list[tuple[str, list[int]]] = [
    ("", [1, 2, 3]), ("duration>5s", [2]), ("duration<=2000ms", [1, 3]), ("duration_ms>1000", [1, 2]), ("duration_ms>5s", [2]),
    ("services:payments", [1, 2]), ("services:P*", [1, 2]), ("not services:psp", [3]), ("services:*", [1, 2]),
    ("services!=psp", [1, 2]), ("sources~/^[bc]/", [2, 3]), ("path:*psp", [1, 2]), ("level>=error", [2]), ("level:*", [1, 2]),
    ("state:open", [2]), ("errors>0", [2]), ("records>=2", [1, 2]), ("rules:charge_*", [2]), ("oversize:*", [2]),
    ("order_id:ORD-2", [2]), ("keys.order_id:ord-2?", [2]), ("keys.order_id:ORD-*", [1, 2]), ("order_id!=ORD-2", [1, 2]),
    ("nothing:x", []), ("start<2026-11-01T09:30:00Z", [3]),
    ("settled", [1]), ("login", [3]), ("psp", [1, 2]), ("ord-22", [2]), ("/^login$/", [3]), ("message:psp", [2]),
    ('has("charge begin")', [1, 2]), ('has("charge begin") not has("charge settled") services:payments', [2]),
    ("count(charge)>1", [1]), ("count(charge):1", [2]), ("count(charge)!=1", [1, 3]), ("count(nothing)=0", [1, 2, 3]),
    ("count(code:*)>=1", [1, 2]), ("first(psp).code>=400", [2]), ("last(charge).service:payments", [1, 2]),
    ("first(code:*).code=200", [1]), ("first(psp).code", [1, 2]), ("first(charge).code", []), ("last(psp).code~/^5/", [2]),
    ("first(psp).code:(200 or 502)", [1, 2]), ('duration>5s has("charge begin") not has("charge settled") services:payments', [2]),
    ("has(psp) or login", [1, 2, 3]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), RULES)
def test_what_matches(text: str, numbers: list[int]) -> None:
    compiled = compile_transaction_filter(text, now_us=0)
    hits = []
    for place, record_filter in enumerate(compiled.record_filters):
        assert compiled.hit_columns[place] <= set(RECORDS.columns)
        hits.append(
            RECORDS.filter(record_filter.mask(RECORDS)).select(
                "number", "row", "time", *sorted(compiled.hit_columns[place] - {"time"})
            )
        )
    mask = compiled.mask(TRANSACTIONS, hits)
    assert mask.null_count() == 0
    assert TRANSACTIONS["number"].filter(mask).to_list() == numbers
    assert compiled.mask(TRANSACTIONS.clear(), [hit.clear() for hit in hits]).len() == 0


@pytest.mark.parametrize(
    ("text", "column"),
    [("duration>5", 10), ("has(a", 4), ("count(a)", 8), ("count(a)>x", 10), ("first(a)", 8), ("has(has(a))", 5),
     ("has(level>loud)", 11), ("duration>2MiB", 10), ("level>=loud", 8), ("first(a).level>loud", 16)],
)  # fmt: skip
def test_errors_point_at_the_column(text: str, column: int) -> None:
    with pytest.raises(FilterError) as caught:
        compile_transaction_filter(text)
    assert caught.value.column == column


def test_equal_questions_are_asked_once() -> None:
    compiled = compile_transaction_filter("has(a b) count(a b)>1 first(a b).code>2 last(c).host:x")
    assert [record.text for record in compiled.record_filters] == ["a b", "c"]
    assert compiled.hit_columns == (frozenset({"fields.code"}), frozenset({"host"}))
    assert compile_transaction_filter("duration>5s services:x order_id:y").columns == {
        "duration",
        "services",
        "keys.order_id",
    }
