"""What one batch changed, as the linker tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from logscope.correlation.nodes import Nodes


@dataclass(frozen=True)
class Delta:
    """What one batch changed."""

    rows: pl.Series
    """Rows whose membership changed (UInt32, ascending)."""
    transactions: pl.Series
    """Numbers of transactions that gained or lost records, or changed their id, and live (ascending)."""
    removed: dict[int, int | None] = field(default_factory=dict)
    """Numbers that are gone, and the number their records went to (None: a value that held them became a hub)."""
    was: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of transactions, and the ids that became part of them."""


def renamed(
    nodes: Nodes,
    was: dict[int, tuple[str, ...]],
    told: pl.DataFrame,
    leads: pl.DataFrame,
    removed: dict[int, int | None],
) -> tuple[dict[str, tuple[str, ...]], list[int]]:
    """Which transactions have another id than they had before a batch.

    Args:
        nodes: Give the ids.
        was: Former ids by number; brought up to date.
        told: `owner`, `lead` (the node that gives the id), `start` (of its epoch) before the batch.
        leads: The same after it.
        removed: As in Delta.

    Returns:
        The new id and those it replaces; the numbers concerned.
    """
    both = told.join(leads, on="owner", how="left", suffix="_new")
    same = (pl.col("lead") == pl.col("lead_new")) & (pl.col("start") == pl.col("start_new"))
    changed = both.filter(~same.fill_null(False))
    if changed.is_empty():
        return {}, []
    ids = dict(zip(leads["owner"].to_list(), nodes.identities(leads["lead"], leads["start"]).to_list(), strict=True))
    old_ids = nodes.identities(changed["lead"], changed["start"]).to_list()
    new_ids: dict[str, tuple[str, ...]] = {}
    numbers = []
    for owner, old in zip(changed["owner"].to_list(), old_ids, strict=True):
        number = removed.get(owner, owner)
        new = ids.get(number) if number is not None else None
        if number is None or new is None:
            continue
        former = (*was.get(number, ()), *was.pop(owner, ()), old)
        was[number] = tuple(dict.fromkeys(name for name in former if name != new))
        new_ids[new] = was[number]
        numbers.append(number)
    return new_ids, numbers
