"""Where in a TOML file something stands, for errors that point at it."""

from __future__ import annotations

import re

_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")


def place_of_error(error: Exception) -> tuple[str, int | None, int | None]:
    """What a parser complains of, and its line and column as far as it says them."""
    told = str(error)
    match = _AT.search(told)
    if match is None:
        return told, None, None
    return told[: match.start()].strip(), int(match[1]), int(match[2])


def line_of(text: str, key: str) -> int | None:
    """The 1-based line of a key.

    Args:
        text: The file.
        key: With its table before a dot: `roles.log-error`; one of the file's own without.
    """
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _HEADER.match(line):
            table = match[1].strip("\"'")
            if table == key:
                return number
            continue
        name = line.partition("=")[0].strip().strip("\"'")
        if name and key in (name if not table else f"{table}.{name}", f"{table}.{name}" if table else name):
            return number
    return None
