"""Who reads in the background makes way for who waits for a screen."""

from __future__ import annotations

import threading
from types import TracebackType

_LONGEST = 0.05
"""Seconds that a block of the background is held up at most: it goes on, however much is asked."""


class Courtesy:
    """A `with` block that others give way to; any number at a time, on any threads."""

    def __init__(self) -> None:
        """Nobody waits."""
        self._waiting = 0
        self._change = threading.Condition()

    def __enter__(self) -> None:
        """Somebody waits for an answer."""
        with self._change:
            self._waiting += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The answer is there."""
        with self._change:
            self._waiting -= 1
            self._change.notify_all()

    def give_way(self, longest: float = _LONGEST) -> None:
        """Wait until nobody waits for an answer, for so many seconds at most."""
        if self._waiting:
            with self._change:
                self._change.wait_for(lambda: not self._waiting, longest)
