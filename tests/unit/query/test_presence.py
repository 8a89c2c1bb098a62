"""A block is passed over only where no record of it can match."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.query.filters import compile_filter
from logscope.query.presence import presence

FILTERS = ("kiss", '"a b"', "kiss b", "kiss or b", "(a or kiss) not b", "not kiss", "/k.ss/", "/k.ss/ a", "größe", "ss")
TEXTS = st.lists(
    st.sampled_from(["kiss", "KISS", "\u212ai\u017fs", "a", "A B", "b", "größe", "\ufffd", "\xe9", " "]), max_size=6
).map("".join)


@settings(max_examples=200)
@given(st.sampled_from(FILTERS), st.lists(TEXTS, max_size=5))
def test_a_block_that_fails_holds_no_match(text: str, records: list[str]) -> None:
    compiled = compile_filter(text)
    test = presence(compiled.expression)
    matches = compiled.mask(pl.DataFrame({"raw": records}, schema={"raw": pl.String}))
    if matches.any():
        assert test is None or test("\n".join(records).encode())


@pytest.mark.parametrize("text", ["kiss", "kiss b", "kiss or miss", "kiss not b", "/x/ kiss"])
def test_a_block_without_the_words_fails(text: str) -> None:
    test = presence(compile_filter(text).expression)
    assert test is not None
    assert not test(b"nothing of that here\n")


@pytest.mark.parametrize("text", ["not kiss", "/kiss/", "kiss or /x/", "level:warn", "message:kiss", "größe", ""])
def test_where_nothing_is_sure_there_is_no_test(text: str) -> None:
    assert presence(compile_filter(text).expression) is None
