"""A message without its values: what is left is the same for all records that the same line of code wrote.

A pure function of the message alone, so that equal messages give equal texts in every run.
"""

from __future__ import annotations

import polars as pl

WILD = "<*>"
"""Stands for a value."""

_LONGEST = 400
"""Characters of a message that are looked at."""

_QUOTED = r'"[^"]*"'
_SINGLE = r"(^|[\s=(:,\[])'[^']*'"
_WITH_DIGIT = r"""[^\s,;:=()\[\]{}|"'/<>&?]*[0-9][^\s,;:=()\[\]{}|"'/<>&?]*"""
_RUN = r"<\*>(?:[-:/.,@\s+]+<\*>)+"


def masked(messages: pl.Series) -> pl.Series:
    """Messages with their values as `<*>`: what is quoted, and every word or path segment with a digit.

    Args:
        messages: String column; of a message of several lines the first counts.
    """
    text = pl.col(messages.name).str.slice(0, _LONGEST).str.replace(r"(?s)[\r\n].*$", "")
    text = text.str.replace_all(_QUOTED, f'"{WILD}"').str.replace_all(_SINGLE, f"$1'{WILD}'")
    text = text.str.replace_all(_WITH_DIGIT, WILD).str.replace_all(_RUN, WILD)
    return messages.to_frame().select(text.str.replace_all(r"\s+", " ").str.strip_chars(" ")).to_series()
