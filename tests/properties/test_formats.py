"""What holds for any text: nothing raises, cuts change nothing, columns agree with fields."""

from __future__ import annotations

from functools import cache

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logscope.formats import frames, freetext, keyvalue
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import SourceParser, make_parser
from tests.unit.formats.lines import MAKERS

FORMATS = load_formats()
ALL = make_parser(FORMATS.for_messages(), zone="UTC", reference_us=1_798_675_200_000_000, source_name="")
ANY = detect(FORMATS, [maker(n) for n in range(50) for maker in MAKERS.values()], name="mixed.log")
MIXED = make_parser(ANY, zone="America/New_York", reference_us=1_798_675_200_000_000, source_name="mixed.log")

known = st.builds(lambda name, n: MAKERS[name](n), st.sampled_from([*MAKERS]), st.integers(0, 999))
hostile = (
    st.text(max_size=60)
    | st.text('{}[]"\\:,=<>01 \tat', max_size=40)
    | st.binary(max_size=60).map(lambda b: b.decode("utf-8", "replace"))
)
spoiled = st.builds(
    lambda line, at, text: line[: at % (len(line) + 1)] + text + line[at % (len(line) + 1) :],
    known,
    st.integers(0, 300),
    hostile,
)
lines = st.lists(known | hostile | spoiled, max_size=5)


@settings(max_examples=6)
@given(lines)
def test_any_text_parses_and_cuts_change_nothing(texts: list[str]) -> None:
    raw = pl.Series(texts, dtype=pl.String)
    for parser in (ALL, MIXED):
        starts, index = parser.starts(raw), parser.index(raw)
        found = parser.columns(
            raw, ["message", "host", "service", "pid", "format", "fields.order_id", "fields.ctx.trace_id"]
        )
        assert len(starts) == index.height == found.height == len(parser.fields(raw)) == len(texts)
        assert starts.null_count() == 0
        assert index["level"].null_count() == index["format"].null_count() == 0
        assert index.equals(
            pl.concat([parser.index(raw[:0]), *(parser.index(raw[i : i + 1]) for i in range(len(texts)))])
        )
        assert starts.to_list() == [parser.starts(raw[i : i + 1])[0] for i in range(len(texts))]
        scanned = parser.scan(raw)
        assert scanned["starts"].to_list() == starts.to_list()
        assert scanned.filter(starts).drop("starts").equals(index.filter(starts))


@settings(max_examples=20)
@given(st.sampled_from([*MAKERS]), st.lists(st.integers(0, 999), min_size=1, max_size=6), st.lists(spoiled, max_size=3))
def test_a_scan_is_starts_and_index_at_once(maker: str, numbers: list[int], odd: list[str]) -> None:
    texts = [MAKERS[maker](number) for number in numbers]
    raw = pl.Series([*texts, *odd, *texts], dtype=pl.String)
    for parser in (ALL, MIXED, _parser_of(maker)):
        scanned = parser.scan(raw)
        starts = pl.Series([parser.starts(raw[i : i + 1])[0] for i in range(len(raw))])
        assert scanned["starts"].to_list() == starts.to_list()
        one_by_one = pl.concat([parser.index(raw[i : i + 1]) for i in range(len(raw))])
        assert scanned.filter(starts).drop("starts").equals(one_by_one.filter(starts))


@cache
def _parser_of(maker: str) -> SourceParser:
    found = detect(FORMATS, [MAKERS[maker](number) for number in range(50)], name="some.log")
    return make_parser(found, zone="Europe/Berlin", reference_us=1_798_675_200_000_000, source_name="some.log")


def as_text(value: object) -> str | None:
    if value is None:
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


@settings(max_examples=10)
@given(lines)
def test_columns_agree_with_fields(texts: list[str]) -> None:
    raw = pl.Series(texts, dtype=pl.String)
    for parser in (ALL, MIXED):
        listed = parser.fields(raw).to_list()
        names = sorted({pair["name"] for row in listed for pair in row})[:12]
        columns = parser.columns(raw, [f"fields.{name}" for name in names])
        for name in names:
            column = columns[f"fields.{name}"]
            for row, pairs in enumerate(listed):
                expected = next((pair["value"] for pair in pairs if pair["name"] == name), None)
                found = as_text(column[row])
                assert found == expected or (
                    found is not None and expected is not None and float(found) == float(expected)
                )


pairs = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "order_id", "x.y", "@t"]),
        st.text("ab\"\\' ,;)&=.|?", max_size=8)
        | st.text("ab =c", max_size=6).map('"{}"'.format)
        | st.text("ab1", max_size=4),
        st.sampled_from([" ", ",", "&", " - "]),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(st.lists(pairs, min_size=1, max_size=3))
def test_one_pair_by_name_is_what_all_pairs_say(texts: list[list[tuple[str, str, str]]]) -> None:
    raw = pl.Series(["".join(f"{name}={value}{between}" for name, value, between in parts) for parts in texts])
    lists = frames.pair_lists(keyvalue.long(raw), len(raw)).to_list()
    listed = [{pair["name"]: pair["value"] for pair in found or []} for found in lists]
    for name in ("a", "b", "order_id", "x.y", "@t"):
        assert keyvalue.column(raw, name).to_list() == [found.get(name) for found in listed]


members = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "order_id", "x.y"]),
        st.sampled_from(
            ["1", "-2.5", "true", "null", '"a b"', '"', '"c', "{", "[1]", '"{"', '", "', r'"q\"b":1"', '"a":']
        )
        | st.text('ab"\\ ,:{}=1', max_size=8),
        st.sampled_from([",", ", ", "} ", "", " x {"]),
    ).map(lambda parts: f'"{parts[0]}":{parts[1]}{parts[2]}'),
    max_size=5,
).map("".join)


@settings(max_examples=100)
@given(
    st.lists(
        st.builds("said {0}{1}{2}".format, st.sampled_from(["{", "a=1 {", ""]), members, st.sampled_from(["}", ""])),
        min_size=1,
        max_size=3,
    )
)
@example(['said {"a":"\\,"b":1,}'])
def test_one_member_by_name_is_what_all_members_say(texts: list[str]) -> None:
    raw = pl.Series(texts)
    everything = freetext.long(raw)
    for name in ("a", "b", "order_id", "x.y", "q"):
        first = everything.filter(pl.col("name") == name).unique("row", keep="first", maintain_order=True)
        expected = dict(first.select("row", "value").iter_rows())
        found = freetext.FreeText(raw).column(name).to_list()
        assert found == [expected.get(row) for row in range(len(texts))], name


def test_members_of_json_behind_words() -> None:
    text = pl.Series(
        ['2026 paid {"order_id": "ORD-1", "n":3, "who": {"id": 7, "ok":true}, "none": null, "q": "a \\"b\\""} done']
    )
    found = {row["name"]: row["value"] for row in freetext.long(text).to_dicts()}
    assert found == {"order_id": "ORD-1", "n": "3", "id": "7", "ok": "true", "q": 'a "b"'}


def test_the_grammars_own_examples() -> None:
    text = (
        r"""a=1 b="two \"words\"" c='x y', (d=4) /hook?ref=PSP1&e=5 no space= f g.h-i=7;j=a=b 3k=x a=2 http://x?z=1"""
    )
    listed = {pair["name"]: pair["value"] for pair in frames.pair_lists(keyvalue.long(pl.Series([text])), 1)[0]}
    assert listed == {
        "a": "1",
        "b": 'two "words"',
        "c": "x y",
        "d": "4",
        "ref": "PSP1",
        "e": "5",
        "space": "",
        "g.h-i": "7",
        "j": "a=b",
        "z": "1",
    }
