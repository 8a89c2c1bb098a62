"""One transaction with everything its view shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.analysis.spans import Tree
from logscope.analysis.waits import critical_path
from logscope.engine.answers import AbsentStep, Detection, Line, Member, TransactionDetail
from logscope.engine.insights import Wait
from logscope.engine.linking.spanning import spans_of
from logscope.engine.linking.stepping import template_of
from logscope.records import schema
from logscope.records.severity import ERROR
from logscope.text import clean, human_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logscope.engine.session import Session
    from logscope.rules.model.rule import Rule

_MOST = 10_000
"""Records of one transaction that the view reads; of a longer one the first and the last, and it says so."""
_LAST = 1_000
"""Of these so many from its end."""


def transaction_detail(session: Session, number: int) -> TransactionDetail:
    """What the transaction view shows.

    Args:
        session: With transactions made.
        number: Which one.

    Raises:
        KeyError: There is none of that number (any more).
    """
    found = session.detecting.found.with_rules(session.correlating.transaction(number))
    if found.is_empty():
        raise KeyError(number)
    entry = found.row(0, named=True)
    rows = session.correlating.members_of([number]).get_column(schema.ROW)
    shown = rows if len(rows) <= _MOST else pl.concat([rows.head(_MOST - _LAST), rows.tail(_LAST)])
    lines = session.lines_of(shown)
    marks = session.marks([line.row for line in lines])
    tree = Tree(spans_of(session.correlating, shown))
    depths = tree.depths()
    members = []
    times = _times(lines)
    previous = start = times[0]
    for place, (line, time) in enumerate(zip(lines, times, strict=True)):
        mark = marks.get(line.row)
        members.append(
            Member(
                line=line,
                since_previous=None if place == 0 else time - previous,
                since_start=time - start,
                error=line.level >= ERROR,
                step=None if mark is None else (mark.rule, mark.step),
                depth=depths[place],
            )
        )
        previous = time
    keys = {
        name.removeprefix(schema.KEY_PREFIX): tuple(entry[name])
        for name in found.columns
        if name.startswith(schema.KEY_PREFIX) and entry[name]
    }
    detections = session.detecting.found.of_transaction(number)
    plan = session.correlating.plan
    grain = plan.grain if plan is not None else None
    title = keys[grain][0] if grain in keys else next((values[0] for values in keys.values()), entry["transaction"])
    held = tuple(name for name in (plan.linking if plan else ()) if name in keys)
    return TransactionDetail(
        number=number,
        transaction=entry["transaction"],
        title=title,
        start=start,
        end=times[-1],
        members=tuple(members),
        keys=keys,
        held_by=held,
        absent=tuple(step for detection in detections for step in absent_steps(session.detecting.rules, detection)),
        rules=tuple(entry["rules"]),
        errors=entry["errors"],
        critical=_waits(lines, times, tree),
        oversize=entry["oversize"],
        left_out=len(rows) - len(shown),
        open=entry["state"] == "open",
    )


def absent_steps(rules: Sequence[Rule], detection: Detection) -> list[AbsentStep]:
    """The steps of a detection that did not happen, with the window that stayed empty.

    Args:
        rules: Its rule among them.
        detection: What was told.
    """
    rule = next((rule for rule in rules if rule.name == detection.rule), None)
    if rule is None or rule.sequence is None:
        return []
    steps = rule.sequence.steps
    found = []
    for place, step in enumerate(steps):
        if not step.absent:
            continue
        before = next((s for s in reversed(steps[:place]) if not s.absent), None)
        after = next((s for s in steps[place + 1 :] if not s.absent), None)
        start = detection.steps[before.name]["time"] if before else detection.start - (step.within_us or 0)
        end = detection.steps[after.name]["time"] if after else max(detection.time, start)
        found.append(AbsentStep(rule.name, step.name, start, end, f"nothing for {human_duration(end - start)}"))
    return found


def _times(lines: Sequence[Line]) -> list[int]:
    """When each record was, in order; one of a file without times stands where the one before it does."""
    own = [line.time for line in lines if line.time_from != schema.FROM_FILE and line.time is not None]
    if not own:
        return [line.time or 0 for line in lines]
    at, times = own[0], []
    for line in lines:
        if line.time is not None and line.time_from != schema.FROM_FILE:
            at = line.time
        times.append(at)
    return times


def _waits(lines: Sequence[Line], times: Sequence[int], tree: Tree) -> tuple[Wait, ...]:
    """What the end waited for, in words."""
    pauses = critical_path(times, tree.before) if tree.told else critical_path(times)
    told = template_of([lines[pause.after] for pause in pauses])
    waits = []
    for pause, template in zip(pauses, told, strict=True):
        before, after = lines[pause.before], lines[pause.after]
        share = pause.duration / (times[-1] - times[0])
        took = human_duration(pause.duration)
        mine, other = clean(after.service or after.source), clean(before.service or before.source)
        what = clean(template, cap=80)
        text = f"{mine} waited {took} for {what}" if mine == other else f"{took} from {other} to {mine}: {what}"
        waits.append(Wait(after.row, before.row, pause.duration, share, text))
    return tuple(waits)
