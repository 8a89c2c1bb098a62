"""`logscope.toml`: settings of the user, of a project, of one call; each knows the file it is from.

In order of precedence: options, `--config`, `./.logscope/logscope.toml`, the user's, defaults
(interface section 7). A project's file comes with what somebody checked out, so it may set formats,
keys, themes and rules, and nothing that runs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from logscope.datafile import parse_toml, read_small
from logscope.errors import ConfigError
from logscope.paths import config_folder

FILE = "logscope.toml"
PROJECT = Path(".logscope") / FILE
DRIVERS = ("auto", "diff", "stock")


@dataclass(frozen=True, slots=True)
class ActionTable:
    """`[actions.NAME]` as written; `actions.settings` reads it."""

    name: str
    values: Mapping[str, Any]
    path: Path
    """The file it stands in."""

    def line(self, key: str | None = None) -> int | None:
        """Where the table, or a key of it, stands in the file; None where that cannot be told."""
        head = re.compile(rf"""\s*\[\s*actions\s*\.\s*(["']?){re.escape(self.name)}\1\s*\]""")
        wanted = re.compile(rf"""\s*(["']?){re.escape(key or "")}\1\s*[=.]""")
        found = None
        for number, text in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            if head.match(text):
                found = number
            elif found is not None and text.lstrip().startswith("["):
                break
            elif found is not None and key is not None and wanted.match(text):
                return number
        return found


@dataclass(frozen=True, slots=True)
class Config:
    """What the files set; None or empty where they set nothing."""

    theme: str | None = None
    keymap: str | None = None
    driver: str | None = None
    """How the investigator writes to the terminal: `auto`, `diff` or `stock`."""
    grain: str | None = None
    retain: str | None = None
    """Of what listeners receive, how much is kept: a size or an age."""
    tz: tuple[str, ...] = ()
    """Zones of stamps without one, `[GLOB=]ZONE` each."""
    formats: tuple[str, ...] = ()
    """Files or folders with format definitions, relative to the file that names them."""
    rules: tuple[str, ...] = ()
    """Files or folders with rules, likewise."""
    keys: dict[str, str] = field(default_factory=dict)
    """Correlation keys: name to regex with one capture group."""
    actions: dict[str, ActionTable] = field(default_factory=dict)
    """What may be done with detections, by name; never from a project's file."""
    strange_rules: tuple[str, ...] = ()
    """Of `rules` those that a project's file names: their `actions` do not count."""


def load_config(given: str | None = None) -> Config:
    """All files that apply, merged.

    Args:
        given: `--config`.

    Raises:
        ConfigError: A file that cannot be read or holds what it may not; with line or key.
    """
    merged: dict[str, Any] = {}
    for path, needed in ((config_folder() / FILE, False), (PROJECT, False), (Path(given or ""), True)):
        if needed and given is None:
            continue
        if not needed and not path.is_file():
            continue
        values = _read(path)
        if path == PROJECT and "actions" in values:
            raise ConfigError(
                "a project's file may set no actions", str(path), mend=f"put [actions] into {config_folder() / FILE}"
            )
        if "rules" in values:
            values["strange_rules"] = values["rules"] if path == PROJECT else ()
        for name, value in values.items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    return Config(**merged)


def _read(path: Path) -> dict[str, Any]:
    try:
        table = parse_toml(read_small(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", str(path), mend="name another --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", str(path), mend="mend the syntax there") from error
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in _READERS:
            near = get_close_matches(name, _READERS, n=1)
            mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(_READERS)}"
            raise ConfigError(f"no setting {name!r}", str(path), mend=mend)
        values[name] = _READERS[name](name, value, path)
    return values


def _text(name: str, value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} is not text", str(path), mend=f'write {name} = "..."')
    return value


def _driver(name: str, value: Any, path: Path) -> str:
    if value not in DRIVERS:
        raise ConfigError(f"{name} = {value!r} is none of {', '.join(DRIVERS)}", str(path), mend="name one of them")
    return str(value)


def _texts(name: str, value: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
        raise ConfigError(f"{name} is not a list of texts", str(path), mend=f'write {name} = ["..."]')
    return tuple(value)


def _paths(name: str, value: Any, path: Path) -> tuple[str, ...]:
    return tuple(str(path.parent / item) for item in _texts(name, value, path))


def _table(name: str, value: Any, path: Path) -> dict[str, str]:
    if not isinstance(value, dict) or any(not isinstance(item, str) for item in value.values()):
        raise ConfigError(f"{name} is not a table of texts", str(path), mend=f"write [{name}] and NAME = 'REGEX'")
    return dict(value)


def _actions(name: str, value: Any, path: Path) -> dict[str, ActionTable]:
    if not isinstance(value, dict) or any(not isinstance(item, dict) for item in value.values()):
        raise ConfigError(f"{name} is not a table of tables", str(path), mend="write [actions.NAME] and its settings")
    for each in value:
        if not _ACTION_NAME.fullmatch(each):
            raise ConfigError(f"{each!r} is no name of an action", str(path), mend="letters, digits, _ . and -")
    return {each: ActionTable(each, settings, path) for each, settings in value.items()}


_ACTION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")

_READERS: dict[str, Callable[[str, Any, Path], Any]] = {
    "theme": _text,
    "keymap": _text,
    "driver": _driver,
    "grain": _text,
    "retain": _text,
    "tz": _texts,
    "formats": _paths,
    "rules": _paths,
    "keys": _table,
    "actions": _actions,
}
