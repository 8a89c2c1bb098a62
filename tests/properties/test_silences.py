"""Silences: what the manual says, for any cuts and any order of arrival."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.query.filters import compile_filter
from logscope.records.schema import TIME
from logscope.rules.loader import load_text
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.silences.detector import SilenceDetector
from logscope.rules.state import State
from logscope.rules.stepping import StepResult

SECOND = 1_000_000
RULE = """
title: quiet
silence:
  by: [service]
  where: |-
    service:*
  after: 60s
  times: 3
  history: 20m
emit: {message: '{service} {time}', fields: {service: service}}
"""
AFTER, BEAT, TIMES, HISTORY, LEAST = 60, 2, 3, 1200, 10


@dataclass(frozen=True)
class Event:
    time: int
    service: str | None
    number: int


def streams(chance: random.Random) -> list[Event]:
    """Services with rhythms of their own, with pauses, some of them common to all."""
    moments: list[tuple[int, str | None]] = []
    common = [(start, start + chance.randint(50, 400)) for start in chance.sample(range(200, 3000), 2)]
    for service in ("a", "b", "c"):
        every, time = chance.choice((3, 10, 25, 70)), chance.randint(0, 100)
        while time < 3600:
            moments += [(time, service)] * chance.choice((1, 1, 1, 4))
            time += max(0, round(chance.expovariate(1 / every)))
            if chance.random() < 0.02:
                time += chance.randint(40, 500)
            for begin, end in common:
                if begin < time < end and chance.random() < 0.9:
                    time = end
    moments += [(chance.randint(0, 3600), None) for _ in range(5)]
    moments.sort(key=lambda moment: moment[0])
    return [Event(time, service, number) for number, (time, service) in enumerate(moments)]


def frame_of(events: list[Event]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row": pl.Series([event.number for event in events], dtype=pl.UInt32),
            "source_id": pl.Series([0] * len(events), dtype=pl.UInt16),
            "line": pl.Series([event.number + 1 for event in events], dtype=pl.UInt32),
            "time": pl.Series([event.time * SECOND for event in events], dtype=pl.Int64).cast(TIME),
            "service": pl.Series([event.service for event in events], dtype=pl.String),
            "message": pl.Series([f"m{event.number}" for event in events], dtype=pl.String),
        }
    )


def expected(events: list[Event], newest: int) -> set[tuple[str, int, int]]:
    """(service, last heard, told at) as the manual says, in plain Python."""
    heard: dict[str, dict[int, int]] = {}
    for event in events:
        if event.service is not None:
            last = heard.setdefault(event.service, {})
            last[event.time // BEAT] = max(event.time, last.get(event.time // BEAT, 0))
    found = set()
    for service, beats in heard.items():
        times = [time for _, time in sorted(beats.items())]
        for place, time in enumerate(times):
            past = [one for one in times[: place + 1] if one >= time - HISTORY]
            if len(past) < LEAST:
                continue
            gaps = sorted(after - before for before, after in pairwise(past))
            usual = next(gap for gap in gaps if sum(one for one in gaps if one <= gap) >= 0.75 * (time - past[0]))
            length = max(AFTER, TIMES * usual)
            end = ((time + length) // BEAT + 1) * BEAT
            if time - past[0] < 2 * length or end > newest or any(time < one < end for one in times):
                continue
            half = ((time + length // 2) // BEAT + 1) * BEAT
            if any(half <= one < end for name, others in heard.items() if name != service for one in others.values()):
                found.add((service, time, end))
    return found


def named(detections: list[Detection]) -> set[tuple[str, int, int]]:
    return {
        (detection.keys["service"][0], detection.start // SECOND, (detection.time + 1) // SECOND)
        for detection in detections
    }


def rule() -> Rule:
    loaded = load_text(RULE, compile_filter)
    assert not loaded.errors
    return loaded.rules[0]


class Told:
    """What a watch has told, net of retractions."""

    def __init__(self) -> None:
        self.by_id: dict[str, Detection] = {}

    def take(self, result: StepResult) -> None:
        for detection in result.retracted:
            assert self.by_id.pop(detection.id).state == "matched"
        for detection in result.raised:
            assert detection.id not in self.by_id, "told twice"
            self.by_id[detection.id] = detection


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40))
def test_any_cuts_and_any_arrival_tell_what_the_manual_says(seed: int, lateness: int) -> None:
    chance = random.Random(seed)
    events = streams(chance)
    frame = frame_of(events)
    begin, newest = events[0].time * SECOND, events[-1].time * SECOND
    whole = SilenceDetector(rule())
    once = whole.step(whole.hits(frame), watermark=newest, begin=begin, final=True)
    assert named(list(once.raised)) == expected(events, events[-1].time)
    order = sorted(range(len(events)), key=lambda place: events[place].time + chance.randint(0, lateness))
    detector, told = SilenceDetector(rule()), Told()
    watermark, place = -1, 0
    while place < len(order):
        batch = frame[order[place : place + chance.choice((1, 5, 60))]]
        place += batch.height
        # Sometimes less lateness is allowed for than there is: the late ones correct what was told.
        allowed = chance.choice((lateness + 1, 0)) * SECOND
        watermark = max(watermark, max(batch["time"].to_physical()) - allowed)
        told.take(detector.step(detector.hits(batch), watermark=watermark, begin=begin))
        if chance.random() < 0.05:
            detector = SilenceDetector(rule(), State.restore(detector.state.frames()))
    told.take(detector.step(None, watermark=newest, begin=begin, final=True))
    assert told.by_id == {detection.id: detection for detection in once.raised}
    assert {one.id: one for one in detector.pending()} == {one.id: one for one in whole.pending()}


def test_the_streams_have_silences_of_every_kind() -> None:
    found = [len(expected(events, events[-1].time)) for events in map(streams, map(random.Random, range(20)))]
    assert sum(found) > 20
    assert min(found) < max(found)


def test_one_who_comes_late_shows_that_others_wrote_on() -> None:
    ticks = [Event(time, "a", time) for time in range(0, 300, 5)]
    late, last = Event(345, "b", 1000), Event(600, "b", 1001)
    detector = SilenceDetector(rule())
    hits = detector.hits(frame_of([*ticks, last]))
    assert not detector.step(hits, watermark=500 * SECOND, begin=0).raised
    found = detector.step(detector.hits(frame_of([late])), watermark=501 * SECOND, begin=0).raised
    assert named(list(found)) == {("a", 295, 356)}
