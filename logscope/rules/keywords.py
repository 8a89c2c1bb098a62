"""The keys that a rule's YAML may have, by the part they stand in: what is read, and what is offered to who writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logscope.rules.model.rule import LEVELS, STATUSES

RULE_KEYS = (
    "title", "name", "id", "status", "level", "description", "enabled", "sequence", "record", "silence",
    "transaction", "emit",
    "actions", "tests", "author", "date", "modified", "references", "tags", "falsepositives", "license",
)  # fmt: skip
SEQUENCE_KEYS = ("by", "keys", "grain", "maxspan", "steps", "until", "having")
STEP_KEYS = ("name", "where", "rule", "absent", "within", "maxpause")
RECORD_KEYS = ("where",)
TRANSACTION_KEYS = ("where", "keys", "grain")
SILENCE_KEYS = ("by", "where", "after", "times", "history")
EMIT_KEYS = ("message", "fields", "suppress")
TEST_KEYS = ("name", "records", "expect", "at_end")

_PARTS = {
    "": RULE_KEYS,
    "sequence": SEQUENCE_KEYS,
    "steps": STEP_KEYS,
    "record": RECORD_KEYS,
    "transaction": TRANSACTION_KEYS,
    "silence": SILENCE_KEYS,
    "emit": EMIT_KEYS,
    "tests": TEST_KEYS,
}
_VALUES = {
    "level": LEVELS,
    "status": STATUSES,
    "enabled": ("true", "false"),
    "absent": ("true", "false"),
    "at_end": ("pending", "decide"),
}
_FILTERS = ("where", "until")
"""Keys whose text is best written as a block."""
_HOLD = ("sequence", "record", "transaction", "silence", "steps", "emit", "fields", "tests", "records")
"""Keys with lines of their own below."""
_KEY = re.compile(r"(?P<lead>[\s-]*)(?P<key>[A-Za-z_][\w-]*):(?P<rest>\s.*)?$", re.ASCII)


def offered(lines: Sequence[str], row: int, typed: str, names: Sequence[str]) -> str:
    """What completes the word that ends a line of a rule's text.

    Args:
        lines: Of the text; the one at `row` up to the cursor.
        row: Of the cursor.
        typed: The word before the cursor.
        names: Fields and correlation keys, for filters and for what is emitted.

    Returns:
        What is left to type; of a key with its colon, and where a block is wanted, the block's beginning.
    """
    line = lines[row]
    lead = line[: len(line) - len(typed)]
    key = _KEY.match(line)
    if key is not None and key["rest"] is not None:
        return _rest(typed, _VALUES.get(key["key"], (*names, "transaction")))
    part = _part(lines, row)
    if lead.strip(" -") or part not in _PARTS:
        return _rest(typed, names)
    found = _rest(typed, _PARTS[part])
    if not found:
        return ""
    word = typed + found
    below = "\n" + " " * (len(lead) + 2)
    return found + (f": |-{below}" if word in _FILTERS else f":{below}" if word in _HOLD else ": ")


def _rest(typed: str, names: Sequence[str]) -> str:
    name = next((name for name in names if name.startswith(typed) and name != typed), "")
    return name[len(typed) :]


def _part(lines: Sequence[str], row: int) -> str:
    """The key under which a line stands; empty at the top of a document."""
    at = len(lines[row]) - len(lines[row].lstrip(" -"))
    for line in reversed(lines[:row]):
        if line.startswith("---"):
            break
        key = _KEY.match(line)
        if key is not None and len(key["lead"]) < at:
            return key["key"]
    return ""
