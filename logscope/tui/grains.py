"""The keys that can be the grain, coarse to fine, and the line that says which one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from logscope.tui.safe import line

WHY_MOST = 60


def hierarchy(keys: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of the keys that link, those with fewer values first: a coarser key has fewer."""
    strong = [one for one in keys if one.get("active", True) and one.get("class") == "strong"]
    return tuple(str(one["key"]) for one in sorted(strong, key=lambda one: int(one.get("values") or 0)))


def finer_than(names: Sequence[str], grain: str, step: int) -> str | None:
    """The key so many steps finer than the grain (coarser if negative); None if there is none."""
    place = names.index(grain) + step if grain in names else 0 if step > 0 else -1
    return names[place] if 0 <= place < len(names) else None


def grain_line(names: Sequence[str], grain: tuple[str, str], room: int) -> Content | None:
    """The grain among the keys coarser and finer than it, as much as fits in `room` cells; None: nothing does."""
    name, why = grain
    short = line(("grain ", "$log-dim"), (name, "bold $log-key"))
    around = [short]
    if name in names and len(names) > 1:
        around.append(line(("  (", "$log-dim")))
        for place, key in enumerate(names):
            style = "bold $log-key" if key == name else "$log-dim"
            around.append(line((" ⊃ " if place else "", "$log-dim"), (key, style)))
        around.append(line((")", "$log-dim")))
    for told in (line(*around, (f"  {why}"[:WHY_MOST], "$log-dim")), line(*around), short):
        if told.cell_length < room:
            return told
    return None
