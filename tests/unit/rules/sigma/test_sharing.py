"""Many Sigma rules over one frame: what they share changes no answer."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.query.filters import compile_filter
from logscope.rules.loader import load_text
from logscope.rules.model.rule import Rule
from logscope.rules.sharing import Sharing
from tests.pipelines import all_records

DETECTIONS = (
    "{s: {a: Foo}, condition: s}",
    "{s: {a|contains: foo}, condition: s}",
    "{s: {a|contains: foo}, condition: not s}",
    "{s: {a|contains: [foo, oob, 'ö']}, condition: s}",
    "{s: {a|contains|all: [foo, bar]}, condition: s}",
    "{s: {a|startswith: bar, b: null}, condition: s}",
    "{s: {a: '*foo?bar'}, condition: s}",
    "{s: {a|cased|contains: FOO}, t: {b: bar}, condition: s or t}",
    "{s: {a|re: 'fo+'}, condition: s}",
    "{k: [foo, bar], condition: k}",
    "{k: [foo], s: {b|exists: true}, condition: k and not s}",
    "{s: {a|contains: fo}, condition: s}",
    "{s: [{a: foo}, {b: foobar}], condition: 1 of them}",
)
TEXTS = st.none() | st.lists(st.sampled_from(["foo", "FOO", "bar", "Bar", "x", " ", "ö"]), max_size=4).map("".join)


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    documents = [
        f"title: Rule {n}\nlogsource: {{category: c}}\ndetection: {text}\n" for n, text in enumerate(DETECTIONS)
    ]
    with all_records():
        loaded = load_text("---\n".join(documents), compile_filter)
    assert not loaded.errors
    return loaded.rules


def masks(rules: tuple[Rule, ...], frame: pl.DataFrame) -> list[list[bool]]:
    sequences = [rule.sequence for rule in rules if rule.sequence is not None]
    return [sequence.steps[0].filter.mask(frame).to_list() for sequence in sequences]


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=12))
def test_together_is_one_by_one(rules: tuple[Rule, ...], values: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(
        {
            "fields.a": pl.Series([a for a, _ in values], dtype=pl.String),
            "fields.b": pl.Series([b for _, b in values], dtype=pl.String),
            "raw": pl.Series([f"{a or ''}|{b or ''}" for a, b in values], dtype=pl.String),
        }
    )
    alone = masks(rules, frame)
    with Sharing(rules).over(frame):
        assert masks(rules, frame) == alone
        # Another frame is not the one that is shared.
        assert masks(rules, frame.head(1)) == [each[:1] for each in alone]
    assert masks(rules, frame) == alone


def test_needles_are_sought_and_the_rest_is_looked_at(rules: tuple[Rule, ...]) -> None:
    frame = pl.DataFrame({"fields.a": ["xFOOx", "fo", "bar", None], "fields.b": [None, "BAR", None, "foobar"]})
    frame = frame.with_columns(raw=pl.col("fields.a"))
    found = masks(rules, frame)
    assert found[1] == [True, False, False, False]
    assert found[2] == [False, True, True, True]
    assert found[7] == [True, True, False, False]
    assert found[12] == [False, False, False, True]
