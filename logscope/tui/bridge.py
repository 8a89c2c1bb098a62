"""News of the engine to messages of the app."""

from __future__ import annotations

from textual.app import App

from logscope.engine.answers import Snapshot
from logscope.engine.api import Investigation
from logscope.tui.messages import SnapshotPublished


class Bridge:
    """One subscription; snapshots that wait are replaced by newer ones."""

    def __init__(self, app: App[int], investigation: Investigation) -> None:
        """Posts to `app`."""
        self._app = app
        self._stop = investigation.subscribe(self._published)
        self._published(investigation.snapshot)  # what changed before this was told to nobody

    def _published(self, snapshot: Snapshot) -> None:
        # Called on an engine thread: posting a message is all that is safe there.
        self._app.post_message(SnapshotPublished(snapshot))

    def close(self) -> None:
        """No more news."""
        self._stop()
