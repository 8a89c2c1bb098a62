"""Jumps to what is not read yet: taken again as records come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen


class Awaiting:
    """The jump that waits for records, if there is one; any key gives it up."""

    def __init__(self, screen: RecordsScreen) -> None:
        """None waits."""
        self._screen = screen
        self._jump: tuple[int, Callable[[], None]] | None = None
        """How many keys there were when it was asked for, and the jump."""

    def again(self, jump: Callable[[], None]) -> None:
        """A jump was taken: again once there are more records, as long as sources are read."""
        scope = self._screen.scope
        known, self._jump = self._jump, None
        if scope.snapshot.loading:
            self._jump = (scope.ahead.number, jump)
            if known is None:
                scope.say("still reading: goes on to it as records come")

    def view_arrived(self) -> None:
        """There are more records."""
        if self._jump is None:
            return
        number, jump = self._jump
        if number == self._screen.scope.ahead.number:
            jump()
        else:
            self._jump = None
