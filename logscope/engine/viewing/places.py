"""Where records stand in a view: by row, by time, by level. Bisection and stretches, never a copy of the view."""

from __future__ import annotations

from logscope.engine.answers import View
from logscope.records.pieces import StoreView

_STRETCH = 4096


def time_at(view: View, store: StoreView, position: int) -> int | None:
    """The time of the record at a position, microseconds since 1970 UTC; None outside the view.

    Args:
        view: Where.
        store: What it is of.
        position: From 0.
    """
    if not 0 <= position < len(view.rows):
        return None
    time: int = store.index.get_column("time").to_physical()[int(view.rows[position])]
    return time


def position_of_time(view: View, store: StoreView, time: int) -> int:
    """The first position at or after a time.

    Args:
        view: Where.
        store: What it is of.
        time: Microseconds since 1970 UTC.
    """
    times = store.index.get_column("time").to_physical()
    low, high = 0, len(view.rows)
    while low < high:
        middle = (low + high) // 2
        if times[int(view.rows[middle])] < time:
            low = middle + 1
        else:
            high = middle
    return low


def position_of_row(view: View, store: StoreView, row: int) -> int:
    """Where a record stands, or the place nearest to its time if it is not in the view."""
    times = store.index.get_column("time").to_physical()
    time = times[row]
    place = near = position_of_time(view, store, time)
    while near < len(view.rows) and times[int(view.rows[near])] == time:
        if view.rows[near] == row:
            return near
        near += 1
    return max(0, min(place, len(view.rows) - 1))


def next_level(view: View, store: StoreView, start: int, level: int, *, backwards: bool) -> int | None:
    """The next position from `start` (exclusive) whose level is at least `level`; None if there is none."""
    levels = store.index.get_column("level")
    size, position = _STRETCH, start
    while True:
        low, high = position + 1, min(len(view.rows), position + 1 + size)
        if backwards:
            low, high = max(0, position - size), position
        if low >= high:
            return None
        hits = (levels[view.rows.slice(low, high - low)] >= level).arg_true()
        if len(hits):
            return low + int(hits[-1] if backwards else hits[0])
        position = low if backwards else high - 1
        size *= 4
