"""Corrections of a plan by the user: classes, aliases, hubs, what links. Each gives a new plan."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from logscope.correlation.keys import CLASSES, Key, KeyClass, snake_case
from logscope.correlation.plan import Level, Plan
from logscope.errors import PlanError

_BY_USER = "chosen by the user"


def with_class(plan: Plan, name: str, klass: str) -> Plan:
    """The plan with a key of another class.

    Raises:
        PlanError: No such key, or no such class.
    """
    key = plan.key(name)
    chosen: KeyClass | None = next((known for known in CLASSES if known == klass), None)
    if chosen is None:
        raise PlanError(f"class {klass!r} is not known", mend=f"one of {', '.join(CLASSES)}")
    return plan.with_keys([replace(key, klass=chosen, origin="user", why=f"{chosen}: {_BY_USER}")])


def with_active(plan: Plan, name: str, *, active: bool) -> Plan:
    """The plan with a key that links, or does not.

    Raises:
        PlanError: No such key.
    """
    key = plan.key(name)
    return plan.with_keys([replace(key, active=active, origin="user", why=f"{key.why}; {_BY_USER}")])


def joined(plan: Plan, name: str, other: str) -> Plan:
    """The plan with two keys as one, under the name of the first.

    Raises:
        PlanError: No such key.
    """
    first, second = plan.key(name), plan.key(other)
    if first.name == second.name:
        return plan
    patterns = tuple(dict.fromkeys((*first.patterns, *second.patterns)))
    one = replace(
        first,
        fields=tuple(dict.fromkeys((*first.fields, *second.fields))),
        pattern=next(iter(patterns), None),
        also=patterns[1:],
        aliases=tuple(dict.fromkeys((*first.aliases, *second.aliases, second.name))),
        parents=tuple(dict.fromkeys(each for each in (*first.parents, *second.parents) if each != first.name)),
        hubs=tuple(dict.fromkeys((*first.hubs, *second.hubs))),
        # Values of two keys need not have one shape.
        shape=first.shape if first.shape == second.shape else None,
        origin="user",
        why=f"{first.why}; joined with {second.name} by the user",
    )
    return _without(plan.with_keys([one]), second.name, first.name)


def _without(plan: Plan, name: str, heir: str) -> Plan:
    """The plan without a key; what named it names another."""

    def renamed(names: tuple[str, ...], but: str | None = None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(new for new in (heir if old == name else old for old in names) if new != but))

    keys = tuple(replace(key, parents=renamed(key.parents, key.name)) for key in plan.keys if key.name != name)
    levels: list[Level] = []
    for level in plan.levels:
        grain = heir if level.grain == name else level.grain
        if grain is not None and any(each.grain == grain for each in levels):
            continue
        links = renamed(level.links, grain)
        coarser = tuple(each for each in renamed(level.coarser, grain) if each not in links)
        levels.append(replace(level, grain=grain, links=links, coarser=coarser))
    return replace(plan, keys=keys, levels=tuple(levels), grain=heir if plan.grain == name else plan.grain)


def split(plan: Plan, name: str, part: str) -> Plan:
    """The plan with one of a key's fields or patterns, or a name found in the text, as a key of its own.

    Raises:
        PlanError: No such key, the key has no such field or pattern, or no other one.
    """
    key = plan.key(name)
    parts = (*key.fields, *key.patterns)
    if part not in parts:
        # A name that was found in the text stands in its pattern.
        worded = [each for each in key.patterns if part in key.aliases and part in each]
        part = worded[0] if len(worded) == 1 else part
    if part not in parts:
        raise PlanError(
            f"{key.name} has no field {part!r}", mend=f"its fields and patterns: {', '.join(parts) or 'none'}"
        )
    if len(parts) == 1:
        raise PlanError(f"{part} is all that {key.name} has", mend="switch the key off instead")
    named = part in key.fields
    wanted = snake_case(part) if named else key.name
    taken = {each.name for each in plan.keys}
    own = next(each for each in (wanted, *(f"{wanted}_{n}" for n in range(2, len(taken) + 3))) if each not in taken)
    patterns = key.patterns if named else tuple(each for each in key.patterns if each != part)
    new = Key(
        own, key.klass, (part,) if named else (), None if named else part, origin="user",
        why=f"split from {key.name} by the user",
    )  # fmt: skip
    left = replace(
        key,
        fields=tuple(each for each in key.fields if each != part),
        pattern=next(iter(patterns), None),
        also=patterns[1:],
        aliases=tuple(each for each in key.aliases if each != part),
        why=f"{key.why}; without {part}",
    )
    return plan.with_keys([left, new])


def with_hub(plan: Plan, name: str, value: str) -> Plan:
    """The plan with a value that does not link, or links again if it was one.

    Raises:
        PlanError: No such key.
    """
    key = plan.key(name)
    hubs = tuple(each for each in key.hubs if each != value) if value in key.hubs else (*key.hubs, value)
    return plan.with_keys([replace(key, hubs=hubs)])


def without_hubs(values: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Key values without those that the plan names as hubs.

    Args:
        values: KEY_VALUES.
        plan: Names them.
    """
    for place, key in enumerate(plan.keys):
        if key.hubs:
            values = values.filter((pl.col("key") != place) | ~pl.col("value").is_in(list(key.hubs)))
    return values
