"""Filters over the store, segment by segment: views, hits, the histogram."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import View
from logscope.engine.api import Cancel
from logscope.engine.loading.ahead import ahead
from logscope.engine.viewing.kept import Kept
from logscope.query.coarse import coarse
from logscope.records import schema
from logscope.records.pieces import StoreView
from logscope.records.store import Store, merged, sort_rows

if TYPE_CHECKING:
    from logscope.engine.viewing.frames import Frames
    from logscope.query.filters import Filter
    from logscope.records.pieces import Segment


WithKeys = Callable[[pl.DataFrame, Collection[str]], pl.DataFrame]
RowsByKeys = Callable[[Mapping[str, "Filter"]], "pl.Series | None"]


_MANY = 4
"""More than this part of all records are not sorted but picked out of the order of all."""
_TOGETHER = 64
"""Segments after which memory is tidied up."""
_FEW = 8
"""Of more than this part of all records, what else is asked is looked for segment by segment."""


class Searching:
    """Runs filters.

    Args:
        store: The records.
        frames: Their columns.
        with_keys: Adds `keys.NAME` columns; a record with several values then stands several times.
        rows_by_keys: Rows that hold values of keys, without a look at their text; None where it cannot tell.
    """

    def __init__(self, store: Store, frames: Frames, with_keys: WithKeys, rows_by_keys: RowsByKeys) -> None:
        """Nothing is searched yet."""
        self._store = store
        self._frames = frames
        self._with_keys = with_keys
        self._rows_by_keys = rows_by_keys
        self._kept = Kept()

    def view(
        self,
        compiled: Filter,
        *,
        cancel: Cancel,
        base: View | None = None,
        partial: Callable[[View], None] | None = None,
        seen: set[str] | None = None,
    ) -> View:
        """Records that match, in order.

        Args:
            compiled: The filter.
            cancel: Looked at between segments.
            base: Search only within another view.
            partial: Gets what was found so far, now and then.
            seen: Receives the field columns that some record has.
        """
        store = self._store.view
        if not compiled.columns and not compiled.text.strip() and base is None:
            return View(self._store.ordered(store), compiled.text, store.generation)
        pivoted = self._pivoted(compiled, store, base, seen)
        if pivoted is not None:
            return pivoted
        known = self._kept.before(compiled, store) if base is None and seen is None else None
        found: list[pl.Series] = []
        shown = 0
        inside = None if base is None else base.rows.sort()

        # Which fields there are, and what their numbers are, is told by records that do not match, too.
        test = None if compiled.field_terms else coarse(compiled.expression)

        def search(segment: Segment) -> tuple[pl.Series, set[str]]:
            if test is None:
                frame = self._frames.segment(segment, store, _own(compiled.columns), keep=known is None)
            else:
                frame = self._frames.among(segment, store, _own(compiled.columns), test)
            fields: set[str] = set()
            if seen is not None:
                note_fields(frame, fields)
            return self._matching(compiled, frame), fields

        for rows, fields in ahead(search, (store if known is None else known.changed).segments()):
            cancel.check()
            if seen is not None:
                seen |= fields
            if inside is not None and len(rows):
                rows = rows.filter(rows.is_in(inside.implode()))
            found.append(rows)
            if not len(found) % _TOGETHER:
                self._store.release()
            count = sum(len(part) for part in found)
            if partial is not None and known is None and count and count > shown * 2:
                shown = count
                partial(self._ordered(found, store, compiled.text, complete=False))
        if known is not None and found:
            rows = merged(known.rows, pl.concat(found), store)
        elif known is not None:
            rows = known.rows
        else:
            rows = self._ordered(found, store, compiled.text, complete=True).rows
        if base is None:
            self._kept.keep(compiled, store, rows)
        return View(rows, compiled.text, store.generation)

    def _pivoted(self, compiled: Filter, store: StoreView, base: View | None, seen: set[str] | None) -> View | None:
        """The view of a filter on key values: their records are known, so that no other is looked at."""
        keyed, rest = compiled.by_key()
        rows = self._rows_by_keys(keyed) if keyed else None
        if rows is None:
            return None
        rows = rows.filter(rows < store.records)
        if base is not None:
            rows = rows.filter(rows.is_in(base.rows.implode()))
        if rest is not None:
            if len(rows) * _FEW > store.records:
                return None
            frame = self._frames.rows_bulk(rows, store, list(_own(rest.columns)))
            if seen is not None:
                note_fields(frame, seen)
            rows = self._matching(rest, frame)
        return View(sort_rows(rows.rename(schema.ROW), store), compiled.text, store.generation)

    def since(self, compiled: Filter, row: int) -> pl.Series:
        """Rows from `row` on that match, in order."""
        store = self._store.view
        found = [
            self._matching(compiled, self._frames.segment(segment, store, _own(compiled.columns), keep=False))
            for segment in store.since(row)
        ]
        return in_order(pl.concat(found), store) if found else pl.Series(schema.ROW, dtype=pl.UInt32)

    def _matching(self, compiled: Filter, frame: pl.DataFrame) -> pl.Series:
        """Rows of a frame that match, each once."""
        keyed = any(name.startswith(schema.KEY_PREFIX) for name in compiled.columns)
        if keyed:
            frame = self._with_keys(frame, compiled.columns)
        rows = frame.get_column(schema.ROW).filter(compiled.mask(frame))
        return rows.unique(maintain_order=True) if keyed else rows

    def _ordered(self, found: list[pl.Series], store: StoreView, text: str, *, complete: bool) -> View:
        many = sum(map(len, found)) * _MANY > store.records
        if many:
            return View(self._of_order(found, store), text, store.generation, complete)
        rows = pl.concat(found) if found else pl.Series(schema.ROW, dtype=pl.UInt32)
        return View(in_order(rows, store), text, store.generation, complete)

    def _of_order(self, found: list[pl.Series], store: StoreView) -> pl.Series:
        """Rows in order, taken out of that of all: to sort 58 M rows takes 2 GB, this an eighth."""
        order = self._store.ordered(store)
        mask = pl.repeat(False, len(order), eager=True)
        self._store.release()
        for first in range(0, len(found), _TOGETHER):
            # A series of many chunks is copied into one before it can be used as places.
            mask = mask.scatter(pl.concat(found[first : first + _TOGETHER]), True)
        return order.filter(mask.gather(order))

    def find(self, compiled: Filter, view: View, start: int, *, backwards: bool, cancel: Cancel) -> int | None:
        """The next position that matches.

        Args:
            compiled: What is searched.
            view: Where.
            start: The position to start from, itself excluded.
            backwards: Towards the beginning.
            cancel: Looked at between stretches.
        """
        store = self._store.view
        size, position = 256, start
        while True:
            cancel.check()
            if backwards:
                low, high = max(0, position - size), position
            else:
                low, high = position + 1, min(len(view.rows), position + 1 + size)
            if low >= high:
                return None
            rows = view.rows.slice(low, high - low)
            frame = self._frames.rows(rows, store, list(_own(compiled.columns)))
            hits = rows.is_in(self._matching(compiled, frame).implode()).arg_true()
            if len(hits):
                return low + int(hits[-1] if backwards else hits[0])
            position = low if backwards else high - 1
            size = min(size * 4, 65_536)


def _own(columns: Collection[str]) -> frozenset[str]:
    """Columns that records have themselves, without those of keys."""
    return frozenset(name for name in columns if not name.startswith(schema.KEY_PREFIX))


def note_fields(frame: pl.DataFrame, seen: set[str]) -> None:
    """Add the field columns that hold any value to `seen`."""
    for column in frame:
        if column.name.startswith(schema.FIELD_PREFIX) and column.null_count() < len(column):
            seen.add(column.name)


def in_order(rows: pl.Series, store: StoreView) -> pl.Series:
    """Rows that come by source and line, in order (time, source, line)."""
    if len(rows) < 2:
        return rows.rename(schema.ROW)
    times = store.index.get_column("time")[rows]
    if times.is_sorted():
        return rows.rename(schema.ROW)
    frame = pl.DataFrame({schema.ROW: rows, "time": times})
    return frame.sort("time", maintain_order=True).get_column(schema.ROW)
