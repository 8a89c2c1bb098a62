"""`actions test`: one event that says of itself that it is a test."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import msgspec

from logscope.actions.base import Undelivered
from logscope.actions.event import TEST, Event
from logscope.actions.settings import Action


def test_event(action: str) -> Event:
    """An event that no rule found: its state is `test`.

    Args:
        action: The name of the action it is for.
    """
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    detection = f"test-{secrets.token_hex(6)}"
    body = {
        "detection": detection,
        "rule": "logscope-test",
        "title": f"A test of the action {action}",
        "level": "informational",
        "time": now,
        "start": now,
        "end": now,
        "output": {},
        "message": f"logscope tries the action {action}: nothing was found",
        "steps": {},
        "state": TEST,
    }
    return Event(detection, TEST, "logscope-test", msgspec.json.encode(body))


def try_action(action: Action) -> str | None:
    """Send an action a test, past the outbox; why that did not work, or None.

    Raises:
        ConfigError: A secret is not there.
    """
    action.sender.open("")
    try:
        action.sender.send([test_event(action.name)])
    except Undelivered as trouble:
        return trouble.reason
    finally:
        action.sender.close()
    return None
