"""What filters have found, kept while sources grow: of a record that stays as it is the answer stays, too.

A live view is asked for again several times a second. Only pieces that are new, or whose last record has grown, are
searched then, so that it costs what has come and not all there is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from logscope.records import schema

if TYPE_CHECKING:
    from logscope.query.filters import Filter
    from logscope.records.pieces import Piece, StoreView

_FILTERS = 8
"""As many as panes may stand on the screen, and a step back."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a filter."""

    rows: pl.Series
    """In order; of records that have not changed since."""
    changed: StoreView
    """The pieces that have to be searched."""


class Kept:
    """The newest results of some filters."""

    def __init__(self) -> None:
        """Nothing was found yet."""
        self._found: OrderedDict[str, tuple[StoreView, pl.Series]] = OrderedDict()
        self._lock = threading.Lock()

    def before(self, compiled: Filter, store: StoreView) -> Before | None:
        """What is known of a filter, if that helps.

        Args:
            compiled: The filter.
            store: The records it is asked for now.
        """
        with self._lock:
            known = self._found.get(compiled.text)
        if known is None or not _lasts(compiled):
            return None
        then, rows = known
        if then.era != store.era or then.records > store.records:
            return None
        old = len(then.pieces)
        grown = [piece for place, piece in enumerate(store.pieces[:old]) if then.pieces[place] is not piece]
        changed = replace(store, pieces=(*grown, *store.pieces[old:]))
        return Before(_without(rows, grown), changed)

    def keep(self, compiled: Filter, store: StoreView, rows: pl.Series) -> None:
        """A filter has found these rows, in order, among all records of the store."""
        if not _lasts(compiled):
            return
        with self._lock:
            self._found[compiled.text] = store, rows
            self._found.move_to_end(compiled.text)
            while len(self._found) > _FILTERS:
                self._found.popitem(last=False)


def _lasts(compiled: Filter) -> bool:
    """Whether the answer for a record depends on the record alone: not on the clock, nor on what keys there are."""
    return "time" not in compiled.columns and not any(name.startswith(schema.KEY_PREFIX) for name in compiled.columns)


def _without(rows: pl.Series, pieces: list[Piece]) -> pl.Series:
    for piece in pieces:
        rows = rows.filter((rows < piece.row) | (rows >= piece.row + piece.records))
    return rows
