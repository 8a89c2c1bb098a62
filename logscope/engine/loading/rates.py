"""How fast records come, per source, over the last half minute."""

from __future__ import annotations

import time as clock
from collections import deque
from collections.abc import Sequence

KEPT = 30
_SECOND = 1.0


class Rates:
    """Counts of records turned into rates, one value a second."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._then = clock.monotonic()
        self._before: list[int] = []
        self._kept: list[deque[float]] = []

    def observe(self, records: Sequence[int]) -> None:
        """These are the sources' records so far; sources may be added at the end."""
        now = clock.monotonic()
        for _ in range(len(records) - len(self._before)):
            self._before.append(0)
            self._kept.append(deque(maxlen=KEPT))
        passed = now - self._then
        if passed < _SECOND:
            return
        for place, count in enumerate(records):
            self._kept[place].append((count - self._before[place]) / passed)
            self._before[place] = count
        self._then = now

    def of(self, place: int) -> tuple[float, ...]:
        """Records a second of a source by its place, the oldest first."""
        return tuple(self._kept[place]) if place < len(self._kept) else ()
