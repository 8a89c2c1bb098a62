"""Sigma correlation rules through the loader and the detector."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from logscope.query.filters import compile_filter
from logscope.records.schema import TIME
from logscope.rules.loader import LoadedRules, load_rules, load_text
from logscope.rules.model.rule import Detection
from logscope.rules.windows.detector import WindowDetector

SECOND = 1_000_000
FAILED = """
title: Failed login
name: failed
record:
  where: |-
    kind:fail
"""
ACCEPTED = """
title: Accepted login
name: accepted
record:
  where: |-
    kind:ok
"""
BRUTE = """
title: Many failed logins
name: brute
level: high
correlation:
  type: event_count
  rules: [failed]
  group-by: [user]
  timespan: 10s
  condition: {gte: 3}
"""
CHAIN = """
title: Brute force, then in
name: chain
correlation:
  type: temporal_ordered
  rules: [brute, accepted]
  group-by: [user]
  timespan: 1m
"""
SHARE = """
title: Mostly large
name: share
correlation:
  type: value_percentile
  rules: [failed]
  group-by: [user]
  timespan: 10s
  condition: {gte: 5, field: size, percentile: 50}
  least: 3
"""
ABSENT = """
title: Failed and nothing after
name: absent
correlation:
  type: temporal
  group-by: [user]
  timespan: 10s
  condition: failed and not accepted
