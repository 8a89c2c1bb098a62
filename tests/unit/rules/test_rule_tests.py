"""Tests that rules carry, and lint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from logscope.errors import FilterError
from logscope.records.schema import TIME
from logscope.rules.lint import lint
from logscope.rules.loader import BUILTIN, load_rules, load_text
from logscope.rules.model import Rule
from logscope.rules.tests import run_tests
from tests.unit.rules.streams import Contains


class Linked:
    """JSON lines; records that share an order_id or psp_ref are one transaction."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.rows = [json.loads(line) for line in lines]
        times = pl.Series([row["time"] for row in self.rows], dtype=pl.String)
        count = len(self.rows)
        fields = {name for row in self.rows for name in row if name not in ("time", "message", "level")}
        self.frame = pl.DataFrame(
            {
                "row": pl.int_range(count, dtype=pl.UInt32, eager=True),
                "source_id": pl.repeat(0, count, dtype=pl.UInt16, eager=True),
                "line": pl.int_range(1, count + 1, dtype=pl.UInt32, eager=True),
                "time": times.str.to_datetime("%+", time_unit="us", time_zone="UTC").cast(TIME),
                "message": pl.Series([row["message"] for row in self.rows], dtype=pl.String),
                **{f"fields.{name}": [row.get(name) for row in self.rows] for name in sorted(fields)},
            }
        )

    def members(self, count: int) -> pl.DataFrame:
        parent = list(range(count))
        seen: dict[tuple[str, Any], int] = {}
        for place, row in enumerate(self.rows[:count]):
            for name in ("order_id", "psp_ref"):
                if name in row:
                    other = seen.setdefault((name, row[name]), place)
                    low, high = sorted((parent[other], parent[place]))
                    parent = [low if number == high else number for number in parent]
        return pl.DataFrame(list(enumerate(parent)), schema={"row": pl.UInt32, "transaction": pl.UInt32}, orient="row")

    def identity(self, number: int) -> str:
        return f"T{number}"


def prepare(lines: Sequence[str], rule: Rule, columns: frozenset[str]) -> Linked:
    assert columns
    return Linked(lines)


def test_shipped_rules_pass_their_tests() -> None:
    for rule in load_rules([BUILTIN], Contains).rules:
        results = run_tests(rule, prepare)
        assert results
        assert [result for result in results if not result.passed] == []


RULE = """\
title: A without B
sequence:
  by: [key]
  steps:
    - {name: a, where: aaa}
    - {name: b, where: bbb, absent: true, within: 10s}
emit:
  fields: {key: a.key, n: a.n}
tests:
  - name: one
    records: ['{"time":"2026-11-01T10:00:00Z","message":"aaa","key":"k","n":5}']
    expect: EXPECT
"""


@pytest.mark.parametrize(
    ("expect", "passed"),
    [
        ("[{key: k}]", True),
        ("[{key: k, n: 5}]", True),
        ("[{key: k, n: 6}]", False),
        ("[{missing: k}]", False),
        ("[]", False),
        ("[{key: k}, {key: k}]", False),
    ],
)
def test_expectations(expect: str, passed: bool) -> None:
    (rule,) = load_text(RULE.replace("EXPECT", expect), Contains).rules
    (result,) = run_tests(rule, prepare)
    assert result.passed is passed
    assert len(result.differences) == (0 if passed else 2)
    if not passed:
        assert "in one batch" in str(result.differences[0])


def test_at_end_pending() -> None:
    (rule,) = load_text(RULE.replace("EXPECT", "[]\n    at_end: pending"), Contains).rules
    assert run_tests(rule, prepare)[0].passed


def compile_filter(text: str) -> Contains:
    if "(" in text:
        raise FilterError("a ) is missing", column=text.index("("))
    return Contains(text)


@pytest.mark.parametrize(
    ("text", "severity", "line", "words"),
    [
        ("title: x\nrecord: {where: (}\n", "error", 2, "a ) is missing"),
        ("title: x\nstatus: stable\nrecord: {where: a}\n", "warning", 1, "without tests"),
        ("title: x\nsequence: {maxspan: 1s, steps: [{name: a, where: x}]}\n", "warning", 1, "no key"),
        ("title: x\nsequence: {by: [a], steps: [{where: x}, {where: y}]}\n", "warning", 1, "no bound in time"),
        (
            (
                "title: x\nsequence:\n  by: [a]\n  maxspan: 1s\n  steps:\n  - where: x\n"
                "  - where: y\n    absent: true\n    within: 2s\n"
            ),
            "warning",
            7,
            "longer than maxspan",
        ),
        ('title: x\nrecord:\n  where: "charge begin"\n', "warning", 3, "YAML takes the quotes"),
        ("title: x\nrecord:\n  where: charge #1\n", "warning", 3, "for a comment"),
        ("title: x\nrecord: {where: a}\n---\ntitle: x\nrecord: {where: a}\n", "error", 4, "stands twice"),
        ("title: x\nrecord: {where: 12}\n", "error", 2, "YAML reads a number"),
    ],
)
def test_lint(tmp_path: Path, text: str, severity: str, line: int, words: str) -> None:
    path = tmp_path / "r.yml"
    path.write_text(text)
    found = [one for one in lint([path], compile_filter) if words in one.message]
    assert [(one.severity, one.line) for one in found] == [(severity, line)]
    assert str(found[0]).startswith(f"{path}:{line}: {severity}: ")


def test_shipped_rules_have_nothing_to_say() -> None:
    assert lint([BUILTIN], Contains) == ()
