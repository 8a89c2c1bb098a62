"""Runs the tests that rules carry: in one batch, and cut at every record.

How lines become records and transactions is the engine's; it gives `Prepare`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from logscope.rules.detector import Detector
from logscope.rules.model import Detection, Expectation, Rule

BATCH, CUT = "in one batch", "cut at every record"


class PreparedRecords(Protocol):
    """A test's lines as records, with the transactions they stand in."""

    @property
    def frame(self) -> pl.DataFrame:
        """Record frame with the columns asked for, one row per record, in the order of the lines."""

    def members(self, count: int) -> pl.DataFrame:
        """Membership (`row`, `transaction`) as linked from the first `count` records of the frame."""

    def identity(self, number: int) -> str:
        """A transaction's id."""


Prepare = Callable[[Sequence[str], Rule, frozenset[str]], PreparedRecords]
"""(lines, rule, columns asked for) to records; the rule's `keys` and `grain` say how to link."""


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


def run_tests(rule: Rule, prepare: Prepare) -> tuple[TestResult, ...]:
    """Run all tests of a rule.

    Args:
        rule: One with a sequence; of a rule over transactions nothing is run.
        prepare: Makes records of lines.
    """
    if rule.sequence is None:
        return ()
    return tuple(_run(rule, test, prepare) for test in rule.tests)


def _run(rule: Rule, test: Expectation, prepare: Prepare) -> TestResult:
    records = prepare(test.records, rule, Detector(rule).columns)
    if records.frame.height == 0 and test.records:
        return TestResult(rule.name, test.name, rule.path, test.line, (), "its lines gave no record")
    runs = ((BATCH, [records.frame.height]), (CUT, list(range(1, records.frame.height + 1))))
    found = [
        difference
        for name, cuts in runs
        if (difference := _compare(name, test.expect, _detections(rule, test, records, cuts))) is not None
    ]
    return TestResult(rule.name, test.name, rule.path, test.line, tuple(found))


def _detections(rule: Rule, test: Expectation, records: PreparedRecords, cuts: list[int]) -> list[Detection]:
    """What is told in the end, net of retractions, when the records come in batches that end at `cuts`."""
    detector = Detector(rule)
    frame = records.frame
    told: dict[str, Detection] = {}
    members = pl.DataFrame(schema={"row": pl.UInt32, "transaction": pl.UInt32})
    start = 0
    for stop in cuts or [0]:
        arrived = frame.head(stop).get_column("time").drop_nulls().to_physical()
        known, members = members, records.members(stop)
        final = stop == frame.height
        result = detector.step(
            detector.hits(frame.slice(start, stop - start)),
            watermark=_bound(arrived.max()),
            begin=_bound(arrived.min()),
            final=final,
            decide=final and test.decide,
            membership=_lookup(members),
            changed=_changed(known, members),
            identity=records.identity,
        )
        start = stop
        for gone in result.retracted:
            del told[gone.id]
        told.update((one.id, one) for one in result.raised)
    return list(told.values())


def _lookup(members: pl.DataFrame) -> Callable[[pl.Series], pl.DataFrame]:
    return lambda rows: members.join(rows.to_frame("row"), on="row", how="semi")


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """Rows that stood in other transactions before, or whose transaction has other members now.

    With other members a transaction may have another id, so all of its rows count as changed.
    """
    both = ["row", "transaction"]
    differing = pl.concat([before.join(after, on=both, how="anti"), after.join(before, on=both, how="anti")])
    touched = differing.select("transaction").unique()
    rows = pl.concat([frame.join(touched, on="transaction", how="semi")["row"] for frame in (before, after)])
    return rows.unique()


def _bound(value: object) -> int:
    return value if isinstance(value, int) else 0


def _compare(run: str, expected: Sequence[Mapping[str, Any]], found: list[Detection]) -> Difference | None:
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
