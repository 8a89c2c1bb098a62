"""A rule gone wild: what is more than an action bears of one rule becomes one event that counts it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from logscope.actions.event import SUMMARY, Event
from logscope.text import human_duration

_NAMED = 10
"""Detections that a summary names."""


@dataclass(slots=True)
class _Window:
    begin: float
    passed: int = 0
    id: str = ""
    count: int = 0
    first: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    changed: bool = False


class Floods:
    """Counts what each action gets of each rule, in windows of real time.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Nothing came yet."""
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}
        self.folded = 0
        """Events that are told of in summaries only."""

    def admits(self, action: str, event: Event, limit: tuple[int, float] | None) -> bool:
        """Whether an event is sent by itself; else it counts in the next summary.

        Args:
            action: For which.
            event: New to that action.
            limit: Events of one rule in so many seconds.
        """
        if limit is None:
            return True
        most, seconds = limit
        now = self._clock()
        window = self._windows.get((action, event.rule))
        if window is None or not window.begin <= now < window.begin + seconds:
            window = self._windows[action, event.rule] = _Window(now)
        window.passed += 1
        if window.passed <= most:
            return True
        data = event.data()
        if not window.count:
            window.id = f"summary-{secrets.token_hex(6)}"
            window.first = data
        window.count += 1
        window.last = data
        window.changed = True
        if len(window.named) < _NAMED:
            window.named.append(event.detection)
        self.folded += 1
        return False

    def summaries(
        self, limits: dict[str, tuple[int, float]], *, final: bool = False
    ) -> Iterator[tuple[str, Event, float]]:
        """Action, event and when it is due, of each summary that has changed since they were asked for.

        Args:
            limits: Of the actions that have one.
            final: No more will come: all of the windows that are open are due at once.
        """
        for (action, rule), window in self._windows.items():
            if action in limits and window.count and (window.changed or final):
                window.changed = False
                seconds = limits[action][1]
                yield action, _summary(rule, window, seconds), 0.0 if final else window.begin + seconds


def _summary(rule: str, window: _Window, seconds: float) -> Event:
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    span = human_duration(round(seconds * 1e6))
    body = {
        "detection": window.id,
        "rule": rule,
        "title": window.first.get("title", rule),
        "level": window.first.get("level", "medium"),
        "time": window.last.get("time", now),
        "start": window.first.get("time", now),
        "end": window.last.get("time", now),
        "output": {"count": window.count},
        "message": f"{window.count:,} more by rule {rule} within {span}, told of here only",
        "steps": {},
        "detections": window.named,
        "state": SUMMARY,
    }
    return Event(window.id, SUMMARY, rule, msgspec.json.encode(body))
