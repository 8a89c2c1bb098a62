"""Pieces of a report: records, rules, and the whole as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.answers import Line, Member
from logscope.engine.pinned import Found
from logscope.engine.rendering import iso, json_line, present
from logscope.records import schema
from logscope.records.severity import ERROR, level_name
from logscope.reports.case import Case, CaseRecord, CaseSeries, CaseTransaction, PinnedRecord

if TYPE_CHECKING:
    from logscope.engine.session import Session
    from logscope.rules.model.rule import Rule

_MOST_RULE = 64_000
"""Bytes of a rule file that a report quotes."""


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read: a report quotes logs.

    Raises:
        OSError: It cannot be written.
    """
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)


def told_member(member: Member) -> CaseRecord:
    """A record of a transaction."""
    step = ": ".join(member.step) if member.step else ""
    return _record(member.line, member.since_previous, member.since_start, error=member.error, step=step)


def _record(line: Line, since_previous: int | None, since_start: int, *, error: bool, step: str = "") -> CaseRecord:
    return CaseRecord(
        time=line.time or 0,
        since_previous=since_previous,
        since_start=since_start,
        level=level_name(line.level) or "",
        service=line.service or "",
        host=line.host or "",
        source=line.source,
        line=line.line,
        message=line.message,
        raw=line.raw,
        error=error,
        step=step,
    )


def pinned_records(session: Session, found: Sequence[Found]) -> Iterator[PinnedRecord]:
    """Records that were pinned by themselves, in the order of the case."""
    rows = [each.row for each in found if each.row is not None]
    lines = {line.row: line for line in session.lines_of(pl.Series(schema.ROW, rows, dtype=pl.UInt32))}
    for each in found:
        line = lines.get(each.row) if each.row is not None else None
        record = None if line is None else _record(line, None, 0, error=line.level >= ERROR)
        yield PinnedRecord(record, each.pin.title, each.pin.note)


def rule_text(rule: Rule) -> str:
    """A rule's YAML, of a file with several its document; empty if it cannot be read (any more)."""
    if rule.path is None:
        return ""
    try:
        with Path(rule.path).open("rb") as file:
            text = file.read(_MOST_RULE).decode("utf-8", errors="replace")
    except OSError:
        return ""
    documents = text.split("\n---")
    own = [one for one in documents if f"name: {rule.name}" in one or (rule.id and rule.id in one)]
    return (own[0] if own else text).strip("-\n") + "\n"


def case_json(case: Case) -> str:
    """A report as one JSON object; it can be opened again by `--case`, unless it is redacted."""
    told: dict[str, Any] = {
        "title": case.title,
        "command": case.command,
        "reopen": case.reopen,
        "version": case.version,
        "grain": case.grain,
        "transactions": [_object(each) for each in case.transactions],
    }
    if case.notes:
        told["notes"] = case.notes
    if case.records:
        told["records"] = [_pinned(each) for each in case.records]
    if case.missing:
        told["missing"] = list(case.missing)
    if case.rules:
        told["rules"] = [
            present({"rule": r.name, "title": r.title, "level": r.level, "description": r.description, "yaml": r.text})
            for r in case.rules
        ]
    if case.series:
        told["series"] = [_series(each) for each in case.series]
    if case.redacted:
        told["redacted"] = True
    elif case.source:
        told["case"] = case.source
    return json_line(told) + "\n"


def _pinned(told: PinnedRecord) -> dict[str, Any]:
    return present({"title": told.title, "note": told.note or None} | (_member(told.record) if told.record else {}))


def _series(told: CaseSeries) -> dict[str, Any]:
    return {
        "title": told.title, "unit": told.unit, "start": iso(told.start), "end": iso(told.end),
        "values": list(told.values), "detections": [iso(time) for time in told.marks],
    }  # fmt: skip


def _object(told: CaseTransaction) -> dict[str, Any]:
    return {
        "transaction": told.transaction,
        "title": told.title,
        "start": iso(told.start),
        "end": iso(told.end),
        "duration_ms": told.duration / 1000,
        "records": len(told.records) + told.left_out,
        "errors": told.errors,
        "state": told.state,
        "services": list(told.services),
        "sources": list(told.sources),
        "keys": {name: list(values) for name, values in told.keys.items()},
        "evidence": list(told.evidence),
        "detections": [
            {"rule": each.rule, "title": each.title, "level": each.level, "state": each.state, "message": each.message}
            for each in told.detections
        ],
        "waits": list(told.waits),
        "statistics": dict(told.statistics),
        "peer": told.compared or None,
        "differences": [
            {"kind": each.kind, "service": each.service, "template": each.template,
             "since_previous_ms": _ms(each.since_previous), "usual_ms": _ms(each.usual),
             "usual_p95_ms": _ms(each.usual_p95)}
            for each in told.differences
        ],
        "members": [_member(each) | {"since_start_ms": each.since_start / 1000} for each in told.records],
    } | ({"note": told.note} if told.note else {}) | ({"left_out": told.left_out} if told.left_out else {})  # fmt: skip


def _member(told: CaseRecord) -> dict[str, Any]:
    return {
        "time": iso(told.time), "level": told.level or None, "service": told.service or None,
        "host": told.host or None, "source": told.source, "line": told.line, "raw": told.raw, "step": told.step or None,
    }  # fmt: skip


def _ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
