"""Sigma filter documents."""

from __future__ import annotations

import polars as pl
import pytest

from logscope.query.filters import compile_filter
from logscope.rules.loader import LoadedRules, load_text

RULE = """title: Evil
name: evil
logsource: {product: linux, service: sshd}
detection: {s: {a: evil}, condition: s}
"""
FILTER = """title: Not from the lab
logsource: {product: linux}
filter:
  rules: [evil]
  selection: {host: lab}
  condition: not selection
"""


def load(filter_text: str) -> LoadedRules:
    # The filter stands before the rule it names.
    return load_text(f"{filter_text}---\n{RULE}", compile_filter, where="r.yml")


def matches(filter_text: str) -> list[bool]:
    loaded = load(filter_text)
    assert not loaded.errors, loaded.errors
    frame = pl.DataFrame(
        {"fields.a": ["evil", "evil", "good"], "host": ["lab", None, "lab"], "service": ["sshd", "sshd", "sshd"]}
    )
    sequence = loaded.rules[0].sequence
    assert sequence is not None
    assert "host" in sequence.steps[0].filter.columns or "lab" not in filter_text
    return sequence.steps[0].filter.mask(frame).to_list()


@pytest.mark.parametrize("rules", ["[evil]", "evil", "any"])
def test_a_filter_narrows_the_rules_it_names(rules: str) -> None:
    assert matches(FILTER.replace("[evil]", rules)) == [False, True, False]


def test_a_filter_for_another_logsource_changes_nothing() -> None:
    loaded = load(FILTER.replace("product: linux", "product: windows"))
    assert not loaded.errors
    sequence = loaded.rules[0].sequence
    assert sequence is not None
    assert "host" not in sequence.steps[0].filter.columns


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[evil]", "[evill]", "there is no Sigma rule evill; did you mean evil?"),
        ("  rules: [evil]\n", "", "must have a 'rules' field"),
        ("not selection", "not selectio", "not a Sigma filter"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, words: str) -> None:
    errors = load(FILTER.replace(old, new)).errors
    assert [(error.where, error.line) for error in errors] == [("r.yml", 3)]
    assert words in str(errors[0])
