"""What the end of a transaction waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LEAST_SHARE = 0.02
_MOST = 12


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence on the way to the end: places of the two records around it, and its length in microseconds."""

    before: int
    after: int
    duration: int


def critical_path(times: Sequence[int]) -> list[Pause]:
    """The pauses that make up a transaction's duration, longest first; the slight ones left out.

    Args:
        times: Of its records in order, microseconds.
    """
    if len(times) < 2 or times[-1] <= times[0]:
        return []
    least = (times[-1] - times[0]) * _LEAST_SHARE
    pauses = [Pause(place - 1, place, times[place] - times[place - 1]) for place in range(1, len(times))]
    long = [pause for pause in pauses if pause.duration >= max(1, least)]
    return sorted(long, key=lambda pause: (-pause.duration, pause.after))[:_MOST]
