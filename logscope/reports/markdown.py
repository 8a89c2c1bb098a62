"""A case as Markdown: for tickets and chats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logscope.reports.case import Case, CaseTransaction, PinnedRecord
from logscope.reports.wording import REDACTED_COMMANDS, clock, left_out, span, stamp
from logscope.text import clean, human_duration

_SPECIAL = str.maketrans({sign: "\\" + sign for sign in "\\`*_{}[]<>()#+!|~&@:"})


def render(case: Case) -> str:
    """The text.

    Args:
        case: What it tells.
    """
    return "\n".join(_lines(case)) + "\n"


def _lines(case: Case) -> Iterator[str]:
    yield f"# {_plain(case.title)}"
    if case.redacted:
        yield ""
        yield "Redacted: ids, addresses and names are masked, equal ones alike."
    if case.notes:
        yield ""
        yield from _fenced(case.notes)
    yield from _section("Pinned, and not there any more", [f"- {_plain(each)}" for each in case.missing])
    if case.records:
        yield ""
        yield "## Pinned records"
        for each in case.records:
            yield ""
            yield from _pinned(each)
    for told in case.transactions:
        yield ""
        yield from _transaction(told)
    if case.rules:
        yield ""
        yield "## Rules that found something"
    for rule in case.rules:
        yield ""
        yield f"### {_plain(rule.title or rule.name)} ({_plain(rule.level)})"
        yield from (["", _plain(rule.description)] if rule.description else [])
        yield from (["", *_fenced(rule.text)] if rule.text else [])
    yield ""
    yield "## How this was made"
    yield ""
    yield f"Transactions are by {_plain(case.grain)}."
    yield ""
    if case.redacted:
        yield REDACTED_COMMANDS
        yield ""
    yield "This report again:"
    yield ""
    yield from _fenced(case.command)
    yield ""
    yield "The same in the investigator:"
    yield ""
    yield from _fenced(case.reopen)
    yield ""
    yield f"logscope {_plain(case.version)}"


def _plain(text: str, cap: int | None = None) -> str:
    """Text that Markdown takes for what it is."""
    return clean(text, cap=cap).translate(_SPECIAL)


def _fenced(text: str) -> Iterator[str]:
    cleaned = clean(text, lines=True)
    longest = max((len(run) for line in cleaned.split("\n") for run in _runs(line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence
    yield cleaned
    yield fence


def _runs(line: str) -> Iterator[str]:
    """Runs of backticks."""
    run = ""
    for sign in line + " ":
        if sign == "`":
            run += sign
        elif run:
            yield run
            run = ""


def _transaction(told: CaseTransaction) -> Iterator[str]:
    total = len(told.records) + told.left_out
    yield f"## {_plain(told.title, 120)}"
    yield ""
    yield (
        f"{total:,} records, {len(told.services)} services, {human_duration(told.duration)}, {told.errors:,} errors, "
        f"{_plain(told.state)}; {stamp(told.start)} to {stamp(told.end)}; id {_plain(told.transaction)}"
    )
    if told.note:
        yield ""
        yield f"✎ {_plain(told.note)}"
    for found in told.detections:
        yield ""
        yield f"**✖ {_plain(found.title)}** ({_plain(found.level)}, {_plain(found.state)}): {_plain(found.message)}"
    yield from _section("What the end waited for", [f"- {_plain(wait)}" for wait in told.waits])
    if told.compared:
        rows = [
            (e.kind, e.service, e.template, span(e.since_previous), span(e.usual), span(e.usual_p95))
            for e in told.differences
        ]
        header = ("", "service", "step", "pause", "usual", "usual p95")
        yield from _section("Beside its nearest normal peer", [_plain(told.compared), "", *_table(header, rows)])
    yield from _section("Records", list(_records(told)))
    keys = [(name, ", ".join(values)) for name, values in told.keys.items()]
    yield from _section("Keys", list(_table(("key", "values"), keys)))
    yield from _section("Why these records belong together", [f"- {_plain(text)}" for text in told.evidence])
    yield from _section("Statistics", list(_table(("", ""), told.statistics)))
    yield from _section("Sources", [f"- {_plain(source)}" for source in told.sources])


def _pinned(told: PinnedRecord) -> Iterator[str]:
    if told.note:
        yield f"✎ {_plain(told.note)}"
        yield ""
    record = told.record
    if record is None:
        yield f"{_plain(told.title, 200)}: not there any more"
        return
    head = (stamp(record.time), record.level.upper(), record.service, record.host, f"{record.source}:{record.line}")
    yield _plain(" · ".join(part for part in head if part))
    yield ""
    yield from _fenced(record.raw)


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"### {title}"
        yield ""
        yield from lines


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(_plain(cell, 500) for cell in row) + " |"


def _records(told: CaseTransaction) -> Iterator[str]:
    rows = [
        (
            str(number), clock(record.time), span(record.since_previous), span(record.since_start),
            ("✖ " if record.error else "") + record.level.upper(), record.service,
            record.message + (f" ◀ {record.step}" if record.step else ""), f"{record.source}:{record.line}",
        )
        for number, record in enumerate(told.records, 1)
    ]  # fmt: skip
    yield from _table(("#", "time", "+prev", "+start", "level", "service", "message", "source"), rows)
    if told.left_out:
        yield ""
        yield left_out(told.left_out, len(told.records))
