"""Text and tree of a filter say the same; any text is read or refused with its place."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from logscope.errors import FilterError
from logscope.language.filter import (
    Aggregate,
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
    parse_filter,
    to_text,
)
from logscope.language.sequence import parse_sequence, sequence_to_text
from logscope.query.filters import compile_filter
from logscope.query.transactions import compile_transaction_filter

NAMES = st.sampled_from(["host", "level", "message", "fields.a-b", "@t", "a.b", "or", "not", "count", "_x"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["and", "/a", "/a/b", "/x/", "/a/c", "http://x", "a:b", "10:17", "-x", "=", "a[1]", "~/x", "x~", "*", "//"]
)
PATTERNS = st.sampled_from(["a", "a/b", r"\d+ (x|y)", "[/]", r"\\", 'a"b', "] [", r"\)", "var/log", "é+", "a b/c d"])
BARE = st.from_regex(r"[^\s()\"=*?/][^\s()]{0,8}", fullmatch=True).filter(
    lambda text: text.lower() not in ("and", "or", "not") and not any("\ud800" <= sign <= "\udfff" for sign in text)
)
VALUES = st.builds(Value, BARE, st.just(False)) | st.builds(Value, TEXTS, st.just(True))


def single(term: FieldTerm) -> bool:
    """`message:word` is a word of the message, so it is no field term of one plain value."""
    return not (term.field == "message" and term.op == ":")


TERMS: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Word, TEXTS),
    st.builds(Word, TEXTS, st.just(1), st.just("message")),
    st.builds(Regex, PATTERNS, st.booleans(), st.none() | NAMES),
    st.builds(HasField, NAMES),
    st.builds(FieldTerm, NAMES, st.sampled_from([":", "=", "!=", ">", ">=", "<", "<="]), st.tuples(VALUES)).filter(
        single
    ),
    st.builds(
        FieldTerm, NAMES, st.sampled_from([":", "="]), st.lists(VALUES, min_size=2, max_size=3).map(tuple)
    ).filter(single),
    st.just(Everything()),
)


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


RECORDS = st.recursive(TERMS, grown, max_leaves=8)
COUNTS = st.builds(FieldTerm, st.just("count"), st.sampled_from([":", "=", ">", "<="]), st.tuples(st.just(Value("2"))))
ASKED = st.one_of(st.builds(HasField, NAMES), st.builds(FieldTerm, NAMES, st.just(">"), st.tuples(VALUES)))
AGGREGATES = st.one_of(
    st.builds(Aggregate, st.just("has"), RECORDS),
    st.builds(Aggregate, st.just("count"), RECORDS, COUNTS),
    st.builds(Aggregate, st.sampled_from(["first", "last"]), RECORDS, ASKED),
)


@settings(max_examples=150)
@given(st.recursive(TERMS | AGGREGATES, grown, max_leaves=8))
def test_what_is_written_reads_as_the_same_tree(expression: Expression) -> None:
    text = to_text(expression)
    assert parse_filter(text) == expression
    assert to_text(parse_filter(text)) == text


PIECES = st.lists(
    st.sampled_from(
        ["(", ")", '"', "/", " ", "-", "not", "and", "or", ":", "=", ">", "~", "a", "host", "level", "time", "*", "?",
         "\\", "[", "]", "5m", "10k", "has(", "count(", "first(", ").x", "é", "\ud800", "\x00", "seq by a:", "within 5s",
         "until", "maxspan", "10.0.0.0/8", "duration", "\n", "999999999999999999999", "1e999", "+", "{", "|", "(?P<"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=250)
@given(PIECES | st.text(st.characters(), max_size=20))
@example("(" * 5000)
@example("-" * 5000 + "x")
@example("not " * 5000)
@example("a:(" * 5000)
@example("has(" * 500)
@example("a " * 30000)
@example("/" + "a" * 5000 + "/")
@example("/(((((((((((((((((((((a{30}){30}){30})/")
@example("time>99999999999999999999")
@example("time>" + "9" * 400)
@example("duration>1e999s")
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    for read in (parse_filter, compile_filter, compile_transaction_filter, parse_sequence):
        column: int | None = 1
        try:
            read(text)
        except FilterError as error:
            column = error.column
        assert column is not None
        assert 1 <= column <= max(1, len(text))


@settings(max_examples=50)
@given(
    st.lists(RECORDS, min_size=1, max_size=3),
    st.booleans(),
    st.none() | st.integers(1, 10**12),
    st.none() | RECORDS,
    st.lists(st.sampled_from(["transaction", "order_id", "host", "trace.id"]), max_size=2, unique=True),
)
def test_a_sequence_reads_as_it_was_written(
    filters: list[Expression], absent: bool, duration: int | None, until: Expression | None, by: list[str]
) -> None:
    head = "seq" + (f" by {' '.join(by)}" if by else "") + (f" maxspan {duration}us" if duration else "")
    steps = [f"{'[' if place else 'begin = ['}{quoted(item)}]" for place, item in enumerate(filters)]
    if absent:
        steps.append(f"not [{quoted(filters[0])}]" + (f" within {duration}us" if duration else ""))
    text = f"{head}: {' '.join(steps)}" + (f" until [{quoted(until)}]" if until is not None else "")
    sequence = parse_sequence(text)
    assert sequence.by == tuple(by)
    assert sequence.maxspan_us == duration
    assert [parse_filter(step.filter_text) for step in sequence.steps[: len(filters)]] == [
        parse_filter(quoted(item)) for item in filters
    ]
    assert (sequence.until is None) == (until is None)
    assert parse_sequence(sequence_to_text(sequence)) == sequence


def quoted(expression: Expression) -> str:
    """A filter's text as it may stand in brackets: values that hold one are left out of this test."""
    text = to_text(expression)
    return text if not {"[", "]"} & set(text) else '"[x]" /[]/]/'


def test_quoted_brackets_do_not_end_a_step() -> None:
    sequence = parse_sequence('seq: ["a ] b" /[^]]x/ payments[7]] not [x] within 5s')
    assert [step.filter_text for step in sequence.steps] == ['"a ] b" /[^]]x/ payments[7]', "x"]
