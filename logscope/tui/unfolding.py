"""A record's text unfolded: JSON with an indent, the lines of a stack trace."""

from __future__ import annotations

import json
import re
from contextlib import suppress

from logscope.engine.answers import Line
from logscope.text import clean
from logscope.tui.cellwise import broken

CAP = 64 * 1024
"""Characters of a record that are unfolded."""
MOST = 400
"""Lines of it that are shown in place."""
_INDENT = 2
_DEEP = 20
"""Members in members that are looked into for JSON as text."""
_LINE_END = re.compile(r"(?<!\\)((?:\\\\)*)\\n")


def pretty(text: str) -> str | None:
    """JSON within a text, indented, with what stands before it on a line of its own; None: there is none.

    Args:
        text: A record, raw; what is no text to a terminal stays as it is.
    """
    text = text[:CAP].strip()
    for start in (place for place, sign in enumerate(text[:2048]) if sign in "{["):
        try:
            found, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if not found or not isinstance(found, dict | list):
            continue
        if isinstance(found, list) and not any(isinstance(one, dict | list) for one in found):
            continue
        try:
            shown = _lines(json.dumps(_opened(found), indent=_INDENT, ensure_ascii=False))
        except RecursionError:
            return None
        parts = [text[:start].strip(), shown, text[end:].strip()]
        return "\n".join(part for part in parts if part)
    return None


def _opened(found: object, depth: int = 0) -> object:
    """JSON that stands as text within JSON, as docker writes what a container logs, taken for what it is."""
    if depth >= _DEEP:
        return found
    if isinstance(found, dict):
        return {name: _opened(value, depth + 1) for name, value in found.items()}
    if isinstance(found, list):
        return [_opened(value, depth + 1) for value in found]
    if isinstance(found, str) and found[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            inner = json.loads(found)
            return _opened(inner, depth + 1) if isinstance(inner, dict | list) else found
    return found


def _lines(shown: str) -> str:
    """Texts of several lines within indented JSON, like stack traces, in lines of their own under their name."""
    out = []
    for one in shown.split("\n"):
        # The n behind an escaped backslash ends no line; JSON itself holds no NUL.
        parts = _LINE_END.sub("\\1\0", one).split("\0") if "\\n" in one else [one]
        if len(parts) > 1 and parts[-1].strip('",') == "":
            parts[-2:] = [parts[-2] + parts[-1]]
        indent = " " * (len(one) - len(one.lstrip()) + _INDENT)
        out += [parts[0], *(indent + part.replace("\\t", "  ") for part in parts[1:] if part)]
    return "\n".join(out)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, hard-wrapped at `width` cells, with their indent kept as they are."""
    return [part for one in text.split("\n") for part in broken(one, max(10, width))]


def unfolded(line: Line, width: int) -> list[str]:
    """What of a record its row does not show, cleaned, in lines of `width` at most.

    Args:
        line: The record.
        width: Characters of a line.
    """
    raw = line.raw or line.message
    found = pretty(raw)
    text = clean(found if found is not None else raw[:CAP], lines=True)
    lines = wrapped(text.rstrip("\n"), width)
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"… {len(lines) - MOST:,} lines more: Enter shows them"]
    return lines
