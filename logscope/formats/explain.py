"""Why a line is not a format's: how far its pattern goes along the line, and what it expects there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from logscope.formats.model import Format
from logscope.formats.patterns import compile_pattern

_QUANTIFIERS = "*+?{"
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The pattern of a format that goes farthest along a line."""

    format: str
    matched: str
    """The line's beginning that it reads."""
    expected: str
    """The regex of what should have followed."""

    def __str__(self) -> str:
        """In words."""
        read = f"reads '{self.matched}', then expects" if self.matched else "expects"
        return f"{self.format} {read} {self.expected[:_SHOWN]}"


def near_miss(form: Format, line: str) -> NearMiss | None:
    """How far a format's patterns go along a line that none of them matches; None if it has no patterns."""
    best: NearMiss | None = None
    for written in form.patterns:
        regex = compile_pattern(written).plain
        matched, cut = _longest(regex, line)
        if best is None or len(matched) > len(best.matched):
            best = NearMiss(form.name, matched, regex[cut:])
    return best


def _longest(regex: str, line: str) -> tuple[str, int]:
    """The text of the longest beginning of a regex that matches, and where that beginning ends."""
    text = pl.Series([line])
    ends = list(_ends(regex))
    low, high = 0, len(ends) - 1
    found = ("", 1)
    # A longer beginning matches only if each shorter one does.
    while low <= high:
        middle = (low + high) // 2
        matched = text.str.extract(f"({regex[: ends[middle]]})", 1)[0]
        if matched is None:
            high = middle - 1
        else:
            found = (matched, ends[middle])
            low = middle + 1
    return found


def _ends(regex: str) -> Iterator[int]:
    """Where a beginning of the regex is a regex: behind each atom that stands in no group."""
    depth, inside, position = 0, False, 0
    while position < len(regex):
        sign = regex[position]
        start = position
        position += 2 if sign == "\\" else 1
        if regex.startswith(("\\x{", "\\p{"), start):
            position = regex.index("}", start) + 1
        if sign == "[" and not inside:
            inside = True
        elif sign == "]" and inside:
            inside = False
        elif sign == "(" and not inside:
            depth += 1
        elif sign == ")" and not inside:
            depth -= 1
        elif sign == "{" and not inside:
            position = regex.index("}", start) + 1
        if (depth == 0 and not inside and start > 0 and regex[position : position + 1] not in {*_QUANTIFIERS}) or (
            depth == 0 and not inside and position == len(regex)
        ):
            yield position
