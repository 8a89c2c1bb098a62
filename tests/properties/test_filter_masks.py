"""A filter's mask over any frame is what a plain Python reading of the rules says, row by row."""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.language.filter import (
    And,
    Everything,
    Expression,
    FieldTerm,
    HasField,
    Not,
    Or,
    Regex,
    Value,
    Word,
    to_text,
)
from logscope.query.filters import compile_filter
from logscope.records.schema import TIME, USER_COLUMNS

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

WORDS = [
    "5",
    "200",
    "2.5",
    "abc",
    "ABC",
    "Ärger",
    "ärger",
    "true",
    "007",
    "9007199254740993",
    "9007199254740992",
    "",
    "a*c",
]
TEXTS = st.sampled_from([*WORDS, "charge begin", "nan", "inf", "1.5s", "20ms", "2 KiB"])
SCALARS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "text": (pl.String, TEXTS),
    "whole": (pl.Int64, st.sampled_from([0, 5, 200, 207, -3, 9007199254740993])),
    "float": (pl.Float64, st.sampled_from([0.0, 5.0, 2.5, 200.0, float("nan"), float("inf")])),
    "flag": (pl.Boolean, st.booleans()),
}
COLUMNS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "raw": (pl.String, TEXTS),
    "message": (pl.String, TEXTS),
    "host": (pl.String, TEXTS),
    "level": (pl.UInt8, st.integers(0, 6)),
    "line": (pl.UInt32, st.sampled_from([1, 5, 200])),
    "time": (TIME, st.sampled_from([0, 60_000_000, 3_600_000_000])),
}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    height = draw(st.integers(0, 5))
    series = []
    chosen = {
        **COLUMNS,
        **{f"fields.{name}": draw(st.sampled_from(list(SCALARS.values()))) for name in ("a", "b", "took_ms")},
    }
    for name, (dtype, values) in chosen.items():
        if draw(st.booleans()):
            cells = draw(st.lists(values | st.none(), min_size=height, max_size=height))
            series.append(
                pl.Series(name, cells, dtype=pl.Int64).cast(TIME)
                if name == "time"
                else pl.Series(name, cells, dtype=dtype)
            )
    return pl.DataFrame([pl.Series("row", range(height), dtype=pl.UInt32), *series])


BARE = st.sampled_from([word for word in WORDS if word] + ["2*", "a?c", "*", "9007199254740992.0"])
VALUES = st.builds(Value, BARE, st.just(False)) | st.builds(Value, st.sampled_from(WORDS), st.just(True))
FIELDS = st.sampled_from(["a", "b", "fields.a", "host", "line", "missing", "raw"])
OPS = st.sampled_from([":", "=", "!=", ">", ">=", "<", "<="])


def plain(term: FieldTerm) -> bool:
    return not (term.op == ":" and any(value.text == "*" and not value.quoted for value in term.values))


LEAVES: st.SearchStrategy[Expression] = st.one_of(
    st.builds(
        Word, st.sampled_from(["a", "ÄRG", "00", "CHARGE", "5"]), st.just(1), st.sampled_from(["raw", "message"])
    ),
    st.builds(Regex, st.sampled_from(["^a", "[0-9]+$", "É|ä"]), st.booleans(), st.none() | FIELDS),
    st.builds(FieldTerm, FIELDS, OPS, st.tuples(VALUES)).filter(plain),
    st.builds(FieldTerm, FIELDS, st.just(":"), st.lists(VALUES, min_size=2, max_size=3).map(tuple)).filter(plain),
    st.builds(HasField, FIELDS | st.just("level")),
    st.builds(FieldTerm, st.just("level"), OPS, st.tuples(st.builds(Value, st.sampled_from(["info", "WARN", "err"])))),
    st.builds(FieldTerm, st.just("time"), OPS, st.tuples(st.just(Value("1970-01-01T00:01:00Z")))),
    st.builds(FieldTerm, st.just("took_ms"), st.sampled_from([">", "<=", "=", "!="]), st.tuples(st.just(Value("5ms")))),
    st.just(Everything()),
)


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


