"""One line that says what a record is about, for lists: its message and what the message leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TOLD = frozenset(
    {
        "time", "timestamp", "@timestamp", "ts", "t", "level", "lvl", "severity", "facility", "msgid", "msg",
        "message", "service", "app", "host", "hostname", "pid", "logger", "logger_name", "thread", "peer", "log",
        "stream", "version",
    }
)  # fmt: skip
"""Fields that other columns show, or that say little."""

_REQUEST = ("method", "path", "status")
_REQUEST_TOLD = frozenset({"client_ip", "user", "ident", "bytes", "referer", "agent", "protocol", "vhost"})
_LONGEST = 80


def summary(message: str, fields: Sequence[Mapping[str, Any]]) -> str:
    """A request as `GET /path 200`, any message followed by the fields that it does not hold.

    Args:
        message: The record's message.
        fields: `{"name", "value"}` each.
    """
    values: dict[str, str] = {}
    for entry in fields:
        values.setdefault(str(entry["name"]), str(entry["value"]))
    told = _TOLD
    if all(values.get(name) for name in _REQUEST) and values["path"] in message:
        message = " ".join(values.pop(name) for name in _REQUEST)
        told |= _REQUEST_TOLD
    rest = [
        f"{name}={value if len(value) <= _LONGEST else value[:_LONGEST] + '…'}"
        for name, value in values.items()
        if value and name not in told and value not in message
    ]
    return " ".join([message, *rest]) if message else " ".join(rest)
