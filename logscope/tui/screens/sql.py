"""SQL over the records: a prompt, the result as a grid, and from a row of it back to its records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from logscope.records import schema
from logscope.text import clean, human_duration
from logscope.tui.painting import fit
from logscope.tui.safe import line
from logscope.tui.screens.listing import ListScreen
from logscope.tui.trail import Step
from logscope.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

HELP = 'SELECT service, COUNT(*) AS n FROM records GROUP BY service ORDER BY n DESC   "fields.NAME"'
CELL_MAX = 60
_SAMPLED = 500
"""Rows whose cells say how wide a column is."""


def told(value: Any) -> str:
    """A cell as text, not cleaned."""
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return human_duration(round(value.total_seconds() * 1e6))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, pl.Series | list):
        return ", ".join(told(one) for one in value)
    return str(value)


class ResultGrid(RowList):
    """Rows of a result; the cursor is a cell."""

    def __init__(self, *, id: str | None = None) -> None:
        """No result yet."""
        super().__init__(id=id)
        self.frame = pl.DataFrame()
        self.column = 0
        self._natural: list[int] = []
        """Cells that the longest value of each column takes, 200 at most."""

    @property
    def empty_text(self) -> list[str]:
        """What is said before there is a result."""
        return [
            "No rows." if self.frame.width else "Nothing asked yet.",
            "",
            "Tables: records, transactions, detections. : or ; asks again.",
        ]

    def show(self, frame: pl.DataFrame) -> None:
        """Show a result."""
        self.frame = frame
        self.column = 0
        head = frame.head(_SAMPLED)
        self._natural = [
            max([len(column.name), *(len(clean(told(value), cap=200)) for value in column)]) for column in head
        ]
        self.set_rows(frame.height, 0)

    @property
    def _widths(self) -> list[int]:
        """Cells of each column: long ones are cut, unless there is room."""
        widths = [min(CELL_MAX, width) for width in self._natural]
        spare = self.scrollable_content_region.width - 2 - sum(widths) - 2 * len(widths)
        for number, wanted in enumerate(self._natural):
            more = max(0, min(spare, wanted - widths[number]))
            widths[number] += more
            spare -= more
        return widths

    def _first(self) -> int:
        """The first column shown, so that the one under the cursor is."""
        width, first, widths = self.scrollable_content_region.width - 2, 0, self._widths
        while first < self.column and sum(widths[first : self.column + 1]) + 2 * (self.column - first) > width:
            first += 1
        return first

    def heading(self) -> Content:
        """The column titles."""
        parts: list[str | tuple[str, str]] = ["  "]
        widths = self._widths
        for number in range(self._first(), self.frame.width):
            style = "bold $log-hint" if number == self.column else "bold"
            parts.append((fit(clean(self.frame.columns[number]), widths[number]) + "  ", style))
        return line(*parts)

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One row."""
        styles = self.look_up
        behind = "log-cursor" if selected else "background"
        out = [Segment("▸ " if selected else "  ", styles.style("log-hint", behind, bold=True))]
        widths, first = self._widths, self._first()
        for number, value in enumerate(self.frame.row(index)):
            if number < first:
                continue
            text = clean(told(value), cap=200)
            right = isinstance(value, int | float) and not isinstance(value, bool)
            width = widths[number]
            text = text.rjust(width) if right and len(text) <= width else fit(text, width)
            here = selected and number == self.column
            style = styles.style("log-key" if here else "foreground", behind, bold=here, underline=here)
            out += Segment.adjust_line_length([Segment(text, style)], width, style=style)
            out.append(Segment("  ", styles.style("foreground", behind)))
        return out

    def shift(self, side: int) -> None:
        """To another column: sideways is by cells here."""
        step = 1 if side > self.side else -1 if side < self.side or side == 0 else 0
        self.column = max(0, min(self.frame.width - 1, self.column + step))
        self.repaint()
        self.go(self.cursor)


