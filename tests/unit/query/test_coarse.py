"""A stretch of text is passed over only where no record of it can match."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.query.coarse import coarse, within_lines
from logscope.query.filters import compile_filter

FILTERS = (
    *("kiss", '"a b"', "kiss b", "kiss or b", "(a or kiss) not b", "not kiss", "/k.ss/", "/k.ss/ a", "größe", "ss"),
    *("/^a/", "/b$/", "/^$/", "/^(a|b)$/", r"/\bkiss\b/", r"/a\Bb/", "/[^a]b/", r"/a[$^]/", r"/\^a|b\$/", "/(?s)a.b$/"),
    *(r"/\Aa/", r"/b\z/", "/(?m)^b/", "/(?i:A)$/", "/[[:alpha:]^]$/", "/[]a]$/", "/(?P<x>a)$/", "/a$|^b/", "/KISS/c"),
)
TEXTS = st.lists(
    st.sampled_from(
        [
            "kiss",
            "KISS",
            "\u212ai\u017fs",
            "a",
            "A B",
            "b",
            "größe",
            "\ufffd",
            "\xe9",
            " ",
            "$",
            "^",
            "\n",
            "\r\n",
            "\r",
        ]
    ),
    max_size=6,
).map("".join)


@settings(max_examples=400)
@given(st.sampled_from(FILTERS), st.lists(TEXTS, max_size=5), st.sampled_from(["\n", "\r\n", "\r\r\n"]))
def test_a_stretch_that_fails_holds_no_match(text: str, records: list[str], end: str) -> None:
    compiled = compile_filter(text)
    test = coarse(compiled.expression)
    stretch = pl.DataFrame({"raw": ["".join(record + end for record in records)]})
    matches = compiled.mask(
        pl.DataFrame({"raw": [record.rstrip("\r\n") for record in records]}, schema={"raw": pl.String})
    )
    if matches.any():
        assert test is None or stretch.select(test).item()


@pytest.mark.parametrize("text", ["kiss", "kiss b", "kiss or miss", "kiss not b", "/x/ kiss", "/^kiss/", "größe"])
def test_a_stretch_without_the_words_fails(text: str) -> None:
    test = coarse(compile_filter(text).expression)
    assert test is not None
    assert not pl.DataFrame({"raw": ["nothing of that here\n"]}).select(test).item()


@pytest.mark.parametrize("text", ["not kiss", r"/\Akiss/", "kiss or not x", "level:warn", "message:kiss", ""])
def test_where_nothing_is_sure_there_is_no_test(text: str) -> None:
    assert coarse(compile_filter(text).expression) is None


def test_ends_of_a_record_are_ends_of_lines() -> None:
    assert within_lines(r"^a[^$]\$(b|$)") == r"(?m:^)a[^$]\$(b|(?mR:$))"
    assert within_lines(r"a\b{start}") is None
    assert within_lines("(?x) a ^ b") is None
