"""From what is pinned to a report, and to the file that tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logscope import __version__
from logscope.engine.answers import TransactionDetail
from logscope.engine.cases.casefile import to_object
from logscope.engine.cases.commands import export_command, reopen_command
from logscope.engine.cases.finding import find_pins
from logscope.engine.cases.secrets import MOST_RECORDS, sensitive_values
from logscope.engine.cases.telling import case_json, pinned_records, rule_text, told_member, write_private
from logscope.engine.cases.trends import case_series
from logscope.engine.insights import Comparison
from logscope.engine.pinned import CaseFile, Found, Pin
from logscope.errors import UsageError
from logscope.reports import html, markdown
from logscope.reports.case import Case, CaseAbsence, CaseDetection, CaseRecord, CaseRule, CaseStep, CaseTransaction
from logscope.reports.redaction import redacted
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_MOST_EVIDENCE = 40


def export(
    session: Session, path: Path, pins: Sequence[Pin], *, case: CaseFile, kept: str = "", redact: bool, cancel: Cancel
) -> Case:
    """Write a report.

    Args:
        session: With everything read.
        path: Ends in `.html`, `.md` or `.json`.
        pins: What it tells, in its order.
        case: Notes, and what opens the same again.
        kept: How `--case` names the case; empty: it is not kept.
        redact: Mask ids, addresses and names.
        cancel: Looked at between transactions.

    Returns:
        What was written, not redacted.

    Raises:
        UsageError: Another ending, or it cannot be written.
    """
    render = writer(path)
    told = make_case(session, path, pins, case=case, kept=kept, sensitive=redact, cancel=cancel)
    text = render(redacted(told) if redact else told)
    try:
        write_private(path, text)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", str(path), mend="choose another file") from error
    return told


def writer(path: Path) -> Callable[[Case], str]:
    """What renders a case for a file's ending.

    Raises:
        UsageError: There is none for it.
    """
    known: dict[str, Callable[[Case], str]] = {
        ".html": html.render, ".htm": html.render, ".md": markdown.render, ".json": case_json
    }  # fmt: skip
    ending = path.suffix.lower()
    if ending not in known:
        raise UsageError(f"cannot write {path.name}", "export", mend="end it in .html, .md or .json")
    return known[ending]


def make_case(
    session: Session, path: Path, pins: Sequence[Pin], *, case: CaseFile, kept: str, sensitive: bool, cancel: Cancel
) -> Case:
    """The case as data.

    Args:
        session: With everything read.
        path: Named in the command that makes it again.
        pins: What it tells.
        case: Notes, and what opens the same again.
        kept: How `--case` names the case; empty: it is not kept.
        sensitive: Note what must be masked.
        cancel: Looked at between transactions.
    """
    session.prepare_transactions(cancel=cancel, asked=True)
    found = find_pins(session, pins, cancel)
    details: list[TransactionDetail] = []
    told: list[CaseTransaction] = []
    for each in found:
        cancel.check()
        if each.number is not None and all(each.number != detail.number for detail in details):
            details.append(session.transaction(each.number))
            told.append(_transaction(session, details[-1], each.pin.note, cancel))
    grain, why = session.grain()
    single = [one for one in found if one.pin.kind == "record"]
    rows = [one.row for one in single if one.row is not None]
    return Case(
        title=_title(case, told, single),
        command=export_command(session.options, path, details, kept=kept, grain=grain, redact=sensitive),
        reopen=reopen_command(session.options, details, kept=kept, grain=grain),
        version=__version__,
        notes=case.notes,
        grain=f"{grain} ({why})" if why else grain,
        transactions=tuple(told),
        records=tuple(pinned_records(session, single)),
        missing=tuple(each.pin.title or f"{each.pin.source}:{each.pin.line}" for each in found if each.missing),
        rules=tuple(_rules(session, details)),
        series=tuple(case_series(session, details, cancel)),
        sensitive=sensitive_values(session, details, rows) if sensitive else {},
        source=to_object(case),
    )


def _title(case: CaseFile, told: Sequence[CaseTransaction], single: Sequence[Found]) -> str:
    if case.name:
        return f"Case {case.name}"
    if len(told) == 1 and not single:
        return f"Transaction {told[0].title}"
    parts = [f"{len(told)} transaction{'s' * (len(told) != 1)}"] if told else []
    parts += [f"{len(single)} record{'s' * (len(single) != 1)}"] if single else []
    return " and ".join(parts) or "Empty case"


def _rules(session: Session, details: Sequence[TransactionDetail]) -> Iterator[CaseRule]:
    names = {each.rule for detail in details for each in session.detecting.found.of_transaction(detail.number)}
    for rule in session.detecting.rules:
        if rule.name in names:
            yield CaseRule(rule.name, rule.title, rule.level, rule.description, rule_text(rule))


def _transaction(session: Session, detail: TransactionDetail, note: str, cancel: Cancel) -> CaseTransaction:
    members = detail.members[:MOST_RECORDS]
    records = tuple(told_member(member) for member in members)
    entry = session.correlating.transaction(detail.number).row(0, named=True)
    compared = _compared(session, detail.number, cancel)
    detections = session.detecting.found.of_transaction(detail.number)
    return CaseTransaction(
        transaction=detail.transaction,
        title=detail.title,
        start=detail.start,
        end=detail.end,
        errors=detail.errors,
        state=entry["state"],
        services=tuple(entry["services"]),
        sources=tuple(entry["sources"]),
        keys=detail.keys,
        evidence=_evidence(session, [member.line.row for member in members]),
        detections=tuple(
            CaseDetection(each.title, each.level, each.state, each.message, each.rule) for each in detections
        ),
        absences=tuple(
            CaseAbsence(each.start, each.end, _lane(records, each.start), each.text) for each in detail.absent
        ),
        waits=tuple(f"{wait.text} ({wait.share:.0%})" for wait in detail.critical),
        statistics=_statistics(session, detail, cancel),
        compared="" if compared is None else compared.why,
        differences=() if compared is None else _differences(compared),
        records=records,
        left_out=int(entry["records"]) - len(records),
        note=note,
    )


def _lane(records: Sequence[CaseRecord], start: int) -> str:
    """Where something is missing: the lane of the last matched step before it, else of the last record."""
    steps = [record.lane for record in records if record.step and record.time <= start]
    return steps[-1] if steps else records[-1].lane if records else ""


def _compared(session: Session, number: int, cancel: Cancel) -> Comparison | None:
    try:
        return session.compare(number, cancel=cancel)
    except UsageError:
        return None  # it is alone


def _differences(compared: Comparison) -> tuple[CaseStep, ...]:
    return tuple(
        CaseStep(step.kind, step.service, step.template, step.since_previous, step.usual, step.usual_p95)
        for step in compared.steps
        if step.kind != "same"
    )


def _evidence(session: Session, rows: Sequence[int]) -> tuple[str, ...]:
    """Links that hold the records together, each told once."""
    told: dict[str, None] = {}
    for row in rows[1:]:
        for link in session.explain(rows[0], row):
            told[link] = None
        if len(told) >= _MOST_EVIDENCE:
            break
    return tuple(told)[:_MOST_EVIDENCE]


def _statistics(session: Session, detail: TransactionDetail, cancel: Cancel) -> tuple[tuple[str, str], ...]:
    """How this transaction stands among all."""
    table = session.transactions(sort="shape", cancel=cancel, columns=())
    spans = table.get_column("duration").dt.total_microseconds()
    mine = detail.end - detail.start
    faster = int((spans < mine).sum())
    shape = table.filter(pl.col("number") == detail.number).item(0, "shape")
    told = [
        ("transactions", f"{table.height:,}"),
        ("duration", f"{human_duration(mine)}, longer than {faster / max(1, table.height):.0%} of all"),
        ("p50 / p95 / p99 of all", " / ".join(human_duration(_quantile(spans, share)) for share in (0.5, 0.95, 0.99))),
    ]
    if shape is not None:
        same = table.filter(pl.col("shape") == shape)
        of_shape = same.get_column("duration").dt.total_microseconds()
        told += [
            ("shape", f"{shape}: {same.height:,} transactions went this way ({same.height / table.height:.1%})"),
            ("p50 / p95 of its shape", " / ".join(human_duration(_quantile(of_shape, share)) for share in (0.5, 0.95))),
        ]
    return tuple(told)


def _quantile(values: pl.Series, share: float) -> int:
    return int(values.quantile(share, "nearest") or 0)
