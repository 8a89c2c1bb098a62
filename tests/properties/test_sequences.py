"""Sequences: equal to the machine of the manual, for any cuts and any order of arrival."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.rules.detector import Detector, StepResult
from logscope.rules.model.rule import Detection, Sequence
from logscope.rules.state import State
from tests.unit.rules.streams import Event, expected, frame_of, rule_of, sequences, streams

ENOUGH = settings(max_examples=60)
FEW = settings(max_examples=25)


class Told:
    """What a watch has told, net of retractions."""

    def __init__(self) -> None:
        self.by_id: dict[str, Detection] = {}

    def take(self, result: StepResult) -> None:
        for detection in result.retracted:
            assert self.by_id.pop(detection.id) is not None
            assert detection.state == "retracted"
        for detection in result.raised:
            assert detection.id not in self.by_id, "told twice"
            self.by_id[detection.id] = detection


def names(detections: Iterable[Detection], events: list[Event]) -> dict[tuple[object, ...], str]:
    texts = {event.row: event.text for event in events}
    return {
        (
            detection.transaction or detection.keys["key"][0],
            *((step.time, texts[step.row]) for step in detection.steps.values()),
        ): detection.state
        for detection in detections
    }


def times(events: list[Event]) -> tuple[int, int]:
    moments = [event.time for event in events] or [0]
    return min(moments), max(moments)


@ENOUGH
@given(sequences(), streams(longest=150))
def test_one_step_is_the_machine_of_the_manual(sequence: Sequence, events: list[Event]) -> None:
    begin, newest = times(events)
    detector = Detector(rule_of(sequence))
    result = detector.step(detector.hits(frame_of(events)), watermark=newest, begin=begin, final=True)
    wanted = expected(sequence, events, newest, begin)
    found = names(result.raised, events)
    found |= {name: state for name, state in names(detector.pending(), events).items() if name not in found}
    assert found == wanted
    assert not result.retracted


@FEW
@given(sequences(), streams(longest=60), st.randoms(use_true_random=False), st.integers(0, 6))
def test_any_cuts_and_any_arrival_tell_the_same(
    sequence: Sequence, events: list[Event], chance: random.Random, lateness: int
) -> None:
    begin, newest = times(events)
    whole = Detector(rule_of(sequence))
    once = whole.step(whole.hits(frame_of(events)), watermark=newest, begin=begin, final=True)
    arrival = sorted(events, key=lambda event: event.time + chance.randint(0, lateness))
    detector, told = Detector(rule_of(sequence)), Told()
    watermark, seen, place = -1, 10**6, 0
    while place < len(arrival):
        batch = arrival[place : place + chance.randint(1, 20)]
        place += len(batch)
        seen = min(seen, *(event.time for event in batch))
        # Sometimes less lateness is allowed for than there is: the late ones correct what was told.
        allowed = chance.choice((lateness + 1, 0))
        watermark = max(watermark, max(event.time for event in batch) - allowed)
        told.take(detector.step(detector.hits(frame_of(batch)), watermark=watermark, begin=seen))
        if chance.random() < 0.2:
            detector = Detector(detector.rule, State.restore(detector.state.frames()))
    told.take(detector.step(None, watermark=newest, begin=begin, final=True))
    by_row = {event.row: event for event in events}
    assert _twins_alike(told.by_id.values(), by_row) == _twins_alike(once.raised, by_row)
    assert _twins_alike(detector.pending(), by_row) == _twins_alike(whole.pending(), by_row)


def _twins_alike(
    detections: Iterable[Detection], by_row: Mapping[int, Event]
) -> dict[str, tuple[Detection, dict[str, tuple[int, str]]]]:
    """By id; of two records of one key with the same time and text either may be the step that is told."""
    found = {}
    for one in detections:
        steps = {name: by_row[step.row] for name, step in one.steps.items()}
        # What is pulled is of the step that is told.
        assert one.output == {f"row_{name}": event.line for name, event in steps.items()}
        found[one.id] = (
            replace(one, steps={}, output={}),
            {name: (event.time, event.text) for name, event in steps.items()},
        )
    return found


@FEW
@given(sequences(by=("transaction",)), streams(longest=40), st.randoms(use_true_random=False))
def test_transactions_that_change_tell_the_same(sequence: Sequence, events: list[Event], chance: random.Random) -> None:
    begin, newest = times(events)
    numbers = {event.row: chance.sample(range(3), chance.randint(0, 2)) for event in events}
    groups = {f"T{number}": [e for e in events if number in numbers[e.row]] for number in range(3)}
    current = {event.row: chance.sample(range(3), chance.randint(0, 2)) for event in events}

    def membership(rows: pl.Series) -> pl.DataFrame:
        pairs = [(row, number) for row in rows for number in current[row]]
        return pl.DataFrame(pairs, schema={"row": pl.UInt32, "transaction": pl.UInt32}, orient="row")

    detector, told = Detector(rule_of(sequence)), Told()
    ordered = sorted(events, key=lambda event: event.order)
    place = 0
    while place < len(ordered):
        batch = ordered[place : place + chance.randint(1, 12)]
        place += len(batch)
        changed = [event.row for event in events if chance.random() < 0.2]
        current.update((row, numbers[row]) for row in changed)
        told.take(
            detector.step(
                detector.hits(frame_of(batch)),
                watermark=batch[-1].time - chance.randint(0, 3),
                begin=begin,
                membership=membership,
                changed=pl.Series(changed, dtype=pl.UInt32),
                identity=lambda numbers: {number: f"T{number}" for number in numbers},
            )
        )
    current.update(numbers)
    told.take(
        detector.step(
            None,
            watermark=newest,
            begin=begin,
            final=True,
            membership=membership,
            changed=pl.Series(list(numbers), dtype=pl.UInt32),
            identity=lambda numbers: {number: f"T{number}" for number in numbers},
        )
    )
    wanted = expected(sequence, events, newest, begin, groups)
    assert names(told.by_id.values(), events) == {name: state for name, state in wanted.items() if state == "matched"}


@FEW
@given(sequences(), streams(longest=80))
def test_deciding_at_the_end_takes_what_is_pending(sequence: Sequence, events: list[Event]) -> None:
    begin, newest = times(events)
    detector = Detector(rule_of(sequence))
    hits = detector.hits(frame_of(events))
    result = detector.step(hits, watermark=newest, begin=begin, final=True, decide=True)
    assert set(names(result.raised, events)) == set(expected(sequence, events, newest, begin))
    assert result.waiting == 0


@FEW
@given(sequences(), streams(longest=60), st.randoms(use_true_random=False))
def test_provisional_ones_are_what_the_end_would_tell(
    sequence: Sequence, events: list[Event], chance: random.Random
) -> None:
    begin, newest = times(events)
    watermark = chance.randint(begin, newest)
    detector, told = Detector(rule_of(sequence)), Told()
    told.take(detector.step(detector.hits(frame_of(events)), watermark=watermark, begin=begin))
    ahead = {detection.id for detection in detector.provisional(newest)}
    result = detector.step(None, watermark=newest, begin=begin, final=True)
    assert ahead == {detection.id for detection in result.raised}
