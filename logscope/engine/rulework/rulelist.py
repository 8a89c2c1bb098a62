"""Rules as the screens list them: at work, switched off, broken; and what nearly matched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import NearMiss, RuleState
from logscope.engine.api import Cancel
from logscope.errors import RuleError
from logscope.paths import PACKAGE

if TYPE_CHECKING:
    from logscope.engine.detection.detecting import Detecting
    from logscope.engine.detection.running import Running
    from logscope.engine.session import Session
    from logscope.rules.model.rule import Rule

_SHIPPED = PACKAGE / "rules" / "builtin"


def rule_states(detecting: Detecting) -> list[RuleState]:
    """The rules that run, with what they found and what they cost."""
    times: dict[str, list[int]] = {}
    for detection in detecting.told.values():
        times.setdefault(detection.rule, []).append(detection.time)
    works = {work.rule.name: work for work in detecting.running}
    return [_state(rule, works.get(rule.name), times.get(rule.name, [])) for rule in detecting.rules]


def installed_rules(session: Session) -> list[RuleState]:
    """All rules there are: those that run, the shipped and the switched off ones, and those that do not compile."""
    from logscope.engine.detection.ruleset import load_files, rule_paths

    found = rule_states(session.detecting)
    running = {(state.path, state.name) for state in found}
    loaded = load_files([*rule_paths(session.options), *sorted(_SHIPPED.glob("*.yml"))])
    for rule in loaded.rules:
        if (rule.path, rule.name) not in running:
            running.add((rule.path, rule.name))
            found.append(_state(rule, None, [], enabled=False))
    for error in session.detecting.rule_errors:
        where = error.where or ""
        found.append(
            RuleState(
                name=where, title=error.message, level="", kind="", path=where, line=error.line, origin="yours",
                enabled=True, matches=0, waiting=0, seconds=0.0, counts={}, last=None, error=str(error),
            )
        )  # fmt: skip
    return found


def _state(rule: Rule, work: Running | None, times: Sequence[int], *, enabled: bool = True) -> RuleState:
    shipped = rule.path is not None and rule.path.startswith(str(_SHIPPED))
    return RuleState(
        name=rule.name,
        title=rule.title,
        level=rule.level,
        kind=rule.kind,
        path=rule.path,
        line=rule.line,
        origin="shipped" if shipped else "typed" if rule.path is None else "yours",
        enabled=enabled,
        matches=len(times),
        waiting=0 if work is None else work.waiting,
        seconds=0.0 if work is None else work.seconds,
        counts={} if work is None else work.state(),
        last=max(times, default=None),
    )


def near_misses(session: Session, rule: str, number: int | None, cancel: Cancel) -> list[NearMiss]:
    """What nearly matched a rule, nearest first.

    Args:
        session: With detections made.
        rule: Its name.
        number: Only this transaction (of the session), and however far.
        cancel: Looked at before.

    Raises:
        RuleError: No such rule runs.
    """
    session.prepare_transactions(cancel=cancel)
    work = next((work for work in session.detecting.running if work.rule.name == rule), None)
    if work is None:
        raise RuleError(f"no rule {rule} runs", mend="see `logscope rules list`")
    cancel.check()
    if work.rule.kind == "record":
        from logscope.engine.rulework.nearrecords import near_records

        return near_records(session, work.rule, cancel) if number is None else []
    groups: list[int | None] = [None] if number is None else [*_groups(session, work, number)]
    return [
        NearMiss(
            rule=rule,
            step=miss.step,
            subject=key.transaction or ", ".join(f"{name}={value}" for name, value in key.values.items()),
            number=_own_number(session, work, key.number, [row for _, row in miss.steps]),
            time=miss.time,
            steps=miss.steps,
            row=miss.row,
            by=miss.by,
            text=miss.text,
        )
        for group in groups
        for miss, key in work.misses(group)
    ]


def _groups(session: Session, work: Running, number: int) -> list[int]:
    """The groups of a rule that a transaction of the session stands for."""
    if work.linked is None:
        return []
    if work.linked is session.correlating:
        return [number]
    rows = session.correlating.members_of([number]).get_column("row")
    return work.linked.groups_of(rows).get_column("transaction").unique().sort().to_list()


def _own_number(session: Session, work: Running, number: int | None, rows: Sequence[int]) -> int | None:
    if work.linked is session.correlating:
        return number
    if work.linked is None or not rows:
        return None
    groups = session.correlating.groups_of(pl.Series(list(rows[:1]), dtype=pl.UInt32)).get_column("transaction")
    return int(groups[0]) if len(groups) else None
