"""Where a search and the pivots are marked in rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logscope.tui.highlight import Marked

PATTERNS = [("(?i)ord", "log-match-text"), ("o+", "log-key"), ("(", "log-key")]


def test_matches_are_told_by_place_and_role() -> None:
    marked = Marked(PATTERNS)
    assert marked.spans("an Order: foo") == [(3, 6, "log-match-text"), (11, 13, "log-key")]
    assert marked.spans("nothing") == [(1, 2, "log-key")]


def test_without_patterns_nothing_is_marked() -> None:
    assert Marked(()).spans("order") == []


@given(st.lists(st.text("orOd x", max_size=12), max_size=20))
def test_rows_looked_at_together_are_marked_as_one_by_one(texts: list[str]) -> None:
    together = Marked(PATTERNS)
    together.learn(texts)
    assert all(together.knows(text) for text in texts)
    assert [together.spans(text) for text in texts] == [Marked(PATTERNS).spans(text) for text in texts]
