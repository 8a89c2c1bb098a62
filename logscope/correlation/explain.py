"""Why two records stand in one transaction: the shortest chain of records and key values between them."""

from __future__ import annotations

from collections import deque

import polars as pl

from logscope.correlation.plan import Plan
from logscope.records.schema import ROW

Link = tuple[int, str, str, int]
"""Record, key, value, the next record that holds it."""


def chain(evidence: pl.DataFrame, plan: Plan, row: int, other: int) -> list[Link]:
    """The shortest chain from one record to another; among equals the least keys, values and rows.

    Args:
        evidence: What `Linker.evidence` gives for the transaction.
        plan: Names the keys.
        row: The record to begin with.
        other: The record to end at.

    Returns:
        Links, each beginning where the one before ends; empty if the rows are equal, or no chain
        exists (two records of a transaction that both only hold a coarser value have one).
    """
    if row == other:
        return []
    nodes = _grouped(evidence.select(ROW, "node").sort(ROW, "node"))
    rows = _grouped(evidence.select("node", ROW).sort("node", ROW))
    told = {node: (key, value) for node, key, value in evidence.select("node", "key", "value").unique().iter_rows()}
    came: dict[int, tuple[int, int]] = {}
    seen_nodes: set[int] = set()
    queue = deque([row])
    while queue and other not in came:
        here = queue.popleft()
        for node in sorted(nodes.get(here, ()), key=lambda node: (*told[node], node)):
            if node in seen_nodes:
                continue
            seen_nodes.add(node)
            for there in rows[node]:
                if there != row and there not in came:
                    came[there] = (here, node)
                    queue.append(there)
    links: list[Link] = []
    at = other
    while at in came and at != row:
        before, node = came[at]
        key, value = told[node]
        links.append((before, plan.keys[key].name, value, at))
        at = before
    return links[::-1]


def _grouped(pairs: pl.DataFrame) -> dict[int, list[int]]:
    table: dict[int, list[int]] = {}
    for left, right in pairs.iter_rows():
        table.setdefault(left, []).append(right)
    return table
