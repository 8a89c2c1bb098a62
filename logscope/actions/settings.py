"""Reads `[actions.NAME]`: what every type has in common; each type reads its own from the same table."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from logscope.actions.base import Sender
from logscope.actions.event import MATCHED, RETRACTED
from logscope.actions.secret import Secret
from logscope.config import ActionTable
from logscope.errors import ConfigError, LogscopeError
from logscope.language.units import parse_duration
from logscope.templating import Template, TemplateError, parse_template

STATES = (MATCHED, RETRACTED)
_TYPES = {
    "file": "logscope.actions.file:FileSender",
    "webhook": "logscope.actions.webhook:WebhookSender",
    "command": "logscope.actions.command:CommandSender",
    "syslog": "logscope.actions.syslog:SyslogSender",
    "notify": "logscope.actions.notify:NotifySender",
}
_RATE = re.compile(r"([0-9]{1,9})\s*/\s*([smh])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_UNSENT = object()


@dataclass(frozen=True, slots=True)
class Pace:
    """How an action is tried again; all in seconds."""

    first: float = 1.0
    """Pause after the first failure; it doubles."""
    most: float = 60.0
    give_up: float = 7 * 86_400.0
    """What failed for so long is a dead letter."""
    tries: int = 12
    """What failed so often, while others were taken, is one."""
    rate: float | None = None
    """Calls a second at most."""


@dataclass(frozen=True, slots=True)
class Action:
    """A configured action."""

    name: str
    kind: str
    on: tuple[str, ...]
    pace: Pace
    flood: tuple[int, float] | None
    """Events of one rule in so many seconds, beyond which they become a summary."""
    sender: Sender
    table: ActionTable


class SenderType(Protocol):
    """How a type's class makes a sender of a table, and what is common to all such actions by default."""

    TRIES: int
    FLOOD: str

    @classmethod
    def read(cls, table: Reader) -> Sender:
        """The sender; its settings are looked at, not yet its receiver.

        Raises:
            ConfigError: A setting that cannot be used.
        """


