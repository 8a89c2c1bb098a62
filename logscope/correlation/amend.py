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
        PlanError: No such key, or both have a pattern of their own.
    """
    first, second = plan.key(name), plan.key(other)
    if first.name == second.name:
        return plan
    if first.pattern is not None and second.pattern is not None:
        raise PlanError(
            f"{first.name} and {second.name} both have a pattern",
            mend=f"give one for both: --key '{first.name}=REGEX'",
        )
    one = replace(
        first,
        fields=tuple(dict.fromkeys((*first.fields, *second.fields))),
        pattern=first.pattern or second.pattern,
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


def split(plan: Plan, name: str, field: str) -> Plan:
    """The plan with one of a key's fields as a key of its own.

    Raises:
        PlanError: No such key, the key has no such field, or no other one.
    """
    key = plan.key(name)
    if field not in key.fields:
        known = ", ".join(key.fields) or "none"
        raise PlanError(f"{key.name} has no field {field!r}", mend=f"its fields: {known}")
    rest = tuple(each for each in key.fields if each != field)
    if not rest and key.pattern is None:
        raise PlanError(f"{field} is all that {key.name} has", mend="switch the key off instead")
    taken = {each.name for each in plan.keys}
    own = snake_case(field)
    own = own if own not in taken else next(f"{own}_{n}" for n in range(2, len(taken) + 3) if f"{own}_{n}" not in taken)
    new = Key(own, key.klass, (field,), origin="user", why=f"split from {key.name} by the user")
    left = replace(
        key,
        fields=rest,
        aliases=tuple(each for each in key.aliases if each != field),
        why=f"{key.why}; without {field}",
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
