"""Tests that rules carry, and lint."""

from __future__ import annotations

from pathlib import Path

import pytest

from logscope.engine.detection.ruleset import load_files, load_rule_text
from logscope.engine.rulework.checking import check_files
from logscope.engine.rulework.ruletests import run_rule_tests
from logscope.errors import FilterError
from logscope.rules.lint import lint
from logscope.rules.loader import BUILTIN, load_text
from tests.unit.rules.streams import Contains


def test_every_shipped_rule_has_tests_on_both_sides_and_a_line_in_the_docs() -> None:
    library = (Path(__file__).parents[3] / "docs" / "rules-library.md").read_text()
    rules = load_files([BUILTIN]).rules
    assert len({rule.path for rule in rules}) >= 16
    for rule in rules:
        assert any(test.expect for test in rule.tests), f"{rule.name}: nothing fires"
        assert rule.quiet or any(not test.expect for test in rule.tests), f"{rule.name}: nothing is quiet"
    for file in BUILTIN.glob("*.yml"):
        assert f"| `{file.stem}` |" in library


def test_shipped_rules_pass_their_tests() -> None:
    rules = load_files([BUILTIN]).rules
    for rule in rules:
        results = run_rule_tests(rule, rules)
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
    (result,) = run_rule_tests(rule)
    assert result.passed is passed
    assert len(result.differences) == (0 if passed else 2)
    if not passed:
        assert "in one batch" in str(result.differences[0])


KINDS = """\
title: Many failures
name: many
sequence:
  by: [user]
  maxspan: 60s
  steps:
    - {name: a, where: failed}
    - {name: b, where: failed}
emit: {fields: {user: b.user}}
---
title: Then in
name: then_in
sequence:
  by: [user]
  maxspan: 10m
  steps:
    - {name: many, rule: many}
    - {name: within, where: accepted}
    - {name: out, rule: logout, absent: true, within: 5m}
emit: {fields: {user: within.user, from: many.user, at: many.time}}
tests:
  - name: in after two
    records:
      - '{"time":"2026-11-01T10:00:00Z","message":"failed","user":"u"}'
      - '{"time":"2026-11-01T10:00:01Z","message":"failed","user":"u"}'
      - '{"time":"2026-11-01T10:00:02Z","message":"accepted","user":"u"}'
    expect: [{user: u, from: u, at: "2026-11-01T10:00:01.000000Z"}]
  - name: out again
    records:
      - '{"time":"2026-11-01T10:00:00Z","message":"failed","user":"u"}'
      - '{"time":"2026-11-01T10:00:01Z","message":"failed","user":"u"}'
      - '{"time":"2026-11-01T10:00:02Z","message":"accepted","user":"u"}'
      - '{"time":"2026-11-01T10:00:03Z","message":"logout","user":"u"}'
    expect: []
  - name: in after one
    records:
      - '{"time":"2026-11-01T10:00:00Z","message":"failed","user":"u"}'
      - '{"time":"2026-11-01T10:00:02Z","message":"accepted","user":"u"}'
    expect: []
---
title: logout
record: {where: logout}
---
title: Charged and slow
name: slow
transaction:
  keys: [order_id, ref]
  grain: order_id
  where: |-
    has("charge begin") not has("settled") records>1
emit:
  message: '{order_id}: {records} records in {duration}'
  fields: {order_id: order_id, n: transaction.records, ms: duration_ms, state: state}
tests:
  - name: closed, open, and one that is not
    records:
      - '{"time":"2026-11-01T10:00:00Z","message":"charge begin","order_id":"o-1"}'
      - '{"time":"2026-11-01T10:00:01Z","message":"psp","order_id":"o-1","ref":"p-1"}'
      - '{"time":"2026-11-01T10:00:01Z","message":"charge begin","order_id":"o-2","ref":"p-2"}'
      - '{"time":"2026-11-01T10:20:00Z","message":"charge begin","order_id":"o-3"}'
      - '{"time":"2026-11-01T10:20:01Z","message":"more","order_id":"o-3"}'
    expect:
      - {order_id: o-1, n: 2, ms: 1000, state: closed}
      - {order_id: o-3, n: 2, state: open}
  - name: opened again and settled
    records:
      - '{"time":"2026-11-01T10:00:00Z","message":"charge begin","order_id":"o-1"}'
      - '{"time":"2026-11-01T10:00:01Z","message":"psp","order_id":"o-1","ref":"p-1"}'
      - '{"time":"2026-11-01T10:20:00Z","message":"other","order_id":"o-3"}'
      - '{"time":"2026-11-01T10:30:00Z","message":"settled","ref":"p-1"}'
    expect: []
"""


