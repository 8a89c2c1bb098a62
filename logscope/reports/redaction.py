"""What must not leave the house is masked: ids, addresses, names; equal values get equal masks."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from logscope.reports.case import Case

_PATTERNS = (
    ("email", r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"),
    ("uuid", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    ("ip", r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
    ("ip", r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?:[0-9a-fA-F]{1,4}|:)(?![\w:])"),
    ("ip", r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){1,6}:(?:[0-9a-fA-F]{1,4}:){0,5}[0-9a-fA-F]{1,4}(?![\w:])"),
    ("id", r"(?<![\w])[0-9a-fA-F]{16,64}(?![\w])"),
    ("number", r"(?<![\w.])\+?\d[\d -]{10,18}\d(?![\w.])"),
)
"""Addresses and ids by their shape, whatever field they stand in."""

_SHORTEST = 3
"""Shorter values would mask half of the text."""

_KEPT = frozenset({"level", "state", "kind", "version", "sensitive", "redacted"})

Node = TypeVar("Node")


class Redactor:
    """Masks values.

    Args:
        known: Values that must not be told, with their kind (`order_id`, `user`, `host`).
    """

    def __init__(self, known: dict[str, str]) -> None:
        """Nothing is masked yet."""
        self._kinds = {value: kind for value, kind in known.items() if len(value) >= _SHORTEST}
        self._masks: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        ordered = sorted(self._kinds, key=lambda value: (-len(value), value))
        # What stands within a longer word is another value.
        self._known = (
            re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])" for value in ordered))
            if ordered
            else None
        )
        self._shaped = [(kind, re.compile(pattern)) for kind, pattern in _PATTERNS]

    def text(self, text: str) -> str:
        """The text with masks like `<order_id 1>`."""
        if self._known is not None:
            text = self._known.sub(lambda hit: self._mask(hit.group(), self._kinds[hit.group()]), text)
        for kind, pattern in self._shaped:
            text = pattern.sub(lambda hit, kind=kind: self._mask(hit.group(), kind), text)  # type: ignore[misc]
        return text

    def _mask(self, value: str, kind: str) -> str:
        if value not in self._masks:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._masks[value] = f"<{kind} {self._counts[kind]}>"
        return self._masks[value]

    def tree(self, node: Node) -> Node:
        """Every text within dataclasses, tuples and dictionaries masked."""
        masked: Any = node
        if isinstance(node, str):
            masked = self.text(node)
        elif isinstance(node, tuple):
            masked = tuple(self.tree(each) for each in node)
        elif isinstance(node, dict):
            masked = {name: self.tree(each) for name, each in node.items()}
        elif is_dataclass(node) and not isinstance(node, type):
            names = [each.name for each in fields(node) if each.name not in _KEPT]
            masked = replace(node, **{name: self.tree(getattr(node, name)) for name in names})
        return masked  # type: ignore[no-any-return]


def redacted(case: Case) -> Case:
    """The case with its ids, addresses and names masked.

    Args:
        case: With what is sensitive by field.
    """
    open_case = replace(case, sensitive={}, source=None)
    return replace(Redactor(case.sensitive).tree(open_case), redacted=True)
