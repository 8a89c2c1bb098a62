"""Separated values: layouts, records over lines, cells whatever they hold, columns and fields as JSON lines give them."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.formats.csvlayout import cells, csv_layout
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser

HEADER = "timestamp,level,service,host,message,order_id,amount,ok"


def parser_of(text: str, name: str = "a.csv") -> SourceParser:
    assignment = detect(load_formats(), text.splitlines(), name=name)
    return make_parser(assignment, zone="UTC", reference_us=0, source_name=name)


def series(lines: list[str]) -> pl.Series:
    return pl.Series("raw", lines, dtype=pl.String)


def written(rows: list[list[str]], separator: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue()


def records(text: str, parser: SourceParser) -> list[str]:
    """Records of a text behind its header, joined as the parser says."""
    lines = text.split("\n")[parser.head_lines : -1]
    found: list[str] = []
    for line, begins in zip(lines, parser.starts(series(lines)), strict=True):
        if begins or not found:
            found.append(line)
        else:
            found[-1] += "\n" + line
    return found


@pytest.mark.parametrize(
    ("name", "first", "separator", "head"),
    [
        ("a.csv", "time;level;message\n2026-11-01T10:00:00Z;info;x, y", ";", 1),
        ("a.tsv", "time\tlevel\n1\tinfo", "\t", 1),
        ("x.tar!d/a.csv.gz", "time,level\n1,info", ",", 1),
        ("a.csv", "2026-11-01T10:00:00Z,info,started\n2026-11-01T10:00:01Z,warn,slow", ",", 0),
        ("-", "timestamp,level,msg\n2026-11-01T10:00:00Z,info,a\n2026-11-01T10:00:00Z,info,b", ",", 1),
    ],
)
def test_layouts(name: str, first: str, separator: str, head: int) -> None:
    layout = csv_layout(first.splitlines(), name)
    assert layout is not None
    assert (layout.separator, layout.head) == (separator, head)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "03afb38edfbded3232c929edcec69bb0\n1123\n"),
        ("a.log", "2026-11-01 10:00:00,123 INFO a, b, c\n2026-11-01 10:00:01,123 INFO a, b, c\n"),
        ("-", "hello, time, world\nx\n"),
        ("a.csv", ""),
    ],
)
def test_what_is_no_table(name: str, text: str) -> None:
    assert csv_layout(text.splitlines(), name) is None


cell = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12) | st.sampled_from(
    ['"', "a,b", "x\ny", '"q"', '""', ",", "\n", " a "]
)


@settings(max_examples=120)
@given(
    rows=st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=12), separator=st.sampled_from(",;\t|")
)
def test_what_was_written_is_read(rows: list[list[str]], separator: str) -> None:
    # An empty last line of a cell and an empty line between records cannot be told apart by their text alone.
    rows = [[f"r{number}", *row] for number, row in enumerate(rows)]
    text = written([["one", "two", "three", "four"], *rows], separator)
    assignment = detect(
        load_formats(), [*text.split("\n")[:1], "a" + separator + "b"], name="a.tsv" if separator == "\t" else "a.csv"
    )
    parser = make_parser(assignment, zone="UTC", reference_us=0, source_name="a.csv")
    found = records(text, parser)
    assert [cells(record, separator) for record in found] == rows
    columns = parser._csv.cells(series(found), ["one", "two", "three", "four"])  # type: ignore[union-attr]
    expected = [[value or None for value in row] for row in rows]
    assert [list(row) for row in zip(*(columns[name] for name in columns), strict=True)] == expected


def rows_of(seed: int, count: int) -> list[dict[str, Any]]:
    made = random.Random(seed)
    return [
        {
            "timestamp": f"2026-11-01T10:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1000:03d}Z",
            "level": made.choice(["info", "warn", "ERROR", "debug"]),
            "service": made.choice(["orders", "payments"]),
            "host": f"web-{number % 3}",
            "message": made.choice(["charge begin", 'said "no", twice', "user=eve came\nand left", "größe 5 €", "x"]),
            "order_id": f"ORD-{number % 17}",
            "amount": made.choice([5, 12.5, -3, 0]),
            "ok": made.choice([True, False]),
        }
        for number in range(count)
    ]


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 60))
def test_a_table_gives_what_json_lines_give(seed: int, count: int) -> None:
    rows = rows_of(seed, count)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = (
        HEADER
        + "\n"
        + written(
            [[json.dumps(value) if isinstance(value, bool) else str(value) for value in row.values()] for row in rows]
        )
    )
    table, objects = parser_of(text), parser_of("\n".join(lines), "a.jsonl")
    found = series(records(text, table))
    assert len(found) == count
    names = ["service", "host", "message", "fields.order_id", "fields.amount", "fields.ok", "fields.user"]
    assert table.columns(found, names).equals(objects.columns(series(lines), names))
    index, other = table.index(found), objects.index(series(lines))
    assert index.select("time", "level").equals(other.select("time", "level"))
    own, theirs = table.fields(found).to_list(), objects.fields(series(lines)).to_list()
    assert own == theirs


def test_a_quote_that_is_never_closed_does_not_take_what_follows() -> None:
    lines = [f'2026-11-01T10:00:{n % 60:02d}Z,info,"line {n}, x",{n}' for n in range(3000)]
    lines[500] = '2026-11-01T10:00:00Z,info,"cut off here,5'
    lines[700] = '2026-11-01T10:00:00Z,info,5" disk,5'
    text = "time,level,message,n\n" + "\n".join(lines) + "\n"
    parser = parser_of(text)
    found = records(text, parser)
    assert len(found) == 3000
    index = parser.index(series(found))
    assert index["time"].null_count() == 0
    assert parser.columns(series(found), ["message", "fields.n"]).row(700) == ('5" disk', 5)
    assert parser.columns(series(found), ["message"]).item(500, 0) == "cut off here,5"


def test_odd_rows_do_not_spoil_the_others() -> None:
    lines = [f"2026-11-01T10:00:{n % 60:02d}Z,info,line {n},{n}" for n in range(50_000)]
    lines[10] = "2026-11-01T10:00:00Z,warn"
    lines[11] = "2026-11-01T10:00:00Z,warn,a,b,c"
    lines[12] = '2026-11-01T10:00:00Z,"error"x,"a, b","c'
    lines[13] = "\ufffd\0\x1b[31m,,,"
    text = "time,level,message,n\n" + "\n".join(lines)
    parser = parser_of(text)
    index = parser.index(series(lines))
    assert index["time"].null_count() == 1
    assert index["level"].to_list()[10:13] == [index["level"][11]] * 2 + [index["level"][12]]
    columns = parser.columns(series(lines), ["message", "fields.n"])
    assert columns.row(49_999) == ("line 49999", "49999")
    assert columns.row(11) == ("a", "b,c")
    assert columns.row(12) == ("a, b", "c")


def test_a_message_that_is_a_log_line_is_read_in_turn() -> None:
    inner = '{"log":"16:48:42.424 INFO  t.s.Travel#532 order_id=ORD-7 go\\n","stream":"stdout","time":"2023-01-29T08:48:42.4Z"}'
    text = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log\n" + written(
        [["2023-01-29T08:48:42.425293566Z", "1674982122425293566", "10.0.0.1", "ts-travel-service-64469b5b48-25zj6",
          "server", "49a51828322183eb", "083e5d40259e7999", inner]]
    )  # fmt: skip
    parser = parser_of(text)
    found = series(records(text, parser))
    names = ["service", "host", "message", "fields.TraceID", "fields.order_id", "fields.TimeUnixNano"]
    row = parser.columns(found, names).row(0)
    assert row[0:2] == ("ts-travel-service", "10.0.0.1")
    assert "order_id=ORD-7 go" in row[2]
    assert "stream" not in row[2]
    assert row[3:] == ("49a51828322183eb", "ORD-7", 1674982122425293566)
    index = parser.index(found).row(0, named=True)
    assert index["time"].isoformat() == "2023-01-29T08:48:42.425293+00:00"
    assert index["level"] > 0


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Time,Severity,Text", "2026-11-01 10:00:00,warn,x"),
        ("StartTime,Severity,Text", "1793527200000,warn,x"),
        ("TimeUnixNano,Severity,Text", "1793527200000000000,warn,x"),
        ("Date,Time,Severity,Text", "2026-11-01,10:00:00,warn,x"),
        ("Zeitpunkt,Severity,Text", "2026-11-01T10:00:00Z,warn,x"),
        ("ts,severity,text", "1793527200.0,warn,x"),
    ],
)
def test_times_are_found_by_name_and_by_what_is_in_them(header: str, row: str) -> None:
    text = f"{header}\n{row}\n{row}\n"
    index = parser_of(text).index(series([row]))
    assert index.row(0, named=True)["time"].isoformat() == "2026-11-01T10:00:00+00:00"
    assert index.row(0, named=True)["level"] == 4


@pytest.mark.parametrize(
    ("head", "row", "message"),
    [
        (
            "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration",
            "410f102a89f8db22,233d5101e107e112,root,gateway,HTTP POST,1674982159219000000,1674982159247160439,28160",
            "HTTP POST",
        ),
        ("startTimeUnixNano,spanId,name,kind", "1674982159219000000,233d5101e107e112,SELECT orders,2", "SELECT orders"),
        ("StartTime,SpanId,URL,Component", "1627613264441,ac8.66.0,/pay/7,SpringMVC", "/pay/7"),
        ("StartTime,SpanId,Name,Message", "1627613264441,ac8.66.0,pay,settled", "settled"),
        ("StartTime,Name,Amount", "1627613264441,pay,7", "1627613264441,pay,7"),
    ],
)
def test_a_span_says_what_it_does(head: str, row: str, message: str) -> None:
    parser = parser_of(f"{head}\n{row}\n{row}\n")
    assert parser.columns(series([row]), ["message"]).item() == message
