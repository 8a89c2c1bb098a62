"""Correlations: what a watch tells is what a scan finds, for any cuts and any order of arrival."""

from __future__ import annotations

import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.query.filters import compile_filter
from logscope.rules.loader import load_text
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.state import State
from logscope.rules.stepping import StepResult
from logscope.rules.windows.detector import WindowDetector
from tests.conformance.sigma_correlations import SECOND, Event, documents, frame_of, oracle, ours, streams
from tests.pipelines import all_records


class Told:
    """What a watch has told, net of retractions."""

    def __init__(self) -> None:
        self.by_id: dict[str, Detection] = {}

    def take(self, result: StepResult) -> None:
        for detection in result.retracted:
            assert self.by_id.pop(detection.id).state == "matched"
            assert detection.state == "retracted"
        for detection in result.raised:
            assert detection.id not in self.by_id, "told twice"
            self.by_id[detection.id] = detection


def rule_of(chance: random.Random, number: int) -> Rule:
    collection, name = documents(chance, number)
    with all_records():
        loaded = load_text(yaml.safe_dump_all(collection), compile_filter)
    assert not loaded.errors
    return next(rule for rule in loaded.rules if rule.name == name)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(0, 6), st.booleans())
def test_any_cuts_and_any_arrival_tell_the_same(seed: int, lateness: int, every: bool) -> None:
    chance = random.Random(seed)
    rule = rule_of(chance, seed)
    events = streams(chance)
    frame = frame_of(events)
    begin, newest = min(event.time for event in events) * SECOND, max(event.time for event in events) * SECOND
    whole = WindowDetector(rule, every=every)
    once = whole.step(whole.hits(frame), watermark=newest, begin=begin, final=True)
    assert not once.retracted
    order = sorted(range(len(events)), key=lambda place: events[place].time + chance.randint(0, lateness))
    detector, told = WindowDetector(rule, every=every), Told()
    watermark, place = -1, 0
    while place < len(order):
        batch = frame[order[place : place + chance.randint(1, 20)]]
        place += batch.height
        # Sometimes less lateness is allowed for than there is: the late ones correct what was told.
        allowed = chance.choice((lateness + 1, 0)) * SECOND
        watermark = max(watermark, max(batch["time"].to_physical()) - allowed)
        told.take(detector.step(detector.hits(batch), watermark=watermark, begin=begin))
        if chance.random() < 0.2:
            detector = WindowDetector(rule, State.restore(detector.state.frames()), every=every)
    told.take(detector.step(None, watermark=newest, begin=begin, final=True))
    assert told.by_id == {detection.id: detection for detection in once.raised}
    assert {one.id: one for one in detector.pending()} == {one.id: one for one in whole.pending()}


@pytest.mark.parametrize("number", range(10))
def test_the_condition_holds_where_the_reference_says(number: int) -> None:
    chance = random.Random(1000 + number)
    collection, name = documents(chance, number)
    events: list[Event] = streams(chance)
    assert ours(collection, events, name) == oracle(collection, events)
