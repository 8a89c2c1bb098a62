"""The order in which a person reads names: `app-2.log` before `app-10.log`."""

from __future__ import annotations

import re

_DIGITS = re.compile("([0-9]+)")


def natural(name: str) -> tuple[list[str | int], str]:
    """A key to sort names by, runs of digits by their number; names that it does not part by their letters."""
    parts: list[str | int] = [*_DIGITS.split(name)]
    parts[1::2] = [int(str(part)) for part in parts[1::2]]
    return parts, name
