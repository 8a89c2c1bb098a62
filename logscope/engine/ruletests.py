"""Lines of the tests that rules carry, as records linked by the rule's own keys."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from typing import Literal

import polars as pl

from logscope.correlation.extract import columns_needed, extract
from logscope.correlation.keys import Key, normalise
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Plan
from logscope.engine.frames import Frames
from logscope.engine.ingest import Ingest
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.records import schema
from logscope.records.model import SourceRef
from logscope.records.store import Binding, Store, StoreView
from logscope.rules.model import Rule
from logscope.rules.tests import TestResult, run_tests

_BUDGET = 16 << 20


def run_rule_tests(rule: Rule) -> tuple[TestResult, ...]:
    """Run all tests of a rule, in one batch and cut at every record."""
    return run_tests(rule, _prepare)


class _Lines:
    """Lines of a test as a source."""

    name = "test"
    kind: Literal["file", "stream", "messages"] = "file"
    follow = False

    def __init__(self, lines: Sequence[str]) -> None:
        self._data = "".join(f"{line}\n" for line in lines).encode()
        self.mtime_us = clock.time_ns() // 1000

    def pread(self, size: int, offset: int) -> bytes:
        return self._data[offset : offset + size]

    def size(self) -> int:
        return len(self._data)

    def finished(self) -> bool:
        return True

    def poll(self) -> bool:
        return False

    def notices(self) -> list[str]:
        return []


class _Prepared:
    """Records of a test (see `rules.tests.PreparedRecords`)."""

    def __init__(self, frame: pl.DataFrame, values: pl.DataFrame, plan: Plan) -> None:
        self.frame = frame
        self._values = values
        self._plan = plan
        self._linker = Linker(plan)

    def members(self, count: int) -> pl.DataFrame:
        rows = self.frame.head(count)
        values = self._values.filter(pl.col(schema.ROW).is_in(rows.get_column(schema.ROW).implode()))
        self._linker = Linker(self._plan)
        self._linker.add(values, rows.select(schema.ROW, "time", "source_id", "line"))
        return self._linker.members().select(schema.ROW, "transaction")

    def identity(self, number: int) -> str:
        return self._linker.identity(number)


def _prepare(lines: Sequence[str], rule: Rule, columns: frozenset[str]) -> _Prepared:
    source = _Lines(lines)
    store = Store()
    frames = Frames(_BUDGET)

    def bind(sample: list[str]) -> Binding:
        assignment = load_formats().detect(sample, name=source.name)
        parser = make_parser(assignment, zone="UTC", reference_us=source.mtime_us, source_name=source.name)
        return Binding(SourceRef(0, source.name, "file"), source, parser, tuple(parser.formats))

    Ingest(source, store, bind).finish()
    view = store.view
    rows = store.ordered(view)
    plan = _plan(rule, frames, rows, view)
    wanted = {*columns, *columns_needed(plan), *schema.INDEX_COLUMNS} - {
        name for name in columns if name.startswith(schema.KEY_PREFIX)
    }
    frame = frames.rows(rows, view, sorted(wanted))
    return _Prepared(frame, extract(frame, plan), plan)


def _plan(rule: Rule, frames: Frames, rows: pl.Series, view: StoreView) -> Plan:
    """The rule's keys, each under the names that the records have for it."""
    names = frames.pairs(rows, view).get_column("name").unique().sort().to_list() if len(rows) else []
    sequence = rule.sequence
    keys = [
        Key(key, fields=tuple(name for name in names if normalise(name) == normalise(key)), origin="config")
        for key in (sequence.keys if sequence is not None else ())
    ]
    plan = Plan(tuple(keys))
    grain = sequence.grain if sequence is not None else None
    return plan if grain is None else plan.with_grain(grain, why=f"rule {rule.name}")