"""


def load(*texts: str) -> LoadedRules:
    return load_text("---".join(texts), compile_filter)


def frame(*records: tuple[int, str, str | None]) -> pl.DataFrame:
    count = len(records)
    return pl.DataFrame(
        {
            "row": pl.Series(range(count), dtype=pl.UInt32),
            "source_id": pl.Series([0] * count, dtype=pl.UInt16),
            "line": pl.Series(range(1, count + 1), dtype=pl.UInt32),
            "time": pl.Series([time * SECOND for time, _, _ in records], dtype=pl.Int64).cast(TIME),
            "message": [f"{kind} {place}" for place, (_, kind, _) in enumerate(records)],
            "fields.kind": [kind for _, kind, _ in records],
            "fields.user": pl.Series([user for _, _, user in records], dtype=pl.String),
        }
    )


def detector(name: str, *texts: str, every: bool = False) -> WindowDetector:
    loaded = load(*texts)
    assert not loaded.errors
    return WindowDetector(next(rule for rule in loaded.rules if rule.name == name), every=every)


def scan(found: WindowDetector, *records: tuple[int, str, str | None]) -> tuple[Detection, ...]:
    times = [time * SECOND for time, _, _ in records]
    return found.step(found.hits(frame(*records)), watermark=max(times), begin=min(times), final=True).raised


def test_a_detection_is_raised_where_the_condition_begins_to_hold() -> None:
    records = [(time, "fail", "root") for time in (0, 4, 8, 9, 30)]
    found = scan(detector("brute", FAILED, BRUTE), *records)
    assert [(one.start // SECOND, one.end // SECOND, one.output) for one in found] == [
        (0, 8, {"user": "root", "event_count": 3})
    ]
    assert found[0].members == (0, 1, 2)
    assert found[0].keys == {"user": ("root",)}
    assert {name: step.row for name, step in found[0].steps.items()} == {"failed": 2}
    every = scan(detector("brute", FAILED, BRUTE, every=True), *records)
    assert [one.time // SECOND for one in every] == [8, 9]


def test_of_too_few_numbers_nothing_is_said() -> None:
    share = detector("share", FAILED, SHARE)
    sizes = pl.Series(["9", "9", "x", "9", "1"], dtype=pl.String)
    hits = frame(*[(time, "fail", "root") for time in range(5)]).with_columns(sizes.alias("fields.size"))
    found = share.step(share.hits(hits), watermark=4 * SECOND, begin=0, final=True).raised
    assert [one.time // SECOND for one in found] == [3]


def test_what_leaves_the_window_can_make_the_condition_begin_to_hold() -> None:
    share = detector("share", FAILED, SHARE)
    sizes = pl.Series(["1", "1", "1", "9", "9", "9"], dtype=pl.String)
    hits = frame(*[(time, "fail", "root") for time in (0, 1, 2, 8, 9, 12)]).with_columns(sizes.alias("fields.size"))
    found = share.step(share.hits(hits), watermark=20 * SECOND, begin=0, final=True).raised
    # At 12 s two small ones have left, and the large ones are most with the newest record and without it.
    assert [one.time // SECOND for one in found] == [12]


def test_groups_fold_letter_case_and_show_it_as_it_was_written() -> None:
    found = scan(detector("brute", FAILED, BRUTE), (0, "fail", "root"), (1, "fail", "ROOT"), (2, "fail", "Root"))
    assert [one.keys for one in found] == [{"user": ("Root",)}]


def test_records_without_the_group_by_field_are_left_out_and_counted() -> None:
    brute = detector("brute", FAILED, BRUTE)
    assert not scan(brute, (0, "fail", None), (1, "fail", None), (2, "fail", None), (3, "fail", "root"))
    assert brute.state.keyless == 3


def test_a_chain_counts_the_alerts_below_it() -> None:
    records = [(0, "fail", "root"), (1, "fail", "root"), (2, "fail", "root"), (3, "ok", "bob"), (4, "ok", "root")]
    found = scan(detector("chain", FAILED, ACCEPTED, BRUTE, CHAIN), *records)
    assert [one.keys for one in found] == [{"user": ("root",)}]
    assert {name: step.row for name, step in found[0].steps.items()} == {"brute": 2, "accepted": 4}
    assert found[0].members == (0, 1, 2, 4)


def test_an_absence_is_pending_until_its_window_has_passed() -> None:
    absent = detector("absent", FAILED, ACCEPTED, ABSENT)
    assert not scan(absent, (0, "fail", "root"), (5, "ok", "bob"))
    assert [one.reason for one in absent.pending()] == ["the data ends 5.0 s before the window does"]
    moments = frame((0, "fail", "root"), (5, "ok", "bob"), (11, "ok", "bob"))[2:]
    told = absent.step(absent.hits(moments), watermark=11 * SECOND, begin=0).raised
    assert [(one.time // SECOND, one.keys) for one in told] == [(10, {"user": ("root",)})]


def test_a_late_record_retracts_what_it_makes_false() -> None:
    absent = detector("absent", FAILED, ACCEPTED, ABSENT)
    told = absent.step(absent.hits(frame((0, "fail", "root"))), watermark=20 * SECOND, begin=0).raised
    assert len(told) == 1
    late = frame((0, "fail", "root"), (10, "ok", "root"))[1:]
    assert [one.id for one in absent.step(absent.hits(late), watermark=20 * SECOND, begin=0).retracted] == [told[0].id]


def test_hits_are_bounded_and_evictions_counted() -> None:
    loaded = load(FAILED, BRUTE)
    brute = WindowDetector(next(rule for rule in loaded.rules if rule.name == "brute"), max_hits=20)
    for start in range(0, 400, 10):
        records = frame(*[(start + place, "fail", "root") for place in range(10)])
        records = records.with_columns(pl.col("row") + start, pl.col("line") + start)
        brute.step(brute.hits(records), watermark=(start + 10) * SECOND, begin=0)
    assert len(brute.state.hits) <= 20
    assert brute.state.evicted > 300
    assert brute.state.incomplete


def test_referenced_rules_are_told_only_with_generate() -> None:
    quiet = {rule.name: rule.quiet for rule in load(FAILED, BRUTE).rules}
    assert quiet == {"failed": True, "brute": False}
    loud = {
        rule.name: rule.quiet
        for rule in load(FAILED, BRUTE.replace("  timespan", "  generate: true\n  timespan")).rules
    }
    assert loud == {"failed": False, "brute": False}


def test_rules_of_other_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(BRUTE)
    (tmp_path / "b.yml").write_text(FAILED)
    loaded = load_rules([tmp_path], compile_filter)
    assert not loaded.errors
    assert {rule.name for rule in loaded.rules} == {"failed", "brute"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BRUTE.replace("[failed]", "[faild]"), 7, "there is no rule faild; did you mean failed?"),
        (BRUTE.replace("[failed]", "[brute]"), 7, "it names itself: brute -> brute"),
        (BRUTE.replace("{gte: 3}", "{gte: 3, lte: 9}"), 5, "exactly one condition item"),
        (BRUTE.replace("10s", "10x"), 5, "Timespan '10x' is invalid"),
        (ABSENT.replace("failed and not accepted", "not failed"), 8, "can hold without any match"),
        (BRUTE + "  least: 3\n", 11, "least has no meaning for event_count"),
        (SHARE.replace("least: 3", "least: 0"), 10, "least is not a whole number above 0"),
        (BRUTE.replace("event_count", "value_percentile").replace("{gte: 3}", "{gte: 3, field: x}"), 10, "percentile"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, words: str) -> None:
    errors = load(FAILED, ACCEPTED, text).errors
    offset = FAILED.count("\n") + ACCEPTED.count("\n")
    assert [error.line for error in errors] == [line + offset]
    assert words in str(errors[0])
