"""Detections as they are made: told in a corner, with a bell for who wants one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logscope.engine.answers import Detection, Snapshot
from logscope.engine.api import Cancel

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp

_NAMED = 2
_SEVERE = ("high", "critical")


class News:
    """Looks for what was found since the last look, while sources live."""

    def __init__(self, app: LogscopeApp) -> None:
        """Nothing is known yet; the bell is off."""
        self._app = app
        self._known: set[str] | None = None
        self._count = -1
        self.bell = False

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Ask for the detections if their number has changed."""
        if not snapshot.live or snapshot.loading or snapshot.detections == self._count:
            return
        home = self._app.home
        if not home.lives or home.queries.busy("news"):
            return
        self._count = snapshot.detections
        investigation = self._app.investigation

        def call(_cancel: Cancel) -> list[Detection]:
            return [one for one in investigation.detections() if one.state == "matched"]

        home.queries.ask("news", call, self._came)

    def _came(self, found: list[Detection]) -> None:
        known, self._known = self._known, {one.detection for one in found}
        if known is None:
            # What was there when one opened it is no news.
            return
        fresh = [one for one in found if one.detection not in known]
        for one in fresh[-_NAMED:]:
            self._app.say(f"✖ {one.rule}: {one.message or one.title}", "error" if one.level in _SEVERE else "warning")
        if len(fresh) > _NAMED:
            self._app.say(f"✖ and {len(fresh) - _NAMED} more detections", "warning")
        if fresh and self.bell:
            self._app.bell()

    def turn_bell(self) -> None:
        """Ring at each new detection, or cease to."""
        self.bell = not self.bell
        self._app.say("the bell rings at each new detection" if self.bell else "the bell is off")
