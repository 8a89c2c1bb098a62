"""Clocks that are off, estimated from the transactions that hosts share; never corrected unasked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.api import Cancel
from logscope.engine.insights import Skew
from logscope.text import clean, human_duration
from logscope.tui.clock import distance
from logscope.tui.painting import fit_end
from logscope.tui.safe import line
from logscope.tui.screens.listing import ListScreen
from logscope.tui.widgets.column_list import Cell, Column, ColumnList


class ClockTable(ColumnList):
    """A host a row, with how far its clock is off."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing estimated yet."""
        super().__init__(id=id)
        self._skews: Sequence[Skew] = ()
        self.shifts: dict[str, int] = {}

    def show(self, skews: Sequence[Skew], shifts: dict[str, int]) -> None:
        """Show these; `shifts` are in force."""
        known = {one.source for one in skews}
        applied = [
            Skew(source, offset, 0, 0, "its times are moved by this; Enter takes it back")
            for source, offset in shifts.items()
            if source not in known
        ]
        self._skews, self.shifts = [*applied, *skews], shifts
        self.teach(
            [
                "No clock is off, as far as the transactions tell.",
                "",
                "A clock is found to be off where one host's records come before what caused them,",
                "in many transactions that it shares with others. Known offsets: --offset GLOB=+120ms.",
            ]
        )
        self.set_rows(len(self._skews), self.cursor)

    @property
    def skew(self) -> Skew | None:
        """The one under the cursor."""
        return self._skews[self.cursor] if self.cursor < len(self._skews) else None

    def columns(self) -> list[Column]:
        """What would be added, how sure, from how many."""
        return [
            Column("host", 24 if self.wide >= 100 else 18),
            Column("to add", 10, right=True),
            Column("give or take", 12, right=True),
            Column("transactions", 12, right=True, least=72),
            Column("because", 0),
        ]

    def sign(self, index: int) -> Cell:
        """Whether it is applied."""
        return ("●", "log-hint") if self._skews[index].source in self.shifts else (" ", "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        one = self._skews[index]
        estimated = one.transactions > 0
        return {
            "host": (fit_end(clean(one.source), room), "log-service"),
            "to add": (distance(one.offset), "log-warn"),
            "give or take": (human_duration(one.spread) if estimated else "", "foreground"),
            "transactions": (f"{one.transactions:,}" if estimated else "", "foreground"),
            "because": (one.text, "log-dim"),
        }[column.title]


class ClocksScreen(ListScreen):
    """Clock skew, shown, and applied on demand."""

    ROW = "clock"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "open", "Move its times, or take that back", id="clocks.shift", show=False),
        Binding("U", "undo", "Take all moves back", id="clocks.undo", show=False),
        Binding("asterisk", "records", "The host's records", id="clocks.records", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "move its times, or back"),
        ("clocks.undo", "all back"),
        ("clocks.records", "its records"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Clocks",
        (
            "Hosts whose clock seems to be off, from the transactions they share with others. Nothing is corrected "
            "unasked; ● is moved now."
        ),
    )

    def parts(self) -> Iterable[Widget]:
        """The clocks, and why in full."""
        yield ClockTable(id="clocks")
        yield Static(id="output")

    @property
    def main_list(self) -> ClockTable:
        """The clocks."""
        return self.query_one(ClockTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def reload(self) -> None:
        """Ask for the estimates."""
        investigation = self.investigation
        self.ask_linked(
            lambda cancel: list(investigation.skews(cancel=cancel)), self._arrived, label="comparing clocks"
        )

    def _arrived(self, skews: list[Skew]) -> None:
        self.main_list.show(skews, dict(self.scope.shifts))
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Why, and what to type to have it always."""
        one = self.main_list.skew
        told = [Content("")]
        if one is not None:
            sign = "-" if one.offset < 0 else "+"
            told = [
                line((f"{one.source} ", "bold $log-service"), one.text),
                line((f"always: --offset '{one.source}={sign}{abs(one.offset) // 1000}ms'", "$log-dim")),
            ]
        self.query_one("#output", Static).update(Content("\n").join(told), layout=False)

    def action_open(self) -> None:
        """Move the host's times by the estimate; again: take it back."""
        one = self.main_list.skew
        if one is None:
            return
        shifts = dict(self.scope.shifts)
        if one.source in shifts:
            back = -shifts.pop(one.source)
            self._shift(shifts, {one.source: back}, f"{one.source} as it was")
        else:
            shifts[one.source] = one.offset
            self._shift(shifts, {one.source: one.offset}, f"{one.source} moved by {distance(one.offset)}")

    def action_undo(self) -> None:
        """All clocks as they were."""
        if self.scope.shifts:
            back = {source: -offset for source, offset in self.scope.shifts.items()}
            self._shift({}, back, "all clocks as they were")
        else:
            self.scope.say("no clock was moved")

    def _shift(self, shifts: dict[str, int], changes: dict[str, int], told: str) -> None:
        investigation = self.investigation

        def call(_: Cancel) -> None:
            for source, offset in changes.items():
                investigation.shift(source, offset)

        def arrived(_: None) -> None:
            self.scope.shifts = shifts
            self.scope.look_anew()
            self.scope.say(told)
            self.reload()

        self.queries.ask("shift", call, arrived, label="moving times", failed=self.tell)

    def action_records(self) -> None:
        """The records of the host."""
        if (one := self.main_list.skew) is not None:
            self.pivot("", one.source, name="host")
