"""When the next turn of a live session is due.

What a turn costs hardly depends on how much has come (measured with 20 rules: 0.3 s for 1,000 messages, 0.8 s for
50,000), so turn upon turn takes a whole processor at any rate. Turns rest for a while after one that found something,
longer after a dear one, and not at all once they take as long as what they wait for.
"""

from __future__ import annotations

IDLE_SECONDS = 0.1
"""After a turn in which nothing came."""
_LEAST_SECONDS = 0.2
_MOST_SECONDS = 1.0
_SHARE = 3
"""A turn is a third of the time from its beginning to that of the next one."""
_LOOKED_AT_MOST_SECONDS = 0.5
_LOOKED_AT_SHARE = 1.5
"""Where somebody looks on, marks come a third sooner for a tenth more of CPU (measured at 10,000 messages a second)."""
_BACKLOG = 256 << 10


def rest(took: float, *, moved: bool, waiting: int = 0, looked_at: bool = False) -> float:
    """Seconds to wait before the next turn.

    Args:
        took: Seconds of the last one.
        moved: Whether anything had come in it.
        waiting: Bytes that were there already and did not fit into it.
        looked_at: Somebody waits before a screen for what is found.
    """
    if waiting > _BACKLOG:
        return 0.0
    most, share = (_LOOKED_AT_MOST_SECONDS, _LOOKED_AT_SHARE) if looked_at else (_MOST_SECONDS, _SHARE)
    period = min(most, max(_LEAST_SECONDS, share * took)) if moved else IDLE_SECONDS
    return max(0.0, period - took)
