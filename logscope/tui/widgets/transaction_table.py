"""The list of transactions: a frame of any height, painted from slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from rich.segment import Segment
from textual.cache import LRUCache
from textual.message import Message

from logscope.records import severity
from logscope.text import clean, human_count, human_duration
from logscope.tui.clock import DAY, Clock
from logscope.tui.painting import fit, one_line
from logscope.tui.widgets.row_list import RowList

SLICE = 64
_KEY = "transaction"
WIDE, WIDEST = 104, 136


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    title: str
    width: int
    """Cells; 0 takes what is left."""
    sort: str = ""
    """The frame's column it sorts by."""
    right: bool = False


def columns(width: int, with_day: bool, key: str = "key") -> list[Column]:
    """The columns that fit; `key` is what the grain is called."""
    wide = width >= WIDE
    found = [
        Column("start", (18 if with_day else 12) if wide else (14 if with_day else 8), "start"),
        Column("duration", 9, "duration", right=True),
        Column("rec", 5 if wide else 4, "records", right=True),
        Column("err", 4, "errors", right=True),
        Column(key, 18 if wide else 12, _KEY),
    ]
    if wide:
        found.append(Column("services", 20))
    found.append(Column("first → last", 0))
    if width >= WIDEST:
        found.append(Column("rules", 28))
    return found


def initials(services: Sequence[str]) -> str:
    """`ga au or pa`: two letters a service."""
    return " ".join(clean(name)[:2] for name in services)


class PartWanted(Message):
    """Rows are painted whose texts, lists and ids are not there yet."""

    def __init__(self, part: int, frame: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Slice `part` of `frame`: `rows`."""
        self.part = part
        self.frame = frame
        self.rows = rows
        super().__init__()


class TransactionTable(RowList):
    """Transactions by row of the frame."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """An empty table."""
        super().__init__(id=id)
        self._clock = clock
        self._frame = pl.DataFrame()
        self._slices: LRUCache[int, list[dict[str, Any]]] = LRUCache(32)
        self._wanted: set[int] = set()
        self._keys: list[str] = []
        self._grain = "key"
        self._teach: list[str] = ["", "Linking …"]
        self.with_day = False

    @property
    def empty_text(self) -> list[str]:
        """What an empty list teaches."""
        return self._teach

    def teach(self, lines: list[str]) -> None:
        """Say what an empty list shows."""
        self._teach = lines
        self.refresh()

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

    def key_of(self, row: dict[str, Any]) -> str:
        """What the transaction is called: the grain's value, else any key's."""
        for name in self._keys:
            values = row.get(name)
            if values:
                more = f" +{len(values) - 1}" if len(values) > 1 else ""
                return f"{values[0]}{more}"
        return str(row.get("transaction") or "…")

    def heading(self, sort: str, descending: bool) -> list[tuple[str, str]]:
        """The column titles with their styles, the sorted one with an arrow."""
        width = self.scrollable_content_region.width or self.app.size.width
        parts = [("   ", "")]
        shown = columns(width, self.with_day, clean(self._grain, cap=18))
        fluid = max(4, width - 4 - sum(column.width + 1 for column in shown if column.width))
        for column in shown:
            sorted_by = bool(column.sort) and column.sort == sort
            title = column.title + (("▼" if descending else "▲") if sorted_by else "")
            title = title[: column.width] if column.width else title
            room = column.width or fluid
            style = "bold $log-hint" if sorted_by else "$log-dim"
            parts.append((title.rjust(room) if column.right else title.ljust(room), style))
            parts.append((" ", ""))
        return parts

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One transaction."""
        row = self.row(index)
        behind = "log-cursor" if selected else "background"
        styles = self.look_up
        width = self.scrollable_content_region.width
        rules = row.get("rules") or []
        level = int(row.get("level") or 0)
        sign, role = ("✖", "log-detection") if rules else (" ", "log-dim")
        out = [
            Segment("▸" if selected else " ", styles.style("log-hint", behind, bold=True)),
            Segment(sign + " ", styles.style(role, behind, bold=True)),
        ]
        shown = columns(width, self.with_day, self._grain)
        fixed = sum(column.width + 1 for column in shown if column.width)
        for column in shown:
            room = column.width or max(4, width - 3 - fixed - 1)
            text, role = self._cell(column, row, level, room)
            text = fit(text[self.side :] if not column.width else text, room)
            text = text.strip().rjust(room) if column.right else text
            style = styles.style(role, behind, bold=role in ("log-error", "log-key"))
            out += Segment.adjust_line_length([Segment(text, style)], room, style=style)
            out.append(Segment(" ", styles.style("foreground", behind)))
        return out

    def _cell(self, column: Column, row: dict[str, Any], level: int, room: int) -> tuple[str, str]:
        """Text and role of a cell."""
        title = column.title
        if title == "start":
            time = _micro(row.get("start"))
            day = self._clock.day(time) + " " if self.with_day else ""
            text = day + self._clock.time(time)
            return text[: column.width], "log-time"
        if title == "duration":
            span = row.get("duration")
            return human_duration(round(span.total_seconds() * 1e6)) if span is not None else "", "foreground"
        if title == "rec":
            return human_count(row.get("records") or 0), "foreground"
        if title == "err":
            errors = row.get("errors") or 0
            return (human_count(errors), "log-error") if errors else ("·", "log-dim")
        if column.sort == _KEY:
            # What has none of the grain's values is called by another key: not the same kind of name.
            return clean(self.key_of(row), cap=80), "log-key" if row.get(f"keys.{self._grain}") else "log-dim"
        if title == "services":
            return initials(row.get("services") or []), "log-service"
        if title == "rules":
            return clean(", ".join(row.get("rules") or []), cap=200), "log-detection"
        first, last = (one_line(str(row.get(name) or ""))[:400] for name in ("first", "last"))
        state = "" if row.get("state") != "open" else "⋯ "
        oversize = "⚠ " if row.get("oversize") else ""
        role = "log-warn" if level == severity.WARN else "foreground"
        if row.get("records") == 1:
            return f"{state}{oversize}{first}", role
        # Both ends matter: the first gives way so that the last is seen.
        most = max(6, room - len(last) - 3, room // 2 - 2)
        return f"{state}{oversize}{fit(first, most).rstrip() if len(first) > most else first} → {last}", role


def _micro(value: Any) -> int | None:
    """Microseconds of a Datetime as Polars hands it out."""
    return None if value is None else round(value.timestamp() * 1_000_000)
