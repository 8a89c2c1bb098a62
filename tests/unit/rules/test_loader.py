from __future__ import annotations

from pathlib import Path

import pytest

from logscope.engine.detection.ruleset import load_files
from logscope.errors import FilterError, RuleError
from logscope.rules.loader import BUILTIN, load_rules, load_text, rule_from_sequence
from tests.unit.rules.streams import Contains

GOOD = """\
title: Begun, never settled
name: never_settled
level: high
date: 2026-11-01
sequence:
  by: [order_id]
  maxspan: 5m
  steps:
    - name: begin
      where: |-
        "charge begin"
    - name: settled
      where: charge settled
      absent: true
      within: 30s
  until: cancelled
  having: begin.amount > 5
emit:
  message: '{begin.order_id} never settled'
  fields: {order_id: begin.order_id}
  suppress: 10m
actions: [rerun-list]
"""


def compile_filter(text: str) -> Contains:
    if "(" in text:
        raise FilterError("a ) is missing", column=text.index("(") + 1, mend="close it")
    return Contains(text)


def errors_of(text: str) -> list[RuleError]:
    return list(load_text(text, compile_filter, where="r.yml").errors)


def test_a_rule_is_read_whole() -> None:
    (rule,) = load_text(GOOD, compile_filter).rules
    assert (rule.name, rule.level, rule.kind, rule.actions) == ("never_settled", "high", "sequence", ("rerun-list",))
    assert rule.sequence is not None
    assert rule.sequence.maxspan_us == 300_000_000
    begin, settled = rule.sequence.steps
    assert begin.where == '"charge begin"'
    assert (settled.absent, settled.within_us) == (True, 30_000_000)
    assert rule.emit.suppress_us == 600_000_000
    assert rule.sequence.having is not None
    assert rule.sequence.until is not None


