"""Windows in which a correlation's condition nearly held: four of five, or all rules but one.

The condition is evaluated once more with its bound, or its rules, let down, by what evaluates it; windows that
overlap one where it holds are no near misses, and of each group the nearest is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from logscope.rules.description import Key
from logscope.rules.model.windows import TEMPORAL, TEMPORAL_ORDERED, Clause, Threshold, Windows
from logscope.rules.nearmiss import NEAR, Miss
from logscope.rules.sequence import GROUP as KEPT
from logscope.rules.windows.evaluate import evaluate
from logscope.rules.windows.evidence import made_of
from logscope.rules.windows.matches import GROUP, KEYS, Alerts
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.rules.windows.detector import WindowDetector

_FOREVER = 2**62
_LEAST = 2
"""So many rules must be there for the one that is not to be missed: with fewer, every record would be near."""


def find_window_misses(detector: WindowDetector, *, limit: int = 200) -> list[tuple[Miss, Key]]:
    """The near misses among the hits that a correlation's detector keeps, nearest first, and what each is about.

    Args:
        detector: After its steps.
        limit: How many at most.
    """
    hits = detector.state.hits.frame()
    if hits is None:
        return []
    hits = hits.sort("time", "source_id", "line", KEPT)

    def evaluated(windows: Windows) -> Alerts:
        return evaluate(windows, hits, detector.selector, watermark_us=_FOREVER, decide=True)

    root = detector.windows
    holds = evaluated(root)
    found: list[tuple[float, Miss, Key]] = []
    for relaxed in _relaxed(root):
        alerts = evaluated(relaxed)
        near = _nearest(_apart(alerts, holds), root.threshold, limit)
        found += _told(root, alerts, near, hits)
    found += _late(root, evaluated, holds, hits, limit)
    found.sort(key=lambda one: (one[0], one[1].time))
    return [(miss, key) for _, miss, key in found[:limit]]


def _late(
    root: Windows, evaluated: Callable[[Windows], Alerts], holds: Alerts, hits: pl.DataFrame, limit: int
) -> Iterator[tuple[float, Miss, Key]]:
    """Windows in which what must be absent came in the last half alone."""
    clauses = tuple(clause for clause in root.clauses if clause.forward)
    if not clauses:
        return
    alerts = evaluated(replace(root, span_us=round(root.span_us * NEAR), clauses=clauses))
    by = _by(root)
    frame = _keyed(alerts).join(_keyed(holds).select(*by, "start"), on=[*by, "start"], how="anti")
    for number, clause in enumerate(clauses):
        mine = frame.filter(f"c{number}").sort("start").unique(GROUP, keep="first", maintain_order=True)
        for slot in clause.absent:
            line = alerts.matches.of_slot(slot)
            came = mine.with_columns(line.after(mine[GROUP], mine["start"]).alias("came"))
            came = came.filter(pl.col("came") <= pl.col("start") + root.span_us).with_columns(
                far=(pl.col("start") + root.span_us - pl.col("came")) / root.span_us
            )
            yield from _told_late(root, slot, alerts, came.sort("far", "start").head(limit), hits)


def _told_late(
    root: Windows, slot: int, alerts: Alerts, came: pl.DataFrame, hits: pl.DataFrame
) -> Iterator[tuple[float, Miss, Key]]:
    if came.is_empty():
        return
    steps = _steps(root, alerts, came["place"], hits)
    name, span = root.slots[slot].name, human_duration(root.span_us)
    for row in came.iter_rows(named=True):
        off = row["came"] - row["start"]
        text = f"{name} after {human_duration(off)}, must be absent for {span}"
        there = tuple(steps.get(row["place"], []))
        miss = Miss(row[GROUP], name, row["start"], there, None, root.span_us - off, text)
        values = [str(row[f"{KEYS}{place}"]) for place in range(len(root.by))]
        yield row["far"], miss, Key(None, None, dict(zip(root.by, values, strict=True)))


def _steps(root: Windows, alerts: Alerts, places: pl.Series, hits: pl.DataFrame) -> dict[int, list[tuple[str, int]]]:
    """By alert the last record of each rule in it."""
    evidence = made_of(alerts, places).group_by("place", "slot").agg(pl.col("at").max()).sort("place", "slot")
    steps: dict[int, list[tuple[str, int]]] = {}
    rows = hits["row"]
    for place, slot, at in evidence.iter_rows():
        steps.setdefault(place, []).append((root.slots[slot].name, int(rows[at])))
    return steps


def _relaxed(root: Windows) -> Iterator[Windows]:
    """The correlation, holding for less: a bound let down, or all rules but one."""
    threshold = root.threshold
    if root.kind in (TEMPORAL, TEMPORAL_ORDERED):
        yield from _without_one(root)
    elif threshold is not None and threshold.operator in ("gt", "gte"):
        yield replace(root, threshold=replace(threshold, operator="gte", bound=_down(threshold)))
    elif threshold is not None and threshold.operator in ("lt", "lte"):
        yield replace(root, threshold=replace(threshold, operator="lte", bound=_up(threshold)))


def _without_one(root: Windows) -> Iterator[Windows]:
    threshold = root.threshold
    if threshold is not None:
        if threshold.operator not in ("gt", "gte"):
            return
        bound = threshold.bound - 1
        if bound < _LEAST:
            return
        threshold = replace(threshold, bound=bound)
    rests = {
        tuple(other for other in clause.present if other != slot)
        for clause in root.clauses
        if not clause.forward
        for slot in clause.present
    }
    if not any(clause.present for clause in root.clauses):
        yield replace(root, threshold=threshold)  # a count of whichever rules are there
    for rest in sorted(rests):
        if len(rest) >= _LEAST:
            yield replace(root, threshold=threshold, clauses=(Clause(rest),))


def _down(threshold: Threshold) -> float:
    return threshold.bound - abs(threshold.bound) * NEAR


def _up(threshold: Threshold) -> float:
    return threshold.bound + abs(threshold.bound) * NEAR


def _apart(near: Alerts, holds: Alerts) -> pl.DataFrame:
    """The windows that overlap none in which the condition holds.

    All windows are as long as one another: the first that ends after one begins is the one that could overlap it.
    """
    by = _by(near.node)
    known = _keyed(holds).select(*by, known_end="end", known_start="start")
    joined = _keyed(near).sort("start").join_asof(
        known.sort("known_end"), left_on="start", right_on="known_end", by=by, strategy="forward",
        check_sortedness=False,
    )  # fmt: skip
    overlaps = (pl.col("known_start") <= pl.col("end")).fill_null(False)
    return joined.filter(~overlaps).select(near.frame.columns)


def _by(windows: Windows) -> list[str]:
    """The columns that tell a group: groups are numbered anew each time, so they are told by their keys."""
    return [f"{KEYS}{place}" for place in range(len(windows.by))] or [GROUP]


def _keyed(alerts: Alerts) -> pl.DataFrame:
    """Alerts with the keys of their groups."""
    return alerts.frame.join(alerts.matches.keys, on=GROUP, how="left") if alerts.node.by else alerts.frame


def _nearest(near: pl.DataFrame, threshold: Threshold | None, limit: int) -> pl.DataFrame:
    far = pl.lit(NEAR)
    if threshold is not None:
        far = (pl.col("metric") - threshold.bound).abs() / max(abs(threshold.bound), 1)
    near = near.with_columns(far=far).sort("far", "end").unique(GROUP, keep="first", maintain_order=True)
    return near.head(limit)


def _told(root: Windows, alerts: Alerts, near: pl.DataFrame, hits: pl.DataFrame) -> Iterator[tuple[float, Miss, Key]]:
    if near.is_empty():
        return
    steps = _steps(root, alerts, near["place"], hits)
    keys = alerts.matches.keys.rows_by_key(GROUP, unique=True) if root.by else {}
    for row in near.iter_rows(named=True):
        values = keys.get(row[GROUP], ())
        named = values if isinstance(values, tuple) else (values,)
        there = steps.get(row["place"], [])
        step, text = _words(root, [name for name, _ in there], row["metric"])
        miss = Miss(group=row[GROUP], step=step, time=row["end"], steps=tuple(there), row=None, by=None, text=text)
        yield row["far"], miss, Key(None, None, dict(zip(root.by, map(str, named), strict=True)))


def _words(root: Windows, there: Collection[str], metric: float) -> tuple[str, str]:
    """What failed, and how."""
    span = human_duration(root.span_us)
    if root.kind in (TEMPORAL, TEMPORAL_ORDERED):
        missing = ", ".join(slot.name for slot in root.slots if slot.name not in there)
        where = "not in its place among" if root.kind == TEMPORAL_ORDERED else "not with"
        return missing, f"{missing}: {where} the others within {span}"
    assert root.threshold is not None
    signs = {"gt": "more than ", "gte": "", "lt": "less than ", "lte": "at most "}
    asked = f"{signs[root.threshold.operator]}{root.threshold.bound:g}"
    return root.kind, f"{root.kind} {metric:g} in {span}, asked for {asked}"
