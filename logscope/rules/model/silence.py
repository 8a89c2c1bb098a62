"""What a rule over silences says."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_US = 3_600_000_000

DEFAULT_TIMES = 5.0
DEFAULT_HISTORY_US = 7 * 24 * HOUR_US

LEAST_BEATS = 10
"""Beats before a rhythm is known."""

_BEATS = 30


@dataclass(frozen=True, slots=True)
class Silence:
    """`silence:` of a rule.

    Time is divided into *beats* of a thirtieth of `after`; of each key and beat the last record counts.
    """

    by: tuple[str, ...]
    """Names of columns, fields or keys: whose silence it is."""
    after_us: int
    """The shortest silence."""
    times: float = DEFAULT_TIMES
    """So many times the usual gap it must last."""
    history_us: int = DEFAULT_HISTORY_US
    """How far back gaps tell what is usual."""

    @property
    def beat_us(self) -> int:
        """Length of a beat."""
        return max(1, self.after_us // _BEATS)
