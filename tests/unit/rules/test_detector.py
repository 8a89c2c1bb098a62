"""The detector as the engine drives it: values, identity, late records, bounds, a restart."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from logscope.records.schema import FROM_FILE, TIME
from logscope.rules.detector import Detector
from logscope.rules.loader import load_text
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.state import State
from tests.unit.rules.streams import Contains

SECOND = 1_000_000

SETTLED = """\
title: Never settled
name: never_settled
id: 0b1c
level: high
sequence:
  by: [order_id]
  maxspan: 60s
  steps:
    - {name: begin, where: charge begin}
    - {name: settled, where: charge settled, absent: true, within: 30s}
  until: cancelled
emit:
  message: 'order {begin.order_id}: {begin.amount} of {begin.user} at {begin.time}'
  fields: {order_id: begin.order_id, amount: begin.amount, user: begin.user, level: begin.level, ok: begin.ok}
"""


def rule_of(text: str) -> Rule:
    loaded = load_text(text, Contains)
    assert not loaded.errors
    return loaded.rules[0]


def records(*rows: dict[str, Any], start: int = 0) -> pl.DataFrame:
    """Record frame of `at` (seconds), `message` and fields."""
    frames = [
        pl.DataFrame(
            {
                "row": pl.Series([start + place], dtype=pl.UInt32),
                "source_id": pl.Series([0], dtype=pl.UInt16),
                "line": pl.Series([start + place + 1], dtype=pl.UInt32),
                "time": pl.Series([int(row["at"] * SECOND)]).cast(TIME),
                **{name: [value] for name, value in row.items() if name != "at"},
            }
        )
        for place, row in enumerate(rows)
    ]
    return pl.concat(frames, how="diagonal")


def begun(at: float = 0, **fields: Any) -> dict[str, Any]:
    return {"at": at, "message": "charge begin", "fields.order_id": "ORD-1", **fields}


def scan(rule: Rule, *rows: dict[str, Any]) -> tuple[Detection, ...]:
    detector = Detector(rule)
    return detector.step(detector.hits(records(*rows)), watermark=10**12, begin=0, final=True).raised


def test_it_asks_for_what_it_reads() -> None:
    columns = Detector(rule_of(SETTLED)).columns
    assert {"row", "time", "message", "fields.order_id", "keys.order_id", "fields.amount", "level"} <= columns


def test_values_keep_their_kind_and_missing_ones_are_left_out() -> None:
    (one,) = scan(rule_of(SETTLED), begun(level=4, **{"fields.amount": 5.5, "fields.ok": True}))
    assert one.output == {"order_id": "ORD-1", "amount": 5.5, "level": "warn", "ok": True}
    assert one.message == "order ORD-1: 5.5 of  at 1970-01-01T00:00:00.000000Z"
    assert (one.time, one.start, one.end, one.state) == (30 * SECOND, 0, 0, "matched")
    assert one.keys == {"order_id": ("ORD-1",)}
    assert one.steps["begin"].row == 0


@pytest.mark.parametrize("amount", [5, 5.0])
def test_a_batch_that_makes_whole_numbers_floats_changes_nothing(amount: float) -> None:
    (one,) = scan(rule_of(SETTLED), begun(**{"fields.amount": amount}))
    assert str(one.output["amount"]) == "5"


def test_a_column_wins_over_a_field_and_a_field_over_a_key() -> None:
    text = SETTLED.replace("begin.user", "begin.host")
    (one,) = scan(rule_of(text), begun(host="web-1", **{"fields.host": "f", "keys.host": "k"}))
    assert one.output["user"] == "web-1"
    (one,) = scan(rule_of(text), begun(host=None, **{"keys.host": "k"}))
    assert one.output["user"] == "k"


def test_dtypes_may_differ_from_batch_to_batch() -> None:
    detector = Detector(rule_of(SETTLED))
    told: list[Detection] = []
    for place, amount in enumerate((5, "six", 7.5, None)):
        frame = records(begun(place, **{"fields.order_id": f"O{place}", "fields.amount": amount}), start=place)
        told += detector.step(detector.hits(frame), watermark=place * SECOND, begin=0).raised
    told += detector.step(None, watermark=100 * SECOND, begin=0).raised
    assert [one.output.get("amount") for one in told] == [5, "six", 7.5, None]


def test_integers_and_text_are_one_key() -> None:
    detector = Detector(rule_of(SETTLED))
    first = records(begun(**{"fields.order_id": 7}))
    second = records({"at": 5, "message": "charge settled", "fields.order_id": "7"}, start=1)
    for frame in (first, second):
        detector.step(detector.hits(frame), watermark=SECOND, begin=0)
    assert not detector.step(None, watermark=100 * SECOND, begin=0, final=True).raised


def test_ids_are_of_rule_key_times_and_texts() -> None:
    rule = rule_of(SETTLED)
    (one,) = scan(rule, begun())
    (same,) = scan(rule, {"at": 9, "message": "noise"}, begun())
    assert one.id == same.id
    assert len(one.id) == 16
    (later,) = scan(rule, begun(1))
    (other,) = scan(rule, begun(**{"fields.order_id": "ORD-2"}))
    (renamed,) = scan(rule_of(SETTLED.replace("0b1c", "0b1d")), begun())
    assert len({one.id, later.id, other.id, renamed.id}) == 4


def test_a_late_record_retracts() -> None:
    detector = Detector(rule_of(SETTLED))
    told = detector.step(detector.hits(records(begun())), watermark=31 * SECOND, begin=0).raised
    late = records({"at": 30, "message": "charge settled", "fields.order_id": "ORD-1"}, start=5)
    result = detector.step(detector.hits(late), watermark=31 * SECOND, begin=0)
    assert [one.id for one in result.retracted] == [one.id for one in told]
    assert result.retracted[0].reason
    assert detector.state.late == 1


def test_times_of_the_file_and_records_without_the_key_are_passed_over_and_counted() -> None:
    detector = Detector(rule_of(SETTLED))
    frame = records(begun(time_from=FROM_FILE), begun(time_from=0, **{"fields.order_id": None}), begun(time_from=0))
    result = detector.step(detector.hits(frame), watermark=100 * SECOND, begin=0, final=True)
    assert [one.steps["begin"].row for one in result.raised] == [2]
    assert (detector.state.untimed, detector.state.keyless) == (1, 1)


def test_pending_says_why_and_the_end_can_decide() -> None:
    detector = Detector(rule_of(SETTLED))
    result = detector.step(detector.hits(records(begun())), watermark=18 * SECOND, begin=0, final=True)
    assert (result.raised, result.waiting) == ((), 1)
    (one,) = detector.pending()
    assert (one.state, one.reason) == ("pending", "the data ends 12.0 s before the window does")
    (decided,) = detector.step(None, watermark=18 * SECOND, begin=0, final=True, decide=True).raised
    assert (decided.id, decided.state) == (one.id, "matched")


def test_evictions_are_counted_and_retract_nothing() -> None:
    detector = Detector(rule_of(SETTLED), max_hits=20)
    told: list[Detection] = []
    for place in range(70):
        frame = records(begun(place * 10, **{"fields.order_id": f"O{place % 9}"}), start=place)
        result = detector.step(detector.hits(frame), watermark=place * 10 * SECOND, begin=0)
        assert not result.retracted
        told += result.raised
    assert len(detector.state.hits) <= 20
    assert detector.state.incomplete
    assert detector.state.evicted >= 50
    assert len(told) == 66
    assert len(detector.state.told) <= 20


def test_a_restart_forgets_no_open_absence_and_tells_nothing_twice() -> None:
    rule = rule_of(SETTLED)
    detector = Detector(rule)
    frame = records(begun(), begun(100, **{"fields.order_id": "ORD-2"}))
    told = list(detector.step(detector.hits(frame), watermark=101 * SECOND, begin=0).raised)
    again = Detector(rule, State.restore(detector.state.frames()))
    assert not again.step(None, watermark=101 * SECOND, begin=0).raised
    told += again.step(None, watermark=131 * SECOND, begin=0).raised
    assert [one.output["order_id"] for one in told] == ["ORD-1", "ORD-2"]


def test_merged_transactions_are_told_anew_under_their_new_id() -> None:
    rule = rule_of(SETTLED.replace("[order_id]", "[transaction]"))
    detector = Detector(rule)
    numbers = {0: 1, 1: 2}
    step = {
        "membership": lambda rows: pl.DataFrame(
            [(row, numbers[row]) for row in rows], schema={"row": pl.UInt32, "transaction": pl.UInt32}, orient="row"
        ),
        "identity": lambda wanted: {number: f"T{number}" for number in wanted},
        "begin": 0,
    }
    frame = records(begun(), {"at": 40, "message": "charge begin"})
    told = detector.step(detector.hits(frame), watermark=60 * SECOND, **step).raised
    assert [one.transaction for one in told] == ["T1"]
    numbers[0] = 2
    changed = pl.Series([0], dtype=pl.UInt32)
    result = detector.step(None, watermark=100 * SECOND, changed=changed, **step)
    assert [one.transaction for one in result.retracted] == ["T1"]
    assert [(one.transaction, one.start) for one in result.raised] == [("T2", 0), ("T2", 40 * SECOND)]


def test_single_records() -> None:
    text = "title: R\nrecord: {where: boom}\nemit: {message: 'user {user}', fields: {user: user}}\n"
    found = scan(rule_of(text), {"at": 1, "message": "boom", "fields.user": "u1"}, {"at": 1, "message": "no"})
    assert [(one.message, one.output, one.time) for one in found] == [("user u1", {"user": "u1"}, SECOND)]


def test_no_records_at_all() -> None:
    detector = Detector(rule_of(SETTLED))
    empty = records(begun()).clear()
    assert detector.step(detector.hits(empty), watermark=0, begin=0, final=True).raised == ()
    assert detector.pending() == ()
    assert detector.provisional(0) == ()


def test_a_condition_over_a_whole_transaction_is_not_for_detectors() -> None:
    (rule,) = load_text("title: T\ntransaction: {where: 'errors>0'}\n", Contains).rules
    with pytest.raises(ValueError, match="no sequence"):
        Detector(rule)
