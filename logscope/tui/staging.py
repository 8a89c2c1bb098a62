"""A change of the plan that is put together key by key, in words, before it is applied."""

from __future__ import annotations

from dataclasses import replace

from logscope.engine.answers import PlanChange

EMPTY = PlanChange()


def with_grain(change: PlanChange, name: str) -> PlanChange:
    """Another grain."""
    return replace(change, grain=name)


def with_class(change: PlanChange, name: str, klass: str) -> PlanChange:
    """A key of another class; the last choice counts."""
    return replace(change, classes=(*_without(change.classes, name), (name, klass)))


def with_active(change: PlanChange, name: str, active: bool) -> PlanChange:
    """A key that links or not; switched twice it is as it was."""
    known = dict(change.active)
    if name in known:
        return replace(change, active=tuple(pair for pair in change.active if pair[0] != name))
    return replace(change, active=(*change.active, (name, active)))


def with_join(change: PlanChange, name: str, other: str) -> PlanChange:
    """Two keys as one."""
    return replace(change, join=(*change.join, (name, other)))


def with_split(change: PlanChange, name: str, field: str) -> PlanChange:
    """A field of a key as a key of its own."""
    return replace(change, split=(*change.split, (name, field)))


def with_hub(change: PlanChange, name: str, value: str) -> PlanChange:
    """A value that does not link."""
    if (name, value) in change.hubs:
        return change
    return replace(change, hubs=(*change.hubs, (name, value)))


def _without(pairs: tuple[tuple[str, str], ...], name: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in pairs if pair[0] != name)


def touched(change: PlanChange) -> frozenset[str]:
    """The keys it is about."""
    names = [change.grain] if change.grain else []
    names += [name for name, _ in (*change.classes, *change.split, *change.hubs)]
    names += [name for name, _ in change.active]
    names += [name for pair in change.join for name in pair]
    return frozenset(names)


def words(change: PlanChange) -> str:
    """`grain order_id · user: strong · pid off · id = order_id · key=value does not link`."""
    told = [f"grain {change.grain}"] if change.grain else []
    told += [f"{name}: {klass}" for name, klass in change.classes]
    told += [f"{name} {'on' if active else 'off'}" for name, active in change.active]
    told += [f"{other} = {name}" for name, other in change.join]
    told += [f"{field} apart from {name}" for name, field in change.split]
    told += [f"{name}={value[:40]} does not link" for name, value in change.hubs]
    return " · ".join(told)
