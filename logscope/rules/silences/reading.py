"""The `silence` part of a rule document."""

from __future__ import annotations

from logscope.rules.model.rule import TRANSACTION
from logscope.rules.model.silence import DEFAULT_HISTORY_US, DEFAULT_TIMES, Silence
from logscope.rules.reading import Keys


def read_silence(keys: Keys) -> Silence | None:
    """What the keys say; None, and complaints, if that is nothing.

    Args:
        keys: Of the `silence` part.
    """
    by, after, history = keys.names("by"), keys.duration("after"), keys.duration("history")
    if not by:
        keys.wrong("by is missing", mend="add by: with what tells who is silent, such as [service]")
    if TRANSACTION in by:
        keys.wrong("by has transaction", keys.line_of("by"), "a transaction ends; name a field, such as service")
    if after is None and not keys.has("after"):
        keys.wrong("after is missing", mend="add after: with the shortest silence that counts, such as 15m")
    times = DEFAULT_TIMES
    if (entry := keys.entry("times")) is not None:
        if isinstance(entry.value, bool) or not isinstance(entry.value, int | float) or not 1 <= entry.value <= 1000:
            keys.wrong("times is not a number from 1 to 1000", entry.line, "write times: 5")
        else:
            times = float(entry.value)
    if after is None or not by or TRANSACTION in by:
        return None
    if after < 1_000_000:
        keys.wrong("after is shorter than a second", keys.line_of("after"))
        return None
    return Silence(by, after, times, DEFAULT_HISTORY_US if history is None else history)
