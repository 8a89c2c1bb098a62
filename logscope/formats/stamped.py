r"""Lines that all begin with a time of one shape: found by a narrower regex, read by slices.

A capture costs 150 to 300 ns a line, a slice 20. A pattern that begins with the ISO time (`ISO`) is
narrowed to the shape of the first line's time, `2026-11-01 10:00:00,123` say: digits, separators,
length of the fraction, zone or none. What the narrower regex matches the pattern matches too, and
its time is the shape's text: a fraction is followed by no further digit and a zone is complete, and
without a zone `_NO_ZONE` says what may follow, none of which can begin one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from logscope.formats.levels import to_levels
from logscope.formats.timestamps import ISO_SHAPE, Clock, iso_times, shape_regex

ISO = (
    r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:[.,:][0-9]{1,9})?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?"
)
"""The time as the shipped formats write it."""

_BEGIN = f"^(?P<time>{ISO})"
_BLANKS = r"[ \t]+"
_NO_ZONE = ("(?P<level>T", r"\[", r"-[ \t]", "(?:(?P<pid>[0-9]", r"\[?(?P<level>T")
"""What of a pattern may stand behind the blanks that follow a time without zone."""
_AFTER = re.compile(r"\[ \\t\]\+(?:\\\[\??)?\(\?P<level>(?:[A-Z]+\|?)+\)(?:\\\]\??)?\[ \\t\]\+")
"""A level at once behind the time: in capitals, blanks behind it."""
_WORD = r"^[ \t]+\[?([A-Z]+)[^A-Z]"
_WORD_ROOM = 12
_FEW = 4096


@dataclass(frozen=True, slots=True)
class Stamped:
    """A pattern narrowed to one shape of time."""

    plain: str
    """The narrower regex, without capturing groups."""
    example: str
    """A time of the shape."""
    levelled: bool
    """The level stands at once behind the time."""

    def times(self, raw: pl.Series, clock: Clock) -> pl.Series:
        """Times of texts that `plain` matches."""
        return iso_times(raw.str.slice(0, len(self.example)), self.example, clock)

    def levels(self, raw: pl.Series, extra: dict[str, str]) -> pl.Series | None:
        """Level numbers of texts that `plain` matches; None if a word does not stand where it should."""
        place = raw.str.slice(len(self.example), _WORD_ROOM)
        known = place.unique()
        if len(known) > _FEW:
            known = place
        words = known.str.extract(_WORD, 1)
        if words.null_count():
            return None
        numbers = to_levels(words, extra)
        if known is place:
            return numbers
        return place.replace_strict(known, numbers, return_dtype=pl.UInt8)


def narrowed(regex: str, first: str | None) -> Stamped | None:
    """A pattern for texts that begin as one does; None where that cannot be told.

    Args:
        regex: A pattern's regex, groups and all.
        first: A text.
    """
    if first is None or not regex.startswith(_BEGIN):
        return None
    shape = ISO_SHAPE.match(first)
    if shape is None:
        return None
    behind = regex[len(_BEGIN) :]
    if shape[3] is None and not behind.startswith(tuple(_BLANKS + each for each in _NO_ZONE)):
        return None
    plain = "^" + shape_regex(shape[0]) + re.sub(r"\(\?P<[^>]*>", "(?:", behind)
    return Stamped(plain, shape[0], _AFTER.match(behind) is not None)
