"""What an action's type has to be: a sender, and how it says that it could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from logscope.actions.event import Event


class Undelivered(Exception):
    """Events were not taken.

    Args:
        reason: Why, in words for people; without secrets.
        retry_after: Seconds that the receiver asked to wait.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        """With the reason."""
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Down(Undelivered):
    """The receiver could not be reached: no event is to blame."""


class Failed(Undelivered):
    """The receiver took it badly this time: it is tried again, but not for ever if others are taken."""


class Refused(Undelivered):
    """The receiver will never take these events."""


class Sender(Protocol):
    """Sends events to one receiver; used by one thread at a time."""

    target: str
    """Where to, for people; without secrets."""
    batch: int
    """Events that one call of `send` may get."""
    patient: bool
    """Whether an event that fails again and again is kept while no other gets through either."""

    def open(self, origin: str) -> None:
        """Get ready: look up secrets.

        Args:
            origin: What own output is marked with, where a mark has a place.

        Raises:
            ConfigError: What is configured is not there.
        """

    def send(self, events: Sequence[Event]) -> None:
        """Return once all of them are delivered.

        Raises:
            Undelivered: None of them is.
        """

    def close(self) -> None:
        """End; what runs is ended too."""
