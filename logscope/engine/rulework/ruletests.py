"""The tests that rules carry: their lines as records of a store, linked by the rule's own keys."""

from __future__ import annotations

import time as clock
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
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
from logscope.formats.detect import detect
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.records import schema
from logscope.records.model import SourceRef
from logscope.records.pieces import Binding, Segment, StoreView
from logscope.records.store import Store
from logscope.rules.model.rule import Expectation, Rule
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

    worlds: dict[int, _World] = {}

    def run(test: Expectation, cut: bool) -> list[Detection] | None:
        if id(test) not in worlds:
            worlds[id(test)] = _World(rule, together, test.records)
        return worlds[id(test)].told(cut=cut, decide=test.decide)

    return run_tests(rule, run)


def names_in_tests(rule: Rule) -> frozenset[str]:
    """The fields that the records of a rule's tests have."""
    names: frozenset[str] = frozenset()
    for lines in {test.records for test in rule.tests}:
        names |= _World(rule, (rule,), lines).names
    return names


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


class _Read(Frames):
    """Frames of a store that holds what another one has read: its columns are taken from there.

    Args:
        whole: The records, read in one batch.
        frames: Their columns.
    """

    def __init__(self, whole: StoreView, frames: Frames) -> None:
        """Nothing is read twice."""
        super().__init__(_BUDGET)
        self._whole = list(whole.segments())
        self._view = whole
        self._frames = frames

    def segment(self, segment: Segment, view: StoreView, names: Collection[str], *, keep: bool = True) -> pl.DataFrame:
        """See `Frames`: the rows have the same numbers."""
        (whole,) = self._whole
        rows = segment.rows()
        return self._frames.segment(whole, self._view, names, keep=keep)[rows[0] : rows[-1] + 1]


class _World:
    """A test's records, read once, with everything that rules need of them."""

    def __init__(self, rule: Rule, rules: tuple[Rule, ...], lines: Sequence[str]) -> None:
        self._rule = rule
        self._rules = rules
        self._source = _Lines(lines)
        self._sample = [line.rstrip("\n") for line in lines]
        self._options = Options(lateness=0)
        store = Store()
        Ingest(self._source, store, self._bind).finish()
        self._view = store.view
        self._frames = Frames(_BUDGET)
        self._keys = self._plan()

    def told(self, *, cut: bool, decide: bool) -> list[Detection] | None:
        """What the rule has told in the end, net of retractions; None: the lines gave no record."""
        if self._sample and not self._view.records:
            return None
        store, frames = Store(), _Read(self._view, self._frames)
        correlating = Correlating(store, frames, self._options)
        correlating.prepare(cancel=Cancel(), plan=self._keys)
        detecting = Detecting(store, frames, correlating, self._options, lambda _: _Lines.name, self._rules)
        pieces = self._pieces(single=cut)
        for number, (base, end, index) in enumerate(pieces, start=1):
            store.append(self._view.pieces[0].binding, base, end, index)
            if number < len(pieces):
                detecting.update(correlating.update(cancel=Cancel()), cancel=Cancel(), final=False, now=0)
        detecting.update(correlating.update(cancel=Cancel()), cancel=Cancel(), final=True, decide=decide, now=0)
        return [detection for detection in detecting.told.values() if detection.rule == self._rule.name]

    def _pieces(self, *, single: bool) -> list[tuple[int, int, pl.DataFrame]]:
        """Base, end and index of the records: of each by itself, or of all together."""
        if not self._view.records:
            return []
        (segment,) = self._view.segments()
        index, offsets = segment.index(self._view), segment.offsets(self._view)
        base = segment.pieces[0].base
        begins = [*range(index.height), index.height] if single else [0, index.height]
        return [
            (
                base + int(offsets[first]),
                base + int(offsets[stop]),
                index[first:stop].with_columns(
                    pl.Series("offset", offsets[first:stop] - offsets[first], dtype=pl.UInt32)
                ),
            )
            for first, stop in pairwise(begins)
        ]

    def _bind(self, _sample: list[str]) -> Binding:
        # All lines say what the format is: a cut must not choose another.
        assignment = detect(load_formats(), self._sample, name=self._source.name)
        source = self._source
        parser = make_parser(assignment, zone="UTC", reference_us=source.mtime_us, source_name=source.name)
        return Binding(SourceRef(0, source.name, "file"), source, parser, tuple(parser.formats))

    @property
    def names(self) -> frozenset[str]:
        """The fields that its records have."""
        rows = pl.int_range(0, self._view.records, dtype=pl.UInt32, eager=True).alias(schema.ROW)
        pairs = self._frames.pairs(rows, self._view) if len(rows) else None
        return frozenset() if pairs is None else frozenset(pairs.get_column("name").to_list())

    def _plan(self) -> Plan:
        """The rule's keys, each under the names that the records have for it."""
        part = self._rule.transaction or self._rule.sequence
        wanted, grain = (part.keys, part.grain) if part is not None else ((), None)
        names = sorted(self.names) if wanted else []
        keys = [
            Key(key, fields=tuple(name for name in names if normalise(name) == normalise(key)), origin="config")
            for key in wanted
        ]
        plan = Plan(tuple(keys))
        return plan if grain is None else plan.with_grain(grain, why=f"rule {self._rule.name}")
