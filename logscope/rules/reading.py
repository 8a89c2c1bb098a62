"""Reads the keys of a rule document and collects what is wrong with them, all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from logscope.errors import LogscopeError, RuleError
from logscope.language.units import parse_duration
from logscope.rules.documents import Located
from logscope.rules.nearest import nearest

_WORDS = {str: "text", bool: "true or false", int: "a number", float: "a number", dict: "a mapping", list: "a list"}


def kind_word(value: Any) -> str:
    """What YAML made of a value, in words."""
    return "nothing" if value is None else _WORDS.get(type(value), type(value).__name__)


class Complaints:
    """Errors of one document."""

    def __init__(self, where: str) -> None:
        """Of a file."""
        self.where = where
        self.errors: list[RuleError] = []

    def add(self, message: str, line: int | None, *, column: int | None = None, mend: str | None = None) -> None:
        """One more."""
        self.errors.append(RuleError(message, where=self.where, line=line, column=column, mend=mend))

    def take(self, error: LogscopeError, line: int | None, context: str = "") -> None:
        """One more that something else raised, with the file and line it lacks."""
        message = f"{context}: {error.message}" if context else error.message
        self.add(message, line, column=error.column, mend=error.mend)


class Keys:
    """A mapping's keys, read one by one by kind; wrong ones are complained of and count as missing.

    Args:
        entry: The mapping.
        known: Keys that it may have.
        complaints: Where errors go.
        context: Begins each message, such as `step psp`.
    """

    def __init__(self, entry: Located, known: Collection[str], complaints: Complaints, context: str = "") -> None:
        """Complains of keys that are not known."""
        self.line = entry.line
        self.complaints = complaints
        self.context = context
        self.entries: dict[str, Located] = {}
        if not isinstance(entry.value, dict):
            self.wrong(f"a mapping is expected, not {kind_word(entry.value)}", entry.line)
            return
        self.entries = entry.value
        for name, value in self.entries.items():
            if name not in known:
                self.wrong(f"there is no key {name}", value.line, nearest(name, known, "keys are"))

    def wrong(self, message: str, line: int | None = None, mend: str | None = None) -> None:
        """Complain."""
        text = f"{self.context}: {message}" if self.context else message
        self.complaints.add(text, self.line if line is None else line, mend=mend)

    def has(self, name: str) -> bool:
        """Whether the key is there and has a value."""
        return name in self.entries and self.entries[name].value is not None

    def line_of(self, name: str) -> int:
        """The key's line, else the mapping's."""
        return self.entries[name].line if name in self.entries else self.line

    def entry(self, name: str) -> Located | None:
        """The key's value as it stands."""
        return self.entries[name] if self.has(name) else None

    def text(self, name: str, *, required: bool = False, choices: Collection[str] = ()) -> str | None:
        """A text."""
        if not self.has(name):
            if name in self.entries and required:
                self.wrong(
                    f"{name} is empty: no text, null and ~ are nothing to YAML",
                    self.entries[name].line,
                    f"write it as a block, {name}: |- and the text indented on the next line",
                )
            elif required:
                self.wrong(f"{name} is missing", mend=f"add {name}:")
            return None
        entry = self.entries[name]
        if not isinstance(entry.value, str):
            self.wrong(
                f"{name} is not text, YAML reads {kind_word(entry.value)}",
                entry.line,
                f"write it as a block, {name}: |- and the text indented on the next line",
            )
            return None
        if required and not entry.value.strip():
            self.wrong(f"{name} is empty", entry.line)
            return None
        if choices and entry.value not in choices:
            self.wrong(f"{name} {entry.value} is none of them", entry.line, nearest(entry.value, choices, "known are"))
            return None
        return entry.value

    def boolean(self, name: str, default: bool) -> bool:
        """True or false."""
        entry = self.entry(name)
        if entry is None:
            return default
        if not isinstance(entry.value, bool):
            self.wrong(f"{name} is neither true nor false", entry.line, "write true or false")
            return default
        return entry.value

    def duration(self, name: str) -> int | None:
        """A duration in microseconds."""
        entry = self.entry(name)
        if entry is None:
            return None
        text = str(entry.value) if isinstance(entry.value, (str, int, float)) else ""
        try:
            found = parse_duration(text)
        except (LogscopeError, ValueError):
            found = -1
        if found < 0 or isinstance(entry.value, (bool, int, float)):
            self.wrong(f"{name} is not a duration", entry.line, "write 250ms, 2s, 5m, 1h or 1d")
            return None
        return found

    def names(self, name: str) -> tuple[str, ...]:
        """A list of texts, or one text."""
        entry = self.entry(name)
        if entry is None:
            return ()
        if isinstance(entry.value, str):
            return (entry.value,)
        return tuple(text for item in self.items(name) if (text := self._item_text(name, item)) is not None)

    def items(self, name: str) -> Iterator[Located]:
        """A list's items."""
        entry = self.entry(name)
        if entry is None:
            return
        if not isinstance(entry.value, list):
            self.wrong(f"{name} is not a list", entry.line, "begin each item with -")
            return
        yield from entry.value

    def _item_text(self, name: str, item: Located) -> str | None:
        if isinstance(item.value, str):
            return item.value
        self.wrong(
            f"{name} has an item that is not text, YAML reads {kind_word(item.value)}", item.line, "put it in quotes"
        )
        return None
