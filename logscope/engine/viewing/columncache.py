"""Columns and texts that are kept within a budget."""

from __future__ import annotations

import threading
from collections import OrderedDict

import polars as pl

from logscope.engine.viewing.stretches import Held


class ColumnCache:
    """Columns by (segment, name), the least recently used given up beyond the budget."""

    def __init__(self, budget: int) -> None:
        """Empty; `budget` in bytes."""
        self._budget = budget
        self._size = 0
        self._columns: OrderedDict[tuple[object, str], tuple[pl.Series | Held, int]] = OrderedDict()
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._columns.clear()
            self._size = 0

    def column(self, key: tuple[object, str]) -> pl.Series | None:
        """A column that is kept."""
        found = self.get(key)
        return found if isinstance(found, pl.Series) else None

    def get(self, key: tuple[object, str]) -> pl.Series | Held | None:
        """What is kept, a column or a text."""
        with self._lock:
            entry = self._columns.get(key)
            if entry is None:
                return None
            self._columns.move_to_end(key)
            return entry[0]

    def put(self, key: tuple[object, str], column: pl.Series | Held) -> None:
        """Keep something, unless it alone would take a quarter of the budget."""
        size = (len(column.block) if isinstance(column, Held) else int(column.estimated_size())) + 256
        if size > self._budget // 4:
            return
        with self._lock:
            old = self._columns.pop(key, None)
            self._size += size - (old[1] if old else 0)
            self._columns[key] = (column, size)
            while self._size > self._budget:
                _, (_, freed) = self._columns.popitem(last=False)
                self._size -= freed
