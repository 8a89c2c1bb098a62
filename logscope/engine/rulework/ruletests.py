"""The tests that rules carry: their lines as records of a store, linked by the rule's own keys."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import polars as pl

from logscope.correlation.keys import Key, normalise
from logscope.correlation.plan import Plan
from logscope.engine.answers import Detection
from logscope.engine.api import Cancel
from logscope.engine.detection.detecting import Detecting
from logscope.engine.linking.correlating import Correlating
from logscope.engine.loading.ingest import Ingest
from logscope.engine.options import Options
from logscope.engine.viewing.frames import Frames
from logscope.errors import SourceError
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.records.model import SourceRef
from logscope.records.store import Binding, Store
from logscope.rules.model import Expectation, Rule
from logscope.rules.tests import TestResult, run_tests

_BUDGET = 16 << 20


def run_rule_tests(rule: Rule, others: Sequence[Rule] = ()) -> tuple[TestResult, ...]:
    """Run all tests of a rule, in one batch and cut at every record.

    Args:
        rule: With tests.
        others: Rules among which are those that it uses.
    """
    # A rule that is told only through others is tested by itself all the same.
    together = _with_used(replace(rule, quiet=False), others)

    def run(test: Expectation, cut: bool) -> list[Detection] | None:
        return _World(together, test.records).told(rule, cut=cut, decide=test.decide)

    return run_tests(rule, run)


def _with_used(rule: Rule, others: Sequence[Rule]) -> tuple[Rule, ...]:
    by_name = {other.name: other for other in others if other.name != rule.name}
    found = {rule.name: rule}
    waiting = [rule]
    while waiting:
        for name in waiting.pop().uses:
            if name in by_name and name not in found:
                found[name] = by_name[name]
                waiting.append(by_name[name])
    return tuple(found.values())


class _Lines:
    """Lines of a test as a source that grows as the test wants it."""

    name = "test"
    kind: Literal["file", "stream", "messages"] = "file"
    follow = False
    identity = None

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = [f"{line}\n".encode() for line in lines]
        self.shown = len(lines)
        self.mtime_us = clock.time_ns() // 1000

    @property
    def data(self) -> bytes:
        return b"".join(self.lines[: self.shown])

    def pread(self, size: int, offset: int) -> bytes:
        return self.data[offset : offset + size]

    def size(self) -> int:
        return len(self.data)

    def finished(self) -> bool:
        return self.shown == len(self.lines)

    def poll(self) -> bool:
        return False

    def notices(self) -> list[str]:
        return []

    def failures(self) -> list[SourceError]:
        return []


class _World:
    """A test's records with everything that rules need of them."""

    def __init__(self, rules: tuple[Rule, ...], lines: Sequence[str]) -> None:
        self._rules = rules
        self._source = _Lines(lines)
        self._sample = [line.rstrip("\n") for line in lines]
        self._options = Options(lateness=0)

    def told(self, rule: Rule, *, cut: bool, decide: bool) -> list[Detection] | None:
        """What the rule has told in the end, net of retractions; None: the lines gave no record."""
        store, frames = Store(), Frames(_BUDGET)
        ingest = Ingest(self._source, store, self._bind)
        correlating = Correlating(store, frames, self._options)
        correlating.prepare(cancel=Cancel(), plan=self._plan(rule))
        detecting = Detecting(store, frames, correlating, self._options, lambda _: _Lines.name, self._rules)
        count = len(self._source.lines)
        for shown in range(1, count) if cut else ():
            self._source.shown = shown
            while ingest.step():
                pass
            detecting.update(correlating.update(cancel=Cancel()), cancel=Cancel(), final=False, now=0)
        self._source.shown = count
        ingest.finish()
        detecting.update(correlating.update(cancel=Cancel()), cancel=Cancel(), final=True, decide=decide, now=0)
        if count and not store.view.records:
            return None
        return [detection for detection in detecting.told.values() if detection.rule == rule.name]

    def _bind(self, _sample: list[str]) -> Binding:
        # All lines say what the format is: a cut must not choose another.
        assignment = load_formats().detect(self._sample, name=self._source.name)
        source = self._source
        parser = make_parser(assignment, zone="UTC", reference_us=source.mtime_us, source_name=source.name)
        return Binding(SourceRef(0, source.name, "file"), source, parser, tuple(parser.formats))

    def _plan(self, rule: Rule) -> Plan:
        """The rule's keys, each under the names that the records have for it."""
        store = Store()
        Ingest(self._source, store, self._bind).finish()
        rows = store.ordered(store.view)
        pairs = Frames(_BUDGET).pairs(rows, store.view) if len(rows) else pl.DataFrame({"name": []})
        names = pairs.get_column("name").unique().sort().to_list()
        part = rule.transaction or rule.sequence
        wanted, grain = (part.keys, part.grain) if part is not None else ((), None)
        keys = [
            Key(key, fields=tuple(name for name in names if normalise(name) == normalise(key)), origin="config")
            for key in wanted
        ]
        plan = Plan(tuple(keys))
        return plan if grain is None else plan.with_grain(grain, why=f"rule {rule.name}")
