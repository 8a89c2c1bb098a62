"""From transactions to a case, and to the file that tells it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope import __version__
from logscope.engine.answers import Comparison, TransactionDetail
from logscope.engine.rendering import iso, json_line
from logscope.errors import UsageError
from logscope.records import schema
from logscope.records.severity import level_name
from logscope.reports import html, markdown
from logscope.reports.case import (
    Case,
    CaseAbsence,
    CaseDetection,
    CaseRecord,
    CaseStep,
    CaseTransaction,
)
from logscope.reports.redaction import redacted
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_MOST_RECORDS = 2_000
_MOST_EVIDENCE = 40
_NAMES = ("user", "username", "customer", "account", "name", "email", "mail", "phone", "login", "tenant")


def export(session: Session, path: Path, numbers: Sequence[int], *, notes: str, redact: bool, cancel: Cancel) -> None:
    """Write a report.

    Args:
        session: With everything read.
        path: Ends in `.html`, `.md` or `.json`.
        numbers: The transactions, in the order of the report.
        notes: Words of the user's own.
        redact: Mask ids, addresses and names.
        cancel: Looked at between transactions.

    Raises:
        UsageError: Another ending, or it cannot be written.
    """
    render = writer(path)
    case = make_case(session, path, numbers, notes=notes, sensitive=redact, cancel=cancel)
    text = render(redacted(case) if redact else case)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", str(path), mend="choose another file") from error


def writer(path: Path) -> Callable[[Case], str]:
    """What renders a case for a file's ending.

    Raises:
        UsageError: There is none for it.
    """
    known: dict[str, Callable[[Case], str]] = {
        ".html": html.render, ".htm": html.render, ".md": markdown.render, ".json": _json
    }  # fmt: skip
    ending = path.suffix.lower()
    if ending not in known:
        raise UsageError(f"cannot write {path.name}", "export", mend="end it in .html, .md or .json")
    return known[ending]


def make_case(
    session: Session, path: Path, numbers: Sequence[int], *, notes: str, sensitive: bool, cancel: Cancel
) -> Case:
    """The case as data.

    Args:
        session: With everything read.
        path: Named in the command that makes it again.
        numbers: The transactions.
        notes: Words of the user's own.
        sensitive: Note what must be masked.
        cancel: Looked at between transactions.
    """
    session.prepare_transactions(cancel=cancel, asked=True)
    details = []
    for number in numbers:
        cancel.check()
        details.append(session.transaction(number))
    told = tuple(_transaction(session, detail, cancel) for detail in details)
    grain, why = session.grain()
    title = f"Transaction {details[0].title}" if len(details) == 1 else f"{len(details)} transactions"
    return Case(
        title=title,
        command=command(session, path, details, redact=sensitive),
        version=__version__,
        notes=notes,
        grain=f"{grain} ({why})" if why else grain,
        transactions=told,
        sensitive=_sensitive(session, details) if sensitive else {},
    )


def command(session: Session, path: Path, details: Sequence[TransactionDetail], *, redact: bool) -> str:
    """The command that makes the report again, with every option that decides what belongs together."""
    options = session.options
    words = ["logscope", "export", str(path), *options.sources]
    for detail in details:
        words += ["--id", _id(session, detail)]
    for name in ("format", "formats", "tz", "offset", "encoding", "key", "rules"):
        for value in getattr(options, name):
            words += [f"--{name}", value]
    if options.keys:
        words += ["--keys", ",".join(options.keys)]
    if not options.auto_keys:
        words.append("--no-auto-keys")
    for name in ("since", "until", "plan"):
        if getattr(options, name):
            words += [f"--{name}", getattr(options, name)]
    if options.grain != "auto":
        words += ["--grain", options.grain]
    if redact:
        words.append("--redact")
    return " ".join(shlex.quote(word) for word in words)


def _id(session: Session, detail: TransactionDetail) -> str:
    plan = session.correlating.plan
    grain = plan.grain if plan is not None else None
    name = grain if grain in detail.keys else next(iter(detail.keys), None)
    return detail.transaction if name is None else f"{name}={detail.keys[name][0]}"


def _transaction(session: Session, detail: TransactionDetail, cancel: Cancel) -> CaseTransaction:
    members = detail.members[:_MOST_RECORDS]
    records = tuple(
        CaseRecord(
            time=member.line.time or 0,
            since_previous=member.since_previous,
            since_start=member.since_start,
            level=level_name(member.line.level) or "",
            service=member.line.service or "",
            host=member.line.host or "",
            source=member.line.source,
            line=member.line.line,
            message=member.line.message,
            raw=member.line.raw,
            error=member.error,
            step=": ".join(member.step) if member.step else "",
        )
        for member in members
    )
    entry = session.correlating.transaction(detail.number).row(0, named=True)
    compared = _compared(session, detail.number, cancel)
    detections = session.detecting.of_transaction(detail.number)
    lane = records[-1].lane if records else ""
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
        detections=tuple(CaseDetection(each.title, each.level, each.state, each.message) for each in detections),
        absences=tuple(CaseAbsence(each.start, each.end, lane, each.text) for each in detail.absent),
        waits=tuple(f"{wait.text} ({wait.share:.0%})" for wait in detail.critical),
        statistics=_statistics(session, detail, cancel),
        compared="" if compared is None else compared.why,
        differences=() if compared is None else _differences(compared),
        records=records,
        left_out=int(entry["records"]) - len(records),
    )


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
    table = session.transactions(sort="shape", cancel=cancel)
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


def _sensitive(session: Session, details: Sequence[TransactionDetail]) -> dict[str, str]:
    """Values of keys (weak ones too), hosts, and fields that name people."""
    rows = pl.Series(
        schema.ROW, [m.line.row for detail in details for m in detail.members[:_MOST_RECORDS]], dtype=pl.UInt32
    )
    known = {m.line.host: "host" for detail in details for m in detail.members if m.line.host}
    for fields in session.frames.fields(rows, session.store.view):
        for entry in fields:
            name = str(entry["name"]).rsplit(".", 1)[-1].lower()
            if any(part in name for part in _NAMES):
                known[str(entry["value"])] = name
    plan = session.correlating.plan
    # A weak key is told unless it names people: services, methods and states are what a report is read for.
    secret = [
        key
        for key in (plan.keys if plan is not None else ())
        if key.klass in ("strong", "scoped") or any(part in key.name for part in _NAMES)
    ]
    for key in secret:
        values = session.correlating.key_values(key.name)
        mine = values.filter(pl.col(schema.ROW).is_in(rows.implode())).get_column("value").cast(pl.String).unique()
        known.update(dict.fromkeys(mine.to_list(), key.name))
    for detail in details:
        known[detail.transaction] = "transaction"
    for service in {m.line.service for detail in details for m in detail.members}:
        known.pop(service or "", None)
    return known


def _json(case: Case) -> str:
    return json_line(_case_object(case)) + "\n"


def _case_object(case: Case) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": case.title,
        "command": case.command,
        "version": case.version,
        "grain": case.grain,
        "transactions": [_object(each) for each in case.transactions],
    }
    if case.notes:
        told["notes"] = case.notes
    if case.redacted:
        told["redacted"] = True
    return told


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
            {"title": each.title, "level": each.level, "state": each.state, "message": each.message}
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
        "members": [
            {"time": iso(each.time), "since_start_ms": each.since_start / 1000, "level": each.level or None,
             "service": each.service or None, "host": each.host or None, "source": each.source,
             "line": each.line, "raw": each.raw, "step": each.step or None}
            for each in told.records
        ],
    }  # fmt: skip


def _ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