class Reader:
    """Takes settings from a table and knows which were asked for.

    Args:
        table: As written.
    """

    def __init__(self, table: ActionTable) -> None:
        """Nothing was asked for yet."""
        self.table = table
        self._asked: dict[str, None] = {}

    def error(self, key: str | None, message: str, mend: str) -> ConfigError:
        """An error at a key of the table, or at its head."""
        place = f"action {self.table.name}" + (f": {key}" if key else "")
        return ConfigError(f"{place}: {message}", str(self.table.path), self.table.line(key), mend=mend)

    def _value(self, key: str, default: Any, kind: type, words: str) -> Any:
        self._asked[key] = None
        value = self.table.values.get(key, _UNSENT)
        if value is _UNSENT:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(key, f"is not {words}", f"write {key} = {_EXAMPLES[kind]}")
        return value

    def value(self, key: str) -> Any:
        """Whatever is there; None if nothing is."""
        self._asked[key] = None
        return self.table.values.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default it has to be there.

        Raises:
            ConfigError: It is missing or no text.
        """
        value = self._value(key, default, str, "text")
        if value is None:
            raise self.error(None, f"{key} is missing", f'write {key} = "..."')
        return str(value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, not empty."""
        value = self._value(key, default, list if key in self.table.values else tuple, "a list of texts")
        if value is None:
            raise self.error(None, f"{key} is missing", f'write {key} = ["..."]')
        if not value or any(not isinstance(item, str) for item in value):
            raise self.error(key, "is not a list of texts", f'write {key} = ["..."]')
        return tuple(value)

    def table_of_texts(self, key: str) -> dict[str, str]:
        """A table of texts; empty by default."""
        value = self._value(key, {}, dict, "a table of texts")
        if any(not isinstance(item, str) for item in value.values()):
            raise self.error(key, "is not a table of texts", f'write {key} = {{NAME = "..."}}')
        return dict(value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Yes or no."""
        return bool(self._value(key, default, bool, "true or false"))

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = int(self._value(key, default, int, "a whole number"))
        if not least <= value <= most:
            raise self.error(key, f"is not between {least} and {most}", "choose another number")
        return value

    def seconds(self, key: str, default: str) -> float:
        """A duration, in seconds, above zero."""
        text = self.text(key, default)
        try:
            found = parse_duration(text) / 1e6
        except (ValueError, LogscopeError) as error:
            raise self.error(key, f"{text!r} is no duration", 'for example "10s"') from error
        if found <= 0:
            raise self.error(key, "is not above zero", 'for example "10s"')
        return found

    def rate(self, key: str, default: str) -> tuple[int, float] | None:
        """`100/m` as (100, 60.0); `none` is None."""
        text = self.text(key, default)
        if text == "none":
            return None
        found = _RATE.fullmatch(text)
        if found is None or not int(found[1]):
            raise self.error(key, f"{text!r} is no rate", 'for example "10/s", "100/m", or "none"')
        return int(found[1]), _SECONDS[found[2]]

    def template(self, key: str, default: str) -> Template:
        """Text with `{names}`."""
        return self.parsed(key, self.text(key, default))

    def parsed(self, key: str, text: str) -> Template:
        """The same of a text that stands within `key`."""
        try:
            return parse_template(text)
        except TemplateError as error:
            raise self.error(key, f"column {error.column}: {error.message}", error.mend or "mend it") from error

    def secret(self, key: str, text: str) -> Secret:
        """A text that may be `env:NAME` or `file:PATH`."""
        name = f"action {self.table.name}: {key}"
        return Secret(text, str(self.table.path), self.table.line(key.partition(".")[0]), name)

    def path(self, key: str) -> Path:
        """A path, relative to the file that names it."""
        return (self.table.path.parent / Path(self.text(key)).expanduser()).absolute()

    def done(self) -> None:
        """All was asked for that there is to ask.

        Raises:
            ConfigError: A key that nothing asked for.
        """
        for key in self.table.values:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, n=1)
                mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(self._asked)}"
                raise self.error(key, "is no setting of this type", mend)


_EXAMPLES: dict[type, str] = {
    str: '"..."', list: '["..."]', tuple: '["..."]', dict: "{...}", int: "10", bool: "true"
}  # fmt: skip


def read_action(table: ActionTable) -> Action:
    """One action, its settings looked at.

    Raises:
        ConfigError: With file and line.
    """
    reader = Reader(table)
    kind = reader.text("type")
    if kind not in _TYPES:
        near = get_close_matches(kind, _TYPES, n=1)
        raise reader.error(
            "type", f"no type {kind!r}", f"did you mean {near[0]}?" if near else f"one of {', '.join(_TYPES)}"
        )
    module, _, name = _TYPES[kind].partition(":")
    made: type[SenderType] = getattr(import_module(module), name)
    on = reader.texts("on", (MATCHED,))
    for state in on:
        if state not in STATES:
            raise reader.error("on", f"{state!r} is no state", f"one of {', '.join(STATES)}")
    rate = reader.rate("rate", "none")
    pace = Pace(
        first=reader.seconds("retry", "1s"),
        most=reader.seconds("retry_max", "1m"),
        give_up=reader.seconds("give_up", "7d"),
        tries=reader.number("tries", made.TRIES, 1, 1_000_000),
        rate=None if rate is None else rate[0] / rate[1],
    )
    flood = reader.rate("flood", made.FLOOD)
    sender = made.read(reader)
    reader.done()
    return Action(table.name, kind, on, pace, flood, sender, table)


def read_actions(tables: Mapping[str, ActionTable]) -> dict[str, Action]:
    """All actions that are configured.

    Raises:
        ConfigError: The first that cannot be used, or a file that others may write.
    """
    for path in {table.path for table in tables.values()}:
        _check_owner(path)
    return {name: read_action(table) for name, table in tables.items()}


def _check_owner(path: Path) -> None:
    """What may be done is for the user alone to say: refuse a file that anybody may write."""
    if path.stat().st_mode & stat.S_IWOTH:
        raise ConfigError("holds actions, and anybody may write it", str(path), mend=f"chmod o-w {path}")
