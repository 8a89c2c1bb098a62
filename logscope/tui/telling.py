"""What the user is told: in the status line where it is short and nothing is amiss, else in a corner; all of it is kept."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from logscope.engine.answers import Snapshot
from logscope.text import clean
from logscope.tui.clock import Clock
from logscope.tui.safe import line

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp

Severity = Literal["information", "warning", "error"]

SECONDS = 6.0
"""How long something is shown."""
CAP = 400
"""Characters of a text that are shown."""
_KEPT = 200
_AT_ONCE = 3
"""Messages of one moment that stand in the corner; of more the rest is counted."""
_SIGNS = {"information": ("·", "$log-hint"), "warning": ("▲", "$log-warn"), "error": ("✖", "$log-error")}


@dataclass(frozen=True, slots=True)
class Told:
    """Something that was said, and when (microseconds since 1970)."""

    time: int
    text: str
    severity: Severity


class Telling:
    """Says things, and knows what it has said."""

    def __init__(self, app: LogscopeApp) -> None:
        """Nothing was said."""
        self._app = app
        self.kept: deque[Told] = deque(maxlen=_KEPT)
        self._known: Counter[str] = Counter()
        self._word = ""
        self._until = 0.0
        self._passing = False
        """Whether the next key takes the word away."""

    @property
    def word(self) -> str:
        """What the status line says now; empty: nothing."""
        return self._word if time.monotonic() < self._until else ""

    def pressed(self) -> None:
        """A key was pressed: what covers where one stands was read."""
        if self._passing:
            self._until = 0.0

    def say(self, text: str, severity: Severity = "information") -> None:
        """Say any text: in the status line if it fits there and nothing is amiss, else in a corner."""
        shown = self._keep(text, severity)
        if severity != "information" or not self._in_line(shown, whole=True):
            self._app.notify(shown, severity=severity, markup=False, timeout=SECONDS)

    def remark(self, text: str) -> None:
        """Say what nobody has asked for: in the status line, as much as fits."""
        shown = self._keep(text, "information")
        if not self.word:
            self._in_line(shown, whole=False)

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Say what a snapshot tells for the first time."""
        fresh = list((Counter(snapshot.messages) - self._known).elements())
        remarks = [text for text in snapshot.remarks if text not in self._known]
        self._known |= Counter(snapshot.messages) | Counter(snapshot.remarks)
        if len(fresh) > _AT_ONCE:
            for text in fresh[_AT_ONCE - 1 :]:
                self._keep(text, "warning")
            left = len(fresh) - _AT_ONCE + 1
            fresh = [*fresh[: _AT_ONCE - 1], f"and {left} more such messages: :messages lists them"]
        for text in fresh:
            self.say(text, "warning")
        for text in remarks:
            self.remark(text)

    def _keep(self, text: str, severity: Severity) -> str:
        shown = clean(text, cap=CAP)
        now = round(datetime.now(UTC).timestamp() * 1e6)
        self.kept.append(Told(now, shown, severity))
        return shown

    def _in_line(self, text: str, *, whole: bool) -> bool:
        """Show a text in the status line of the screen on top; False if it has none, or no room for the `whole`."""
        from logscope.tui.screens.base import InvestigatorScreen

        screen = self._app.screen
        if not isinstance(screen, InvestigatorScreen) or not screen.lives or screen.bar.is_open:
            return False
        if whole and line(text).cell_length > self._app.size.width - 2:
            return False
        self._word, self._until = text, time.monotonic() + SECONDS
        self._passing = line(text).cell_length > self._app.size.width * 2 // 5
        screen.show_status()
        return True


def told_facts(kept: Sequence[Told], clock: Clock) -> list[Content]:
    """What was said, newest first."""
    rows = [
        line((f"{sign} ", style), (f"{clock.full(one.time)[:19]}  ", "$log-time"), one.text)
        for one in reversed(kept)
        for sign, style in (_SIGNS[one.severity],)
    ]
    return rows or [line(("Nothing was said yet.", "$log-dim"))]
