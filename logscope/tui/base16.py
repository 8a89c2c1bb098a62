"""Base16 and base24 colour schemes as themes: sixteen named colours to the roles that logscope paints with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.theme import Theme

from logscope.datafile import read_small
from logscope.errors import ConfigError

NAMES = tuple(f"base0{digit}" for digit in "0123456789ABCDEF")

_ROLES = {
    "log-trace": "base03", "log-debug": "base04", "log-info": "base0B", "log-warn": "base0A", "log-error": "base08",
    "log-fatal": "base0F", "log-time": "base04", "log-dim": "base04", "log-name": "base04", "log-service": "base0D",
    "log-match": "base02", "log-match-text": "base0A", "log-key": "base0E", "log-cursor": "base02", "log-mark": "base0A",
    "log-detection": "base09", "log-gap": "base01", "log-strip": "base0D", "log-hint": "base0C", "lane-1": "base0D",
    "lane-2": "base0B", "lane-3": "base0A", "lane-4": "base0E", "lane-5": "base0C", "lane-6": "base09",
}  # fmt: skip
_COLORS = {
    "primary": "base0D", "secondary": "base0C", "warning": "base0A", "error": "base08", "success": "base0B",
    "accent": "base0E", "foreground": "base05", "background": "base00", "surface": "base01", "panel": "base01",
    "boost": "base02",
}  # fmt: skip


def read_base16(path: Path) -> Theme:
    """A scheme file (YAML, the old form or the one with `palette`) as a theme called after its file.

    Source: https://github.com/tinted-theming/home/blob/main/styling.md

    Raises:
        ConfigError: With file and line of what is wrong.
    """
    import yaml

    where = str(path)
    try:
        text = read_small(path)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigError(f"cannot be read: {error.problem}", where=where, line=line) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be read: {error}", where=where) from error
    if not isinstance(data, dict):
        raise ConfigError("is no base16 scheme", where=where, mend="it has base00 to base0F")
    table = data.get("palette", data)
    found = {name: _color(table, name, text, where) for name in NAMES}
    background, foreground = (
        sum(int(found[name][at : at + 2], 16) for at in (1, 3, 5)) for name in ("base00", "base05")
    )
    return Theme(
        name=path.stem,
        dark=background < foreground,
        variables={role: found[name] for role, name in _ROLES.items()},
        **{color: found[name] for color, name in _COLORS.items()},  # type: ignore[arg-type]  # all of them are colours
    )


def _color(table: Any, name: str, text: str, where: str) -> str:
    value = table.get(name, table.get(name.lower())) if isinstance(table, dict) else None
    if value is None:
        raise ConfigError(f"{name} is missing", where=where, mend="a base16 scheme has base00 to base0F")
    digits = str(value).removeprefix("#")
    if len(digits) != 6 or any(sign not in "0123456789abcdefABCDEF" for sign in digits):
        line = next(
            (n for n, one in enumerate(text.split("\n"), 1) if one.strip().lower().startswith(name.lower())), None
        )
        raise ConfigError(f"{name} is not a colour", where=where, line=line, mend='write it like "26364d", in quotes')
    return f"#{digits}"
