"""What can be told of a key's regex by reading it."""

from __future__ import annotations

import re

_LEAD = re.compile(r"(?:\(\?i\))?(?:\\b)?((?:[\w=:/ \"'#,;@&%<>~!-]|\\[^\w\s])*)\((?!\?)")
_END = ("", r"\b", "$")


def lead_of(pattern: str) -> int | None:
    """Characters of each hit before the capture group, if that is fixed and the group ends the hit.

    Args:
        pattern: A Rust regex with one capture group.

    Returns:
        None where it cannot be told; then captures must be looked for.
    """
    found = _LEAD.match(pattern)
    if found is None:
        return None
    end = _closing(pattern, found.end())
    if end is None or pattern[end + 1 :] not in _END:
        return None
    return len(re.sub(r"\\(.)", r"\1", found[1]))


def _closing(pattern: str, at: int) -> int | None:
    """Where the group that was opened before `at` closes."""
    depth = 1
    in_class = False
    while at < len(pattern):
        letter = pattern[at]
        if letter == "\\":
            at += 1
        elif in_class:
            if letter == "[":
                return None
            in_class = letter != "]"
        elif letter == "[":
            in_class = True
            # A bracket that comes first stands for itself.
            at += 1 if pattern[at + 1 : at + 2] == "]" else 2 if pattern[at + 1 : at + 3] == "^]" else 0
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None
