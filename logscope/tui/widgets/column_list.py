"""A list in columns: titles above, one cell a column, one column that takes what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment

from logscope.text import clean
from logscope.tui.painting import fit
from logscope.tui.widgets.row_list import RowList

LEAD = 3
"""Cells before the first column: cursor, sign, blank."""
LEAST = 4
"""Cells that the column which takes the rest has at least."""
BOLD = ("log-error", "log-key", "log-detection", "log-hint", "log-fatal")

Cell = tuple[str, str]
"""Text, cleaned when it is painted, and role."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    width: int
    """Cells; 0 takes what is left."""
    sort: str = ""
    """What the list is sorted by under its title; empty: not by this."""
    right: bool = False
    least: int = 0
    """Width of the list from which it is shown."""


class ColumnList(RowList):
    """Rows in columns; a subclass says which, and what stands in a cell."""

    BESIDE = False
    """It stands beside the screen's main list: its cursor shows only while keys go to it."""

    def __init__(self, *, id: str | None = None) -> None:
        """An empty list."""
        super().__init__(id=id)
        self._teach: list[str] = ["", "Linking …"]

    # What a subclass says

    def columns(self) -> Sequence[Column]:
        """All columns, at any width."""
        raise NotImplementedError

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """What stands in a cell of `room` characters."""
        raise NotImplementedError

    def sign(self, index: int) -> Cell:
        """One character before the row."""
        return " ", "log-dim"

    # Empty

    @property
    def empty_text(self) -> list[str]:
        """What an empty list teaches."""
        return self._teach

    def teach(self, lines: Sequence[str]) -> None:
        """Say what an empty list shows."""
        self._teach = [clean(line) for line in lines]
        self.refresh()

    # Painting

    @property
    def wide(self) -> int:
        """Cells a row has."""
        return self.scrollable_content_region.width or self.app.size.width

    def fitting(self) -> list[tuple[Column, int]]:
        """The columns that fit, with their cells."""
        width = self.wide
        shown = [column for column in self.columns() if column.least <= width]
        fixed = sum(column.width + 1 for column in shown)
        rest = [column for column in shown if not column.width]
        room = max(LEAST, (width - LEAD - fixed) // max(1, len(rest)))
        return [(column, column.width or room) for column in shown]

    def titles(self, sort: str = "", *, descending: bool = False) -> list[Cell]:
        """The column titles with their styles, the sorted one with an arrow."""
        parts = [(" " * LEAD, "")]
        for column, room in self.fitting():
            sorted_by = bool(sort) and column.sort == sort
            title = clean(column.title) + (("▼" if descending else "▲") if sorted_by else "")
            title = title[:room]
            style = "bold $log-hint" if sorted_by else "$log-dim"
            parts.append((title.rjust(room) if column.right else title.ljust(room), style))
            parts.append((" ", ""))
        return parts

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One row."""
        selected = selected and (self.has_focus or not self.BESIDE)
        behind = "log-cursor" if selected else "background"
        styles = self.look_up
        sign, role = self.sign(index)
        out = [
            Segment("▸" if selected else " ", styles.style("log-hint", behind, bold=True)),
            Segment(fit(clean(sign), 1) + " ", styles.style(role, behind, bold=True)),
        ]
        blank = styles.style("foreground", behind)
        for column, room in self.fitting():
            text, role = self.cell(index, column, room)
            text = clean(text, cap=1000)
            text = fit(text[self.side :] if not column.width else text, room)
            text = text.strip().rjust(room) if column.right else text
            style = styles.style(role, behind, bold=role in BOLD)
            out += Segment.adjust_line_length([Segment(text, style)], room, style=style)
            out.append(Segment(" ", blank))
        return out
