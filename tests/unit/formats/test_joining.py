"""Lines of several formats' records are joined: what containers cut apart, and what stands within containers' lines."""

from __future__ import annotations

import json

import polars as pl
import pytest

from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser
from logscope.records.severity import ERROR, FATAL

FORMATS = load_formats()
REFERENCE = 1_798_675_200_000_000
BIG = json.dumps({"level": "error", "msg": "big", "blob": "x" * 40_000, "order_id": "ORD-1"}) + "\n"
PARTS = [BIG[place : place + 16_384] for place in range(0, len(BIG), 16_384)]
TRACE = [
    "2026-11-01 10:00:00,123 [main] ERROR c.s.Stock - none left",
    "java.lang.IllegalStateException: sku=A-1 is gone",
    "\tat com.shop.Stock.take(Stock.java:12)",
    "Caused by: java.io.IOException: disk",
    "\tat com.shop.Disk.read(Disk.java:1)",
    "2026-11-01 10:00:01,123 [main] INFO  c.s.Stock - next",
]


def docker(text: str, stream: str = "stdout") -> str:
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-01T10:00:02.5Z"}, separators=(",", ":"))


def cri(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"2026-11-01T10:00:02.5Z {stream} {tag} {text}"


def records(lines: list[str]) -> tuple[SourceParser, pl.Series]:
    parser = make_parser(detect(FORMATS, lines, name="x"), zone="UTC", reference_us=REFERENCE, source_name="x")
    starts = parser.scan(pl.Series(lines))["starts"]
    assert starts.to_list() == parser.starts(pl.Series(lines)).to_list()
    frame = pl.DataFrame({"line": lines, "record": starts.cum_sum()})
    return parser, frame.group_by("record", maintain_order=True).agg(pl.col("line").str.join("\n"))["line"]


def told(parser: SourceParser, raw: pl.Series, *names: str) -> list[tuple]:
    columns = parser.columns(raw, names)
    return columns.with_columns(level=parser.index(raw)["level"]).rows()


def test_parts_of_a_long_line_are_one_record() -> None:
    cut_docker = [docker(part) for part in PARTS]
    cut_cri = [*(cri(part, "P") for part in PARTS[:-1]), cri(PARTS[-1].rstrip("\n"))]
    plain = '{"level":"info","msg":"a"}'
    for parts, before, after in (
        (cut_docker, docker(plain + "\n"), docker(plain + "\n")),
        (cut_cri, cri(plain), cri(plain)),
    ):
        parser, raw = records([before, *parts, after])
        assert not parser.cuts
        assert told(parser, raw, "message", "fields.order_id") == [("a", None, 3), ("big", "ORD-1", 5), ("a", None, 3)]
        assert {pair["name"] for pair in parser.fields(raw)[1]} >= {"blob", "order_id", "stream"}


def test_a_part_is_not_joined_to_the_other_stream() -> None:
    lines = [cri("half", "P"), cri("whole", stream="stderr"), cri("end")]
    assert len(records(lines)[1]) == 3


def test_a_part_whose_rest_is_missing_does_not_take_the_next_record() -> None:
    whole = docker('{"level":"info","msg":"a"}\n')
    assert len(records([whole, docker(PARTS[0]), whole])[1]) == 3


def test_a_short_line_without_its_end_is_no_part() -> None:
    parser, raw = records([docker("one"), docker("two")])
    assert len(raw) == 2
    assert parser.cuts


def test_stack_traces_within_containers_lines_belong_to_their_record() -> None:
    for lines in ([docker(line + "\n") for line in TRACE], [cri(line) for line in TRACE]):
        parser, raw = records(lines)
        assert parser.cuts
        assert told(parser, raw, "message", "fields.sku") == [("none left", "A-1", 5), ("next", None, 3)]


def test_frames_behind_json_in_a_container_belong_to_what_they_follow() -> None:
    body = ['{"level":"info","msg":"up"}', "java.io.IOException: x", "\tat a.B.c(B.java:1)", "", '{"msg":"down"}']
    for lines in ([docker(line + "\n") for line in body], [cri(line) for line in body]):
        parser, raw = records(lines)
        assert [row[0] for row in told(parser, raw, "message")] == ["up", "java.io.IOException: x", "down"]


def test_lines_of_several_services_are_not_joined() -> None:
    lines = [f"{name}-1  | {line}" for name in ("cart", "stock") for line in TRACE]
    assert len(records(lines)[1]) == len(lines)


def test_a_slow_query_is_one_record_with_or_without_its_time() -> None:
    lines = [
        "# Time: 2024-03-01T10:00:00.123456Z",
        "# User@Host: app[app] @ web [10.0.0.1]  Id:    77",
        "# Query_time: 2.5  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 70",
        "use shop;",
        "SET timestamp=1709287200;",
        "SELECT *",
        "FROM orders;",
        "# User@Host: app[app] @ web [10.0.0.1]  Id:    78",
        "# Query_time: 3.5  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 7",
        "SET timestamp=1709287201;",
        "SELECT 2;",
    ]
    parser, raw = records(lines)
    assert told(parser, raw, "message", "fields.Query_time") == [("SELECT *", "2.5", 0), ("SELECT 2;", "3.5", 0)]
    assert parser.index(raw)["time"].dt.second().to_list() == [0, 1]


def test_a_field_of_an_exported_journal_begins_no_record_whatever_it_looks_like() -> None:
    entry = [
        "__CURSOR=s=1",
        "__REALTIME_TIMESTAMP=1761991201123456",
        "PRIORITY=4",
        "MESSAGE=a=1 b=2",
        '{"x":1}',
        "_PID=7",
        "",
    ]
    parser, raw = records(entry * 3)
    assert parser.formats == ("journald_export", "text")
    assert told(parser, raw, "message", "pid") == [("a=1 b=2", "7", 4)] * 3


GO = (
    "panic: runtime error: index out of range [3] with length 3",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47f7b2]",
    "",
    "goroutine 1 [running]:",
    "main.(*Till).take(0x0, {0xc000012345, 0x5})",
    "\t/app/till.go:8 +0x1d",
    "main.main()",
    "\t/app/till.go:12 +0x25",
    "created by net/http.(*Server).Serve in goroutine 1",
    "\t/usr/local/go/src/net/http/server.go:3086 +0x5cb",
    "exit status 2",
)
PYTHON = (
    "Traceback (most recent call last):",
    '  File "/app/till.py", line 3, in <module>',
    "    main()",
    "    ~~~~^^",
    "shop.errors.StockError: sku=A-1 is gone",
    "",
    "During handling of the above exception, another exception occurred:",
)