def test_good_rules_run_beside_bad_ones_and_all_errors_are_told() -> None:
    loaded = load_text(
        GOOD + "---\ntitle: Bad\nlevel: loud\nsequence:\n  by: [x]\n  stepz: []\n---\n" + GOOD, compile_filter
    )
    assert len(loaded.rules) == 2
    said = [(error.line, error.message, error.mend) for error in loaded.errors]
    assert (25, "level loud is none of them", "known are informational, low, medium, high, critical") in said
    assert (28, "sequence: there is no key stepz", "did you mean steps?") in said
    assert len(said) == 3


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("title: Begun, never settled\n", "", 1, "title is missing"),
        ("level: high", "level: hihg", 3, "did you mean high?"),
        ("maxspan: 5m", "maxspan: 5 parsecs", 7, "not a duration"),
        ("maxspan: 5m", "maxspan: 300", 7, "not a duration"),
        ("where: charge settled", "where: true", 13, "YAML reads true or false"),
        ("where: charge settled", "where: 12", 13, "YAML reads a number"),
        ("where: charge settled", "where: [a]", 13, "YAML reads a list"),
        ("where: charge settled", "where: {a: b}", 13, "YAML reads a mapping"),
        ("where: charge settled", "where: settled (x", 13, "a ) is missing"),
        ("      absent: true\n", "", 14, "within on a step that happens"),
        ("name: settled", "name: begin", 12, "stands twice"),
        ("name: settled", "name: a.b", 12, "not a name"),
        ("absent: true", "absent: maybe", 14, "neither true nor false"),
        ("within: 30s", "maxpause: 30s", 15, "maxpause on an absent step"),
        ("having: begin.amount > 5", "having: begn.amount > 5", 17, "did you mean begin?"),
        ("{begin.order_id} never", "{begin.order_id never", 19, "{"),
        ("{begin.order_id} never", "{settled.x} never", 19, "absent"),
        ("order_id: begin.order_id}", "order_id: bgin.order_id}", 20, "did you mean begin?"),
        ("suppress: 10m", "supress: 10m", 21, "did you mean suppress?"),
        ("actions: [rerun-list]", "actions: [{type: command}]", 22, "not text"),
        ("by: [order_id]", "by: [transaction, order_id]", 5, "by has transaction and others"),
        ("    - name: begin\n", "    - rule: other\n    - name: begin\n", 9, "not there"),
    ],
)
def test_errors_have_file_line_and_mend(old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    loaded = load_text(GOOD.replace(old, new), compile_filter, where="r.yml")
    assert not loaded.rules
    found = [error for error in loaded.errors if words in str(error)]
    assert found, loaded.errors
    assert found[0].where == "r.yml"
    assert abs((found[0].line or 0) - line) <= 1
    assert found[0].mend


def test_an_absence_needs_a_bound_and_one_step_must_happen() -> None:
    unbounded = GOOD.replace("  maxspan: 5m\n", "").replace("      within: 30s\n", "")
    assert "without a bound" in errors_of(unbounded)[0].message
    assert (
        "every step is absent"
        in errors_of("title: x\nsequence: {by: [a], steps: [{name: a, where: x, absent: true, within: 1s}]}")[0].message
    )


CORRELATION = """title: a
name: a
logsource: {product: linux}
detection: {x: [b], condition: x}
---
title: Often
correlation: {type: event_count, rules: [a], group-by: [u], aliases: {u: {%s: user}}, timespan: 1m, condition: {gte: 2}}
"""


def test_an_alias_is_for_one_of_the_rules() -> None:
    assert not errors_of(CORRELATION % "a")


@pytest.mark.parametrize("where", ["on", "no", "yes", "1_000", "2026-11-01", "12:30:45"])
def test_words_that_other_readers_of_yaml_take_for_something_else(where: str) -> None:
    (rule,) = load_text(f"title: x\nrecord:\n  where: {where}\n", compile_filter).rules
    assert rule.sequence is not None
    assert rule.sequence.steps[0].where == where


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: a\ntitle: b\n", "stands twice"),
        ("title: &x a\n", "anchors and aliases"),
        ("a: *x\n", "anchors and aliases"),
        ("title: !!python/object/apply:os.system [ls]\n", "tag"),
        ("title: [" + "[" * 2000, "levels deep"),
        ("title: {a: [\n", "not YAML"),
        ("title: \x01\n", "not YAML"),
        ("- a\n- b\n", "mapping is expected"),
        ("title: x\nlevel: " + "9" * 10_000, "not"),
        ("title: x\ndetection: {a: b}\nlogsource: {}\n", "not a Sigma rule"),
        ("title: x\ncorrelation: {type: event_count}\n", "not a Sigma correlation: Sigma correlation rule without"),
        ("title: x\nrecord:\n  where: ~\n", "where is empty: no text, null and ~ are nothing to YAML"),
        ("title: x\nrecord:\n  where: level: error\n", "is written as a block"),
        ("title: x\nrecord: {where: 08}\n", "where is not text, YAML reads a number"),
        ("title: x\nrecord: {where: 0x1F}\n", "where is not text, YAML reads a number"),
        ("title: x\nrecord: {where: true}\n", "where is not text, YAML reads true or false"),
        ("title: x\nrecord: {where: [a, b]}\n", "where is not text, YAML reads a list"),
        (CORRELATION % "none", "alias u is for none, which is none of its rules"),
        ("title: x\n", "none of sequence, record, silence, transaction"),
    ],
)
def test_yaml_that_is_refused(text: str, words: str) -> None:
    errors = errors_of(text)
    assert any(words in str(error) for error in errors)
    assert all(error.where == "r.yml" and error.line for error in errors)


SILENCE = "title: x\nsilence:\n  by: [service]\n  where: |-\n    service:*\n  after: 15m\n  times: 3\n  history: 2d\n"


