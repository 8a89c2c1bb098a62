"""The list of transactions: a frame of any height, painted from slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from textual.cache import LRUCache
from textual.message import Message

from logscope.records import severity
from logscope.text import clean, human_count, human_duration
from logscope.tui.clock import DAY, Clock
from logscope.tui.painting import fit, one_line
from logscope.tui.widgets.column_list import Cell, Column, ColumnList

SLICE = 64
_ALWAYS = ("start", "duration", "records", "errors", "level", "services")
_KEY = "transaction"
_WAY = "first → last"
WIDE, WIDEST = 104, 136


def initials(services: Sequence[str]) -> str:
    """`ga au or pa`: two letters a service; where all begin alike, two of what comes after."""
    names = [clean(name) for name in services]
    common = _common(names)
    return " ".join(name[common : common + 2] for name in names)


def _common(names: Sequence[str]) -> int:
    """Characters up to the last sign that all names begin with: `ts-` of `ts-order`, `ts-travel`."""
    if len(set(names)) < 2:
        return 0
    first, last = min(names), max(names)
    alike = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return max((first.rfind(sign, 0, alike) + 1 for sign in "-_./"), default=0)


class PartWanted(Message):
    """Rows are painted whose texts, lists and ids are not there yet."""

    def __init__(self, part: int, frame: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Slice `part` of `frame`: `rows`."""
        self.part = part
        self.frame = frame
        self.rows = rows
        super().__init__()


