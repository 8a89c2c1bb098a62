"""A record's text unfolded: JSON with an indent, the lines of a stack trace."""

from __future__ import annotations

import json

from logscope.engine.answers import Line
from logscope.text import clean

CAP = 64 * 1024
"""Characters of a record that are unfolded."""
MOST = 400
"""Lines of it that are shown in place."""
_INDENT = 2


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
        shown = json.dumps(found, indent=_INDENT, ensure_ascii=False)
        parts = [text[:start].strip(), shown, text[end:].strip()]
        return "\n".join(part for part in parts if part)
    return None


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, hard-wrapped at `width` characters, with their indent kept as they are."""
    width = max(10, width)
    out: list[str] = []
    for part in text.split("\n"):
        out += [part[place : place + width] for place in range(0, max(1, len(part)), width)]
    return out


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
