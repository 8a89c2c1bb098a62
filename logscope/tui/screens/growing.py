"""A transaction that is open on the screen while it grows: asked for again, and what it waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from logscope.engine.answers import Detection, Snapshot, TransactionDetail
from logscope.engine.api import Cancel
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.tui.screens.transaction import TransactionScreen

_RESTED = 4
_SECOND = 1_000_000


class Growing:
    """Keeps a transaction's screen as new as the engine's news.

    Args:
        screen: Shows it.
        number: Of the transaction.
        arrived: Shows what has changed.
    """

    def __init__(self, screen: TransactionScreen, number: int, arrived: Callable[[TransactionDetail], None]) -> None:
        """Nothing has been asked yet."""
        self._screen = screen
        self._number = number
        self._arrived = arrived
        self._next = 0.0
        self._end: int | None = None
        self._end_at = 0.0
        self._detail: TransactionDetail | None = None
        self._due: list[tuple[str, int]] = []

    def begin(self, detail: TransactionDetail) -> None:
        """This is shown now."""
        self._detail = detail

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Ask again, since records came or time has passed; no more often than the engine can answer."""
        if snapshot.end != self._end:
            self._end, self._end_at = snapshot.end, time.monotonic()
        screen = self._screen
        if not snapshot.live or self._detail is None:
            return
        if screen.queries.busy("transaction") or time.monotonic() < self._next:
            return
        investigation, number = screen.investigation, self._number

        def call(_cancel: Cancel) -> tuple[TransactionDetail, list[Detection]]:
            detail = investigation.transaction(number)
            rows = {member.line.row for member in detail.members}
            pending = [
                one for one in investigation.detections() if one.state == "pending" and _is_of(one, number, rows)
            ]
            return detail, pending

        screen.queries.ask("transaction", call, lambda found: self._came(*found), failed=lambda _: None)

    def _came(self, detail: TransactionDetail, pending: list[Detection]) -> None:
        took = self._screen.queries.took.get("transaction", 0.0)
        self._next = time.monotonic() + max(1.0, _RESTED * took)
        self._due = sorted({(one.rule, one.time) for one in pending}, key=lambda due: due[1])
        before, self._detail = self._detail, detail
        if before is None or (detail.members, detail.rules) != (before.members, before.rules):
            self._arrived(detail)
        self._screen.show_status()

    def now(self) -> int | None:
        """The log's own time: of the newest record, and what has passed since it came."""
        if self._end is None:
            return None
        return self._end + int((time.monotonic() - self._end_at) * _SECOND)

    def told(self) -> str:
        """How long it has been open, and when an absence will be certain; empty if it does not live."""
        now = self.now()
        if now is None or self._detail is None or not self._screen.scope.snapshot.live:
            return ""
        parts = [f"begun {human_duration(max(0, now - self._detail.start))} ago"] if self._detail.open else []
        parts += [f"{rule} in {human_duration(due - now)}" for rule, due in self._due if due > now][:2]
        parts += [f"{rule} is decided" for rule, due in self._due if due <= now][:1]
        return " · ".join(parts)


def _is_of(detection: Detection, number: int, rows: Collection[int]) -> bool:
    """Whether a detection is one of a transaction: a rule by a key or field names none, but its steps are records."""
    if detection.number is not None:
        return detection.number == number
    return any(step["row"] in rows for step in detection.steps.values())
