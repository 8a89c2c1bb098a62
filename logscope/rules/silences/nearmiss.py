"""Silences that were nearly told: who was heard again shortly before, or was silent while nobody else was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.rules.description import Key
from logscope.rules.nearmiss import NEAR, Miss
from logscope.rules.sequence import GROUP
from logscope.rules.silences.rhythm import Others, Rhythms, beats, reach_us
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.rules.silences.detector import SilenceDetector
    from logscope.rules.silences.rhythm import Bound

_FEWEST = 3
"""So many times as long as is usual a silence is, to be worth telling."""


def find_silence_misses(detector: SilenceDetector, *, limit: int = 200) -> list[tuple[Miss, Key]]:
    """The near misses among the signs of life that a detector keeps, nearest first, and whose they are.

    Args:
        detector: After its steps.
        limit: How many at most.
    """
    hits = detector.state.hits.frame()
    if hits is None:
        return []
    silence = detector.silence
    found = beats(silence, hits.filter(pl.col(GROUP).is_not_null()))
    same = pl.col(GROUP) == pl.col(GROUP).shift(-1)
    found = found.with_columns(next=pl.when(same).then(pl.col("t").shift(-1)))
    gaps = found.filter(pl.col("next") - pl.col("t") >= silence.after_us * NEAR)
    rhythms = Rhythms(silence, found)
    bounded = [
        (row, bound) for row in gaps.iter_rows(named=True) if (bound := rhythms.bound(row[GROUP], row["t"])) is not None
    ]
    if not bounded:
        return []
    others = Others(silence, detector.state.hits.between(*reach_us(bound for _, bound in bounded)))
    near = [one for row, bound in bounded if (one := _missed(row, bound, others)) is not None]
    near.sort(key=lambda one: (one[0], one[1].time))
    rows = hits["row"]
    return [
        (
            Miss(miss.group, miss.step, miss.time, (), int(rows[miss.row]), miss.by, miss.text),
            detector.subject(miss.group),
        )
        for _, miss in near[:limit]
        if miss.row is not None
    ]


def _missed(row: dict[str, int], bound: Bound, others: Others) -> tuple[float, Miss] | None:
    """How far a silence was from being told, and why it was not; None: it was told, or was not near."""
    silent, asked = row["next"] - row["t"], bound.due_us - row["t"]
    words = f"silent for {human_duration(silent)}"
    if row["next"] > bound.due_us:
        if others.heard(row[GROUP], bound):
            return None
        return NEAR, Miss(row[GROUP], "others", row["t"], (), row["place"], None, f"{words}, but nobody else was heard")
    if silent < NEAR * asked or silent < _FEWEST * bound.usual_us:
        return None
    left = asked - silent
    text = f"{words}, told after {human_duration(asked)}; usually heard within {human_duration(bound.usual_us)}"
    return left / asked, Miss(row[GROUP], "silence", row["t"], (), row["place"], left, text)
