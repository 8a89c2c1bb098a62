"""The quick ways give what the general ones give."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscope.formats import keyvalue, structured
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.formats.patterns import compile_pattern
from logscope.formats.wrappers import RFC5424
from logscope.records.severity import WARN

ACCESS = next(form for form in load_formats().formats if form.name == "access")
ACCESS_LINES = [
    '192.0.2.1 - - [01/Nov/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 12 "-" "x"',
    'a:80 192.0.2.1 - u [01/Nov/2026:10:00:01 +0000] "GET / HTTP/1.1" 404 -',
    '192.0.2.1 - [x [01/Nov/2026:10:00:01 -0130] "-" 500 7',
    '::1 - - [01/Nov/2026:10:00:01 +0000] "GET /a?b="c HTTP/1.1" 200 12',
]
SYSLOG_LINES = [
    "<34>1 2026-11-01T10:00:00Z h a 7 ID - text",
    "<034>1 2026-11-01T10:00:00Z h a - - - text",
    '<34> 1 2026-11-01T10:00:00Z h a 7 ID [x y="z"] text',
    "1 2026-11-01T10:00:00Z h a 7 ID",
    "<34>1 - h a 7 ID - text",
]


@pytest.mark.parametrize(
    ("regex", "lines", "groups"),
    [
        (ACCESS.patterns[0], ACCESS_LINES, {"time", "status"}),
        (ACCESS.patterns[0], ACCESS_LINES, {"client_ip", "user", "bytes"}),
        (RFC5424, SYSLOG_LINES, {"pri", "time"}),
        (RFC5424, SYSLOG_LINES, {"host", "app", "pid", "msgid"}),
    ],
)
def test_quick_regex_captures_the_same(regex: str, lines: list[str], groups: set[str]) -> None:
    quick = ACCESS.quick if regex == ACCESS.patterns[0] else ""
    from logscope.formats.wrappers import _QUICK

    fast, slow = compile_pattern(regex, quick or _QUICK[RFC5424]), compile_pattern(regex)
    raw = pl.Series(lines)
    raw = raw.filter(slow.match(raw))
    assert len(raw)
    for name, values in slow.captures(raw, groups).items():
        assert fast.captures(raw, groups)[name].to_list() == values.to_list()


def test_a_group_ends_where_it_does_with_all_that_follows() -> None:
    log4j = next(form for form in load_formats().formats if form.name == "log4j")
    pattern = compile_pattern(log4j.patterns[1])
    raw = pl.Series(["2026-11-01 10:00:00,123 ERROR [http-1] c.s.Stock: none left"])
    assert pattern.captures(raw, {"logger"})["logger"].to_list() == ["c.s.Stock"]


PAIR = st.builds(
    "{}={}".format,
    st.sampled_from(["ts", "level", "a.b", "x", "msg"]),
    st.sampled_from(["1", "2026-01-01T10:00:00Z", "", '"a b"', '"level=x y"', "a,b", "'", "info"]),
)
LOGFMT = st.lists(PAIR, min_size=1, max_size=5).map(" ".join)


@given(st.lists(LOGFMT, min_size=1, max_size=6))
def test_leading_pairs_are_what_a_search_finds(lines: list[str]) -> None:
    raw = pl.Series(lines, dtype=pl.String)
    for name, values in keyvalue.leading(raw, {"ts", "level", "x"}).items():
        found = values.is_not_null()
        assert values.filter(found).to_list() == keyvalue.column(raw, name).filter(found).to_list()


MEMBER = st.builds(
    '"{}":{}'.format,
    st.sampled_from(["ts", "time", "level", "msg", "n"]),
    st.sampled_from(['"a"', '""', "1", "-0.5e3", "true", "null", '"x\\"y"', '{"b":1}', "[1]", "01"]),
)
OBJECT = st.lists(MEMBER, min_size=1, max_size=4).map(lambda members: "{" + ",".join(members) + "}")
COMMON = OBJECT.map(lambda text: '{"ts":"10:00","level":"info",' + text[1:])
SPACED = st.one_of(COMMON, OBJECT).map(lambda text: text.replace('":', '": ').replace(',"', ', "'))


@given(st.lists(st.one_of(COMMON, OBJECT, SPACED), min_size=1, max_size=5))
def test_leading_members_are_what_the_parser_finds(lines: list[str]) -> None:
    raw = pl.Series(lines, dtype=pl.String)
    found = structured.leading(raw, [("time", "ts"), ("level",)])
    if found is None:
        return
    assert structured.is_sound(raw).all()
    parsed = structured.columns(raw, ["time", *found], typed=False)
    assert "time" in found or parsed["time"].null_count() == len(raw)
    for name, values in found.items():
        assert values.to_list() == parsed[name].to_list()


def test_objects_that_begin_alike_need_no_parser() -> None:
    raw = pl.Series(['{"ts":"10:00","level":"info","n":1}', '{"ts":"10:01","level":"warn","msg":"ü"}'])
    spaced = pl.Series(['{"ts": "10:00", "level": "info", "n": 1}', '{"ts": "10:01", "level": "warn", "msg": "ü"}'])
    for lines in (raw, spaced):
        found = structured.leading(lines, [("time", "ts"), ("level",)])
        assert found is not None
        assert found["level"].to_list() == ["info", "warn"]
    assert structured.leading(pl.concat([raw, spaced]), [("time", "ts"), ("level",)]) is None


def test_texts_that_no_reader_can_take_are_told_the_same_among_many() -> None:
    """Among thousands, what only the last reader takes is looked for at once; among few, one reader asks after the other."""
    samples = [sample.line for form in load_formats().formats for sample in form.samples]
    bodies = [
        *samples,
        "",
        "plain words",
        *SYSLOG_LINES,
        *(f"<14>1 2026-11-01T10:00:00Z h a - - - {s}" for s in samples),
    ]
    parser = make_parser(load_formats().for_messages(), zone="UTC", reference_us=0, source_name="-")
    few = pl.Series(bodies)
    many = pl.concat([few] * (4096 // len(few) + 1))
    names = ["format", "service", "message", "fields.order_id", "fields.status"]
    # One batch is below the threshold, the other beyond: columns must not tell which.
    apart = parser.columns(few, names)
    assert parser.columns(many, names).head(len(few)).equals(apart)
    assert parser.columns(many, names).tail(len(few)).equals(apart)
    assert parser.index(many).head(len(few)).equals(parser.index(few))


@pytest.mark.parametrize("zone", ["Z", "+01:00"])
@pytest.mark.parametrize(
    "other", [None, "2026-11-01T10:00:03.5Z stdout F short", "2026-13-01T10:00:03.000000001Z stderr F none"]
)
def test_headers_of_one_length_are_cut_off_as_the_regex_does(zone: str, other: str | None) -> None:
    bodies = ['{"level": "warn", "msg": "a"}', "\ufeff{}", "Traceback (most recent call last):", "    f()", "plain", ""]
    lines = [f"2026-11-01T10:00:0{n}.00000000{n}{zone} stdout F {body}" for n, body in enumerate(bodies)]
    whole = pl.Series([*lines, *([other] if other else [])])
    assignment = detect(load_formats(), whole.to_list(), name="x")
    parser = make_parser(assignment, zone="UTC", reference_us=0, source_name="x")
    scanned = parser.scan(whole)
    assert scanned["starts"].to_list() == parser.starts(whole).to_list()
    begins = scanned.filter("starts").select("time", "level", "format")
    assert begins.equals(parser.index(whole.filter(scanned["starts"])).select(begins.columns))
    assert begins["level"][0] == WARN
