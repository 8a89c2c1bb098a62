"""A case as one page without scripts or references, that prints as it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from logscope.reports.case import Case, CaseRule, CaseTransaction, PinnedRecord
from logscope.reports.picture import picture
from logscope.reports.plot import plot
from logscope.reports.wording import REDACTED_COMMANDS, clock, left_out, span, stamp
from logscope.text import clean, human_duration

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:1020px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.2em;border-top:2px solid #1b1f24;padding-top:.8em;margin-top:2em}h3{font-size:1em}
table{border-collapse:collapse;width:100%;font-size:12px}
td,th{border-bottom:1px solid #d5d9de;padding:2px 8px 2px 0;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.m{font-family:ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
tr.error td{background:#fdeaea}tr.error td.l{font-weight:bold}
pre{font:12px/1.4 ui-monospace,monospace;background:#f4f5f7;padding:.7em;white-space:pre-wrap;overflow-wrap:anywhere}
svg{width:100%;height:auto;font:11px system-ui,sans-serif}
svg .tick{fill:#57606a;stroke:none}svg line.tick{stroke:#d5d9de}svg .work{stroke:#8c959f}
svg .record{fill:#0969da}svg .error{fill:#b3001b}svg .fold{fill:#eceef1}
svg rect.absent{fill:#fdeaea;stroke:#b3001b;stroke-dasharray:3 2}svg text.absent{fill:#b3001b}
.note{background:#fff8c5;padding:.3em .6em;white-space:pre-wrap}
svg .bar{fill:#0969da}svg .mark{fill:#b3001b}svg .frame{fill:none;stroke:#d5d9de}
.plots{display:grid;grid-template-columns:1fr 1fr;gap:0 1.5em}.plots svg{font-size:18px}
figure{margin:.6em 0;break-inside:avoid}
.found{border-left:4px solid #b3001b;padding-left:.8em}
@media print{body{margin:0;max-width:none;font-size:11px}tr{break-inside:avoid}h2{break-before:page}h2:first-of-type{break-before:auto}}
"""


def render(case: Case) -> str:
    """The page.

    Args:
        case: What it tells.
    """
    parts = [
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            f"<title>{_text(case.title, 120)}</title><style>{_STYLE}</style></head><body>\n"
        ),
        f"<h1>{_text(case.title, 200)}</h1>\n",
    ]
    if case.redacted:
        parts.append("<p><b>Redacted:</b> ids, addresses and names are masked, equal ones alike.</p>\n")
    if case.notes:
        parts.append(f"<h3>Notes</h3><pre>{_text(case.notes, lines=True)}</pre>\n")
    parts += _list("Pinned, and not there any more", case.missing)
    if case.series:
        parts.append('<div class="plots">')
        parts += [f"<figure>{plot(series)}</figure>" for series in case.series]
        parts.append("</div>\n")
    if case.records:
        parts.append("<h2>Pinned records</h2>\n")
        parts += [_pinned(each) for each in case.records]
    for transaction in case.transactions:
        parts += _transaction(transaction)
    if case.rules:
        parts.append("<h2>Rules that found something</h2>\n")
        parts += [_rule(each) for each in case.rules]
    parts.append(f"<h2>How this was made</h2><p>Transactions are by {_text(case.grain)}.</p>")
    if case.redacted:
        parts.append(f"<p>{REDACTED_COMMANDS}</p>")
    parts.append(f"<p>This report again:</p><pre>{_text(case.command)}</pre>")
    parts.append(f"<p>The same in the investigator:</p><pre>{_text(case.reopen)}</pre>")
    parts.append(f"<p>logscope {_text(case.version)}</p></body></html>\n")
    return "".join(parts)


def _text(text: str, cap: int | None = None, *, lines: bool = False) -> str:
    return escape(clean(text, cap=cap, lines=lines))