class TransactionTable(ColumnList):
    """Transactions by row of the frame."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """An empty table."""
        super().__init__(id=id)
        self._clock = clock
        self.now: int | None = None
        """The log's own time while sources live: of open transactions the age is shown, and it runs."""
        self._frame = pl.DataFrame()
        self._slices: LRUCache[int, list[dict[str, Any]]] = LRUCache(32)
        self._wanted: set[int] = set()
        self._names: frozenset[str] = frozenset()
        self._keys: list[str] = []
        self._grain = "key"
        self.with_day = False

    @property
    def part(self) -> int:
        """The slice that the cursor is in."""
        return self.cursor // SLICE

    def show(self, frame: pl.DataFrame, shown: Mapping[int, pl.DataFrame], grain: str) -> None:
        """Show a frame of transactions, the grain's value as their key.

        Args:
            frame: Figures at least; what it lacks is asked for slice by slice (`PartWanted`).
            shown: By slice its rows with all columns, as far as they are there already.
            grain: What transactions are named by.
        """
        self._frame = frame
        self._slices.clear()
        self._wanted.clear()
        for part, rows in shown.items():
            self._slices[part] = rows.rows(named=True)
        self._names = frozenset(name for rows in (frame, *shown.values()) for name in rows.columns)
        keys = [name for rows in shown.values() for name in rows.columns if name.startswith("keys.")]
        self._grain = grain if f"keys.{grain}" in keys else "key"
        self._keys = sorted(dict.fromkeys(keys), key=lambda name: name != f"keys.{grain}")
        # In the frame times are Datetime; painting wants microseconds.
        self.with_day = False
        if frame.height:
            start, end = _micro(frame["start"].min()) or 0, _micro(frame["end"].max()) or 0
            self.with_day = self._clock.day(start) != self._clock.day(end) or end - start > DAY
        self.set_rows(frame.height, min(self.cursor, max(0, frame.height - 1)))

    def number(self, index: int | None = None) -> int | None:
        """The transaction's number at a row (the cursor's)."""
        place = self.cursor if index is None else index
        return int(self._frame["number"][place]) if place < self._frame.height else None

    def place_of(self, number: int) -> int | None:
        """The row of a transaction."""
        if self._frame.is_empty():
            return None
        found = self._frame["number"].index_of(number)
        return None if found is None else int(found)

    def row(self, index: int) -> dict[str, Any]:
        """One transaction as a dict."""
        part = index // SLICE
        rows = self._slices.get(part)
        if rows is None:
            if part not in self._wanted:
                self._wanted.add(part)
                self.post_message(PartWanted(part, self._frame, self._frame.slice(part * SLICE, SLICE)))
            return self._frame.row(index, named=True)
        return rows[index % SLICE]

    def fill(self, frame: pl.DataFrame, part: int, rows: pl.DataFrame) -> None:
        """All columns of a slice have come.

        Args:
            frame: What it is a slice of; of another one than is shown now it is passed over.
            part: Which slice.
            rows: Its rows.
        """
        self._wanted.discard(part)
        if frame is self._frame:
            self._slices[part] = rows.rows(named=True)
            self.repaint()

    @property
    def shaped(self) -> bool:
        """Whether it is known which way each transaction goes."""
        return any(row.get("shape") for row in self._slices.get(self.part) or ())

    def key_value(self, index: int) -> tuple[str, str] | None:
        """The key and the value that a transaction is called by."""
        row = self.row(index)
        for name in self._keys:
            if values := row.get(name):
                return name.removeprefix("keys."), str(values[0])
        return None

    def key_of(self, row: dict[str, Any]) -> str:
        """What the transaction is called: the grain's value, else any key's."""
        for name in self._keys:
            values = row.get(name)
            if values:
                more = f" +{len(values) - 1}" if len(values) > 1 else ""
                return f"{values[0]}{more}"
        return str(row.get("transaction") or "…")

    def columns(self) -> list[Column]:
        """The columns; the key's is called by the grain's name."""
        wide = self.wide >= WIDE
        by = f"keys.{self._grain}" if self._grain != "key" else _KEY
        return [
            Column("start", (18 if self.with_day else 12) if wide else (14 if self.with_day else 8), "start"),
            Column("duration", 9, "duration", right=True),
            Column("rec", 5 if wide else 4, "records", right=True),
            Column("err", 4, "errors", right=True),
            Column("way", 4, "shape", right=True, least=WIDE),
            Column(self._grain, 18 if wide else 12, by),
            Column("services", 20, "services", least=WIDE),
            Column(_WAY, 0, "first"),
            Column("rules", 28, "rules", least=WIDEST),
        ]

    def sorts(self) -> list[str]:
        """What the list can be sorted by: the columns, and the worst level."""
        found = [column.sort for column in self.columns() if column.sort]
        found.insert(found.index("errors") + 1, "level")
        # Before there is a list, what it will have is not known: its own columns are always there.
        return [name for name in found if name in self._names or (self._frame.is_empty() and name in _ALWAYS)]

    def sign(self, index: int) -> Cell:
        """Whether a rule found something."""
        return ("✖", "log-detection") if self.row(index).get("rules") else (" ", "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        row, title = self.row(index), column.title
        if column.sort in (_KEY, f"keys.{self._grain}"):
            # What has none of the grain's values is called by another key: not the same kind of name.
            return clean(self.key_of(row), cap=80), "log-key" if row.get(f"keys.{self._grain}") else "log-dim"
        if title == "start":
            time = _micro(row.get("start"))
            day = self._clock.day(time) + " " if self.with_day else ""
            return (day + self._clock.time(time))[: column.width], "log-time"
        if title == "duration":
            span = row.get("duration")
            begun = _micro(row.get("start"))
            if self.now is not None and begun is not None and row.get("state") == "open":
                return f"{human_duration(max(0, self.now - begun))} …", "log-hint"
            return human_duration(round(span.total_seconds() * 1e6)) if span is not None else "", "foreground"
        if title == "rec":
            return human_count(row.get("records") or 0), "foreground"
        if title == "err":
            errors = row.get("errors") or 0
            return (human_count(errors), "log-error") if errors else ("·", "log-dim")
        if title == "way":
            return str(row.get("shape") or "·"), "log-dim"
        if title == "services":
            return initials(row.get("services") or []), "log-service"
        if title == "rules":
            return ", ".join(row.get("rules") or []), "log-detection"
        return self._way(row, room)

    def _way(self, row: dict[str, Any], room: int) -> Cell:
        """The first message and the last one."""
        first, last = (one_line(str(row.get(name) or ""))[:400] for name in ("first", "last"))
        state = "" if row.get("state") != "open" else "⋯ "
        oversize = "⚠ " if row.get("oversize") else ""
        role = "log-warn" if int(row.get("level") or 0) == severity.WARN else "foreground"
        if row.get("records") == 1:
            return f"{state}{oversize}{first}", role
        # Both ends matter: the first gives way so that the last is seen.
        most = max(6, room - len(last) - 3, room // 2 - 2)
        return f"{state}{oversize}{fit(first, most).rstrip() if len(first) > most else first} → {last}", role


def _micro(value: Any) -> int | None:
    """Microseconds of a Datetime as Polars hands it out."""
    return None if value is None else round(value.timestamp() * 1_000_000)
