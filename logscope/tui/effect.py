"""What a rule that is being made would find, in words."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from logscope.engine.answers import Preview, Snapshot
from logscope.engine.rulework.desk import StepSpan
from logscope.errors import LogscopeError
from logscope.text import human_duration
from logscope.tui.clock import Clock
from logscope.tui.safe import line

EXAMPLES = 3


def verdict(found: Preview | LogscopeError | None, snapshot: Snapshot, kind: str) -> Content:
    """How many it would match of how many; what is wrong; or that it is being counted.

    Args:
        found: What the engine answered so far.
        snapshot: The state of the session.
        kind: `record`, or over transactions.
    """
    if isinstance(found, LogscopeError):
        return line((f"✖ {found.message}", "bold $log-error"))
    if found is None:
        return line(("counting …", "$log-dim"))
    of, count = ("records", snapshot.records) if kind == "record" else ("transactions", snapshot.transactions)
    return line(
        ("would match ", ""),
        (f"{found.matches:,}", "bold $log-detection" if found.matches else "bold"),
        (f" of {count:,} {of}" if count is not None else "", ""),
        (f" · {found.pending:,} open at the end" if found.pending else "", "$log-warn"),
    )


def effect_rows(
    found: Preview | LogscopeError | None,
    spans: Sequence[StepSpan],
    notes: Sequence[str],
    clock: Clock,
    head: Content | None,
) -> list[Content]:
    """The whole effect: what is wrong, notes, examples, how long the steps take.

    Args:
        found: What the engine answered so far.
        spans: Of the steps.
        notes: What else is to be known.
        clock: How times are shown.
        head: The verdict, where there is room to say it here too.
    """
    rows: list[Content] = []
    if isinstance(found, LogscopeError):
        where = f"line {found.line}: " if found.line else ""
        rows.append(line((f"✖ {where}{found.message}", "bold $log-error")))
        if found.mend:
            rows.append(line((f"  {found.mend}", "$log-dim")))
    elif head is not None:
        rows += [head, Content("")]
    rows += [line((f"⚠ {note}", "$log-warn")) for note in notes]
    if isinstance(found, Preview):
        rows += [line((f"⚠ {note}", "$log-warn")) for note in found.notices]
        shown = found.examples[:EXAMPLES]
        rows += [line((clock.time(one.start) + " ", "$log-time"), one.message or one.title) for one in shown]
    if head is not None and spans:
        rows += [Content(""), line(("how long its steps take after the one before", "$log-dim"))]
    return rows + [_span(span) for span in spans]


def _span(span: StepSpan) -> Content:
    shown = ((span.p50, "p50"), (span.p95, "p95"), (span.longest, "longest"))
    took = " · ".join(f"{name} {human_duration(each)}" for each, name in shown) if span.followed else ""
    missing = span.reached - span.followed
    rest = f" · {missing:,} of {span.reached:,} never" if missing else f" · all {span.reached:,}"
    return line((f"{span.step} ", "$log-key"), took, (rest, "$log-dim"))
