"""A correlation's condition at every matching time, by sorted searches instead of one window after another.

Semantics: Sigma specification 2.1 with pySigma's extensions. A window is [t - timespan, t], both ends
inclusive, and holds every record of time t; where something must be absent it is [t, t + timespan]
from each record of what must be present, known once its end has passed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import count as numbers
from typing import Any

import polars as pl

from logscope.rules.model.windows import NUMERIC, TEMPORAL, TEMPORAL_ORDERED, Clause, Threshold, Windows
from logscope.rules.windows.collecting import collect
from logscope.rules.windows.hits import WindowHits
from logscope.rules.windows.matches import GROUP, Alerts, Matches
from logscope.rules.windows.metrics import counted, metric
from logscope.rules.windows.presence import clause_holds, slots_present

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge, "eq": operator.eq, "neq": operator.ne,
}  # fmt: skip


def evaluate(root: Windows, hits: pl.DataFrame, selector: WindowHits, *, watermark_us: int, decide: bool) -> Alerts:
    """All alerts of a correlation, and of those below it.

    Args:
        root: The correlation.
        hits: By time, source_id and line.
        selector: Knows the hits' columns.
        watermark_us: No record before it is still to come.
        decide: Take what is still pending as known.
    """
    number = numbers(1)

    def walk(node: Windows) -> Alerts:
        children = tuple(walk(slot.source) if isinstance(slot.source, Windows) else None for slot in node.slots)
        matches = collect(node, hits, selector, children)
        frame = _alerts(node, matches).with_columns(
            pending=(pl.col("end") >= watermark_us) & pl.col("forward") & (not decide)
        )
        return Alerts(node, next(number), frame.with_row_index("place"), matches)

    return walk(root)


def _alerts(node: Windows, matches: Matches) -> pl.DataFrame:
    names = [f"c{number}" for number in range(len(node.clauses))]
    parts = []
    trailing = [number for number, clause in enumerate(node.clauses) if not clause.forward]
    if trailing:
        parts.append(_trailing(node, matches, trailing))
    parts += [_forward(node, matches, number, clause) for number, clause in enumerate(node.clauses) if clause.forward]
    missing = [
        part.with_columns(pl.lit(False).alias(name) for name in names if name not in part.columns).select(
            GROUP, "start", "end", "metric", "rises", "forward", *names
        )
        for part in parts
    ]
    return (
        pl.concat(missing)
        .group_by(GROUP, "start", "end")
        .agg(pl.col("metric").max(), pl.col("rises", "forward", *names).any())
        .sort(GROUP, "end", "start")
    )


def _trailing(node: Windows, matches: Matches, clauses: list[int]) -> pl.DataFrame:
    """Windows before each match; it rises where the condition fails without the records of that time.

    What is measured of numbers also changes by what leaves the window: it rises, too, where the condition failed at
    the match before.
    """
    anchors = matches.frame.select(GROUP, "ts").unique().sort(GROUP, "ts")
    group, time = anchors[GROUP], anchors["ts"]
    start = time - node.span_us
    measured, holds = _holds(node, matches, clauses, group, start, time, whole=True)
    _, before = _holds(node, matches, clauses, group, start, time - 1, whole=False)
    found = _any(list(holds.values()))
    rises = found & ~_any(list(before.values()))
    if node.kind in NUMERIC:
        rises |= found & ~(found.shift(1) & (group == group.shift(1))).fill_null(False)
    return (
        pl.DataFrame(
            {GROUP: group, "start": start, "end": time, "metric": measured, "rises": rises}
            | {f"c{number}": mask for number, mask in holds.items()}
        )
        .filter(found)
        .with_columns(forward=pl.lit(False))
    )


def _holds(
    node: Windows,
    matches: Matches,
    clauses: list[int],
    group: pl.Series,
    low: pl.Series,
    high: pl.Series,
    *,
    whole: bool,
) -> tuple[pl.Series, dict[int, pl.Series]]:
    """(metric, per clause whether it holds) of the windows [low, high] at each anchor."""
    if node.kind in (TEMPORAL, TEMPORAL_ORDERED):
        measured = slots_present(node, matches, group, low, high)
    else:
        measured = metric(node, matches, group, low, high, whole=whole)
    met = _meets(node.threshold, measured)
    if met is not None and node.least > 1:
        met &= counted(matches, group, low, high, numbers=True) >= node.least
    found: dict[int, pl.Series] = {}
    for number in clauses:
        clause = node.clauses[number]
        mask = clause_holds(node, clause, matches, group, low, high)
        found[number] = mask if met is None else mask & met
    return measured, found


def _meets(threshold: Threshold | None, measured: pl.Series) -> pl.Series | None:
    if threshold is None:
        return None
    met: pl.Series = OPERATORS[threshold.operator](measured, threshold.bound)
    return met.fill_null(False)


def _forward(node: Windows, matches: Matches, number: int, clause: Clause) -> pl.DataFrame:
    """Windows after each match of what must be present; it rises where the anchor before it, if near, fails."""
    anchors = matches.frame.filter(pl.col("slot").is_in(clause.present)).select(GROUP, "ts").unique().sort(GROUP, "ts")
    group, start = anchors[GROUP], anchors["ts"]
    end = start + node.span_us
    holds = clause_holds(node, clause, matches, group, start, end)
    found = pl.DataFrame(
        {
            GROUP: group,
            "start": start,
            "end": end,
            "metric": slots_present(node, matches, group, start, end),
            "holds": holds,
        }
    )
    near = (pl.col(GROUP).shift(1) == pl.col(GROUP)) & (pl.col("start") - pl.col("start").shift(1) <= node.span_us)
    return (
        found.with_columns(
            rises=pl.col("holds") & ~(near & pl.col("holds").shift(1)).fill_null(False),
            forward=pl.lit(True),
        )
        .filter("holds")
        .rename({"holds": f"c{number}"})
    )


def _any(masks: list[pl.Series]) -> pl.Series:
    found = masks[0]
    for mask in masks[1:]:
        found = found | mask
    return found
