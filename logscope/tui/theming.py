"""Themes from TOML files: read, checked, registered. A broken file is reported and skipped."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from logscope.datafile import parse_toml, read_small
from logscope.errors import ConfigError
from logscope.paths import config_folder, shipped
from logscope.tui.base16 import read_base16
from logscope.tui.styles import ROLES
from logscope.tui.toml_places import line_of, place_of_error

COLORS = (
    "primary",
    "secondary",
    "warning",
    "error",
    "success",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
)
TOP = ("name", "dark", "ansi", "colors", "roles", "variables")

DEFAULT = "logscope-dark"


@dataclass(frozen=True, slots=True)
class Themes:
    """What the folders hold."""

    themes: tuple[Theme, ...]
    errors: tuple[ConfigError, ...]


def _color(value: object, where: str, key: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{key} is not a colour", where=where, mend='write it as a text, like "#26364d"')
    try:
        Color.parse(value)
    except ColorParseError as error:
        raise ConfigError(f"{key} = {value!r} is not a colour", where=where, mend="use #rrggbb or a name") from error
    return value


def _table(data: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{name} is not a table", where=where, mend=f"write [{name}]")
    return table


def _known(keys: Sequence[str], allowed: Sequence[str], table: str, where: str) -> None:
    for key in keys:
        if key not in allowed:
            place = f"{table}.{key}" if table else key
            raise ConfigError(f"unknown key {place}", where=where, mend=f"known: {', '.join(allowed)}")


def read_theme(path: Path) -> Theme:
    """One theme.

    Raises:
        ConfigError: With file and key of what is wrong.
    """
    where, text = str(path), ""
    try:
        text = read_small(path)
        data = parse_toml(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        told, line, column = place_of_error(error)
        raise ConfigError(f"cannot be read: {told}", where=where, line=line, column=column) from error
    try:
        return _theme(data, path)
    except ConfigError as error:
        # The key that is wrong is the first dotted or bare name that the message says.
        names = [word for word in error.message.split() if line_of(text, word) is not None]
        raise replace(error, line=line_of(text, names[0]) if names else None) from error


def _theme(data: dict[str, Any], path: Path) -> Theme:
    where = str(path)
    _known(list(data), TOP, "", where)
    colors, roles, variables = (_table(data, name, where) for name in ("colors", "roles", "variables"))
    _known(list(colors), COLORS, "colors", where)
    _known(list(roles), tuple(ROLES), "roles", where)
    if "primary" not in colors:
        raise ConfigError("colors.primary is missing", where=where)
    for flag in ("dark", "ansi"):
        if not isinstance(data.get(flag, False), bool):
            raise ConfigError(f"{flag} is not true or false", where=where)
    name = data.get("name", path.stem)
    if not isinstance(name, str) or not name.isprintable() or not name:
        raise ConfigError("name is not a text", where=where)
    painted: dict[str, Any] = {key: _color(value, where, f"colors.{key}") for key, value in colors.items()}
    return Theme(
        name=name,
        dark=data.get("dark", True),
        ansi=data.get("ansi", False),
        variables={
            **{key: _color(value, where, f"variables.{key}") for key, value in variables.items()},
            **{key: _color(value, where, f"roles.{key}") for key, value in roles.items()},
        },
        **painted,
    )


def _theme_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in (".toml", ".yaml", ".yml"))


def user_stamp() -> tuple[tuple[str, int], ...]:
    """What tells whether the user's themes have changed."""
    stamps = []
    for path in _theme_files(config_folder() / "themes"):
        with contextlib.suppress(OSError):
            stamps.append((path.name, path.stat().st_mtime_ns))
    return tuple(stamps)


def load_themes(folders: Sequence[Path] | None = None) -> Themes:
    """All themes of the folders; by default the shipped ones and the user's, which win by name."""
    themes: dict[str, Theme] = {}
    errors: list[ConfigError] = []
    for folder in folders if folders is not None else (shipped("themes"), config_folder() / "themes"):
        for path in _theme_files(folder):
            try:
                theme = read_theme(path) if path.suffix == ".toml" else read_base16(path)
            except ConfigError as error:
                errors.append(error)
            else:
                themes[theme.name] = theme
    return Themes(tuple(themes.values()), tuple(errors))
