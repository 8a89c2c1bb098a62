"""Where in a block of text a filter's records can lie: long stretches are searched, then short ones or records.

Text in long stretches is searched at 10 GB/s, in records of 150 bytes at 3 to 5; and what is not searched need not be
cut into lines nor told apart into records either. Stretches hold whole records, since a filter may ask for two words
that stand in different lines of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from logscope.records.blocks import line_bounds, text_column, texts_between, without_ends

LONG = 64 << 10
"""Bytes of a stretch that is searched first."""
SHORT = 1 << 10
"""Bytes of a stretch that is searched in the long ones that may hold a match."""

_RUNS_MOST = 32
"""Of more stretches that do not touch all between the first and the last is searched: each by itself takes 0.1 ms."""

Starts = Callable[[pl.Series], pl.Series]
Span = tuple[int, int]
"""From where to where in a block."""


@dataclass(frozen=True, slots=True)
class Found:
    """Records of a block that may match."""

    texts: pl.Series
    begins: pl.Series
    """Int64, where each begins in the block."""
    ends: pl.Series
    """Int64, where each ends, its line end included."""
    lines: pl.Series
    """Int64, how many lines of the block stand before it."""

    def filter(self, mask: pl.Series) -> Found:
        """Some of them."""
        return Found(*(column.filter(mask) for column in (self.texts, self.begins, self.ends, self.lines)))


def record_cuts(block: bytes, end: int, starts: Starts) -> list[int]:
    """Where a block can be cut into stretches of some `LONG` bytes that hold whole records.

    Args:
        block: Begins with a record.
        end: Where its last whole record ends.
        starts: Tells which lines begin a record.
    """
    places: list[int] = []
    lines: list[str] = []
    for place in range(LONG, end, LONG):
        begin = block.find(b"\n", place, end) + 1
        if begin and begin < end and (not places or begin > places[-1]):
            behind = block.find(b"\n", begin, end)
            places.append(begin)
            lines.append(block[begin : end if behind < 0 else behind].decode("utf-8", "replace"))
    if not places:
        return [0, end]
    return [0, *itertools.compress(places, starts(without_ends(pl.Series(lines, dtype=pl.String)))), end]


def spans(block: bytes, cuts: Sequence[int], test: pl.Expr) -> list[Span]:
    """The stretches that may hold a match, neighbours together.

    Args:
        block: UTF-8.
        cuts: From `record_cuts`.
        test: From `query.coarse`.
    """
    found: list[Span] = []
    for place in _hits(text_column(block, pl.Series(cuts, dtype=pl.Int64)), test).arg_true().to_list():
        begin, end = cuts[place], cuts[place + 1]
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def records_within(block: bytes, where: Sequence[Span], test: pl.Expr, starts: Starts) -> Found:
    """The records of some spans that may match.

    Args:
        block: UTF-8.
        where: From `spans`.
        test: From `query.coarse`.
        starts: Tells which lines begin a record.
    """
    joined = b"".join(block[begin:end] for begin, end in where)
    offsets = line_bounds(joined)
    lines = text_column(joined, offsets)
    sizes = pl.Series([0, *itertools.accumulate(end - begin for begin, end in where)][:-1], dtype=pl.Int64)
    places = _evenly(offsets, SHORT)
    places = places.filter(starts(without_ends(lines.gather(places))))
    places = _sorted(places, offsets.search_sorted(sizes, side="left").cast(pl.Int64))
    mask = _hits(text_column(joined, pl.concat([offsets.gather(places), offsets.tail(1)], rechunk=True)), test)
    firsts, ends = places.filter(mask), _behind(places, offsets).filter(mask)
    rows = _ranges(firsts, ends)
    heads = rows.filter(starts(without_ends(lines.gather(rows))) | rows.is_in(firsts.implode()))
    # A record ends where the next one begins, or where its stretch ends.
    behind = _sorted(heads, ends)
    begins = offsets.gather(heads)
    ends = offsets.gather(behind.gather(behind.search_sorted(heads, side="right")))
    of = sizes.search_sorted(begins, side="right") - 1
    bytes_on, lines_on = (pl.Series(each, dtype=pl.Int64).gather(of) for each in _further_on(block, where))
    return Found(texts_between(joined, begins, ends), begins + bytes_on, ends + bytes_on, heads + lines_on)


class Held:
    """The text of records, ready to be searched.

    Args:
        block: UTF-8.
        offsets: Int64, where each record begins, then the end of the last.
    """

    def __init__(self, block: bytes, offsets: pl.Series) -> None:
        """Cut into long stretches."""
        self.block = block
        self._places = _sorted(pl.Series([0], dtype=pl.Int64), _evenly(offsets, LONG))
        cuts = pl.concat([offsets.gather(self._places), offsets.tail(1)], rechunk=True)
        self._column = text_column(block, cuts)

    def rows(self, offsets: Callable[[], pl.Series], test: pl.Expr) -> pl.Series:
        """Numbers (Int64, ascending) of the records that may match.

        Args:
            offsets: Gives those it was made with; not asked where nothing may match.
            test: From `query.coarse`.
        """
        mask = _hits(self._column, test)
        if not mask.any():
            return pl.Series(dtype=pl.Int64)
        known = offsets()
        firsts, ends = self._places.filter(mask), _behind(self._places, known).filter(mask)
        # Records that stand side by side are a column at once, whatever has to be picked out is not.
        begins = firsts.filter((firsts != ends.shift(1)).fill_null(True))
        ends = ends.filter((ends != firsts.shift(-1)).fill_null(True))
        if len(begins) > _RUNS_MOST:
            begins, ends = begins.head(1), ends.tail(1)
        found: list[pl.Series] = []
        for begin, end in zip(begins, ends, strict=True):
            texts = text_column(self.block, known.slice(begin, end - begin + 1))
            found.append(_hits(texts, test).arg_true().cast(pl.Int64) + begin)
        return pl.concat(found, rechunk=True)


def _evenly(offsets: pl.Series, size: int) -> pl.Series:
    """Numbers of records or lines that begin some `size` bytes apart, the first one left out."""
    steps = pl.int_range(size, max(int(offsets[-1]), size), size, dtype=pl.Int64, eager=True)
    places = offsets.search_sorted(steps, side="left").cast(pl.Int64)
    return places.filter(places < len(offsets) - 1).unique()


def _sorted(some: pl.Series, others: pl.Series) -> pl.Series:
    return pl.concat([some, others]).unique().sort()


def _behind(places: pl.Series, offsets: pl.Series) -> pl.Series:
    """Of each place the next one."""
    return pl.concat([places.slice(1), pl.Series([len(offsets) - 1], dtype=pl.Int64)])


def _ranges(firsts: pl.Series, ends: pl.Series) -> pl.Series:
    """All numbers from each first one up to before its end."""
    if not len(firsts):
        return firsts
    return pl.select(pl.int_ranges(firsts, ends).explode()).to_series().cast(pl.Int64)


def _hits(texts: pl.Series, test: pl.Expr) -> pl.Series:
    return texts.alias("raw").to_frame().select(test).to_series()


def _further_on(block: bytes, where: Sequence[Span]) -> tuple[list[int], list[int]]:
    """Of each span: how much further on it stands in the block than among the spans, in bytes and in lines."""
    by_bytes: list[int] = []
    by_lines: list[int] = []
    skipped = lines = position = 0
    for begin, end in where:
        skipped += begin - position
        lines += block.count(b"\n", position, begin)
        by_bytes.append(skipped)
        by_lines.append(lines)
        position = end
    return by_bytes, by_lines
