"""The grain in a few lines: why it, what is coarser and finer, what links at it and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscope.correlation.plan import Plan

_MOST = 8


def grain_lines(plan: Plan) -> tuple[tuple[str, str], ...]:
    """(label, words), the grain itself first.

    Args:
        plan: As it is.
    """
    level = plan.level
    lines = [("grain", plan.grain or "none"), ("why", plan.grain_why)]
    told = {beside.name: beside for beside in plan.beside if beside.of == plan.grain}
    linking = {key.name: key for key in plan.keys if key.links}
    grain = linking.get(plan.grain or "")
    up = [name for name in grain.parents if name in linking] if grain is not None else []
    down = [name for name, key in linking.items() if plan.grain in key.parents]
    for way, names in (("up", up), ("down", down)):
        near = dict.fromkeys([*(name for name, beside in told.items() if beside.way == way), *names])
        lines.extend((way, f"{name}: {told[name].why}" if name in told else name) for name in near)
    if level.links:
        lines.append(("links", ", ".join(level.links[:_MOST])))
    if level.coarser:
        lines.append(("stands in each", ", ".join(level.coarser[:_MOST])))
    apart = [name for name in linking if name not in (plan.grain, *level.links, *level.coarser)]
    other = [f"{key.name} ({_short(key.klass, key.why)})" for key in plan.keys if not key.links]
    if apart or other:
        names = [*(f"{name} (ties several {plan.grain or 'transactions'})" for name in apart), *other]
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        lines.append(("not", ", ".join(names[:_MOST]) + more))
    return tuple(lines)


def _short(klass: str, why: str) -> str:
    return "seen once each" if why.startswith("seen once each") else klass
