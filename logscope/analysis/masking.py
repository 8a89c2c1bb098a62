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
_REQUEST = r'"((?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) )[^"]*"'
_NAMED = r"(?i)\b(user|username|account|login|r?host|hostname|client|peer|email)=[^\s,;)\]}]+"
_HEX = r"\b[a-fA-F]{8,}\b"
_DATE = (
    r"(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)?"
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\s+<\*>"
)
_EMPTY = r"(\s)\(\)"
"""A value in brackets that was not there."""
_RUN = r"<\*>(?:[-:/.,@\s+]+<\*>)+"


def masked(messages: pl.Series) -> pl.Series:
    """Messages with their values as `<*>`.

    Values are what is quoted, words and path segments with a digit, long hexadecimal ones, dates, and who
    or which host is named by `user=`, `host=` and their like; of a quoted request the method stays.

    Args:
        messages: String column; of a message of several lines the first counts.
    """
    text = messages.str.slice(0, _LONGEST)
    if text.str.contains(r"[\r\n]").any():
        text = text.str.replace(r"(?s)[\r\n].*$", "")
    values = text.to_frame("text").select(_values(pl.col("text"))).to_series()
    # Without their values few texts are left: what remains to be done is done to each of them once.
    once = values.unique()
    told = once.to_frame("text").select("text", whole=_whole(pl.col("text")))
    return (
        values.to_frame("text")
        .join(told, on="text", how="left", maintain_order="left", nulls_equal=True)["whole"]
        .rename(messages.name)
    )


def _values(text: pl.Expr) -> pl.Expr:
    """What is quoted, named, or has a digit, as `<*>`."""
    text = text.str.replace_all(_REQUEST, f"${{1}}{WILD}").str.replace_all(_NAMED, f"${{1}}={WILD}")
    text = text.str.replace_all(_QUOTED, f'"{WILD}"').str.replace_all(_SINGLE, f"$1'{WILD}'")
    return text.str.replace_all(_WITH_DIGIT, WILD)


def _whole(text: pl.Expr) -> pl.Expr:
    """What is a value beside values, and blanks as one."""
    text = text.str.replace_all(_HEX, WILD).str.replace_all(_DATE, WILD)
    text = text.str.replace_all(_RUN, WILD).str.replace_all(_EMPTY, f"${{1}}({WILD})")
    return text.str.replace_all(r"\s+", " ").str.strip_chars(" ")