@pytest.mark.parametrize(("trace", "level"), [(GO, FATAL), (PYTHON, ERROR)])
def test_a_crash_among_json_lines_is_one_record(trace: tuple[str, ...], level: int) -> None:
    around = ['{"time":"2026-11-01T10:00:00Z","level":"info","msg":"paid"}', "java.lang.Exception: no", "TypeError: no"]
    for wrap in (str, cri, lambda text: docker(text + "\n")):
        parser, raw = records([wrap(line) for line in (*around, *trace, *around)])
        assert [text.count("\n") + 1 for text in raw] == [1, 1, 1, len(trace), 1, 1, 1]
        assert told(parser, raw, "message")[3] == (trace[0], level)


def test_a_panic_among_lines_of_text_is_a_record_of_its_own() -> None:
    line = "2026-11-01 10:00:00 INFO paid"
    _, raw = records([line, *GO, line, *PYTHON, line])
    assert [text.count("\n") + 1 for text in raw] == [1, len(GO), 1 + len(PYTHON), 1]


def test_a_cut_line_is_not_glued_to_what_the_other_stream_says() -> None:
    lines = [cri("half of", "P"), cri("a warning", stream="stderr"), *map(cri, TRACE), ""]
    parser, raw = records(lines)
    assert parser.columns(raw, ["message"])["message"].to_list() == ["half of", "none left", "next"]
