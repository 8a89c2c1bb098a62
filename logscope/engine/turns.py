"""One at a time: whoever waits for a turn hears how far the one before is, and can give up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscope.engine.api import Cancel

_LOOK_SECONDS = 0.1


class Turns:
    """A lock for long work."""

    def __init__(self) -> None:
        """Nobody's turn."""
        self._lock = threading.Lock()
        self._working: Cancel | None = None

    @contextmanager
    def of(self, cancel: Cancel) -> Iterator[None]:
        """Wait for a turn, and have it.

        Args:
            cancel: Looked at while waiting; meanwhile it is told what the one at work tells.

        Raises:
            Cancelled: It was given up while waiting.
        """
        while not self._lock.acquire(timeout=_LOOK_SECONDS):
            cancel.check()
            if (working := self._working) is not None and working.told is not None:
                cancel.tell(*working.told)
        try:
            self._working = cancel
            yield
        finally:
            self._working = None
            self._lock.release()
