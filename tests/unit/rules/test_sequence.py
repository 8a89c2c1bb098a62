"""The rules of the manual one by one: windows at equal times, replacement, consumption, `until`."""

from __future__ import annotations

import pytest

from logscope.rules.detector import Detector
from logscope.rules.model.rule import Sequence, Step, Until
from tests.unit.rules.streams import Contains, Event, frame_of, rule_of


def step(name: str, *, absent: bool = False, within: int | None = None, maxpause: int | None = None) -> Step:
    return Step(name, name, Contains(name), absent, within, maxpause)


def run(
    steps: tuple[Step, ...],
    script: str,
    *,
    maxspan: int | None = None,
    until: bool = False,
    watermark: int = 100,
    begin: int = -100,
) -> list[str]:
    """Matches as `a1 b3`; the script is `LETTERS@TIME ...`, in order of line."""
    events = [
        Event(int(time), 0, line, letters, "k")
        for line, (letters, time) in enumerate((word.split("@") for word in script.split()), start=1)
    ]
    sequence = Sequence(("key",), steps, maxspan, Until("u", Contains("u")) if until else None)
    detector = Detector(rule_of(sequence))
    result = detector.step(detector.hits(frame_of(events)), watermark=watermark, begin=begin, final=True)
    found = [*result.raised, *detector.pending()]
    return sorted(
        " ".join(f"{name}{record.row}" for name, record in one.steps.items())
        + (f" at {one.time}" if one.time != one.end else "")
        + (" pending" if one.state == "pending" else "")
        for one in found
    )


A, B, C = step("a"), step("b"), step("c")


@pytest.mark.parametrize(
    ("steps", "script", "wanted"),
    [
        ((A, B), "a@1 a@2 b@3", ["a2 b3"]),
        ((A, B), "a@1 b@2 b@3", ["a1 b2"]),
        ((A, B, C), "a@1 b@2 a@3 b@4 c@5", ["a3 b4 c5"]),
        ((A, B, C), "a@1 b@2 a@3 c@4 b@5 c@6", ["a1 b2 c4", "a3 b5 c6"]),
        ((A, B), "ab@1", []),
        ((A, B), "ab@1 ab@2 ab@3", ["a1 b2", "a2 b3"]),
        ((A, B), "b@1 a@1", []),
        ((A, B), "a@1 b@1", ["a1 b2"]),
    ],
    ids=["newest replaces", "consumed", "replaced at its stage", "two at once", "not both", "both roles",
         "order among equal times", "equal times"],
)  # fmt: skip
def test_pairing(steps: tuple[Step, ...], script: str, wanted: list[str]) -> None:
    assert run(steps, script) == wanted


@pytest.mark.parametrize(
    ("steps", "script", "wanted"),
    [
        ((A, B), "a@0 b@5", ["a1 b2"]),
        ((A, B), "a@0 b@6 b@6", []),
        ((A, B, C), "a@0 b@3 c@6", []),
    ],
)
def test_maxspan_is_inclusive_and_consumes(steps: tuple[Step, ...], script: str, wanted: list[str]) -> None:
    assert run(steps, script, maxspan=5) == wanted


def test_maxpause_is_inclusive_and_consumes() -> None:
    steps = (A, step("b", maxpause=2), C)
    assert run(steps, "a@0 b@2 c@9") == ["a1 b2 c3"]
    assert run(steps, "a@0 b@3 b@3 c@9") == []


def test_until_acts_before_advancing_and_starting() -> None:
    assert run((A, B), "a@0 u@1 b@2", until=True) == []
    assert run((A, B), "a@0 ub@1", until=True) == []
    assert run((A, B), "ua@0 b@1", until=True) == ["a1 b2"]
    assert run((A, B), "a@0 b@1 u@2", until=True) == ["a1 b2"]


TRAILING = (A, step("b", absent=True, within=5))


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("a@0", ["a1 at 5"]),
        ("a@0 b@5", []),
        ("a@0 b@6", ["a1 at 5"]),
        ("b@0 a@0", []),
        ("a@0 b@0", []),
        ("ab@0", ["a1 at 5"]),
        ("b@0 a@1", ["a2 at 6"]),
        ("a@0 a@1", ["a1 at 5", "a2 at 6"]),
        ("a@0 u@5", []),
        ("a@0 u@6", ["a1 at 5"]),
        ("u@0 a@0", ["a2 at 5"]),
        ("ua@0", ["a1 at 5"]),
    ],
)
def test_trailing_absence(script: str, wanted: list[str]) -> None:
    assert run(TRAILING, script, until=True) == wanted


def test_trailing_absence_is_decided_when_the_watermark_is_later_than_its_end() -> None:
    assert run(TRAILING, "a@0", watermark=5) == ["a1 at 5 pending"]
    assert run(TRAILING, "a@0", watermark=6) == ["a1 at 5"]


def test_trailing_absence_takes_what_maxspan_leaves() -> None:
    steps = (A, B, step("c", absent=True))
    assert run(steps, "a@0 b@3", maxspan=10) == ["a1 b2 at 10"]
    assert run(steps, "a@0 b@3 c@10", maxspan=10) == []
    assert run(steps, "a@0 b@3 c@11", maxspan=10) == ["a1 b2 at 10"]


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("a@1 c@3", ["a1 c2"]),
        ("a@1 b@2 c@3", []),
        ("b@0 a@1 c@3 b@4", ["a2 c3"]),
        ("b@1 a@1 c@3", []),
        ("a@1 c@3 b@3", []),
        ("ab@1 cb@3", ["a1 c2"]),
        ("a@1 b@2 c@3 c@4", []),
    ],
)
def test_middle_absence(script: str, wanted: list[str]) -> None:
    assert run((A, step("b", absent=True), C), script) == wanted


@pytest.mark.parametrize(
    ("script", "begin", "wanted"),
    [
        ("a@10", 0, ["a1"]),
        ("b@5 a@10", 0, []),
        ("b@4 a@10", 0, ["a2"]),
        ("a@10 b@10", 0, []),
        ("ab@10", 0, ["a1"]),
        ("a@10", 5, ["a1"]),
        ("a@10", 6, ["a1 pending"]),
        ("b@8 a@10", 6, []),
    ],
)
def test_leading_absence(script: str, begin: int, wanted: list[str]) -> None:
    assert run((step("b", absent=True, within=5), A), script, begin=begin) == wanted


def test_each_side_is_looked_at_by_itself() -> None:
    steps = (step("b", absent=True, within=2), A, step("c", absent=True, within=2))
    assert run(steps, "b@1 a@10 c@13") == ["a2 at 12"]
    assert run(steps, "b@8 a@10") == []
    assert run(steps, "a@10 c@12") == []