def test_a_silence() -> None:
    (rule,) = load_text(SILENCE, compile_filter).rules
    assert rule.kind == "silence"
    silence = rule.silence
    assert silence is not None
    assert (silence.by, silence.after_us, silence.times) == (("service",), 900_000_000, 3.0)
    assert silence.history_us == 2 * 86_400_000_000


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  by: [service]\n", "", "by is missing"),
        ("[service]", "[transaction]", "by has transaction"),
        ("  after: 15m\n", "", "after is missing"),
        ("after: 15m", "after: 15", "after is not a duration"),
        ("after: 15m", "after: 1ms", "after is shorter than a second"),
        ("times: 3", "times: 0", "times is not a number from 1 to 1000"),
        ("where: |-\n    service:*", "within: 3m", "there is no key within"),
        ("  where: |-\n    service:*\n", "", "where is missing"),
    ],
)
def test_what_a_silence_cannot_be(old: str, new: str, words: str) -> None:
    assert old in SILENCE
    errors = errors_of(SILENCE.replace(old, new))
    assert any(words in str(error) for error in errors), errors


def test_a_key_without_a_colon_is_told_at_its_own_line() -> None:
    (error,) = errors_of("title: x\nrecord\nname: y\n")
    assert (error.line, error.mend is not None and "ends with `: `" in error.mend) == (2, True)


def test_what_is_neither_true_nor_false_is_told_once() -> None:
    text = "title: x\nsequence:\n  by: [id]\n  steps:\n    - {name: a, where: a}\n    - {name: b, where: b, absent: yes, within: 1m}\n"
    assert [error.message for error in errors_of(text)] == ["step b: absent is neither true nor false"]


def test_yaml_1_2_keeps_text_text() -> None:
    (rule,) = load_text("title: no\nname: on\nid: 2026-11-01\nrecord: {where: 12:30:45}\n", compile_filter).rules
    assert (rule.title, rule.name, rule.id) == ("no", "on", "2026-11-01")
    assert rule.sequence is not None
    assert rule.sequence.steps[0].where == "12:30:45"


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yaml").write_text(GOOD)
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "large.yml").write_text("#" * (1 << 20) + "\n")
    (tmp_path / "latin.yml").write_bytes(b"title: caf\xe9\n")
    (tmp_path / "readme.txt").write_text("no rule")
    loaded = load_rules([tmp_path, tmp_path / "gone.yml"], compile_filter)
    assert [Path(rule.path or "").name for rule in loaded.rules] == ["a.yml", "b.yaml"]
    assert sorted(error.message for error in loaded.errors) == [
        "larger than 1 MiB", "not UTF-8", "there is no such file"
    ]  # fmt: skip


def test_shipped_rules_compile() -> None:
    loaded = load_files([BUILTIN])
    assert not loaded.errors
    assert "silent_payment_failure" in {rule.name for rule in loaded.rules}


def test_other_forms() -> None:
    loaded = load_text(
        "title: R\nrecord: {where: x}\nemit: {fields: {who: user, at: record.time}}\n---\n"
        "title: T\ntransaction: {where: 'duration>5s'}\n",
        compile_filter,
    )
    record, transaction = loaded.rules
    assert record.kind == "record"
    assert {str(need) for need in record.emit.needs} == {"record.user", "record.time"}
    assert transaction.transaction is not None
    assert transaction.transaction.where == "duration>5s"


def test_a_sequence_in_one_line() -> None:
    rule = rule_from_sequence(
        'seq by order_id maxspan 5m: ["charge begin"] not ["charge settled"] within 30s until ["cancelled"]', Contains
    )
    assert rule.sequence is not None
    assert rule.sequence.by == ("order_id",)
    assert [step.absent for step in rule.sequence.steps] == [False, True]
    assert rule.sequence.steps[1].within_us == 30_000_000
    with pytest.raises(RuleError, match="without a bound"):
        rule_from_sequence('seq by order_id: ["a"] not ["b"]', Contains)