def oracle(expression: Expression, row: dict[str, Any]) -> bool:
    match expression:
        case Everything():
            return True
        case And(items):
            return all(oracle(item, row) for item in items)
        case Or(items):
            return any(oracle(item, row) for item in items)
        case Not(item):
            return not oracle(item, row)
        case Word(text, _, scope):
            return row.get(scope) is not None and text.lower() in row[scope].lower()
        case Regex(pattern, cased, field):
            value = cell(row, field or "raw")
            return (
                value is not None
                and re.search(pattern.replace("$", r"\Z"), shown(value), 0 if cased else re.I) is not None
            )
        case HasField(field):
            return cell(row, field) is not None
        case FieldTerm(field, op, values):
            value = cell(row, field)
            if value is None:
                return False
            if op == "!=":
                return not any(holds("=", field, value, each) for each in values)
            return any(holds(op, field, value, each) for each in values)
    raise AssertionError(expression)


def cell(row: dict[str, Any], name: str) -> Any:
    column = name if name in USER_COLUMNS or name.startswith("fields.") else f"fields.{name}"
    value = row.get(column)
    return None if column == "level" and value == 0 else value


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"nan": "NaN"}.get(str(value), str(value))
    return str(value)


def ordered(op: str, left: Any, right: Any) -> bool:
    return {
        ":": left == right,
        "=": left == right,
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
    }[op]


def as_number(text: str) -> int | float | None:
    if not NUMBER.fullmatch(text):
        return None
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def holds(op: str, field: str, value: Any, wanted: Value) -> bool:
    if field == "level":
        names = {"info": 3, "WARN": 4, "err": 5}
        return ordered(op, value, names[wanted.text])
    if field == "time":
        return ordered(op, value, EPOCH + dt.timedelta(minutes=1))
    if field == "took_ms":
        return took(op, value)
    if op == ":" and not wanted.quoted and set("*?") & set(wanted.text):
        return re.match(fnmatch.translate(wanted.text.lower()), shown(value).lower()) is not None
    literal = None if wanted.quoted else as_number(wanted.text)
    if literal is not None and not isinstance(value, bool):
        if isinstance(value, str) and op == ":":
            return value.lower() == wanted.text.lower()
        number = as_number(value) if isinstance(value, str) else value
        if number is None or number != number or abs(number) == float("inf"):
            return False
        if isinstance(literal, float) or isinstance(number, float):
            number, literal = float(number), float(literal)
        return ordered(op, number, literal)
    if literal is not None and op not in (":", "="):
        return False
    if op == ":":
        return shown(value).lower() == wanted.text.lower()
    return ordered(op, shown(value), wanted.text)


def took(op: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    number = {"1.5s": 1500.0, "20ms": 20.0}.get(value, as_number(value)) if isinstance(value, str) else value
    return number is not None and number == number and abs(number) != float("inf") and ordered(op, number, 5)


@settings(max_examples=250)
@given(st.recursive(LEAVES, grown, max_leaves=6), frames())
def test_a_mask_is_what_the_rules_say_row_by_row(expression: Expression, frame: pl.DataFrame) -> None:
    compiled = compile_filter(expression, now_us=0)
    mask = compiled.mask(frame)
    expected = [oracle(expression, row) for row in frame.to_dicts()]
    assert mask.dtype == pl.Boolean
    assert mask.to_list() == expected, to_text(expression)


@settings(max_examples=100)
@given(LEAVES, frames())
def test_every_term_is_true_or_false_and_not_is_the_opposite(leaf: Expression, frame: pl.DataFrame) -> None:
    mask = compile_filter(leaf, now_us=0).mask(frame)
    assert mask.null_count() == 0
    assert compile_filter(Not(leaf), now_us=0).mask(frame).to_list() == [not hit for hit in mask]


def test_rows_that_are_left_give_the_same_as_all() -> None:
    raw = [f"line {place} {'timeout' if place % 97 == 0 else 'fine'} host-{place % 7}" for place in range(2000)]
    frame = pl.DataFrame({"raw": raw, "level": pl.Series([place % 7 for place in range(2000)], dtype=pl.UInt8)})
    found = compile_filter("level>=error timeout (/host-[12]$/ or host-3 or level=fatal) -host-9").mask(frame)
    rows = zip(raw, frame["level"], strict=True)
    assert found.to_list() == [
        level >= 5 and "timeout" in text and (text.endswith(("host-1", "host-2")) or "host-3" in text or level == 6)
        for text, level in rows
    ]
