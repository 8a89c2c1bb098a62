"""The desk of the fake: rules in memory, made of the shop's records by the real proposals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from logscope.engine.answers import Preview, RuleState
from logscope.engine.api import Cancel
from logscope.engine.detection.ruleset import load_rule_text
from logscope.engine.rulework.desk import Proposal, Reloaded, StepSpan, Verdict
from logscope.engine.rulework.proposing import Example, fields_of, steps_of
from logscope.errors import LogscopeError, RuleError
from logscope.language.sequence import parse_sequence
from logscope.rules.drafts import Draft, DraftField, DraftStep, rule_text
from logscope.rules.edits import excluded_at, with_exclusion
from logscope.rules.tests import TestResult

SECOND = 1_000_000
TEXT = """\
title: Charge begun, never settled
name: silent_payment_failure
level: high
sequence:
  by: [transaction]
  steps:
    - name: begin
      where: |-
        "charge begin"
    - name: settled
      where: |-
        "charge settled"
      absent: true
      within: 30s
"""


class FakeDesk:
    """Needs `records`, `extra`, `_wait`, `_count` and `_text` of the fake."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.saved: dict[str, str] = {}
        self.texts: dict[str, str] = {"/rules/silent.yml": TEXT}
        self.switched: list[tuple[str, bool]] = []
        self.kept: dict[str, Verdict] = {}

    def of_records(self, marks: Sequence[tuple[int, bool]], *, cancel: Cancel) -> Proposal:
        self.fake._wait(cancel)
        examples = []
        for row, absent in sorted(marks):
            one = self.fake.records[row]
            fields = dict(re.findall(r"(\w+)=(\S+)", one["message"]))
            fields |= {text: text for text in self.fake.extra if text in one["message"]}
            keys = {name: name for name in fields if name in ("order_id", "psp_ref", "req")}
            examples.append(Example(row, one["service"], one["message"], fields, keys, absent))
        steps = steps_of(examples)
        fields_found = fields_of(steps, examples, frozenset({"order_id", "psp_ref"}))
        title = self.fake._text(", ".join(step.name for step in steps))
        draft = Draft(
            title=title, name="made", level="high", steps=steps, keys=("order_id",), grain="order_id",
            maxspan=60 * SECOND, fields=fields_found, message="{" + f"{steps[0].name}.order_id" + "}",
        )  # fmt: skip
        return Proposal(draft, self.spans(draft, cancel=cancel), tuple(self.fake.extra))

    def of_filter(self, text: str, *, whole: bool, cancel: Cancel) -> Proposal:
        kind = "transaction" if whole else "record"
        fields = (DraftField("order_id", "order_id", self.fake._text("ORD-1")),)
        return Proposal(Draft(title=kind, name=kind, kind=kind, where=text, fields=fields))

    def of_sequence(self, text: str, *, cancel: Cancel) -> Proposal:
        syntax = parse_sequence(text)
        steps = tuple(DraftStep(step.name, step.filter_text, step.absent, step.within_us) for step in syntax.steps)
        return Proposal(Draft(title="seq", name="seq", steps=steps, by=syntax.by, maxspan=syntax.maxspan_us))

    def spans(self, draft: Draft, *, cancel: Cancel) -> tuple[StepSpan, ...]:
        return tuple(
            StepSpan(step.name, 40, 36, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND) for step in draft.steps[1:]
        )

    def preview(self, text: str, *, cancel: Cancel) -> Preview:
        self.fake._wait(cancel)
        loaded = load_rule_text(text)
        if loaded.errors:
            raise loaded.errors[0]
        found = tuple(self.fake._found())
        return Preview(len(found), 1, found[:3], (), 0.01, tuple(self.fake.extra))

    def tested(self, draft: Draft, *, cancel: Cancel) -> tuple[Draft, str | None]:
        return draft, None

    def save(self, draft: Draft) -> Path:
        if draft.name in self.saved:
            raise RuleError("a rule of that name is there", where=draft.name, mend="take another name")
        self.saved[draft.name] = rule_text(draft)
        return Path(f"/rules/{draft.name}.yml")

    def text_of(self, path: str) -> str:
        return self.texts[path]

    def check(self, text: str, path: str = "rule") -> Sequence[LogscopeError]:
        return load_rule_text(text, path).errors

    def write(self, path: str, text: str) -> None:
        if errors := self.check(text, path):
            raise errors[0]
        self.texts[path] = text

    def switch(self, rule: RuleState, *, on: bool) -> None:
        self.switched.append((rule.name, on))

    def own_copy(self, path: str) -> Path:
        copied = f"/mine/{Path(path).name}"
        self.texts[copied] = self.texts[path]
        return Path(copied)

    def excluded(self, rule: RuleState, unless: str) -> tuple[str, str]:
        text = self.texts[str(rule.path)]
        return with_exclusion(text, rule.name, unless), excluded_at(text, rule.name)

    def run_tests(self, rule: RuleState) -> Sequence[TestResult]:
        return [
            TestResult(rule.name, self.fake._text("settled in time"), rule.path, 20, ()),
            TestResult(rule.name, "never", rule.path, 30, (), self.fake._text("its lines gave no record")),
        ]

    def reload(self) -> Reloaded | None:
        return None

    def watch(self, told: Callable[[Reloaded], object]) -> None:
        self.told = told

    def verdicts(self) -> Mapping[str, Verdict]:
        return dict(self.kept)

    def judge(self, detection: str, verdict: Verdict | None) -> None:
        if verdict is None:
            self.kept.pop(detection, None)
        else:
            self.kept[detection] = replace(verdict, at=1)
