from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscope.engine.detection.ruleset import load_rule_text
from logscope.errors import FilterError, RuleError
from logscope.rules.documents import documents
from logscope.rules.drafts import Draft, DraftField, DraftStep, DraftTest, rule_text
from logscope.rules.edits import excluded_at, with_enabled, with_exclusion

SECOND = 1_000_000


def one(text: str) -> Any:
    return next(documents(text, "x")).plain()


def test_a_draft_is_written_as_one_would_and_read_back_as_meant() -> None:
    draft = Draft(
        title="No settlement", name="none", level="high", keys=("order_id",), grain="order_id", maxspan=300 * SECOND,
        steps=(
            DraftStep("begin", 'service:payments "charge begin"'),
            DraftStep("psp", '"psp response" #x', bound=10 * SECOND),
            DraftStep("settled", '"charge: settled"', absent=True, bound=1500_000),
        ),
        until='"order cancelled"', message="{begin.order_id}: 'gone'",
        fields=(DraftField("order", "begin.order_id"), DraftField("no", "settled.x"), DraftField("off", "psp.y", chosen=False)),
        tests=(DraftTest("t", ("line one", "two\x1b[2J"), ({"order": "007", "yes": "yes", "n": 5},)),),
    )  # fmt: skip
    text = rule_text(draft)
    assert text.isprintable() or all(sign.isprintable() or sign == "\n" for sign in text)
    loaded = load_rule_text(text)
    assert loaded.errors == ()
    rule = loaded.rules[0]
    assert rule.sequence is not None
    assert [(step.name, step.where, step.absent, step.within_us, step.maxpause_us) for step in rule.sequence.steps] == [
        ("begin", 'service:payments "charge begin"', False, None, None),
        ("psp", '"psp response" #x', False, None, 10 * SECOND),
        ("settled", '"charge: settled"', True, 1_500_000, None),
    ]
    assert list(rule.emit.fields) == ["order"]
    assert rule.tests[0].records == ("line one", "two\x1b[2J")
    assert rule.tests[0].expect == ({"order": "007", "yes": "yes", "n": 5},)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(title=TEXT, message=TEXT, records=st.lists(TEXT, min_size=1, max_size=3), value=TEXT)
def test_any_text_is_read_back_as_it_was(title: str, message: str, records: list[str], value: str) -> None:
    draft = Draft(
        title=title, name="x", kind="record", where="a", message=message,
        tests=(DraftTest(title, tuple(records), ({"v": value},)),),
    )  # fmt: skip
    found = one(rule_text(draft))
    assert found["title"] == title
    assert found.get("emit", {}).get("message", "") == message
    assert found["tests"] == [{"name": title, "records": records, "expect": [{"v": value}]}]


def test_a_step_that_is_renamed_or_dropped_takes_its_fields_along() -> None:
    draft = Draft("t", "t", steps=(DraftStep("a", "x"), DraftStep("b", "y")), message="{a.id} {b.n}",
                  fields=(DraftField("id", "a.id"), DraftField("n", "b.n")))  # fmt: skip
    renamed = draft.with_step(0, DraftStep("first", "x"))
    assert [field.source for field in renamed.fields] == ["first.id", "b.n"]
    assert renamed.message == "{first.id} {b.n}"
    assert [field.name for field in draft.with_step(1, None).fields] == ["id"]


RULES = """\
# mine
title: First
name: first
level: high
sequence:
  by: [transaction]
  steps:
    - name: begin
      where: |-
        "charge begin" or
        "charge retry"

    - name: settled   # never
      where: '"charge settled"'
      absent: true
      within: 30s
---
title: Second One
record:
  where: error level>=warn  # loud
emit:
  message: x
"""


def test_an_exclusion_stands_in_the_filter_and_leaves_the_rest_as_it_was() -> None:
    changed = with_exclusion(RULES, "first", "user:u-7")
    assert one(changed)["sequence"]["steps"][0]["where"] == '("charge begin" or\n"charge retry")\nnot (user:u-7)'
    assert changed.startswith("# mine\n")
    assert "# never" in changed
    assert not load_rule_text(changed).errors
    again = with_exclusion(with_exclusion(RULES, "second_one", "a or b"), "second_one", "c")
    assert "    error level>=warn\n    not (a or b)\n    not (c)\n" in again
    assert excluded_at(RULES, "first") == "begin"
    with pytest.raises(FilterError):
        with_exclusion(RULES, "first", "(a")
    with pytest.raises(RuleError, match="no rule third"):
        with_exclusion(RULES, "third", "a")


def test_an_exclusion_of_a_silence_narrows_who_is_listened_to() -> None:
    text = "title: Quiet\nname: quiet\nsilence:\n  by: [service]\n  where: |-\n    service:*\n  after: 15m\n"
    changed = with_exclusion(text, "quiet", "service:batch")
    assert changed == text.replace("service:*\n", "service:*\n    not (service:batch)\n")
    assert excluded_at(text, "quiet") == "record"


def test_a_rule_is_switched_in_its_text() -> None:
    off = with_enabled(RULES, "second_one", on=False)
    assert [rule.enabled for rule in load_rule_text(off).rules] == [True, False]
    assert [rule.enabled for rule in load_rule_text(with_enabled(off, "second_one", on=True)).rules] == [True, True]
    assert "# loud" in off


@pytest.mark.parametrize("text", ["title: F\nrecord: {where: a}\n", "{title: F, record: {where: a}}\n"])
def test_what_cannot_be_changed_here_is_said(text: str) -> None:
    with pytest.raises(RuleError, match="cannot be changed here"):
        with_exclusion(text, "f", "b")
