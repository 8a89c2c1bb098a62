"""What the store holds of its sources: pieces of whole records, and views of all of them at one instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from logscope.records import schema
from logscope.records.model import ByteReader, RecordParser, SourceRef

INDEX: dict[str, pl.DataType | type[pl.DataType]] = {
    "source_id": pl.UInt16,
    "line": schema.LINE,
    "time": schema.TIME,
    "time_from": pl.UInt8,
    "level": pl.UInt8,
    "format": pl.UInt8,
    "offset": pl.UInt32,
}
"""What is kept of every record: 25 bytes. `offset` counts from its piece's `base`."""

ROW_SIZE = 25
"""Bytes of a record's index columns."""


@dataclass(frozen=True, slots=True)
class Binding:
    """How the text of one source is reached and read."""

    ref: SourceRef
    reader: ByteReader
    parser: RecordParser
    formats: tuple[str, ...]
    """Format names by the code in the index."""
    head_lines: int = 0
    """Lines at the source's beginning that are no records: a table's header."""
    cuts: bool = True
    """Whether lines can be told apart without those before them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of whole records of one source: contiguous bytes, contiguous rows."""

    binding: Binding
    base: int
    """Byte offset of its first record in the source."""
    end: int
    """Byte offset behind its last record."""
    row: int
    """Row of its first record."""
    records: int


@dataclass(frozen=True, slots=True)
class StoreView:
    """The store at one instant."""

    index: pl.DataFrame
    pieces: tuple[Piece, ...]
    """In the order of rows."""
    generation: int
    era: int = 0
    """Counts how often records that were there have got other times."""

    @property
    def records(self) -> int:
        """How many records there are."""
        return self.index.height

    def piece_of(self, row: int) -> Piece:
        """The piece that holds a row."""
        return self.pieces[bisect_right(self.pieces, row, key=lambda piece: piece.row) - 1]

    def segments(self, limit: int = 16 << 20) -> Iterator[Segment]:
        """Every record once: neighbouring pieces of a source together, up to `limit` bytes.

        Ordered by source and line, so a stable sort of their rows by time is the order of records.
        """
        by_source: dict[int, list[Piece]] = {}
        for piece in self.pieces:
            by_source.setdefault(piece.binding.ref.source_id, []).append(piece)
        for source_id in sorted(by_source):
            run: list[Piece] = []
            for piece in by_source[source_id]:
                # Between pieces that do not touch lies what a cold filter passed over.
                if run and (piece.base != run[-1].end or piece.end - run[0].base > limit):
                    yield Segment(tuple(run))
                    run = []
                run.append(piece)
            if run:
                yield Segment(tuple(run))

    def before(self, row: int) -> StoreView:
        """The store when it held the rows before `row` (a piece's first row)."""
        pieces = self.pieces[: bisect_right(self.pieces, row - 1, key=lambda piece: piece.row)]
        return replace(self, index=self.index.head(row), pieces=pieces)

    def since(self, row: int) -> Iterator[Segment]:
        """The pieces from `row` on (a piece's first row), each source's together."""
        first = bisect_right(self.pieces, row - 1, key=lambda piece: piece.row)
        yield from replace(self, pieces=self.pieces[first:]).segments()


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring pieces of one source, the unit of queries."""

    pieces: tuple[Piece, ...]

    @property
    def binding(self) -> Binding:
        """The source."""
        return self.pieces[0].binding

    @property
    def key(self) -> tuple[int, int, int, int]:
        """Identity of its content, for caches."""
        first, last = self.pieces[0], self.pieces[-1]
        return (first.binding.ref.source_id, first.base, last.end, first.row)

    @property
    def records(self) -> int:
        """How many records it has."""
        return sum(piece.records for piece in self.pieces)

    @property
    def size(self) -> int:
        """Bytes of text."""
        return self.pieces[-1].end - self.pieces[0].base

    def rows(self) -> pl.Series:
        """Row numbers (UInt32) in the order of lines."""
        runs = [pl.int_range(p.row, p.row + p.records, dtype=pl.UInt32, eager=True) for p in self.pieces]
        return pl.concat(runs).rename(schema.ROW) if len(runs) > 1 else runs[0].rename(schema.ROW)

    def index(self, view: StoreView) -> pl.DataFrame:
        """Its index columns."""
        runs = [view.index.slice(p.row, p.records) for p in self.pieces]
        return pl.concat(runs) if len(runs) > 1 else runs[0]

    def offsets(self, view: StoreView) -> pl.Series:
        """Int64: where each record begins, from the segment's first byte; then the end."""
        base = self.pieces[0].base
        runs = [
            view.index.get_column("offset").slice(p.row, p.records).cast(pl.Int64) + (p.base - base)
            for p in self.pieces
        ]
        runs.append(pl.Series("offset", [self.size], dtype=pl.Int64))
        return pl.concat(runs, rechunk=True)