def _transaction(told: CaseTransaction) -> Iterable[str]:
    total = len(told.records) + told.left_out
    yield f"<h2>{_text(told.title, 120)}</h2>\n"
    yield (
        f"<p>{total:,} records, {len(told.services)} services, {human_duration(told.duration)}, "
        f"{told.errors:,} errors, {_text(told.state)}; {stamp(told.start)} to {stamp(told.end)}; "
        f"id {_text(told.transaction)}</p>\n"
    )
    if told.note:
        yield f'<p class="note">✎ {_text(told.note, 2000)}</p>\n'
    for found in told.detections:
        yield (
            f'<p class="found"><b>✖ {_text(found.title, 200)}</b> ({_text(found.level)}, {_text(found.state)})'
            f"<br>{_text(found.message, 1000)}</p>\n"
        )
    yield f"<figure>{picture(told)}</figure>\n"
    yield from _list("What the end waited for", told.waits)
    if told.compared:
        yield f"<h3>Beside its nearest normal peer</h3><p>{_text(told.compared)}</p>"
        yield _table(
            ("", "service", "step", "pause", "usual", "usual p95"),
            [
                (
                    each.kind,
                    each.service,
                    each.template,
                    span(each.since_previous),
                    span(each.usual),
                    span(each.usual_p95),
                )
                for each in told.differences
            ],
            numbers=(3, 4, 5),
        )
    yield "<h3>Records</h3>\n"
    yield _records(told)
    yield "<h3>Keys</h3>\n"
    yield _table(("key", "values"), [(name, ", ".join(values)) for name, values in told.keys.items()])
    yield from _list("Why these records belong together", told.evidence)
    yield "<h3>Statistics</h3>\n"
    yield _table(("", ""), told.statistics)
    yield from _list("Sources", told.sources)


def _pinned(told: PinnedRecord) -> str:
    note = f'<p class="note">✎ {_text(told.note, 2000)}</p>' if told.note else ""
    record = told.record
    if record is None:
        return f"{note}<p>{_text(told.title, 200)}: not there any more</p>\n"
    head = " · ".join(part for part in (stamp(record.time), record.level.upper(), record.service, record.host) if part)
    place = f"{_text(record.source)}:{record.line}"
    return f"{note}<p>{_text(head)} · {place}</p><pre>{_text(record.raw, 4000, lines=True)}</pre>\n"


def _rule(told: CaseRule) -> str:
    told_text = f"<pre>{_text(told.text, lines=True)}</pre>" if told.text else ""
    description = f"<p>{_text(told.description, 2000)}</p>" if told.description else ""
    return f"<h3>{_text(told.title or told.name, 200)} ({_text(told.level)})</h3>{description}{told_text}\n"


def _list(title: str, entries: Sequence[str]) -> Iterable[str]:
    if entries:
        yield f"<h3>{title}</h3><ul>" + "".join(f"<li>{_text(entry, 500)}</li>" for entry in entries) + "</ul>\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        kinds = (' class="n"' if place in numbers else "" for place in range(len(cells)))
        return (
            "<tr>" + "".join(f"<{tag}{k}>{_text(c, 2000)}</{tag}>" for k, c in zip(kinds, cells, strict=True)) + "</tr>"
        )

    head = row(header, "th") if any(header) else ""
    return f"<table>{head}" + "".join(row(cells, "td") for cells in rows) + "</table>\n"


def _records(told: CaseTransaction) -> str:
    rows = [
        (
            '<table><tr><th class="n">#</th><th>time</th><th class="n">+prev</th><th class="n">+start</th><th>level</th>'
            "<th>service</th><th>message</th><th>source</th></tr>"
        )
    ]
    for number, record in enumerate(told.records, 1):
        step = f"<br><b>◀ {_text(record.step, 100)}</b>" if record.step else ""
        rows.append(
            f'<tr{" class=error" if record.error else ""}><td class="n">{number}</td><td>{clock(record.time)}</td>'
            f'<td class="n">{span(record.since_previous)}</td><td class="n">{span(record.since_start)}</td>'
            f'<td class="l">{_text(record.level.upper())}</td><td>{_text(record.service, 60)}</td>'
            f'<td class="m">{_text(record.raw, 4000, lines=True)}{step}</td>'
            f"<td>{_text(record.source)}:{record.line}</td></tr>\n"
        )
    left = f"<p>{left_out(told.left_out, len(told.records))}</p>" if told.left_out else ""
    return "".join([*rows, f"</table>{left}\n"])
