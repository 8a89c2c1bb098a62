"""`suppress`: of a rule and key at most one detection in a time is dispatched; all are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscope.rules.model import Detection


class Suppression:
    """Remembers when each rule and key was dispatched last, in the log's own time."""

    def __init__(self) -> None:
        """Nothing was dispatched yet."""
        self._last: dict[tuple[str, object], int] = {}

    def of(self, detections: Iterable[Detection]) -> set[str]:
        """The ids of those that are not to be dispatched.

        Args:
            detections: What was raised, in order of time.
        """
        found = set()
        for detection in detections:
            if detection.suppress_us is None:
                continue
            place = (detection.rule, detection.transaction or tuple(sorted(detection.keys.items())))
            last = self._last.get(place)
            if last is not None and 0 <= detection.time - last < detection.suppress_us:
                found.add(detection.id)
            else:
                self._last[place] = detection.time
        return found
