"""Pivots and the table of transactions: what is looked up by number equals what a look at every record finds."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from logscope.correlation.keys import Key
from logscope.correlation.vocabulary import Vocabulary
from logscope.engine.api import Cancel
from logscope.engine.linking import detail
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.engine.viewing.searching import Searching
from tests.conftest import Shop

NEVER = Cancel()


@pytest.fixture(scope="module")
def session(shop: Shop) -> Iterator[Session]:
    opened = Session(Options(sources=tuple(shop.logs)))
    opened.open()
    opened.read_all()
    opened.prepare_transactions(cancel=NEVER)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def order(session: Session) -> str:
    values = session.correlating.key_values("order_id").get_column("value")
    return str(values.value_counts().sort("count", "value", descending=True).item(0, "value"))


@pytest.mark.parametrize(
    "text",
    [
        'keys.order_id="{order}"',
        "keys.order_id:{lower}",
        "keys.order_id:ORD-*7",
        "keys.order_id!={order}",
        "keys.order_id~7$",
        "has:keys.order_id level>=warn",
        'keys.order_id="{order}" charge',
        'charge keys.order_id="{order}" not settled',
        'keys.order_id="{order}" keys.request_id:*a*',
        'keys.order_id="{order}" (level>=error or keys.request_id:*b*)',
        'keys.order_id="nothing of the kind"',
        'not keys.order_id="{order}"',
    ],
)
def test_a_pivot_finds_what_a_look_at_every_record_finds(session: Session, order: str, text: str) -> None:
    compiled = session.compile(text.format(order=order, lower=order.lower()))
    slow = Searching(session.store, session.frames, session.correlating.key_columns, lambda _: None)
    expected = slow.view(compiled, cancel=NEVER)
    found = session.searching.view(compiled, cancel=NEVER)
    assert found.rows.to_list() == expected.rows.to_list()
    inside = session.view("level>=info", cancel=NEVER)
    narrowed = session.searching.view(compiled, cancel=NEVER, base=inside).rows.to_list()
    assert narrowed == slow.view(compiled, cancel=NEVER, base=inside).rows.to_list()


def test_columns_added_to_some_rows_are_those_of_the_whole_table(session: Session) -> None:
    whole = session.transactions(sort="duration", descending=True, cancel=NEVER)
    figures = session.transactions(sort="duration", descending=True, cancel=NEVER, columns=())
    assert figures.get_column("number").to_list() == whole.get_column("number").to_list()
    assert not {"first", "services", "keys.order_id", "transaction"} & set(figures.columns)
    for start in (0, 7, 100):
        added = session.with_columns(figures.slice(start, 5))
        assert added.select(whole.columns).equals(whole.slice(start, 5))
    for number in whole.get_column("number").head(10).to_list():
        alone = session.correlating.transaction(number)
        assert whole.filter(pl.col("number") == number).select(alone.columns).equals(alone)


def test_a_long_transaction_is_shown_from_both_ends(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = session.transactions(sort="records", descending=True, cancel=NEVER, columns=()).row(0, named=True)
    before = session.transaction(longest["number"])
    assert before.left_out == 0
    monkeypatch.setattr(detail, "_MOST", 6)
    monkeypatch.setattr(detail, "_LAST", 2)
    cut = session.transaction(longest["number"])
    assert len(cut.members) == 6
    assert cut.left_out == longest["records"] - 6
    assert (cut.start, cut.end) == (before.start, before.end)
    assert [m.line.row for m in cut.members[-2:]] == [m.line.row for m in before.members[-2:]]


def test_a_vocabulary_never_renumbers_and_tells_texts_and_scopes_back() -> None:
    words = Vocabulary((Key("order_id"), Key("pid", "scoped")))
    table = pl.DataFrame(
        {
            "key": pl.Series([0, 1, 1, 0], dtype=pl.UInt16),
            "value": ["ORD-1", "12:7", "12:7", "ORD-1"],
            "scope": [None, "h:1/é", "h2/", None],
        }
    )
    codes = words.encode(table)
    assert codes.n_unique() == 3
    more = words.encode(table.with_columns(value=pl.lit("x")))
    assert set(codes.to_list()).isdisjoint(more.to_list())
    assert words.encode(table).to_list() == codes.to_list()
    assert words.describe(codes).equals(table)
    assert sorted(words.find(1, "12:7").to_list()) == sorted(codes.slice(1, 2).to_list())
    assert words.find(0, "ORD-2").is_empty()
