"""What ingestion is given and what it makes: a source's bytes, the records of a block, columns that are foreseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logscope.errors import SourceError
    from logscope.records.pieces import Piece


class Bytes(Protocol):
    """What ingestion needs of an open source (sources/base.py OpenSource)."""

    name: str
    kind: Literal["file", "stream", "messages"]
    follow: bool

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset`."""

    def size(self) -> int:
        """Bytes there are now."""

    def poll(self) -> bool:
        """Look for growth."""

    def notices(self) -> list[str]:
        """What the user should be told since the last call."""

    def failures(self) -> list[SourceError]:
        """Why not everything could be read, as found since the last call."""

    def finished(self) -> bool:
        """Nothing more will come."""

    @property
    def mtime_us(self) -> int:
        """When it was last changed, microseconds since 1970 UTC."""

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode, of a plain file as it stands."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The records of a block, not in the store yet."""

    bounds: pl.Series
    """Their byte offsets in the block, and the end."""
    begins: pl.Series
    """The number of each one's first line in the block."""
    index: pl.DataFrame
    """`time`, `level`, `format` of each, and the columns that are foreseen."""
    lines: int
    """Lines in the block."""
    texts: pl.Series
    """The records."""


class Foreseen(Protocol):
    """Columns that will be asked of every record of growing sources: found as it is read, not parsed for again."""

    def wanted(self, kind: str) -> Sequence[str]:
        """Names of those that the next block's parser is to find, as `RecordParser.stated` knows them.

        Args:
            kind: Of the source.
        """

    def keep(self, piece: Piece, envelope: pl.DataFrame, index: pl.DataFrame) -> None:
        """What was found in a block.

        Args:
            piece: Its records.
            envelope: `raw`, and of messages what was received with it.
            index: Of the records, with the wanted columns.
        """


class Nothing:
    """Nothing is foreseen."""

    def wanted(self, kind: str) -> Sequence[str]:
        """See `Foreseen`."""
        return ()

    def keep(self, piece: Piece, envelope: pl.DataFrame, index: pl.DataFrame) -> None:
        """See `Foreseen`."""
