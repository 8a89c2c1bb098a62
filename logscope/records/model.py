"""What the stages hand to one another, as protocols and frozen data.

The store knows bytes and index columns; how text becomes columns it is told by a `RecordParser`,
where the bytes lie by a `ByteReader`. Both are given by the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl


class ByteReader(Protocol):
    """Random access to a source's bytes: a file, or the spool it was copied to."""

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer at the end or where the file shrank."""


class RecordParser(Protocol):
    """How one source's lines become records and columns. Stateless: cuts do not change results.

    All arguments are String columns, all results have their height and order. Nothing raises on
    any input: what cannot be parsed is null, or falls back to plain text.
    """

    family: object
    """Equal for parsers whose `stated` and `fields` are the same, so that their texts may be read together."""
    service: str | None
    """The service of records that name none."""

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin a record (Boolean); the others continue the record before them."""

    def scan(self, lines: pl.Series, names: Sequence[str] = ()) -> pl.DataFrame:
        """`starts` of each line, and what `index` has for a record of that line alone.

        One pass instead of two. Where a line starts no record its other columns mean nothing.
        """

    def index(self, raw: pl.Series, received: pl.Series | None = None, names: Sequence[str] = ()) -> pl.DataFrame:
        """`time` (Datetime us UTC, null: none of its own), `level` (UInt8, 0: none), `format` (UInt8).

        Args:
            raw: Whole records, all their lines, without the final line end.
            received: When each was received (Datetime us UTC), for sources that know: years left
                out are chosen nearest to it. Else the file's own time is used.
            names: Columns to be found in the same pass, as `stated` has them.
        """

    def columns(self, raw: pl.Series, names: Collection[str]) -> pl.DataFrame:
        """Exactly the named columns: `format host service pid message` and `fields.NAME`.

        A field column is String, Int64, Float64 or Boolean (JSON numbers stay numbers; a column of
        mixed types is String); null where a record lacks it.
        """

    def stated(self, raw: pl.Series, names: Collection[str]) -> pl.DataFrame:
        """As `columns`, but `service` is null where the text does not name it; without `format` and times."""

    def fields(self, raw: pl.Series) -> pl.Series:
        """All fields: List(Struct{name: String, value: String, kind: UInt8}).

        `kind` 0 text, 1 number, 2 boolean (value in JSON's own spelling). The first of equal names
        wins; `columns` agrees with it for every name.
        """


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A source as every record of it names it."""

    source_id: int
    """Place on the command line (glob and folder members in sorted order): the order among equal times."""
    name: str
    """As typed (per file of a glob); a listener's URL with the bound port."""
    kind: str
    """`file`, `stream` (stdin, FIFO), `messages` (a listener's spool: one line is one record)."""
