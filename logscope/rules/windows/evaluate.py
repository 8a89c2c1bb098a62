"""A correlation's condition at every matching time, by sorted searches instead of one window after another.

Semantics: Sigma specification 2.1 with pySigma's extensions. A window is [t - timespan, t], both ends
inclusive, and holds every record of time t; where something must be absent it is [t, t + timespan]
from each record of what must be present, known once its end has passed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count as numbers
from typing import Any

import polars as pl

from logscope.rules.windows.hits import WindowHits
from logscope.rules.windows.matches import GROUP, Matches, collect
from logscope.rules.windows.metrics import counted, metric
from logscope.rules.windows.model import NUMERIC, TEMPORAL, TEMPORAL_ORDERED, Clause, Threshold, Windows

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge, "eq": operator.eq, "neq": operator.ne,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alerts:
    """Where a correlation's condition holds.

    `frame`: `place` (UInt32), `g`, `start` and `end` of the window (microseconds), `metric` (Float64),
    `rises` (it did not hold just before), `pending` (its end has not passed), `c0`, ... per clause.
    """

    node: Windows
    number: int
    """Tells the correlations of one tree apart."""
    frame: pl.DataFrame
    matches: Matches

    def evidence(self, places: pl.Series) -> pl.DataFrame:
        """The records that alerts are made of.

        Args:
            places: Of the alerts.

        Returns:
            Distinct `place`, `slot` (of this correlation) and `at` (position in the hits).
        """
        chosen = self.frame[places]
        parts = []
        for number, clause in enumerate(self.node.clauses):
            mine = chosen.filter(f"c{number}")
            if mine.height:
                parts.append(_members(self.node, clause, mine, self.matches))
        if not parts:
            return pl.DataFrame(schema={"place": pl.UInt32, "slot": pl.UInt8, "at": pl.UInt32})
        found = pl.concat(parts).unique()
        below = []
        for slot, child in enumerate(self.matches.children):
            mine = found.filter(pl.col("slot") == slot)
            if child is None or not mine.height:
                below.append(mine)
                continue
            deeper = child.evidence(mine["at"].unique().sort()).select(pl.col("place").alias("child"), "at")
            mine = mine.rename({"at": "child"}).join(deeper, on="child", how="inner")
            below.append(mine.select("place", "slot", "at"))
        return pl.concat(below).unique()


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
        measured = _slots_present(node, matches, group, low, high)
    else:
        measured = metric(node, matches, group, low, high, whole=whole)
    met = _meets(node.threshold, measured)
    if met is not None and node.least > 1:
        met &= counted(matches, group, low, high, numbers=True) >= node.least
    found: dict[int, pl.Series] = {}
    for number in clauses:
        clause = node.clauses[number]
        mask = _clause_holds(node, clause, matches, group, low, high)
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
    holds = _clause_holds(node, clause, matches, group, start, end)
    found = pl.DataFrame(
        {
            GROUP: group,
            "start": start,
            "end": end,
            "metric": _slots_present(node, matches, group, start, end),
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


def _slots_present(node: Windows, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series) -> pl.Series:
    found = [_present(matches, slot, group, low, high).cast(pl.Float64) for slot in range(len(node.slots))]
    total = found[0]
    for each in found[1:]:
        total = total + each
    return total


def _present(matches: Matches, slot: int, group: pl.Series, low: pl.Series, high: pl.Series) -> pl.Series:
    return matches.of_slot(slot).count(group, low, high) > 0


def _clause_holds(
    node: Windows, clause: Clause, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series
) -> pl.Series:
    holds = pl.repeat(True, group.len(), dtype=pl.Boolean, eager=True)
    for slot in clause.present if node.extended else ():
        holds &= _present(matches, slot, group, low, high)
    for slot in clause.absent:
        holds &= ~_present(matches, slot, group, low, high)
    if node.kind == TEMPORAL_ORDERED:
        holds &= _chain(node, clause, matches, group, low, high)[0]
    return holds


def _chain(
    node: Windows, clause: Clause, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series
) -> tuple[pl.Series, list[pl.Series]]:
    """Whether the slots follow one another at strictly increasing times, and the earliest such times.

    A clause without slots asks it of whichever are in the window (a count's `lt`, `lte`, `eq`, `neq`).
    """
    optional = not clause.present
    previous = low - 1
    holds = pl.repeat(True, group.len(), dtype=pl.Boolean, eager=True)
    times: list[pl.Series] = []
    for slot in _chained(node, clause):
        found = matches.of_slot(slot).after(group, previous)
        found = found.zip_with(
            (found <= high).fill_null(False), pl.repeat(None, found.len(), dtype=found.dtype, eager=True)
        )
        times.append(found)
        there = found.is_not_null()
        holds &= (there | ~_present(matches, slot, group, low, high)) if optional else there
        previous = found.fill_null(previous) if optional else found.zip_with(there, high)
    return holds, times


def _chained(node: Windows, clause: Clause) -> Sequence[int]:
    return clause.present or range(len(node.slots))


def _members(node: Windows, clause: Clause, alerts: pl.DataFrame, matches: Matches) -> pl.DataFrame:
    """`place`, `slot`, `at` of all matches that alerts of one clause are made of."""
    group, start, end = alerts[GROUP], alerts["start"], alerts["end"]
    line = matches.timeline()
    low, high = line.upto(group, start - 1), line.upto(group, end)
    windows = alerts.select("place").with_columns(at=pl.select(pl.int_ranges(low, high, dtype=pl.UInt32)).to_series())
    found = windows.explode("at", empty_as_null=False)
    rows = matches.frame[found["at"]].select("slot", "at", "ts", "v").with_columns(found["place"])
    if clause.present and (node.extended or node.kind == TEMPORAL_ORDERED):
        rows = rows.filter(pl.col("slot").is_in(clause.present))
    if node.kind == TEMPORAL_ORDERED:
        _, times = _chain(node, clause, matches, group, start, end)
        chain = pl.concat(
            pl.DataFrame({"place": alerts["place"], "ts": time}).with_columns(
                pl.lit(slot, dtype=pl.UInt8).alias("slot")
            )
            for slot, time in zip(_chained(node, clause), times, strict=True)
        )
        rows = rows.join(chain.drop_nulls(), on=["place", "slot", "ts"], how="semi")
    if node.kind in NUMERIC:
        rows = rows.filter(pl.col("v").is_not_null())
    return rows.select("place", "slot", "at").unique()


def _any(masks: list[pl.Series]) -> pl.Series:
    found = masks[0]
    for mask in masks[1:]:
        found = found | mask
    return found
