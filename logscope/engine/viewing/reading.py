"""Records as lists paint them: read by row, kept while they may be looked at again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import Line
from logscope.engine.viewing.summaries import summary, words_first
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.viewing.frames import Frames
    from logscope.records.pieces import StoreView
    from logscope.records.store import Store

_COLUMNS = ("time", "time_from", "level", "source", "line", "service", "host", "message", "raw")
_KEPT = 16_384
_LONGEST = 16_384
"""Characters of a record beyond which it is read again each time."""


class Reading:
    """Reads records; parsing a handful costs as much as parsing a thousand, so what was read is kept.

    Args:
        store: Where the records are.
        frames: Parses them.
    """

    def __init__(self, store: Store, frames: Frames) -> None:
        """Nothing is kept yet."""
        self._store = store
        self._frames = frames
        self._kept: OrderedDict[int, Line] = OrderedDict()
        self._lock = threading.Lock()

    def lines_of(self, rows: pl.Series) -> Sequence[Line]:
        """Records by row, in the order given.

        Args:
            rows: UInt32 row numbers; repeated ones are allowed.
        """
        if not len(rows):
            return ()
        view = self._store.view
        numbers: list[int] = rows.to_list()
        # A record before the first time of its file gets its time later.
        times = view.index.get_column("time").to_physical()[rows].to_list()
        found: dict[int, Line] = {}
        with self._lock:
            for row, time in zip(numbers, times, strict=True):
                line = self._kept.get(row)
                if line is not None and line.time == time:
                    self._kept.move_to_end(row)
                    found[row] = line
        missing = [row for row in dict.fromkeys(numbers) if row not in found]
        if missing:
            fresh = self._read(pl.Series(schema.ROW, missing, dtype=pl.UInt32), view)
            found.update((line.row, line) for line in fresh)
            self._keep(fresh, view)
        return [found[row] for row in numbers]

    def _read(self, rows: pl.Series, view: StoreView) -> list[Line]:
        frame, fields = self._frames.told(rows, view, _COLUMNS)
        frame = frame.with_columns(pl.col("time").to_physical(), words_first(frame.get_column("message")))
        return [
            Line(
                row=entry["row"],
                time=entry["time"],
                time_from=entry["time_from"],
                level=entry["level"],
                source=entry["source"],
                line=entry["line"],
                service=entry["service"],
                host=entry["host"],
                message=summary(entry["message"] or "", values),
                raw=entry["raw"] or "",
            )
            for entry, values in zip(frame.iter_rows(named=True), fields, strict=True)
        ]

    def _keep(self, lines: Sequence[Line], view: StoreView) -> None:
        with self._lock:
            for line in lines:
                piece = view.piece_of(line.row)
                # Continuation lines may still lengthen the last record of a block.
                last = line.row == piece.row + piece.records - 1 and piece.binding.ref.kind != "messages"
                if not last and len(line.raw) <= _LONGEST:
                    self._kept[line.row] = line
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
