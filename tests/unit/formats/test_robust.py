"""One bad line in 50,000, odd JSON, times at their edges, syslog as it really comes."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import TIME
from tests.unit.formats.lines import MAKERS

FORMATS = load_formats()


def parser_for(
    lines: list[str], reference: datetime = datetime(2026, 12, 31, tzinfo=UTC), zone: str = "UTC"
) -> SourceParser:
    micros = int(reference.timestamp() * 1_000_000)
    return make_parser(detect(FORMATS, lines[:500], name="a.log"), zone=zone, reference_us=micros, source_name="a.log")


def listener(zone: str = "UTC") -> SourceParser:
    return make_parser(FORMATS.for_messages(), zone=zone, reference_us=0, source_name="syslog+udp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("json", '{"time": NaN, "order_id": oops}'),
        ("json", "\x00\ufffd<999>1 ]]"),
        ("docker", '{"log":"x","stream":"stdout","time":oops'),
        ("log4j", "2026-99-99T99:99:99Z INFO [x] y - z"),
        ("rfc5424", "<134>1 2026-99-99T99:99:99Z h a p m - z"),
        ("rfc3164", "<13>Nov 99 10:00:00 h a: z"),
        ("logfmt", "\x00\ufffd<999>1 ]]"),
    ],
)
def test_one_bad_line_in_50_000_spoils_nothing_else(name: str, bad: str) -> None:
    maker = MAKERS[name]
    block = [maker(number) for number in range(500)] * 100
    good = parser_for(block)
    block[31_000] = bad
    raw = pl.Series(block)
    index = good.index(raw)
    assert index.height == 50_000
    assert index["time"].null_count() == 1
    assert index["time"][31_000] is None
    ids = good.columns(raw, ["fields.order_id"])["fields.order_id"] if name != "access" else None
    if ids is not None:
        expected = [f"ORD-{number % 500}" for number in range(50_000)]
        assert [value for row, value in enumerate(ids) if row != 31_000] == expected[:31_000] + expected[31_001:]


def test_json_members_late_mixed_nested_and_large() -> None:
    lines = ['{"a":1,"b":"x","m":1}'] * 300 + [
        '{"late":7,"a":2.5,"m":"one","o":{"p":{"q":true}},"l":[1,{"z":2}],"n":null}'
    ]
    lines += ['{"id":9007199254740993,"o.p":"flat","m":{"r":1}}']
    raw = pl.Series(lines)
    found = parser_for(lines).columns(
        raw, [f"fields.{name}" for name in ("a", "late", "m", "o.p.q", "l", "id", "o.p", "m.r", "n", "b")]
    )
    assert found["fields.a"].dtype == pl.Float64
    assert found["fields.late"].to_list()[-2:] == [7, None]
    assert found["fields.m"].dtype == pl.String
    assert found["fields.m"].to_list()[299:] == ["1", "one", None]
    assert found["fields.o.p.q"][300] is True
    assert found["fields.l"][300] == '[1,{"z":2}]'
    assert found["fields.id"][301] == 9007199254740993
    assert found["fields.o.p"][301] == "flat"
    assert found["fields.m.r"][301] == 1
    assert found["fields.n"].null_count() == len(lines)


@pytest.mark.parametrize(
    "hostile",
    [
        '{"a":' * 100_000 + "}",
        '{"n":' + "9" * 10_000 + "}",
        '{"a":1,"a":2}',
        "{}",
        '{"a"}',
        "{" + "x" * 100_000 + "}",
        '{"a":"\\ud800"}',
    ],
)
def test_hostile_json_is_one_record(hostile: str) -> None:
    parser = parser_for([MAKERS["json"](1)] * 9)
    raw = pl.Series([MAKERS["json"](1), hostile, MAKERS["json"](2)])
    assert parser.columns(raw, ["fields.order_id"])["fields.order_id"].to_list() == ["ORD-1", None, "ORD-2"]
    assert parser.index(raw).height == 3
    assert len(parser.fields(raw)) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00"),
        ("2026-11-01t10:00:00.5z", "2026-11-01T10:00:00.500000"),
        ("2026-11-01 10:00:00,123", "2026-11-01T09:00:00.123000"),
        ("2026-11-01T10:00:00.123456789+14:00", "2026-10-31T20:00:00.123456"),
        ("2026-11-01T10:00:00-0330", "2026-11-01T13:30:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
        ("2026-02-31T10:00:00Z", None),
        ("2026-11-01T25:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("2026-03-29 02:30:00", None),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00"),
        ("1761019822.3152757", "2025-10-21T04:10:22.315275"),
        ("1761019822315", "2025-10-21T04:10:22.315000"),
        ("1761019822315275", "2025-10-21T04:10:22.315275"),
        ("1761019822315275701", "2025-10-21T04:10:22.315275"),
        ("01/Nov/2026:10:00:00 +0100", "2026-11-01T09:00:00"),
        ("Sun Dec 04 04:47:44.25 2005", "2005-12-04T03:47:44.250000"),
        ("", None),
        ("-", None),
        ("soon", None),
    ],
)
def test_time_texts(text: str, expected: str | None) -> None:
    clock = Clock("Europe/Berlin")
    alone = to_times(pl.Series([text]), clock)[0]
    among = to_times(pl.Series(["2026-01-01T00:00:00Z", None, text, "x"]), clock)[2]
    assert alone == among
    assert (alone and alone.replace(tzinfo=None).isoformat()) == expected


def test_a_year_left_out_of_a_file_is_the_latest_that_fits() -> None:
    lines = ["Dec 31 23:59:59 h a: x", "Jan  1 00:00:01 h a: y", "Feb 29 12:00:00 h a: z"]
    times = parser_for(lines, datetime(2026, 1, 1, 12, tzinfo=UTC)).index(pl.Series(lines))["time"]
    assert times.dt.year().to_list() == [2025, 2026, 2024]


def test_a_year_left_out_of_a_message_is_nearest_to_its_receipt() -> None:
    received = pl.Series(
        [datetime(2027, 1, 1, 0, 0, 5, tzinfo=UTC)] * 2 + [datetime(2026, 12, 31, 23, 59, tzinfo=UTC)], dtype=TIME
    )
    lines = ["<13>Dec 31 23:59:59 h a: x", "<13>Jan  1 00:05:00 h a: y", "<13>Jan  1 00:03:00 h a: z"]
    assert listener().index(pl.Series(lines), received)["time"].dt.year().to_list() == [2026, 2027, 2027]


SYSLOG = [
    ("<34>1 2003-10-11T22:14:15.003Z m su - ID47 - \ufeffhello", ("m", "su", None, "hello")),
    ("<34>1 - - - - - -", (None, None, None, "")),
    ('<34>1 2003-10-11T22:14:15Z h a p m [x@1 k="v" msg', ("h", "a", "p", '[x@1 k="v" msg')),
    ("<34>1 2003-99-11T22:14:15Z h a p m - msg", ("h", "a", "p", "msg")),
    ("<13>Oct 11 22:14:15 2001:db8::1 app: m", ("2001:db8::1", "app", None, "m")),
    ("<13>Oct 11 22:14:15 app[1]: m", (None, "app", "1", "m")),
    ("<13>Oct 11 2003 22:14:15 host app: m", ("host", "app", None, "m")),
    ("<13>2003-10-11T22:14:15.123+02:00 host app[1]: m", ("host", "app", "1", "m")),
    ("<166>Oct 11 2003 22:14:15: %ASA-6-302013: Built", (None, "%ASA-6-302013", None, "Built")),
    ("<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured", (None, "%SYS-5-CONFIG_I", None, "Configured")),
    ("<13>host app: m", ("host", "app", None, "m")),
    ("<15> openvpn[2499]: started", (None, "openvpn", "2499", "started")),
    ("Jun 14 15:16:01 combo sshd(pam_unix)[19939]: x", ("combo", "sshd(pam_unix)", "19939", "x")),
    ("<192>Oct 11 22:14:15 h a: m", (None, None, None, "<192>Oct 11 22:14:15 h a: m")),
    ("<99999999999>x", (None, None, None, "<99999999999>x")),
    ("<>x", (None, None, None, "<>x")),
    ("<34>", (None, None, None, "")),
    ("<34>2 2003-10-11T22:14:15Z h a p m - msg", None),
]


@pytest.mark.parametrize(("line", "expected"), SYSLOG)
def test_syslog_as_it_comes(line: str, expected: tuple[str | None, ...] | None) -> None:
    found = listener().columns(pl.Series([line]), ["host", "service", "pid", "message"]).row(0)
    if expected is not None:
        assert found == expected
    assert all(listener().starts(pl.Series([line, "\tat x", ""])))


def test_the_level_a_body_states_wins_over_severity() -> None:
    lines = [
        '<14>Nov  1 10:00:00 h a: {"level":"error","msg":"x"}',
        "<11>Nov  1 10:00:00 h a: all is INFO",
        "Nov  1 10:00:00 h a: ERROR x",
    ]
    assert listener().index(pl.Series(lines))["level"].to_list() == [5, 5, 5]


def test_an_unknown_layout_is_found_on_the_sample() -> None:
    lines = [f"{day:02}.11.2026 10:00:0{day % 10}.250 | step {day} order_id=ORD-{day}" for day in range(1, 29)]
    parser = parser_for(lines, zone="Europe/Berlin")
    assert parser.formats[0] == "timed-text"
    times = parser.index(pl.Series(lines))["time"]
    assert times[12] == datetime(2026, 11, 13, 9, 0, 3, 250_000, tzinfo=UTC)


def test_empty_input_of_every_kind() -> None:
    for parser in (parser_for([]), parser_for([MAKERS["json"](1)]), listener()):
        empty = pl.Series([], dtype=pl.String)
        assert parser.index(empty).height == 0
        assert parser.columns(empty, ["message", "fields.x"]).height == 0
        assert len(parser.fields(empty)) == 0
        assert len(parser.starts(empty)) == 0
