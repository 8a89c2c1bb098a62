"""Runs the tests that rules carry: in one batch, and cut at every record.

How lines become records and transactions is the engine's; it gives `Run`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from logscope.rules.model.rule import Expectation, Rule

BATCH, CUT = "in one batch", "cut at every record"


class Detection(Protocol):
    """What of a detection a test looks at."""

    @property
    def output(self) -> Mapping[str, Any]:
        """Output fields."""


Run = Callable[[Expectation, bool], Sequence[Detection] | None]
"""(test, whether to cut at every record) to what is told in the end, net of retractions; None: no record."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a test wanted and did not get, or got and did not want."""

    run: str
    """`in one batch` or `cut at every record`."""
    missing: tuple[dict[str, Any], ...]
    unexpected: tuple[dict[str, Any], ...]
    """Output of each detection that nothing expects."""

    def __str__(self) -> str:
        """In words, one line."""
        parts = [f"missing {one}" for one in self.missing] + [f"unexpected {one}" for one in self.unexpected]
        return f"{self.run}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test went."""

    # Not one of pytest's classes, whatever its name.
    __test__ = False

    rule: str
    test: str
    path: str | None
    line: int | None
    differences: tuple[Difference, ...]
    error: str | None = None
    """The records could not be made."""

    @property
    def passed(self) -> bool:
        """Whether both runs gave what was expected."""
        return not self.differences and self.error is None


def run_tests(rule: Rule, run: Run) -> tuple[TestResult, ...]:
    """Run all tests of a rule.

    Args:
        rule: With tests.
        run: Makes records of a test's lines and runs the rule over them.
    """
    return tuple(_tested(rule, test, run) for test in rule.tests)


def _tested(rule: Rule, test: Expectation, run: Run) -> TestResult:
    differences = []
    for name, cut in ((BATCH, False), (CUT, True)):
        found = run(test, cut)
        if found is None:
            return TestResult(rule.name, test.name, rule.path, test.line, (), "its lines gave no record")
        if (difference := _compare(name, test.expect, found)) is not None:
            differences.append(difference)
    return TestResult(rule.name, test.name, rule.path, test.line, tuple(differences))


def _compare(run: str, expected: Sequence[Mapping[str, Any]], found: Sequence[Detection]) -> Difference | None:
    """Each expectation takes one detection that has its fields; None if nothing is left on either side."""
    outputs = [dict(one.output) for one in found]
    # An expectation of many fields fits fewer detections: it chooses first.
    order = sorted(range(len(expected)), key=lambda place: -len(expected[place]))
    left, missing = list(outputs), []
    for place in order:
        fitting = next((output for output in left if _fits(expected[place], output)), None)
        if fitting is None:
            missing.append(dict(expected[place]))
        else:
            left.remove(fitting)
    return Difference(run, tuple(missing), tuple(left)) if missing or left else None


def _fits(expected: Mapping[str, Any], output: Mapping[str, Any]) -> bool:
    return all(name in output and _same(value, output[name]) for name, value in expected.items())


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return str(expected).lower() == str(found).lower()
    if isinstance(expected, (int, float)) and isinstance(found, str):
        # `amount: 5` in a test, amount=5 in free text: what a number is, the format decides.
        try:
            return float(found) == expected
        except ValueError:
            return False
    if isinstance(expected, str) and isinstance(found, (int, float)):
        return expected == str(found)
    return bool(expected == found)
