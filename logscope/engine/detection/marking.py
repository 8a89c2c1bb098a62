"""Which records are steps of what was found: looked up for the rows of a screen, however much was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from logscope.engine.answers import Detection, Mark


class Marks:
    """Marks of detections that were told, and of those that are provisional for now."""

    def __init__(self) -> None:
        """Nothing is marked."""
        self._told: dict[int, Mark] = {}
        self._early: dict[int, Mark] = {}

    def add(self, detections: Iterable[Detection]) -> None:
        """Mark the steps of more detections that were told."""
        _mark(self._told, detections)

    def anew(self, detections: Iterable[Detection]) -> None:
        """Mark the steps of these alone, of all that were told: a record may be a step of several."""
        self._told = {}
        self.add(detections)

    def early(self, detections: Iterable[Detection]) -> None:
        """Mark the steps of provisional detections, until the next call."""
        found: dict[int, Mark] = {}
        _mark(found, detections)
        self._early = found

    def of(self, rows: Sequence[int]) -> dict[int, Mark]:
        """Of these rows those that are matched steps; what was told goes before what is provisional."""
        told, early = self._told, self._early
        marks = ((row, told.get(row) or early.get(row)) for row in rows)
        return {row: mark for row, mark in marks if mark is not None}

    def rows(self) -> pl.Series:
        """All rows that are marked (UInt32)."""
        return pl.Series("row", [*self._told, *self._early], dtype=pl.UInt32)


def _mark(marks: dict[int, Mark], detections: Iterable[Detection]) -> None:
    for detection in detections:
        last = last_row(detection.steps)
        for name, step in detection.steps.items():
            row = step["row"]
            # One record may be the last step of one and the first of another.
            ends = row == last or (row in marks and marks[row].last)
            marks[row] = Mark(detection.rule, name, detection.level, detection.state, ends)


def last_row(steps: Mapping[str, Mapping[str, object]]) -> int | None:
    """The row of the last step that happened, of a detection's steps."""
    rows = [(step.get("time"), step.get("row")) for step in steps.values() if isinstance(step.get("row"), int)]
    if not rows:
        return None
    row = max(rows, key=lambda pair: pair[0] if isinstance(pair[0], int) else 0)[1]
    return row if isinstance(row, int) else None
