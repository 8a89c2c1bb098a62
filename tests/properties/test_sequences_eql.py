"""Equality with another engine: the `eql` package, on 500 random streams without absence.

It is a development dependency only. Orders within a stream are distinct (one record per second), since it
knows no order among equal times but arrival. The streams of one rule share no key, so they run
through both engines side by side.
"""

from __future__ import annotations

import random

import eql
import polars as pl

from logscope.rules.detector import Detector
from logscope.rules.model.rule import Sequence, Step, Until
from tests.unit.rules.streams import Contains, Event, frame_of, rule_of

STREAMS_PER_RULE = 20
RULES = 25
SECOND = 1_000_000


def random_rule(chance: random.Random) -> tuple[Sequence, str]:
    count = chance.choice((2, 2, 3, 3, 4))
    letters = [chance.choice("abc") for _ in range(count)]
    maxspan = chance.choice((None, 2, 5, 9))
    until = chance.random() < 0.5
    steps = tuple(Step(f"n{place}", letter, Contains(letter)) for place, letter in enumerate(letters))
    sequence = Sequence(
        ("key",), steps, None if maxspan is None else maxspan * SECOND, Until("u", Contains("u")) if until else None
    )
    text = "sequence by key" + ("" if maxspan is None else f" with maxspan={maxspan}s")
    text += "".join(f" [any where {letter} == 1]" for letter in letters)
    return sequence, text + (" until [any where u == 1]" if until else "")


def random_events(chance: random.Random, stream: int) -> list[Event]:
    density = chance.choice((0.2, 0.4, 0.7))
    moment, events = 0, []
    for number in range(1, 41):
        moment += chance.choice((1, 1, 2))
        text = "".join(letter for letter in "abc" if chance.random() < density) + "u" * (chance.random() < 0.1)
        events.append(Event(moment * SECOND, 0, number * 100 + stream, text, f"{stream}{chance.choice('xyz')}"))
    return events


def by_eql(text: str, events: list[Event]) -> list[tuple[int, ...]]:
    engine = eql.PythonEngine()
    found: list[tuple[int, ...]] = []
    engine.add_query(eql.parse_query(text))
    engine.add_output_hook(lambda output: found.append(tuple(event.data["line"] for event in output.events)))
    engine.stream_events(
        eql.Event(
            "any",
            event.time // SECOND * 10_000_000,
            {"key": event.key, "line": event.line, **{letter: int(letter in event.text) for letter in "abcu"}},
        )
        for event in events
    )
    return sorted(found)


def by_us(sequence: Sequence, events: list[Event], chance: random.Random) -> list[tuple[int, ...]]:
    detector = Detector(rule_of(sequence))
    place, found = 0, []
    while place < len(events):
        batch = events[place : place + chance.randint(1, 400)]
        place += len(batch)
        last = place == len(events)
        result = detector.step(detector.hits(frame_of(batch)), watermark=batch[-1].time, begin=0, final=last)
        assert not result.retracted
        found += result.raised
    return sorted(tuple(step.row for step in one.steps.values()) for one in found)


def test_equal_to_eql_on_random_streams() -> None:
    chance = random.Random(20261101)
    streams = matches = 0
    for _ in range(RULES):
        sequence, text = random_rule(chance)
        several = [random_events(chance, stream) for stream in range(STREAMS_PER_RULE)]
        events = sorted((event for events in several for event in events), key=lambda event: event.order)
        wanted = by_eql(text, events)
        assert by_us(sequence, events, chance) == wanted, text
        streams += len(several)
        matches += len(wanted)
    assert streams == 500
    assert matches > 1000
    print(f"{streams} streams, {matches} matches")


def test_no_key_takes_no_part() -> None:
    sequence, _ = random_rule(random.Random(1))
    frame = frame_of([Event(second * SECOND, 0, second, "abc", None) for second in range(1, 9)])
    detector = Detector(rule_of(sequence))
    result = detector.step(detector.hits(frame), watermark=10 * SECOND, begin=0)
    assert not result.raised
    assert detector.state.keyless == frame.height
    assert isinstance(detector.hits(frame), pl.DataFrame)
