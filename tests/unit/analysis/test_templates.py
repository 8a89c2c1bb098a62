"""Masking and merging: what one line of code wrote has one template, what another wrote has another."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscope.analysis.masking import masked
from logscope.analysis.templates import FORMS, merged


def mask(text: str) -> str:
    return str(masked(pl.Series("text", [text])).item())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("charge begin order_id=ORD-7 amount=12.50 currency=EUR", "charge begin order_id=<*> amount=<*> currency=EUR"),
        ("took 12 ms, then 7ms", "took <*> ms, then <*>"),
        ("GET /api/orders/ORD-12/items", "GET /api/orders/<*>/items"),
        ("said \"a b\" and 'c d' ; it isn't", "said \"<*>\" and '<*>' ; it isn't"),
        ("peer 10.1.2.3:8080 [fe80::1]", "peer <*> [<*>]"),
        ("id 0f829508-8afa-4eb9-93aa-254b7b8213e0 gone", "id <*> gone"),
        ("at Sat Jun  4 10:11:12 2005", "at <*>"),
        ("opened for user=root from rhost=a.example.org", "opened for user=<*> from rhost=<*>"),
        ("state NEW to PAID", "state NEW to PAID"),
        ("first line 1\n  at stack.Frame(7)", "first line <*>"),
        ("", ""),
    ],
)
def test_values_are_masked_and_words_stay(text: str, wanted: str) -> None:
    assert mask(text) == wanted


@given(st.text(max_size=120))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(st.lists(st.text(alphabet="ab1 =/<>*", max_size=12), max_size=30), st.randoms(use_true_random=False))
def test_templates_depend_on_the_texts_alone(texts: list[str], chance: random.Random) -> None:
    distinct = sorted(set(texts))
    shuffled = list(distinct)
    chance.shuffle(shuffled)
    assert merged(shuffled) == merged(distinct)
    assert set(merged(distinct)) == set(distinct)


def test_a_word_of_many_forms_is_a_value_and_a_state_stays() -> None:
    names = ("anna", "bert", "carl", "dora", "emil", "frida", "gerd")
    users = [f"session opened for user {name} by shell" for name in names]
    states = [f"order state is now {state} in shop" for state in ("NEW", "PAID", "SENT")]
    templates = merged([*users, *states])
    assert len(names) >= FORMS
    assert {templates[user] for user in users} == {"session opened for user <*> by shell"}
    assert [templates[state] for state in states] == states


def test_prose_without_end_is_told_by_its_beginning() -> None:
    words = ["".join(chr(97 + (number // 26**place) % 26) for place in range(4)) for number in range(21_000)]
    templates = merged([f"customer wrote us {word} and more" for word in words])
    assert set(templates.values()) == {"customer wrote us <*>"}