def test_rules_over_transactions_and_rules_over_rules() -> None:
    loaded = load_rule_text(KINDS)
    assert not loaded.errors
    for rule in loaded.rules:
        for result in run_rule_tests(rule, loaded.rules):
            assert result.passed, f"{result.test}: {result.differences}"


def test_at_end_pending() -> None:
    (rule,) = load_text(RULE.replace("EXPECT", "[]\n    at_end: pending"), Contains).rules
    assert run_rule_tests(rule)[0].passed


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
        ('title: x\nrecord:\n  where: "/a\\\\db/"\n', "warning", 3, "backslashes"),
        ("title: x\nsequence: {by: [a], maxspan: 1s, steps: [{rule: nosuch}, {where: y}]}\n", "error", 2, "not there"),
        ("title: x\nrecord:\n  where: charge #1\n", "warning", 3, "for a comment"),
        ("title: x\nrecord: {where: a}\n---\ntitle: x\nrecord: {where: a}\n", "error", 4, "stands twice"),
        ("title: x\nrecord: {where: 12}\n", "error", 2, "YAML reads a number"),
        ("title: x\nrecord:\n  where: @timestamp:x\n", "error", 3, "cannot start any token"),
        ("title: x\nrecord:\n  where: [error] failed\n", "error", 3, "not YAML"),
        ("title: x\nrecord:\n  where: !error\n", "error", 3, "the tag !error"),
        (
            "title: x\nsequence: {by: [level], maxspan: 1s, steps: [{where: x}, {where: y}]}\n",
            "warning",
            1,
            "few values",
        ),
    ],
)
def test_lint(tmp_path: Path, text: str, severity: str, line: int, words: str) -> None:
    path = tmp_path / "r.yml"
    path.write_text(text)
    found = [one for one in lint([path], compile_filter) if words in one.message]
    assert [(one.severity, one.line) for one in found] == [(severity, line)]
    assert str(found[0]).startswith(f"{path}:{line}: {severity}: ")


@pytest.mark.parametrize("where", ["@timestamp:x", "[error] failed", "!error", "*.log", "{user} failed", "> x", "%d"])
def test_a_filter_that_begins_with_a_sign_of_yaml_is_mended_by_a_block(tmp_path: Path, where: str) -> None:
    path = tmp_path / "r.yml"
    path.write_text(f"title: x\nrecord:\n  where: {where}\n")
    (found,) = [one for one in lint([path], compile_filter) if one.severity == "error"]
    assert found.line == 3
    assert "is written as a block, NAME: |- and the text indented on the next line" in str(found.mend)


def test_a_range_in_a_correlation_is_mended_by_two(tmp_path: Path) -> None:
    path = tmp_path / "r.yml"
    rule = "title: a\nname: a\nlogsource: {product: linux}\ndetection: {x: [foo], condition: x}\n---\ntitle: r\n"
    path.write_text(
        f"{rule}correlation: {{type: event_count, rules: [a], timespan: 1m, group-by: [h], condition: {{gt: 5, lte: 9}}}}\n"
    )
    (found,) = [one for one in lint([path], compile_filter) if one.severity == "error"]
    assert (found.line, found.mend) == (7, "of a range write two correlations, one for each bound")


FIELDS = """title: Twice
id: 6e0f5c1e-8d5b-4c39-9f0e-1f2f3f5a7b11
sequence:
  by: [{by}]
  maxspan: 1m
  steps: [{{name: one, where: begin}}, {{name: two, where: ended}}]
emit:
  fields: {{order: one.{told}}}
tests:
  - name: twice
    records:
      - "2026-11-01T10:00:00Z h app[1]: begin order_id=o-1 amount=5"
      - "2026-11-01T10:00:01Z h app[1]: ended order_id=o-1"
    expect: [{{order: '5'}}]
"""


def test_fields_that_no_record_of_the_tests_has_are_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "r.yml"
    path.write_text(FIELDS.format(by="order", told="amont"))
    assert [(one.line, one.message, one.mend) for one in check_files([path])] == [
        (1, "by: no record of the rule's tests has order", "did you mean order_id?"),
        (1, "emit: no record of the rule's tests has amont", "did you mean amount?"),
    ]
    path.write_text(FIELDS.format(by="order_id", told="amount"))
    assert check_files([path]) == ()


def test_shipped_rules_have_nothing_to_say() -> None:
    assert check_files([BUILTIN]) == ()
