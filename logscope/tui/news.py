"""Detections as they are made: told in a corner, with a bell for who wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logscope.engine.answers import Snapshot

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp

_NAMED = 2
_SEVERE = ("high", "critical")


class News:
    """Looks for what was found since the last look, while sources live."""

    def __init__(self, app: LogscopeApp) -> None:
        """Nothing is known yet; the bell is off."""
        self._app = app
        self._known: int | None = None
        """How many had been found at the last look."""
        self._findings = -1
        self.bell = False

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Ask for the detections if their number has changed."""
        if not snapshot.live or snapshot.loading or snapshot.findings == self._findings:
            return
        self._findings = snapshot.findings
        newest = self._app.investigation.newest()
        known, self._known = self._known, newest.count
        if known is None:
            # What was there when one opened it is no news.
            return
        fresh = newest.count - known
        for one in newest.detections[max(0, len(newest.detections) - min(fresh, _NAMED)) :]:
            self._app.say(f"✖ {one.rule}: {one.message or one.title}", "error" if one.level in _SEVERE else "warning")
        if fresh > _NAMED:
            self._app.say(f"✖ and {fresh - _NAMED} more detections", "warning")
        if fresh and self.bell:
            self._app.bell()

    def turn_bell(self) -> None:
        """Ring at each new detection, or cease to."""
        self.bell = not self.bell
        self._app.say("the bell rings at each new detection" if self.bell else "the bell is off")
