"""Which stretches of a row are painted in another style.

Patterns are the user's, so they run in Polars' linear-time engine, never in Python's `re`; the one
expression here is ours and linear.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import polars as pl

_NAMES = re.compile(r"(?<![\w.])[A-Za-z_][\w.-]{0,40}=(?=\S)")

_KNOWN_MOST = 8192

Span = tuple[int, int, str]
"""Start, end (exclusive), role."""


def name_spans(text: str) -> list[Span]:
    """The `name=` parts of `name=value`."""
    return [(match.start(), match.end(), "log-name") for match in _NAMES.finditer(text)]


class Marked:
    """Where patterns match in rows, found for many rows at once.

    Args:
        patterns: (Rust regex, role) each; one that does not compile marks nothing.
    """

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        """Nothing is looked at yet."""
        self._patterns = patterns
        self._known: dict[str, list[Span]] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Look at rows that will be asked for.

        Args:
            texts: Cleaned rows.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if not self._patterns or not new:
            return
        if len(self._known) > _KNOWN_MOST:
            self._known.clear()
        self._known |= {text: [] for text in new}
        column = pl.Series(new, dtype=pl.String)
        for pattern, role in self._patterns:
            try:
                found = column.str.extract_all(pattern).to_list()
            except pl.exceptions.PolarsError:
                continue
            for text, hits in zip(new, found, strict=True):
                self._known[text] += _places(text, hits, role)

    def knows(self, text: str) -> bool:
        """Whether a row need not be looked at any more."""
        return not self._patterns or text in self._known

    def spans(self, text: str) -> list[Span]:
        """Where the patterns match in a row."""
        self.learn([text])
        return self._known.get(text, [])


def _places(text: str, hits: Iterable[str], role: str) -> list[Span]:
    spans: list[Span] = []
    place = 0
    for hit in hits:
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
