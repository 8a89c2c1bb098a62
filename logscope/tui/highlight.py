"""Which stretches of a row are painted in another style.

Patterns are the user's, so they run in Polars' linear-time engine, never in Python's `re`; the one
expression here is ours and linear.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import polars as pl

_NAMES = re.compile(r"(?<![\w.])[A-Za-z_][\w.-]{0,40}=(?=\S)")

Span = tuple[int, int, str]
"""Start, end (exclusive), role."""


def name_spans(text: str) -> list[Span]:
    """The `name=` parts of `name=value`."""
    return [(match.start(), match.end(), "log-name") for match in _NAMES.finditer(text)]


def pattern_spans(text: str, patterns: Sequence[str], role: str) -> list[Span]:
    """Where the patterns match.

    Args:
        text: One row, already cleaned.
        patterns: Rust regexes; one that does not compile marks nothing.
        role: The role to paint them in.
    """
    spans: list[Span] = []
    if not patterns:
        return spans
    column = pl.Series([text])
    for pattern in patterns:
        try:
            found = column.str.extract_all(pattern).item()
        except pl.exceptions.PolarsError:
            continue
        place = 0
        for hit in found:
            if not hit:
                continue
            start = text.find(hit, place)
            if start < 0:
                break
            place = start + len(hit)
            spans.append((start, place, role))
    return spans


def split(text: str, spans: Sequence[Span], plain: str) -> list[tuple[str, str]]:
    """The text cut into (piece, role); later spans win over earlier ones.

    Args:
        text: One row.
        spans: In any order, may overlap.
        plain: The role of everything else.
    """
    if not spans:
        return [(text, plain)]
    bounds = sorted({0, len(text), *(edge for start, end, _ in spans for edge in (start, min(end, len(text))))})
    pieces: list[tuple[str, str]] = []
    for left, right in itertools.pairwise(bounds):
        role = plain
        for start, end, name in spans:
            if start <= left and right <= end:
                role = name
        if pieces and pieces[-1][1] == role:
            pieces[-1] = (pieces[-1][0] + text[left:right], role)
        else:
            pieces.append((text[left:right], role))
    return pieces
