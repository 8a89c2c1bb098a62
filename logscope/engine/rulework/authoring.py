"""Rules made in the investigator: drafts of records, filters and sequence lines; their tests; the file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.detection.ruleset import load_rule_text
from logscope.engine.rulework.newfiles import name_of, write_new
from logscope.engine.rulework.previewing import preview
from logscope.engine.rulework.proposing import (
    Example,
    StepSpan,
    bound_of,
    fields_of,
    nice_up,
    spans_of,
    steps_of,
    words_of,
)
from logscope.engine.rulework.wording import capital, message_of, message_of_whole, title_of, told_of, words_of_filter
from logscope.errors import RuleError
from logscope.language.sequence import parse_sequence
from logscope.records import schema
from logscope.records.severity import level_name
from logscope.rules.drafts import Draft, DraftField, DraftStep, DraftTest, rule_text
from logscope.rules.model.rule import TRANSACTION

if TYPE_CHECKING:
    from logscope.engine.answers import Detection, Line
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_COLUMNS = ("service", "host", "pid", "format", "source")
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft with what the data say of it."""

    draft: Draft
    spans: tuple[StepSpan, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know of it."""


class Authoring:
    """Makes rules of what the analyst has marked or typed.

    Args:
        session: With sources read.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is asked yet."""
        self._session = session

    # --- drafts

    def of_records(self, marks: Sequence[tuple[int, bool]], *, cancel: Cancel) -> Proposal:
        """A sequence whose steps are marked records.

        Args:
            marks: (row, whether it is to be absent) each, in any order.
            cancel: Looked at between queries.

        Raises:
            RuleError: No record that happens is among them.
        """
        session = self._session
        session.prepare_transactions(cancel=cancel, asked=True)
        absent = dict(marks)
        lines = session.lines_of(_rows([row for row, _ in marks]))
        ordered = sorted(lines, key=lambda one: (one.time or 0, one.row))
        examples = [self._example(one, absent[one.row]) for one in ordered]
        # What did not happen in one transaction may be marked in another, later or earlier: it comes last.
        if not _together(session, [one.row for one in examples]):
            examples.sort(key=lambda one: one.absent)
        if all(one.absent for one in examples):
            raise RuleError("no record is marked that happens", mend="mark records with . first")
        steps = tuple(self._matching(step, cancel) for step in steps_of(examples))
        notes: list[str] = []
        happening = [one.row for one in examples if not one.absent]
        numbers = _together(session, happening)
        single: frozenset[str] = frozenset()
        if numbers:
            keys = session.transaction(min(numbers)).keys
            single = frozenset(name for name, values in keys.items() if len(values) == 1 and name in self._linking())
        else:
            notes.append("these records share no transaction: the rule would match none of them together")
        words = [words_of(one.message) for one in examples]
        title = title_of(examples, words)
        fields = fields_of(steps, examples, single)
        draft = Draft(
            title=title,
            name=name_of(title),
            level="high" if any(one.absent for one in examples) else "medium",
            steps=steps,
            keys=self._keys_of(examples),
            grain=self._grain(),
            fields=fields,
            message=message_of(title, [one for one in fields if one.chosen], steps),
            id=str(uuid.uuid4()),
        )
        spans, draft = self._bounded(draft, cancel)
        return Proposal(draft, spans, tuple(notes))

    def of_filter(self, text: str, *, whole: bool, cancel: Cancel) -> Proposal:
        """A rule over single records, or whole transactions, that a filter finds.

        Args:
            text: The filter.
            whole: It is over transactions.
            cancel: Looked at between queries.

        Raises:
            FilterError: It does not compile.
        """
        kind = "transaction" if whole else "record"
        title = capital(" ".join(words_of_filter(text))) or f"A {kind}"
        grain = self._grain() if whole else None
        fields: tuple[DraftField, ...]
        if whole:
            names = [*self._linking(), "duration_ms", "errors", "services"]
            fields = tuple(DraftField(name, name, "", chosen=name == self._grain()) for name in names)
        else:
            view = self._session.view(text, cancel=cancel)
            first = self._session.lines(view, 0, 1)
            example = self._example(first[0], absent=False) if first else None
            fields = (
                tuple(
                    DraftField(name, name, value, chosen=name in example.keys) for name, value in example.fields.items()
                )
                if example is not None
                else ()
            )
        keys = self._linking() if whole else ()
        draft = Draft(
            title=title, name=name_of(title), kind=kind, where=text, keys=keys, grain=grain, fields=fields,
            message=message_of_whole(grain, title) if whole else "{message}", id=str(uuid.uuid4()),
        )  # fmt: skip
        return Proposal(draft)

    def of_sequence(self, text: str, *, cancel: Cancel) -> Proposal:
        """The rule that a line `seq by ...: [...] ...` stands for.

        Raises:
            FilterError: With the column where it does not parse.
        """
        syntax = parse_sequence(text)
        for step in syntax.steps:
            self._session.compile(step.filter_text)
        steps = tuple(
            DraftStep(step.name, step.filter_text, step.absent, step.within_us if step.absent else step.maxpause_us)
            for step in syntax.steps
        )
        words = [" ".join(words_of_filter(step.where)) for step in steps]
        title = told_of(words, [step.absent for step in steps])
        examples = [self._first(step, cancel) for step in steps if not step.absent]
        shown = [one for one in examples if one is not None]
        present = [step for step in steps if not step.absent]
        single = frozenset({self._grain()} - {None}) if self._grain() else frozenset()
        fields = fields_of(present, shown, frozenset(map(str, single))) if len(shown) == len(present) else ()
        draft = Draft(
            title=title, name=name_of(title), steps=steps, by=syntax.by or (TRANSACTION,), maxspan=syntax.maxspan_us,
            until=syntax.until or "", keys=self._keys_of(shown) or self._linking(), grain=self._grain(),
            fields=fields, level="high" if any(step.absent for step in steps) else "medium", id=str(uuid.uuid4()),
            message=message_of(title, [one for one in fields if one.chosen], steps),
        )  # fmt: skip
        return Proposal(draft, self.spans(draft, cancel=cancel))

    def spans(self, draft: Draft, *, cancel: Cancel) -> tuple[StepSpan, ...]:
        """How long its steps take in the data.

        Raises:
            FilterError: A step's filter does not compile.
        """
        return self._spans(draft, cancel)[0]

    def _spans(self, draft: Draft, cancel: Cancel) -> tuple[tuple[StepSpan, ...], int]:
        if draft.kind != "sequence" or draft.by != (TRANSACTION,):
            return (), 0
        self._session.prepare_transactions(cancel=cancel, asked=True)
        hits = []
        for step in draft.steps:
            cancel.check()
            hits.append(self._hits(step.where, cancel))
        return spans_of(draft.steps, hits)

    def _bounded(self, draft: Draft, cancel: Cancel) -> tuple[tuple[StepSpan, ...], Draft]:
        """The draft with bounds from how long its steps take."""
        spans, longest = self._spans(draft, cancel)
        known = {span.step: bound_of(span) for span in spans}
        steps = tuple(
            replace(step, bound=known.get(step.name) or (5 * 60 * _SECOND if step.absent else None))
            for step in draft.steps
        )
        reach = nice_up(max(2 * longest, *(step.bound or 0 for step in steps), 60 * _SECOND))
        return spans, replace(draft, steps=steps, maxspan=reach)

    def _hits(self, where: str, cancel: Cancel) -> pl.DataFrame:
        """`transaction`, `time` (microseconds) of the records that a filter finds."""
        session = self._session
        rows = session.view(where, cancel=cancel).rows
        times = session.store.view.index.get_column("time").to_physical()[rows]
        found = pl.DataFrame({schema.ROW: rows, "time": times})
        return session.correlating.groups_of(rows).join(found, on=schema.ROW).select("transaction", "time")

    def _matching(self, step: DraftStep, cancel: Cancel) -> DraftStep:
        """The step with a filter that finds the record it was made of."""
        service, _, words = step.where.partition(" ")
        tries = (step.where, f"{service} message:{words}", words, service) if words else (step.where,)
        for text in tries:
            if step.row in self._session.view(text, cancel=cancel).rows:
                return replace(step, where=text)
        return step

    def _first(self, step: DraftStep, cancel: Cancel) -> Example | None:
        view = self._session.view(step.where, cancel=cancel)
        lines = self._session.lines(view, 0, 1)
        return self._example(lines[0], step.absent) if lines else None

    def _example(self, line: Line, absent: bool) -> Example:
        found = [one for one in self._session.fields(line.row) if one.name not in _COLUMNS]
        fields = {one.name: one.value for one in found}
        keys = {one.name: one.key for one in found if one.key is not None and one.key in self._linking()}
        weak = frozenset(one.name for one in found if one.key is not None and one.name not in keys)
        return Example(line.row, line.service, line.message, fields, keys, absent, weak)

    def _linking(self) -> tuple[str, ...]:
        plan = self._session.correlating.plan
        return tuple(plan.linking) if plan is not None else ()

    def _grain(self) -> str | None:
        plan = self._session.correlating.plan
        return plan.grain if plan is not None else None

    def _keys_of(self, examples: Sequence[Example]) -> tuple[str, ...]:
        held = {key for one in examples for key in one.keys.values()} | {self._grain()}
        return tuple(name for name in self._linking() if name in held)

    # --- tests and the file

    def tested(self, draft: Draft, *, cancel: Cancel) -> tuple[Draft, str | None]:
        """The draft with tests made of the very records it was proposed from, else of the first that it finds.

        Returns:
            It, and in words why there is no test.
        """
        draft = replace(draft, tests=())
        rows = [step.row for step in draft.steps if step.row is not None]
        marked = draft.kind == "sequence" and len(rows) == len(draft.steps)
        found = None if marked else self._first_found(draft, cancel)
        if found is not None:
            rows = sorted(step["row"] for step in found.steps.values())
        if not rows or not (marked or found):
            return draft, "no test: it finds no records here that one could be made of"
        lines = {one.row: one for one in self._session.lines_of(_rows(rows))}
        why = ""
        for written in (lambda line: line.raw, self._as_json):
            cancel.check()
            if found is None:
                tests = self._tests(draft, lines, written)
            else:
                tests = (DraftTest("as it was seen", tuple(written(lines[row]) for row in rows), (found.output,)),)
            tested = replace(draft, tests=tests)
            why = self.failing(rule_text(tested))
            if not why:
                return tested, None
        return draft, f"no test: {why}"

    def _first_found(self, draft: Draft, cancel: Cancel) -> Detection | None:
        """The first that a draft finds, with the records it is of."""
        examples = preview(self._session, rule_text(draft), cancel).examples
        return next((one for one in examples if one.state == "matched" and one.steps), None)

    def failing(self, text: str) -> str:
        """In words which of a rule's tests fail; empty: none.

        Raises:
            RuleError: It does not compile.
        """
        from logscope.engine.rulework.ruletests import run_rule_tests

        loaded = load_rule_text(text)
        if loaded.errors:
            raise loaded.errors[0]
        results = [result for rule in loaded.rules for result in run_rule_tests(rule, loaded.rules)]
        failed = (f"{one.test}: {one.error or one.differences[0]}" for one in results if not one.passed)
        return "; ".join(failed)

    def _tests(self, draft: Draft, lines: dict[int, Line], written: Any) -> tuple[DraftTest, ...]:
        rows = [step.row for step in draft.steps if step.row is not None]
        present = [step.row for step in draft.present if step.row is not None]
        told = self._told_by(draft)
        records = {row: written(lines[row]) for row in rows}
        absent = [step for step in draft.steps if step.absent]
        without = DraftTest(
            f"{absent[0].name} never came" if absent else "as it was seen",
            tuple(records[row] for row in present),
            (told,),
        )
        if not absent or not _together(self._session, rows):
            return (without,)
        order = sorted(rows, key=lambda row: (lines[row].time or 0, row))
        return without, DraftTest(f"{absent[0].name} came", tuple(records[row] for row in order), ())

    def _told_by(self, draft: Draft) -> dict[str, Any]:
        """What the rule emits of the records it was made of."""
        rows = {step.name: step.row for step in draft.present}
        told = {}
        for one in draft.chosen:
            step, _, name = one.source.partition(".")
            row = rows.get(step)
            value = None if row is None else next((f.value for f in self._session.fields(row) if f.name == name), None)
            if value is not None:
                told[one.name] = value
        return told

    def _as_json(self, line: Line) -> str:
        """A record as a line that says all that is known of it: its service, and its keys by their own names."""
        at = datetime.fromtimestamp((line.time or 0) / 1e6, UTC).isoformat().replace("+00:00", "Z")
        entry: dict[str, Any] = {"time": at, "level": level_name(line.level) or "info"}
        if line.service:
            entry["service"] = line.service
        entry["message"] = line.message
        for one in self._session.fields(line.row):
            if one.name in _COLUMNS:
                continue
            entry.setdefault(one.name, one.value)
            if one.key in self._linking():
                entry.setdefault(str(one.key), one.value)
        return json.dumps(entry, ensure_ascii=False)

    def save(self, draft: Draft) -> Path:
        """Write it as a file of its name into the user's rules.

        Raises:
            RuleError: It does not compile, or a file of that name is there.
        """
        text = rule_text(draft)
        loaded = load_rule_text(text)
        if loaded.errors:
            raise loaded.errors[0]
        return write_new(draft.name, text)


def _rows(rows: Sequence[int]) -> pl.Series:
    return pl.Series(schema.ROW, list(dict.fromkeys(rows)), dtype=pl.UInt32)


def _together(session: Session, rows: Sequence[int]) -> set[int]:
    """The transactions in which all of these records stand."""
    found = [set(session.transactions_of(row)) for row in rows]
    return set.intersection(*found) if found else set()
