"""What list screens share: title, column titles, one list, what is said of its row, bar and footer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget

from logscope.engine.answers import Snapshot
from logscope.engine.api import Cancel, Investigation
from logscope.errors import LogscopeError
from logscope.tui.clock import iso
from logscope.tui.messages import CursorMoved, RowChosen
from logscope.tui.queries import OPENS
from logscope.tui.safe import content, line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.wheres import Wheres, both
from logscope.tui.widgets.chrome import Chrome, Footer, title_line
from logscope.tui.widgets.column_list import ColumnList
from logscope.tui.widgets.query_bar import QueryBar

T = TypeVar("T")

RESTED = 4
"""How many times as long as an answer took the next one is waited with, as records come."""


class ListScreen(InvestigatorScreen):
    """One list over the whole screen. A subclass makes the list and says what stands around it."""

    CSS_PATH = "lists.tcss"

    ROW = "row"
    """What a row is called in the status line."""

    def __init__(self, investigation: Investigation) -> None:
        """A list over `investigation`."""
        super().__init__(investigation)
        self._shown: tuple[int, ...] = ()
        self._next = 0.0
        self._waiting = False

    def compose(self) -> ComposeResult:
        """Title, column titles, the list with what belongs to it, bar, footer."""
        yield Chrome(id="title")
        yield Chrome(id="heading")
        yield from self.parts()
        yield QueryBar(id="bar")
        yield Footer()

    def parts(self) -> Iterable[Widget]:
        """The list and what stands below it."""
        raise NotImplementedError

    def heading(self) -> Content:
        """The column titles as they fit now."""
        return Content("")

    def reload(self) -> None:
        """Ask for what the list shows, by `ask_linked`."""
        raise NotImplementedError

    def cursor_moved(self) -> None:
        """The cursor stands on another row."""

    def action_open(self) -> None:
        """Enter on a row."""

    # Life

    def on_mount(self) -> None:
        """The title at once, the list as soon as it is there."""
        self.show_title()
        self.reload()

    def on_screen_resume(self) -> None:
        """Keys or clocks may have been changed meanwhile."""
        self.catch_up()

    def on_resize(self, event: events.Resize) -> None:
        """Other columns fit."""
        self.call_after_refresh(self.show_heading)

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """The title is as new as the engine's news, the list nearly."""
        self.show_title()
        self.catch_up()

    def catch_up(self) -> None:
        """Ask again if there is something new, no more often than the engine can answer."""
        if not self.lives or self._shown == self._newest() or self.queries.busy("list"):
            return
        if time.monotonic() >= self._next:
            self.reload()
        elif not self._waiting:
            self._waiting = True
            self.set_timer(0.5, self._catch_up_again)

    def _catch_up_again(self) -> None:
        self._waiting = False
        self.catch_up()

    def action_escape(self) -> None:
        """As everywhere; a list that was stopped before it was there says so."""
        asked = self.queries.busy("list")
        super().action_escape()
        rows = self.main_list if self.lives else None
        if asked and isinstance(rows, ColumnList) and not rows.rows and not self.queries.busy("list"):
            rows.teach(["Stopped. Go back and open it again to have it made."])
            rows.repaint()

    def _newest(self) -> tuple[int, ...]:
        snapshot = self.scope.snapshot
        return snapshot.generation, snapshot.linked, snapshot.findings, snapshot.loading, self.scope.changes

    def ask_linked(
        self,
        call: Callable[[Cancel], T],
        then: Callable[[T], object],
        *,
        label: str = "listing",
        failed: Callable[[LogscopeError], None] | None = None,
        holds: float = 0.0,
    ) -> None:
        """Ask for the list; the transactions are made first, if they are not there yet.

        Args:
            call: Runs on a thread once all is linked.
            then: Runs here with the answer.
            label: What the user is told meanwhile.
            failed: Runs here with the error.
            holds: Seconds for which keys wait for it.
        """
        investigation = self.investigation
        self._shown = self._newest()

        def linked(cancel: Cancel) -> T:
            investigation.prepare_transactions(cancel=cancel)
            return call(cancel)

        def arrived(answer: T) -> None:
            self.scope.snapshot = investigation.snapshot
            self._next = time.monotonic() + max(1.0, RESTED * self.queries.took.get("list", 0.0))
            self.show_title()
            then(answer)
            self.show_heading()
            self.show_status()
            self.catch_up()

        self.queries.ask("list", linked, arrived, label=label, failed=failed, holds=holds)

    # What it says

    def show_title(self) -> None:
        """What is open, how much of it, whether it lives."""
        scope = self.scope
        for title in self.query("#title").results(Chrome):
            title.show(*title_line(scope.snapshot, scope.clock, scope.heading))

    def show_heading(self) -> None:
        """The column titles."""
        for heading in self.query("#heading").results(Chrome):
            heading.show(self.heading())

    def standing(self) -> Content:
        """Which row of how many."""
        rows = self.main_list
        told = f"{self.ROW} {rows.cursor + 1:,} of {rows.rows:,}" if rows.rows else ""
        return line(told, (f"   {rows.count_typed}" if rows.count_typed else "", "bold $log-hint"))

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many."""
        return self.standing(), Content("")

    @on(CursorMoved)
    def _moved(self, event: CursorMoved) -> None:
        event.stop()
        if event.rows is self.main_list:
            self.cursor_moved()
            self.show_status()

    @on(RowChosen)
    def _chosen(self, event: RowChosen) -> None:
        event.stop()
        self.chosen(event)

    def chosen(self, event: RowChosen) -> None:
        """Enter on a row of one of its lists."""
        self.action_open()


class FilteredScreen(ListScreen):
    """A list over the transactions that a filter keeps, with the filters that one tried."""

    FILTER_HELP = ""

    def __init__(self, investigation: Investigation, where: str = "") -> None:
        """A list over the transactions of `investigation` that match `where`."""
        super().__init__(investigation)
        self.wheres = Wheres(where)
        self._entered = False
        """Whether the answer that is waited for is one to what stands in the bar."""

    @property
    def where(self) -> str:
        """The filter in force."""
        return self.wheres.now

    def filter_shown(self) -> Content:
        """The filter, for the right of the status line; it leaves room for where one stands."""
        return content(f"& {self.where}", "$log-hint", cap=self.size.width // 2) if self.where else Content("")

    def filter_failed(self, error: LogscopeError) -> None:
        """It does not compile: the one before stays in force."""
        self._entered = False
        self.wheres.failed()
        self.tell(error)

    @property
    def holds(self) -> float:
        """Seconds for which keys wait for the list: after a filter was entered they are meant for what it keeps."""
        return OPENS if self._entered else 0.0

    def answered(self) -> None:
        """The list is there: the bar has done its work, unless one still types in it."""
        if self._entered and self.bar.purpose == "filter":
            self.close_bar()
        self._entered = False

    def submitted(self, purpose: str, text: str) -> None:
        """A filter."""
        self._entered = True
        self.wheres.go(text)
        self.reload()

    def action_filter(self) -> None:
        """Filter in the transaction language."""
        self.ask_text("filter", "& transactions", self.FILTER_HELP, self.where)

    def action_unfilter(self) -> None:
        """The filter before, at last all transactions."""
        if self.wheres.back():
            self.reload()

    def action_refilter(self) -> None:
        """The filter after it again."""
        if self.wheres.forward():
            self.reload()

    def run_command(self, name: str, argument: str) -> bool:
        """Commands that narrow."""
        if name == "filter":
            self.submitted("filter", argument)
        elif name in ("since", "until") and argument:
            bound = iso(self.scope.clock.parse(argument, self.scope.snapshot.start))
            self.submitted("filter", both(self.where, f"start{'>=' if name == 'since' else '<'}{bound}"))
        else:
            return False
        return True
