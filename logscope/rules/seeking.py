"""Words of all filters that are applied to a frame, sought in one pass; each filter then looks at what may match.

Measured on 310,000 lines of 181 bytes and 40 words: 0.57 s of processor time one by one, 0.12 s together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import polars as pl

from logscope.rules.sharing import SharedFrame, shared_frame
from logscope.rules.values import constant

if TYPE_CHECKING:
    from logscope.rules.model.filters import RecordFilter

FEWEST = 8
"""Below so many words, one by one is faster."""

_FOLDED = ("\u017f", "\u212a")
"""Letters beyond ASCII that without letter case are an s and a k: where they stand, the pass could miss a word."""
_MOST = 0.5
"""Share of a frame above which a filter looks at all of it."""


@runtime_checkable
class Seeking(Protocol):
    """A filter that knows words which what it matches holds."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns that it reads."""

    @property
    def literals(self) -> frozenset[tuple[str, str]] | None:
        """(column, ASCII text in lower case), one of which a record must hold, letter case ignored; None: it need not."""

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """Which records match."""


@runtime_checkable
class Meaning(Protocol):
    """A filter that knows which others match the same."""

    @property
    def meaning(self) -> object:
        """Equal, and hashable, for filters that match the same records; None: of no other it is known."""


def mask_of(asked: RecordFilter, frame: pl.DataFrame) -> pl.Series:
    """What `asked.mask(frame)` gives; within `Sharing.over` by what is sought for all.

    Args:
        asked: Any filter.
        frame: Record frame.
    """
    shared = shared_frame(frame)
    meaning = asked.meaning if shared is not None and isinstance(asked, Meaning) else None
    if shared is None or meaning is None:
        return _mask_of(asked, frame, shared)
    # Many rules begin with the same words.
    return shared.once((Meaning, meaning), lambda: _mask_of(asked, frame, shared))


def _mask_of(asked: RecordFilter, frame: pl.DataFrame, shared: SharedFrame | None) -> pl.Series:
    if shared is None or not isinstance(asked, Seeking) or asked.literals is None or asked not in shared:
        return asked.mask(frame)
    found = shared.once(Seeking, lambda: _candidates(shared))
    if found is None:
        return asked.mask(frame)
    nobody = constant(False, frame.height)
    rows = found.get(id(asked))
    if rows is None:
        return nobody
    if rows.len() > _MOST * frame.height:
        return asked.mask(frame)
    some = frame.select(name for name in frame.columns if name in asked.columns)[rows]
    hits = rows.filter(asked.mask(some))
    return nobody.scatter(hits, True) if hits.len() else nobody


def _candidates(shared: SharedFrame) -> dict[int, pl.Series] | None:
    """By filter the rows that hold a word of its; None: it is not worth it, or not sure."""
    seeking = [each for each in shared.filters if isinstance(each, Seeking) and each.literals is not None]
    sought: dict[str, dict[str, set[int]]] = {}
    for place, each in enumerate(seeking):
        for column, text in each.literals or ():
            sought.setdefault(column, {}).setdefault(text, set()).add(place)
    if sum(map(len, sought.values())) < FEWEST:
        return None
    parts = []
    for column, owners in sought.items():
        if column not in shared.frame.columns:
            continue
        texts = shared.frame.get_column(column)
        if texts.str.contains_any(list(_FOLDED)).any():
            return None
        parts.append(search(texts, owners))
    found = pl.concat(parts).unique().sort("filter", "at") if parts else pl.DataFrame(schema=_FOUND)
    return {
        id(seeking[number[0]]): rows["at"]
        for number, rows in found.partition_by("filter", as_dict=True, include_key=False).items()
    }


_FOUND = {"filter": pl.UInt32, "at": pl.UInt32}


def search(text: pl.Series, owners: dict[str, set[int]]) -> pl.DataFrame:
    """`filter` and `at` (UInt32): the texts in which a filter's word stands.

    Args:
        text: Searched without ASCII letter case.
        owners: Words in lower case, and the numbers of the filters that seek them.
    """
    words = list(owners)
    at = text.str.contains_any(words, ascii_case_insensitive=True).fill_null(False).arg_true()
    if not at.len():
        return pl.DataFrame(schema=_FOUND)
    # Which of them stand there is asked of these few alone.
    found = text.gather(at).str.extract_many(words, ascii_case_insensitive=True, overlapping=True)
    rows = pl.DataFrame({"at": at.cast(pl.UInt32), "word": found}).explode("word")
    rows = rows.select("at", pl.col("word").str.to_lowercase()).unique()
    pairs = [(word, number) for word, numbers in owners.items() for number in numbers]
    table = pl.DataFrame(pairs, schema={"word": pl.String, "filter": pl.UInt32}, orient="row")
    return rows.join(table, on="word", how="inner").select("filter", "at")
