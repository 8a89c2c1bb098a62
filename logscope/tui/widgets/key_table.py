"""The correlation keys that were found or given, with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logscope.text import human_count
from logscope.tui.widgets.column_list import Cell, Column, ColumnList

CLASSES = (
    ("strong", "links: trace, request, order, session ids"),
    ("scoped", "links within one host and process: pid, thread, connection"),
    ("weak", "never links, one pivots on it: user, address, tenant"),
    ("hub", "ties too much together: never links"),
)
"""What a key may be, and what that means."""
_ROLES = {"strong": "log-key", "scoped": "log-service", "weak": "foreground", "hub": "log-warn"}


class KeyTable(ColumnList):
    """A key a row."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing found yet."""
        super().__init__(id=id)
        self._keys: Sequence[Mapping[str, Any]] = ()
        self.staged: frozenset[str] = frozenset()
        """Keys that a change which is not applied yet touches."""
        self.teach(["", "Looking for keys …"])

    def show(self, keys: Sequence[Mapping[str, Any]]) -> None:
        """Show these."""
        self._keys = keys
        self.teach(
            [
                "No identifier was found that several records share.",
                "",
                "Looked for: order, request, trace and session ids, UUIDs, long hex, prefixed ids,",
                "in JSON members, key=value, brackets and free text.",
                "Add one: --key NAME='regex with one (group)'; it can be a field's name and =(\\S+).",
            ]
        )
        self.set_rows(len(keys), self.cursor)

    def mark(self, staged: frozenset[str]) -> None:
        """Which keys a staged change touches."""
        self.staged = staged
        self.repaint()

    @property
    def key(self) -> Mapping[str, Any] | None:
        """The one under the cursor."""
        return self._keys[self.cursor] if self.cursor < len(self._keys) else None

    @property
    def keys_shown(self) -> Sequence[Mapping[str, Any]]:
        """All of them."""
        return self._keys

    def columns(self) -> list[Column]:
        """What it is, how many, how large."""
        wide = self.wide >= 100
        return [
            Column("on", 3),
            Column("key", 22 if wide else 16),
            Column("class", 7),
            Column("values", 8, right=True),
            Column("records", 8, right=True),
            Column("of one: p50", 11, right=True, least=100),
            Column("max", 7, right=True, least=100),
            Column("services", 8, right=True),
            Column("why", 0),
        ]

    def sign(self, index: int) -> Cell:
        """The grain, and what is about to be changed."""
        key = self._keys[index]
        if str(key.get("key")) in self.staged:
            return "✎", "log-hint"
        return ("◆", "log-key") if key.get("grain") else (" ", "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        key = self._keys[index]
        on = bool(key.get("active", True))
        title = column.title
        if title == "on":
            return ("[x]" if on else "[ ]"), "log-hint" if on else "log-dim"
        if title == "key":
            return str(key.get("key", "")), "log-key" if on else "log-dim"
        if title == "class":
            klass = str(key.get("class", ""))
            return klass, _ROLES.get(klass, "foreground")
        if title == "services":
            names = key.get("services")
            return (str(len(names)) if names else ""), "foreground"
        if title == "why":
            return str(key.get("why", "")), "log-dim"
        name = {"of one: p50": "records_per_value_p50", "max": "records_per_value_max"}.get(title, title)
        value = key.get(name)
        return ("" if value is None else human_count(int(value))), "foreground"
