"""Words of many filters sought together: no answer changes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.query.filters import compile_filter
from logscope.rules.loader import rule_from_sequence
from logscope.rules.model.rule import Rule
from logscope.rules.seeking import FEWEST, mask_of
from logscope.rules.sharing import Sharing

FILTERS = (
    "charge",
    '"charge begin" -settled',
    "charge or kernel",
    "message:KERNEL or level>=warn",
    "not charge",
    "(mask or kelvin) message:mask",
    "user:bob ssh",
    "se",
    '"über" kernel',
    "/ch.rge/ begin",
    '"" or charge',
    "nothing or none or never",
)
WORDS = (
    "charge begin",
    "Charge",
    "settled",
    "kernel",
    "KERNEL",
    "mask",
    "ma\u017fk",
    "\u212aelvin",
    "kelvin",
    "über",
    "ssh",
    "x",
)
TEXTS = st.none() | st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    usable = [text for text in FILTERS if not text.startswith('""')]
    return tuple(
        rule_from_sequence(f"seq by user maxspan 1m: [{text}] [{text}]", compile_filter, name=f"r{place}")
        for place, text in enumerate(usable)
    )


@settings(max_examples=80)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=12))
def test_together_is_one_by_one(rules: tuple[Rule, ...], values: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(
        {
            "raw": pl.Series([raw for raw, _ in values], dtype=pl.String),
            "message": pl.Series([message for _, message in values], dtype=pl.String),
            "level": pl.Series([len(values) % 7] * len(values), dtype=pl.UInt8),
            "fields.user": pl.Series(["bob"] * len(values), dtype=pl.String),
        }
    )
    filters = [rule.sequence.steps[0].filter for rule in rules if rule.sequence is not None]
    alone = [each.mask(frame).to_list() for each in filters]
    with Sharing(rules).over(frame):
        assert [mask_of(each, frame).to_list() for each in filters] == alone


def test_what_must_stand_in_a_record() -> None:
    sought = {text: compile_filter(text).literals for text in FILTERS if not text.startswith('""')}
    assert sought["charge or kernel"] == {("raw", "charge"), ("raw", "kernel")}
    assert sought['"charge begin" -settled'] == {("raw", "charge begin")}
    assert sought["(mask or kelvin) message:mask"] in ({("message", "mask")}, {("raw", "mask"), ("raw", "kelvin")})
    assert sought["message:KERNEL or level>=warn"] is sought["not charge"] is sought["se"] is None
    assert len({word for words in sought.values() if words for word in words}) >= FEWEST
