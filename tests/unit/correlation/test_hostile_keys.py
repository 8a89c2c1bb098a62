"""Logs and keys that would hurt a naive discovery: a clear word, bounded time, and the rest goes on."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest

from logscope.correlation.discover import find_plan
from logscope.correlation.keys import given_key
from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from tests.worlds import Shop, shop, traces, write

SECONDS = 20.0
"""Processor time that 100,000 records may take on any machine; a pair per pair of records takes hours."""


def many(texts: list[str], fields: dict[str, list[str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A sample and its fields, a millisecond apart."""
    rows = pl.Series("row", range(len(texts)), dtype=pl.UInt32)
    sample = pl.DataFrame({"row": rows, "raw": texts, "message": texts}).with_columns(
        time=pl.from_epoch(pl.col("row").cast(pl.Int64) * 1000 + 10**15, "us").dt.replace_time_zone("UTC")
    )
    pairs = pl.concat([pl.DataFrame({"row": rows, "name": name, "value": values}) for name, values in fields.items()])
    return sample, pairs


def test_a_value_in_100_000_records_links_nothing_and_takes_no_time() -> None:
    count = 100_000
    requests = [f"{at // 4:032x}" for at in range(count)]
    sample, pairs = many(["work done"] * count, {"request_id": requests, "tenant_ref": ["T-1000001"] * count})
    begin = time.process_time()
    plan = find_plan(sample, pairs)
    assert time.process_time() - begin < SECONDS
    assert plan.grain == "request_id"
    assert "tenant_ref" not in plan.linking


def test_100_000_distinct_values_are_said_to_be_seen_once() -> None:
    count = 100_000
    sample, pairs = many(["work done"] * count, {"request_id": [f"{at:032x}" for at in range(count)]})
    begin = time.process_time()
    plan = find_plan(sample, pairs)
    assert time.process_time() - begin < SECONDS
    assert plan.grain is None
    assert plan.key("request_id").why.startswith("seen once each")


def test_records_that_list_hundreds_of_ids_are_no_matter_of_pairs() -> None:
    count = 300
    texts = [" ".join(f"order ORD-{at * 7 + n:07d}" for n in range(400)) for at in range(count)]
    sample, pairs = many(texts, {"request_id": [f"{at // 3:032x}" for at in range(count)]})
    begin = time.process_time()
    assert find_plan(sample, pairs).key("request_id").links
    assert time.process_time() - begin < SECONDS


def test_records_without_time_are_linked_by_their_order(tmp_path: Path) -> None:
    files, _ = write(traces(1), tmp_path)
    for file in files:
        lines = file.read_text().splitlines()
        file.write_text("".join(line.partition(" ")[2] + "\n" for line in lines))
    session = Session(Options(sources=tuple(map(str, files))))
    try:
        session.open()
        session.read_all()
        session.prepare_keys(cancel=Cancel())
        assert session.grain()[0] in ("trace_id", "trace")
    finally:
        session.close()


def test_a_given_key_with_one_value_or_any_text_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    files, _ = write(shop(2, Shop(sessions=20)), tmp_path)
    keys = ("level=(INFO)", "all=(.*)")
    session = Session(Options(sources=tuple(map(str, files)), key=keys))
    try:
        session.open()
        session.read_all()
        session.prepare_keys(cancel=Cancel())
        said = " ".join(session.correlating.said())
        assert "key level has one value only" in said
        assert session.grain()[0] == "order_id"
        assert session.transactions("", cancel=Cancel())["records"].to_list()[0] < 100
        assert "key all: its pattern matches any text" in said
        assert "order_id" in session.correlating.key_names()
    finally:
        session.close()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (r"all=(\w)", "finds something in any record"),
        ("all=(.+)", "matches any text"),
        (r"all=(\w+ done)", "one value only"),
        (r"all=nothing=(\d+)", "has no value"),
    ],
)
def test_a_given_key_that_tells_nothing_apart_costs_little_and_leaves_the_grain_to_others(key: str, said: str) -> None:
    count = 30_000
    sample, pairs = many(
        [f"work done on the {at % 7} of all lines that are long enough to have many words" for at in range(count)],
        {"request_id": [f"{at // 4:032x}" for at in range(count)]},
    )
    given, notice = given_key(key)
    begin = time.process_time()
    plan = find_plan(sample, pairs, given=[given])
    assert time.process_time() - begin < SECONDS / 2
    assert said in " ".join((notice or "", *plan.notices))
    assert plan.grain == "request_id"


def test_words_say_what_is_too_short_to_tell() -> None:
    count = 400
    values = [f"s-{at % 20:012x}" for at in range(count)]
    values[-1] = "s-ffffffffffff"
    sample, pairs = many(["page served"] * count, {"ticket": values})
    assert "too short a log" in find_plan(sample, pairs).key("ticket").why


def test_a_given_key_needs_one_group() -> None:
    assert given_key("order=ORD-(\\d+)")[0].pattern == "ORD-(\\d+)"


def test_a_plan_is_used_again_for_the_same_sources_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    files, _ = write(shop(3, Shop(sessions=25)), folder)
    sources = tuple(map(str, files))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(remember: bool) -> tuple[tuple[str, str], str]:
        session = Session(Options(sources=sources, remember=remember))
        try:
            session.open()
            session.read_all()
            session.prepare_keys(cancel=Cancel())
            return session.grain(), " ".join(session.correlating.said())
        finally:
            session.close()

    first, _ = run(remember=True)
    again, said = run(remember=True)
    assert again == first
    assert "as found in these sources" in said
    assert "as found" not in run(remember=False)[1]
    files[0].write_text("2026-03-02T08:00:00Z INFO gate another log\n" + files[0].read_text())
    assert "as found" not in run(remember=True)[1]
