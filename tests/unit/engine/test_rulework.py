"""What the investigator asks about rules: what one would find, what is installed, what nearly matched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.errors import LogscopeError, RuleError
from logscope.rules.drafts import rule_text

NEVER = Cancel()
RULE = """\
title: Never settled
name: never_settled
level: high
sequence:
  by: [transaction]
  maxspan: 1m
  steps:
    - name: begin
      where: |-
        "charge begin"
    - name: response
      maxpause: 10s
      where: |-
        "psp response"
    - name: settled
      absent: true
      within: 30s
      where: |-
        "charge settled"
emit:
  fields: {order_id: begin.order_id}
"""
LINES = [
    ("10:00:00", "charge begin", 1), ("10:00:02", "psp response", 1), ("10:00:05", "charge settled", 1),
    ("10:01:00", "charge begin", 2), ("10:01:04", "psp response", 2),
    ("10:02:00", "charge begin", 3), ("10:02:12", "psp response", 3),
    ("10:09:00", "charge begin", 4), ("10:09:01", "psp response", 4),
    ("10:09:10", "tick", 9),
]  # fmt: skip


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "own"))
    log, rules = tmp_path / "pay.log", tmp_path / "mine.yml"
    log.write_text("".join(f"2026-11-01T{at}Z INFO {text} order_id=ORD-{order}\n" for at, text, order in LINES))
    rules.write_text(f"{RULE}---\ntitle: Bad\nrecord: {{were: x}}\n")
    opened = Session(
        Options(sources=(str(log),), rules=(str(rules),), key=(r"order_id=order_id=(\S+)",), auto_keys=False)
    )
    opened.open()
    opened.read_all()
    opened.prepare_transactions(cancel=NEVER)
    yield opened
    opened.close()


def test_a_preview_tells_what_a_rule_would_find(session: Session) -> None:
    preview = session.preview(RULE.replace("never_settled", "other"), cancel=NEVER)
    assert (preview.matches, preview.pending) == (1, 1), "the fourth may yet be settled"
    (found,) = preview.examples
    assert (found.rule, found.output) == ("other", {"order_id": "ORD-2"})
    (timing,) = preview.timings
    assert (timing.step, timing.p50, timing.longest) == ("response", 4_000_000, 4_000_000)
    assert preview.seconds > 0
    assert not [one for one in session.detections() if one.rule == "other"], "it was not saved"


def test_a_preview_of_many_rules_is_of_the_one_that_is_named(session: Session) -> None:
    loose = RULE.replace("never_settled", "loose").replace("      maxpause: 10s\n", "")
    text = f"{RULE}---\n{loose}"
    assert session.preview(text, cancel=NEVER, name="never_settled").matches == 1
    assert session.preview(text, cancel=NEVER, name="loose").matches == 2
    assert session.preview(text, cancel=NEVER).matches == 2, "without a name the last"


@pytest.mark.parametrize(
    "text", ["title: x\n", RULE.replace("where:", "were:"), "", "a: [", RULE.replace("10s", "ten")]
)
def test_a_preview_of_what_does_not_compile_says_so(session: Session, text: str) -> None:
    with pytest.raises(LogscopeError):
        session.preview(text, cancel=NEVER)


def test_installed_rules_are_those_that_run_the_shipped_and_the_bad(session: Session) -> None:
    installed = session.installed_rules()
    mine = next(one for one in installed if one.name == "never_settled")
    assert (mine.origin, mine.enabled, mine.matches, mine.level, mine.kind) == ("yours", True, 1, "high", "sequence")
    shipped = [one for one in installed if one.origin == "shipped"]
    assert len(shipped) >= 15
    assert not any(one.enabled for one in shipped)
    bad = [one for one in installed if one.error]
    assert any("were" in str(one.error) for one in bad)
    assert {(one.line, Path(str(one.path)).name) for one in bad} == {(RULE.count("\n") + 3, "mine.yml")}


def test_near_misses_of_one_transaction_are_told_however_far(session: Session) -> None:
    numbers = {}
    table = session.transactions(cancel=NEVER)
    for number, orders in table.select("number", "keys.order_id").iter_rows():
        numbers[orders[0]] = number
    near = session.near_misses("never_settled", cancel=NEVER)
    assert [(one.number, one.step, one.by) for one in near] == [(numbers["ORD-3"], "response", 2_000_000)]
    (settled,) = session.near_misses("never_settled", cancel=NEVER, number=numbers["ORD-1"])
    assert (settled.step, settled.text) == ("settled", "settled after 3.0 s, within is 30.0 s")
    assert [name for name, _ in settled.steps] == ["begin", "response"]
    assert settled.row == 2
    assert not session.near_misses("never_settled", cancel=NEVER, number=numbers["ORD-9"])
    with pytest.raises(RuleError, match="no rule nobody runs"):
        session.near_misses("nobody", cancel=NEVER)


def test_what_is_proposed_of_a_filter_a_pivot_and_a_line_says_what_it_found(session: Session) -> None:
    desk, made = session.desk, list[str]()
    for draft, title, example in (
        (
            desk.of_filter('"charge begin"', whole=False, cancel=NEVER).draft,
            "Charge begin",
            "charge begin order_id=ORD-1",
        ),
        (
            desk.of_filter('keys.order_id:"ORD-3"', whole=False, cancel=NEVER).draft,
            "Order_id ORD-3",
            "charge begin order_id=ORD-3",
        ),
        (
            desk.of_filter('has("charge begin") records:2', whole=True, cancel=NEVER).draft,
            "Charge begin records 2",
            "ORD-2: charge begin records 2, 4.0 s",
        ),
        (
            desk.of_sequence(
                'seq by transaction maxspan 1m: ["charge begin"] not ["charge settled"] within 30s', cancel=NEVER
            ).draft,
            "Charge begin, no charge settled",
            "ORD-2: charge begin, no charge settled",
        ),
    ):
        assert draft.title == title
        preview = session.preview(rule_text(draft), cancel=NEVER)
        assert preview.examples[0].message == example
        tested, why = desk.tested(draft, cancel=NEVER)
        if tested.tests:
            assert not desk.failing(rule_text(tested))
            assert why is None
            made.append(title)
        else:
            assert str(why).startswith("no test: ")
    # What ties keys together is not found in one record, nor is a whole transaction made of some of its records.
    assert made == ["Charge begin", "Charge begin, no charge settled"]
