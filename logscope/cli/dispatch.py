"""How `scan` and `watch` dispatch what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logscope.cli.output import say
from logscope.config import load_config

if TYPE_CHECKING:
    import argparse

    from logscope.engine.service.dispatching import Dispatching
    from logscope.engine.session import Session

SCAN_PATIENCE = 15.0
"""Seconds that a scan tries to deliver before it leaves the rest in the outbox."""
WATCH_PATIENCE = 5.0
"""Seconds that a watch goes on delivering after its end."""


@contextmanager
def dispatched(
    session: Session,
    arguments: argparse.Namespace,
    *,
    by_rules: bool,
    say: Callable[[str, str, str], None] | None = None,
) -> Iterator[Dispatching]:
    """The dispatching of a session, started; what is under way when it is left may be sent again.

    Args:
        session: Whose detections are dispatched.
        arguments: With `action` and `config`.
        by_rules: Whether rules' own `actions` count.
        say: Told of what happens: kind of event, action, words.

    Raises:
        LogscopeError: An action that is not configured as it must be.
    """
    from logscope.engine.service.dispatching import Dispatching

    tables = load_config(arguments.config).actions
    dispatching = Dispatching(session, tables, arguments.action, say or say_event, by_rules=by_rules)
    dispatching.start()
    try:
        yield dispatching
    finally:
        dispatching.finish(0.0, patient=False)


def say_event(_kind: str, action: str, text: str) -> None:
    """What happened to an action, in one line on standard error."""
    say(f"logscope: action {action}: {text}" if action else f"logscope: {text}")


def finish(dispatching: Dispatching, seconds: float, *, patient: bool) -> int:
    """Deliver what can be delivered; 1 if something is left, else 0."""
    left = dispatching.finish(seconds, patient=patient)
    if dispatching.known and patient:
        say(f"logscope: {dispatching.known} of them were dispatched before, by this outbox, and are not again")
    if left:
        say(f"logscope: {left} events are left in the outbox; `logscope actions status` tells why, `retry` sends them")
    return 1 if left else 0
