"""`suppress`: of a rule and key at most one detection in a time is dispatched; all are told."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from logscope.rules.model.rule import Detection

_SCHEMA = {"rule": pl.String, "key": pl.String, "time": pl.Int64}


class Suppression:
    """Remembers when each rule and key was dispatched last, in the log's own time."""

    def __init__(self) -> None:
        """Nothing was dispatched yet."""
        self._last: dict[tuple[str, str], int] = {}

    def keep(self, rules: Collection[str]) -> None:
        """Forget what other rules than these told."""
        self._last = {place: time for place, time in self._last.items() if place[0] in rules}

    def forget_before(self, time: int, spans: Mapping[str, int | None]) -> None:
        """Forget what suppresses nothing any more that comes at a time (microseconds) or later.

        Args:
            time: Microseconds.
            spans: By rule how long it suppresses, microseconds.
        """
        self._last = {place: last for place, last in self._last.items() if last + (spans.get(place[0]) or 0) > time}

    def saved(self) -> pl.DataFrame:
        """When what was dispatched last."""
        rows = [(rule, key, time) for (rule, key), time in self._last.items()]
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")

    def restore(self, frame: pl.DataFrame) -> None:
        """Know what `saved` told."""
        self._last = {(rule, key): time for rule, key, time in frame.iter_rows()}

    def of(self, detections: Iterable[Detection]) -> set[str]:
        """The ids of those that are not to be dispatched.

        Args:
            detections: What was raised, in order of time.
        """
        found = set()
        for detection in detections:
            if detection.suppress_us is None:
                continue
            place = (detection.rule, detection.transaction or json.dumps(sorted(detection.keys.items())))
            last = self._last.get(place)
            if last is not None and 0 <= detection.time - last < detection.suppress_us:
                found.add(detection.id)
            else:
                self._last[place] = detection.time
        return found
