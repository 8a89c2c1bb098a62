"""Which slots stand in which windows: all, none, or one after another."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from logscope.rules.model.windows import TEMPORAL_ORDERED, Clause, Windows
from logscope.rules.windows.matches import Matches


def present(matches: Matches, slot: int, group: pl.Series, low: pl.Series, high: pl.Series) -> pl.Series:
    """Whether a slot has a match in each window [low, high]."""
    return matches.of_slot(slot).count(group, low, high) > 0


def slots_present(node: Windows, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series) -> pl.Series:
    """How many slots have a match in each window (Float64)."""
    found = [present(matches, slot, group, low, high).cast(pl.Float64) for slot in range(len(node.slots))]
    total = found[0]
    for each in found[1:]:
        total = total + each
    return total


def clause_holds(
    node: Windows, clause: Clause, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series
) -> pl.Series:
    """Whether a clause holds in each window: what it wants is there, in order if asked, and nothing else."""
    holds = pl.repeat(True, group.len(), dtype=pl.Boolean, eager=True)
    for slot in clause.present if node.extended else ():
        holds &= present(matches, slot, group, low, high)
    for slot in clause.absent:
        holds &= ~present(matches, slot, group, low, high)
    if node.kind == TEMPORAL_ORDERED:
        holds &= chain(node, clause, matches, group, low, high)[0]
    return holds


def chain(
    node: Windows, clause: Clause, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series
) -> tuple[pl.Series, list[pl.Series]]:
    """Whether the slots follow one another at strictly increasing times, and the earliest such times.

    A clause without slots asks it of whichever are in the window (a count's `lt`, `lte`, `eq`, `neq`).
    """
    optional = not clause.present
    previous = low - 1
    holds = pl.repeat(True, group.len(), dtype=pl.Boolean, eager=True)
    times: list[pl.Series] = []
    for slot in chained(node, clause):
        found = matches.of_slot(slot).after(group, previous)
        found = found.zip_with(
            (found <= high).fill_null(False), pl.repeat(None, found.len(), dtype=found.dtype, eager=True)
        )
        times.append(found)
        there = found.is_not_null()
        holds &= (there | ~present(matches, slot, group, low, high)) if optional else there
        previous = found.fill_null(previous) if optional else found.zip_with(there, high)
    return holds, times


def chained(node: Windows, clause: Clause) -> Sequence[int]:
    """The slots of a clause that follow one another."""
    return clause.present or range(len(node.slots))
