"""Streams of records, rules over them, and the machine of the manual event by event.

The oracle is written from the prose of docs/rules.md, in plain Python over one list of events; it
shares nothing with the implementation but the names.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import polars as pl
from hypothesis import strategies as st

from logscope.records.schema import TIME
from logscope.rules.emit import Emit, StepField
from logscope.rules.model.rule import Rule, Sequence, Step, Until

LETTERS = "abcdef"
FOREVER = 10**9


class Contains:
    """A filter that finds its text in the message."""

    def __init__(self, text: str) -> None:
        self.text = text.strip().strip('"')
        self.columns = frozenset(["message"])

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        return frame["message"].str.contains(self.text, literal=True).fill_null(False)


@dataclass(frozen=True)
class Event:
    time: int
    source: int
    line: int
    text: str
    key: str | None

    @property
    def row(self) -> int:
        return self.source * 1000 + self.line

    @property
    def order(self) -> tuple[int, int, int]:
        return (self.time, self.source, self.line)


def frame_of(events: list[Event]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row": pl.Series([event.row for event in events], dtype=pl.UInt32),
            "source_id": pl.Series([event.source for event in events], dtype=pl.UInt16),
            "line": pl.Series([event.line for event in events], dtype=pl.UInt32),
            "time": pl.Series([event.time for event in events], dtype=pl.Int64).cast(TIME),
            "message": pl.Series([event.text for event in events], dtype=pl.String),
            "fields.key": pl.Series([event.key for event in events], dtype=pl.String),
        }
    )


def rule_of(sequence: Sequence) -> Rule:
    fields = {f"row_{step.name}": StepField(step.name, "line") for step in sequence.positive}
    return Rule(
        name="under_test", title="Under test", level="low", kind="sequence", sequence=sequence, emit=Emit(fields=fields)
    )


@st.composite
def sequences(draw: st.DrawFn, *, absences: bool = True, by: tuple[str, ...] = ("key",)) -> Sequence:
    count = draw(st.sampled_from((3, 2, 1, 4)))
    maxspan = draw(st.none() | st.integers(0, 8))
    absent = [absences and draw(st.booleans()) for _ in range(count)]
    if all(absent):
        absent[draw(st.integers(0, count - 1))] = False
    first, last = absent.index(False), count - 1 - absent[::-1].index(False)
    steps = []
    for place in range(count):
        within = pause = None
        if absent[place] and not first < place < last:
            within = draw(st.integers(0, 5)) if maxspan is None else draw(st.none() | st.integers(0, 5))
        if not absent[place] and place > first:
            pause = draw(st.none() | st.integers(0, 4))
        letter = draw(st.sampled_from("abcd"))
        steps.append(Step(f"n{place}", letter, Contains(letter), absent[place], within, pause))
    until = Until("u", Contains("u")) if draw(st.booleans()) else None
    return Sequence(by, tuple(steps), maxspan, until)


@st.composite
def streams(draw: st.DrawFn, *, longest: int = 22) -> list[Event]:
    count = draw(st.sampled_from((0, 4, longest // 2, longest, longest)))
    chance = random.Random(draw(st.integers(0, 2**32)))
    width = chance.choice((4, 12, 30))
    keys = [*(f"k{number}" for number in range(max(1, count // 12))), *chance.choice(([], [None]))]
    density = chance.choice((0.15, 0.25, 0.4))
    lines = chance.sample(range(1, 900), count)
    return [
        Event(
            time=chance.randrange(width),
            source=chance.randrange(2),
            line=line,
            text="".join(letter for letter in "abcd" if chance.random() < density) + "u" * (chance.random() < 0.08),
            key=chance.choice(keys),
        )
        for line in lines
    ]


@dataclass
class _Match:
    events: list[Event]
    over: bool = False


@dataclass
class Oracle:
    """All matches of one key's events: (events, state)."""

    sequence: Sequence
    events: list[Event]
    waiting: dict[int, _Match] = field(default_factory=dict)
    complete: list[_Match] = field(default_factory=list)

    def run(self) -> list[_Match]:
        self.events = sorted(self.events, key=lambda event: event.order)
        positive = self.sequence.positive
        for event in self.events:
            if self.sequence.until is not None and "u" in event.text:
                self.waiting.clear()
                for match in self.complete:
                    if event.time <= self.due(match):
                        match.over = True
            for stage in range(len(positive) - 1, 0, -1):
                if positive[stage].where in event.text and stage - 1 in self.waiting:
                    self.advance(self.waiting.pop(stage - 1), event, stage)
            if positive[0].where in event.text:
                self.place(_Match([event]), 0)
        return [match for match in self.complete if not self.ended(match) and self.absent(match)]

    def advance(self, match: _Match, event: Event, stage: int) -> None:
        pause = self.sequence.positive[stage].maxpause_us
        if self.sequence.maxspan_us is not None and event.time - match.events[0].time > self.sequence.maxspan_us:
            return
        if pause is not None and event.time - match.events[-1].time > pause:
            return
        self.place(_Match([*match.events, event]), stage)

    def place(self, match: _Match, stage: int) -> None:
        if stage == len(self.sequence.positive) - 1:
            self.complete.append(match)
        else:
            self.waiting[stage] = match

    def ended(self, match: _Match) -> bool:
        return match.over and self.sequence.steps[-1].absent

    def windows(self, match: _Match) -> list[tuple[str, int, int, list[Event]]]:
        """(letter, from, to, boundary events) of each absence."""
        found, seen = [], 0
        for step in self.sequence.steps:
            if not step.absent:
                seen += 1
            elif seen == 0:
                first = match.events[0]
                begin = (
                    first.time - step.within_us
                    if step.within_us is not None
                    else (match.events[-1].time - self.sequence.maxspan_us)
                )
                found.append((step.where, begin, first.time, [first]))
            elif seen == len(self.sequence.positive):
                last = match.events[-1]
                end = (
                    last.time + step.within_us
                    if step.within_us is not None
                    else (match.events[0].time + self.sequence.maxspan_us)
                )
                found.append((step.where, last.time, end, [last]))
            else:
                before, after = match.events[seen - 1], match.events[seen]
                found.append((step.where, before.time, after.time, [before, after]))
        return found

    def due(self, match: _Match) -> int:
        ends = [match.events[-1].time]
        if self.sequence.steps[-1].absent:
            ends += [end for _, begin, end, own in self.windows(match) if own == [match.events[-1]]]
        return max(ends)

    def lead(self, match: _Match) -> int:
        return min(
            [match.events[0].time, *(begin for _, begin, _, own in self.windows(match) if own == match.events[:1])]
        )

    def absent(self, match: _Match) -> bool:
        return not any(
            letter in event.text and begin <= event.time <= end and event not in own
            for letter, begin, end, own in self.windows(match)
            for event in self.events
        )


def expected(
    sequence: Sequence, events: list[Event], watermark: int, begin: int, groups: dict[str, list[Event]] | None = None
) -> dict[tuple[object, ...], str]:
    """(key, steps' (time, text) ...) of each match to its state, by the oracle."""
    if groups is None:
        groups = {}
        for event in events:
            if event.key is not None:
                groups.setdefault(event.key, []).append(event)
    trailing = sequence.steps[-1].absent
    leading = sequence.steps[0].absent
    found: dict[tuple[object, ...], str] = {}
    for key, members in groups.items():
        oracle = Oracle(sequence, members)
        for match in oracle.run():
            waits = (trailing and oracle.due(match) >= watermark) or (leading and oracle.lead(match) < begin)
            name = (key, *((event.time, event.text) for event in match.events))
            # Of matches that look alike one is told, and it is decided if one of them is.
            if found.get(name) != "matched":
                found[name] = "pending" if waits else "matched"
    return found
