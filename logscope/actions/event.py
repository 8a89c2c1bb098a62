"""What goes out: a detection's JSON object and its state, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MATCHED, RETRACTED, SUMMARY, TEST = "matched", "retracted", "summary", "test"

_WHOLES = ("output", "keys", "steps")


@dataclass(frozen=True, slots=True)
class Event:
    """One detection in one state; equal `(detection, state)` are the same event."""

    detection: str
    state: str
    rule: str
    body: bytes
    """The detection's JSON object in one line, without its end."""

    @property
    def key(self) -> str:
        """What a receiver tells repetitions by."""
        return f"{self.detection}-{self.state}"

    def data(self) -> dict[str, Any]:
        """The JSON object."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found

    def lookup(self, data: Mapping[str, Any], name: str) -> str | None:
        """The text that a name in a template stands for; None for a missing value.

        Args:
            data: What `data()` gave.
            name: A member of the object (`title`), `output.NAME`, `keys.NAME`, `steps.STEP.time`, or the bare
                name of an output or key.
        """
        if name == "message":
            return _text(data.get("message") or data.get("title"))
        if name in data and name not in _WHOLES:
            return _text(data[name])
        first, _, rest = name.partition(".")
        places = [(first, rest)] if first in _WHOLES and rest else [("output", name), ("keys", name)]
        for whole, inner in places:
            found = _within(data.get(whole), inner)
            if found is not None:
                return _text(found)
        return None


def _within(value: Any, name: str) -> Any:
    """A member by its dotted name; names may hold dots themselves."""
    if not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    head, dot, rest = name.partition(".")
    return _within(value.get(head), rest) if dot else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()