class SqlScreen(ListScreen):
    """A query, its result, and the ways back to records."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("semicolon,e", "ask", "Another query", id="sql.ask", show=False),
        Binding("i,plus,asterisk", "keep(True)", "Records with the cell's value", id="sql.keep", show=False),
        Binding("minus,exclamation_mark", "keep(False)", "Drop the records with it", id="sql.drop", show=False),
        Binding("y", "copy", "Copy the cell", id="sql.copy", show=False),
        Binding("Y", "copy_all", "Copy the result as CSV", id="sql.copy-all", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "its records"),
        ("sql.keep", "with this value"),
        ("sql.ask", "another query"),
        ("list.right", "next column"),
        ("sql.copy", "copy"),
        ("screen.leave", "back"),
    )
    ABOUT = ("SQL", "One SELECT over records, transactions and detections. Enter on a row goes to its records.")
    ROW = "row"

    def __init__(self, home: RecordsScreen, text: str = "") -> None:
        """A prompt; with `text` its result at once."""
        super().__init__(home.investigation)
        self._home = home
        self._text = text

    def parts(self) -> Iterable[Widget]:
        """The grid."""
        yield ResultGrid(id="grid")

    @property
    def main_list(self) -> ResultGrid:
        """The grid."""
        return self.query_one(ResultGrid)

    def heading(self) -> Content:
        """The column titles."""
        return self.main_list.heading()

    def cursor_moved(self) -> None:
        """Another cell."""
        self.show_heading()

    def reload(self) -> None:
        """Ask, or answer."""
        if self._text:
            self.run(self._text)
        else:
            self.call_after_refresh(self.action_ask)

    def catch_up(self) -> None:
        """A result stays as it was asked for."""

    def action_ask(self) -> None:
        """The prompt."""
        self.ask_text("sql", ";", HELP, self._text)

    def submitted(self, purpose: str, text: str) -> None:
        """A query was typed."""
        if text:
            self.run(text)
        else:
            self.close_bar()

    def run(self, text: str) -> None:
        """Show the result of a query."""
        investigation = self.investigation

        def arrived(frame: pl.DataFrame) -> None:
            self._text = text
            self.close_bar()
            self.main_list.show(frame)
            self.show_heading()
            self.show_status()

        self.queries.ask(
            "sql", lambda cancel: investigation.sql(text, cancel=cancel), arrived, label="asking", failed=self.tell
        )

    def action_open(self) -> None:
        """The row's record, transaction, or records."""
        grid = self.main_list
        if grid.cursor >= grid.frame.height:
            return
        row = grid.frame.row(grid.cursor, named=True)
        if isinstance(row.get("source"), str) and isinstance(row.get("line"), int):
            self._to_record(row["source"], row["line"])
        elif isinstance(row.get("number"), int) and "transaction" in row:
            from logscope.tui.screens.transaction import TransactionScreen

            self.app.push_screen(TransactionScreen(self.investigation, row["number"], None))
        else:
            self._narrow(list(row.items()), keep=True, whole=True)

    def action_keep(self, keep: bool) -> None:
        """The records with the cell's value, or without it."""
        grid = self.main_list
        if grid.cursor < grid.frame.height:
            name = grid.frame.columns[grid.column]
            self._narrow([(name, grid.frame.row(grid.cursor)[grid.column])], keep=keep, whole=keep)

    def _to_record(self, source: str, number: int) -> None:
        home, investigation = self._home, self.investigation

        def arrived(found: dict[tuple[str, int], int]) -> None:
            for row in found.values():
                self.dismiss()
                home.jumps.to_row(row)

        self.queries.ask("row", lambda _: investigation.located([(source, number)]), arrived)

    def _narrow(self, shown: Sequence[tuple[str, Any]], *, keep: bool, whole: bool) -> None:
        """Narrow the records to values of a row; with `whole` to those that the query is about."""
        origin = self.investigation.sql_origin(self._text)
        named = [(origin.columns.get(name, name), value) for name, value in shown]
        values = [(name, value) for name, value in named if _is_column(name)]
        terms, labels = ([origin.where], [origin.where]) if whole and origin.where else ([], [])
        if not (values or terms):
            self.scope.say("this column is none of the records': select source and line, or a field")
            return
        if whole and not origin.whole:
            self.scope.say("of the query's conditions only the row's values are kept: the rest is none of a filter")
        for name, value in values:
            if name == "time":
                terms.append(f"time={value.isoformat()}" if value is not None else "-time:*")
            elif value is None:
                terms.append(f"-{name}:*")
            else:
                terms.append(self.investigation.value_filter(name, told(value)))
            labels.append(f"{name.removeprefix(schema.FIELD_PREFIX)}:{told(value)}")
        self.dismiss()
        self._home.narrow(Step("filter" if keep else "exclude", " ".join(terms), " ".join(labels)))

    def action_copy(self) -> None:
        """Copy the cell."""
        grid = self.main_list
        if grid.cursor < grid.frame.height:
            self.scope.copy(told(grid.frame.row(grid.cursor)[grid.column]), "the cell")

    def action_copy_all(self) -> None:
        """Copy the result as CSV."""
        frame = self.main_list.frame
        texts = frame.select([pl.Series(column.name, [told(value) for value in column]) for column in frame])
        self.scope.copy(texts.write_csv(), f"{frame.height:,} rows")


def _is_column(name: str) -> bool:
    return name in schema.USER_COLUMNS or name.startswith(schema.FIELD_PREFIX)
