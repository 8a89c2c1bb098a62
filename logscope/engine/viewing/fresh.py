"""Columns of the newest blocks of growing sources, found in the one pass in which they were read.

Linking and rules ask the same columns of every block that comes, a moment after it was read. What they will ask
is told before (`foreseen`), and they find it here; where they come too late for it the text is read again, with
the same columns as result.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import polars as pl

from logscope.engine.viewing.textcolumns import FROM_ENVELOPE, made_of
from logscope.records import schema
from logscope.records.pieces import Piece

_BUDGET = 64 << 20
_APART = {*schema.INDEX_COLUMNS, "raw", "source", "format"}
"""What no parser has to be asked for."""

_Key = tuple[int, int, int, int]


class Fresh:
    """See `loading.material.Foreseen`.

    Args:
        foreseen: Names the columns that will be asked for, by the kind of source.
        budget: Bytes that are kept; the oldest are given up.
    """

    def __init__(self, foreseen: Callable[[str], Collection[str]] = lambda kind: (), budget: int = _BUDGET) -> None:
        """Nothing has come yet."""
        self._foreseen = foreseen
        self._budget = budget
        self._size = 0
        self._blocks: OrderedDict[_Key, tuple[pl.DataFrame, int]] = OrderedDict()
        self._lock = threading.Lock()

    def wanted(self, kind: str) -> Sequence[str]:
        """See `Foreseen`."""
        apart = _APART.union(FROM_ENVELOPE) if kind == "messages" else _APART
        return sorted(name for name in self._foreseen(kind) if name not in apart and not _is_key(name))

    def keep(self, piece: Piece, envelope: pl.DataFrame, index: pl.DataFrame) -> None:
        """See `Foreseen`."""
        asked = self._foreseen(piece.binding.ref.kind)
        # Who came first while the block was parsed is not there, and parses it anew.
        known = {*index.columns, *_APART, *(name for name, given in FROM_ENVELOPE.items() if given in envelope.columns)}
        names = sorted(name for name in asked if name in known and name not in schema.INDEX_COLUMNS)
        if not names or not piece.records:
            return
        columns = made_of([(piece.binding, piece.records)], envelope, names, index.get_column("format"), index.select)
        size = int(columns.estimated_size())
        with self._lock:
            self._blocks[_key(piece)] = columns, size
            self._size += size
            while self._size > self._budget:
                _, (_, freed) = self._blocks.popitem(last=False)
                self._size -= freed

    def clear(self) -> None:
        """Keep nothing: what was foreseen has been asked for."""
        with self._lock:
            self._blocks.clear()
            self._size = 0

    def columns(self, pieces: Sequence[Piece], names: Collection[str]) -> pl.DataFrame | None:
        """The named columns of the records of some pieces; None if they are not all there."""
        found = []
        with self._lock:
            for piece in pieces:
                block = self._blocks.get(_key(piece))
                if block is None or not set(names).issubset(block[0].columns):
                    return None
                found.append(block[0].select(names))
        # A field may be a number in one block and a text in the next.
        return pl.concat(found, how="vertical_relaxed") if len(found) > 1 else found[0]


def _is_key(name: str) -> bool:
    return name.startswith(schema.KEY_PREFIX)


def _key(piece: Piece) -> _Key:
    """A piece whose last record has grown is another one."""
    return piece.binding.ref.source_id, piece.base, piece.end, piece.row
