"""What the end of a transaction waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LEAST_SHARE = 0.02
_MOST = 12


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence on the way to the end: places of the two records around it, and its length in microseconds."""

    before: int
    after: int
    duration: int


def critical_path(times: Sequence[int], before: Callable[[int], int] = lambda place: place - 1) -> list[Pause]:
    """The pauses that make up a transaction's duration, longest first; the slight ones left out.

    Args:
        times: Of its records in order, microseconds.
        before: Which record one waited for; the one before it, where nothing else is known. Followed from the last
            record to the first, so that what ran beside is left out.
    """
    if len(times) < 2 or times[-1] <= times[0]:
        return []
    least = (times[-1] - times[0]) * _LEAST_SHARE
    pauses = []
    place = len(times) - 1
    while place > 0:
        earlier = before(place)
        pauses.append(Pause(earlier, place, times[place] - times[earlier]))
        place = earlier
    long = [pause for pause in pauses if pause.duration >= max(1, least)]
    return sorted(long, key=lambda pause: (-pause.duration, pause.after))[:_MOST]
