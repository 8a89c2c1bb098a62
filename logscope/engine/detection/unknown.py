"""Why a rule finds nothing: names that it uses and no record here has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from logscope.engine.detection.ruleset import is_shipped
from logscope.engine.viewing.fieldnames import sampled_fields
from logscope.query.filters import Filter, unknown_names
from logscope.records import schema
from logscope.rules.model.windows import Leaf

if TYPE_CHECKING:
    from logscope.engine.session import Session
    from logscope.rules.model.rule import Rule


def unknown_to_rules(session: Session) -> dict[str, list[str]]:
    """In words, per rule that has found nothing, the names it uses and nothing in a sample of the records has.

    Sigma's rules name what other programs write, and shipped rules what the logs they are for have: neither is a mistake.
    """
    told = {detection.rule for detection in session.detecting.told.values()}
    rules = [
        rule
        for rule in session.detecting.rules
        if rule.name not in told and not rule.unmapped and not is_shipped(rule.path)
    ]
    keys = session.correlating.key_names()
    wanted = {rule.name: [name for name in dict.fromkeys(_names(rule)) if name not in keys] for rule in rules}
    if not session.store.view.records or not any(wanted.values()):
        return {}
    known = {*sampled_fields(session.store, session.frames), *(schema.KEY_PREFIX + name for name in keys)}
    faults = {name: unknown_names(names, known) for name, names in wanted.items()}
    return {name: [f"{text}; {mend}" for text, mend in found] for name, found in faults.items() if found}


def _names(rule: Rule) -> Iterator[str]:
    if rule.sequence is not None and not rule.sigma:
        yield from (name for name in rule.sequence.by if name != "transaction")
        for step in rule.sequence.steps:
            yield from _of_filter(step.filter)
    if rule.silence is not None:
        yield from rule.silence.by
    if rule.windows is not None:
        own = [slot for slot in rule.windows.slots if isinstance(slot.source, Leaf)]
        if not all(isinstance(slot.source, Leaf) and isinstance(slot.source.filter, Filter) for slot in own):
            return  # Sigma's own names, which pipelines map
        threshold = rule.windows.threshold
        asked = [*rule.windows.by, *([threshold.field] if threshold is not None and threshold.field else [])]
        for slot in own:
            yield from (slot.field(name) for name in asked)
            yield from _of_filter(slot.source.filter if isinstance(slot.source, Leaf) else None)


def _of_filter(found: object) -> Iterator[str]:
    if isinstance(found, Filter):
        yield from (name for name, _ in found.field_terms)
