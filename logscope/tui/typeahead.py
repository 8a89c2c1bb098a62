"""Keys typed faster than the screen answers: one is given on once the one before has done its work.

Without that, the letters of `&error` in one packet of a slow line, or of `cuser` while the fields of a large log
are still looked for, would be keys of the list that has the focus until the input line is open.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from textual import events
from textual.dom import DOMNode

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp

_LOOK_SECONDS = 0.02
"""How often it is looked whether keys that wait can go on."""
_LOST_SECONDS = 1.0
"""After so long a key is done even if nobody says so."""
_LAPS, _ENTER_LAPS, _MOST_LAPS = 2, 4, 12
"""How often what was brought about is followed up to the app: at least, of a line that is submitted, and at most."""
_AT_ONCE = ("ctrl+c", "ctrl+z")


class TypeAhead:
    """Lets keys through one after another; while a question holds them, none but Esc."""

    def __init__(self, app: LogscopeApp) -> None:
        """No key is under way."""
        self._app = app
        self._waiting: deque[events.Key] = deque()
        self._going: events.Key | None = None
        """Comes from the queue, and passes."""
        self._busy = 0.0
        """Since when a key is at work; 0: none is."""
        self.number = 0
        """How many keys were given on."""
        self._least = _LAPS
        self._looks = False

    def passes(self, event: events.Key) -> bool:
        """Whether a key is to be given on now; else it waits its turn."""
        if event is self._going or event.key in _AT_ONCE:
            return True
        if event.key == "escape" and self._held():
            # What was typed was meant for what is given up now.
            self._waiting.clear()
            return True
        if not self._waiting and not self._at_work() and not self._held():
            return True
        self._waiting.append(event)
        self._look_later()
        return False

    @property
    def idle(self) -> bool:
        """Whether every key has done its work."""
        return not (self._waiting or self._at_work() or self._held())

    def given(self, event: events.Key) -> None:
        """A key was given on: what is asked here follows it through the queues of all it bubbles to."""
        self.number += 1
        self._least = _ENTER_LAPS if event.key == "enter" else _LAPS
        self._busy = time.monotonic()
        target = self._app.focused or self._app.screen
        self._ask(target, target, 1)

    def _follow(self, target: DOMNode, node: DOMNode, number: int, lap: int) -> None:
        if number != self.number:
            return
        if node.parent is not None:
            self._ask(target, node.parent, lap)
        else:
            self._came_up(target, lap)

    def _ask(self, target: DOMNode, node: DOMNode, lap: int) -> None:
        """Go on with the lap at a node; one that is taken down has nothing to do any more."""
        if not (target.is_attached and node.call_later(self._follow, target, node, self.number, lap)):
            self._done()

    def _done(self) -> None:
        self._busy = 0.0
        self._go_on()

    def _came_up(self, target: DOMNode, lap: int) -> None:
        # What the key has brought about are messages in turn, like a line that was submitted, or a change of the focus.
        quiet = not any(node.message_queue_size for node in target.ancestors_with_self)
        if lap >= _MOST_LAPS or (lap >= self._least and quiet):
            self._done()
        else:
            self._ask(target, target, lap + 1)

    def _at_work(self) -> bool:
        return bool(self._busy) and time.monotonic() - self._busy < _LOST_SECONDS

    def _held(self) -> bool:
        return bool(getattr(self._app.screen, "holding", False))

    def _look_later(self) -> None:
        if not self._looks:
            self._looks = True
            self._app.set_timer(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._looks = False
        self._go_on()
        if self._waiting:
            self._look_later()

    def _go_on(self) -> None:
        """Give the next key on, if nothing is in its way; a screen that is just opened has no focus yet."""
        if self._waiting and not (self._at_work() or self._held()) and self._app.screen.is_mounted:
            self._busy = time.monotonic()
            self._going = self._waiting.popleft()
            self._app.post_message(self._going)
