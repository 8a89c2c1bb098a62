"""`logscope.toml`: settings of the user, of a project, of one call; each knows the file it is from.

In order of precedence: options, `--config`, `./.logscope/logscope.toml`, the user's, defaults
(interface section 7). A project's file comes with what somebody checked out, so it may set formats,
keys, themes and rules, and nothing that runs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from logscope.errors import ConfigError
from logscope.paths import config_folder

FILE = "logscope.toml"
PROJECT = Path(".logscope") / FILE
DRIVERS = ("auto", "diff", "stock")


@dataclass(frozen=True, slots=True)
class Config:
    """What the files set; None or empty where they set nothing."""

    theme: str | None = None
    keymap: str | None = None
    driver: str | None = None
    """How the investigator writes to the terminal: `auto`, `diff` or `stock`."""
    grain: str | None = None
    tz: tuple[str, ...] = ()
    """Zones of stamps without one, `[GLOB=]ZONE` each."""
    formats: tuple[str, ...] = ()
    """Files or folders with format definitions, relative to the file that names them."""
    rules: tuple[str, ...] = ()
    """Files or folders with rules, likewise."""
    keys: dict[str, str] = field(default_factory=dict)
    """Correlation keys: name to regex with one capture group."""


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
        for name, value in _read(path).items():
            merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    return Config(**merged)


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", str(path), mend="name another --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", str(path), mend="mend the syntax there") from error
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in _READERS:
            if name == "actions":
                raise ConfigError("actions are not supported yet", str(path), mend="take [actions] out")
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


_READERS: dict[str, Callable[[str, Any, Path], Any]] = {
    "theme": _text,
    "keymap": _text,
    "driver": _driver,
    "grain": _text,
    "tz": _texts,
    "formats": _paths,
    "rules": _paths,
    "keys": _table,
}
