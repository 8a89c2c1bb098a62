"""What list screens share: title, column titles, one list, what is said of its row, bar and footer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget

from logscope.engine.answers import Snapshot
from logscope.engine.api import Cancel
from logscope.errors import LogscopeError
from logscope.tui.messages import CursorMoved, RowChosen
from logscope.tui.safe import line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.widgets.chrome import Chrome, Footer, title_line
from logscope.tui.widgets.query_bar import QueryBar

T = TypeVar("T")


class ListScreen(InvestigatorScreen):
    """One list over the whole screen. A subclass makes the list and says what stands around it."""

    CSS_PATH = "lists.tcss"

    ROW = "row"
    """What a row is called in the status line."""

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

    def cursor_moved(self) -> None:
        """The cursor stands on another row."""

    def action_open(self) -> None:
        """Enter on a row."""

    # Life

    def on_mount(self) -> None:
        """The title at once."""
        self.show_title()

    def on_resize(self, event: events.Resize) -> None:
        """Other columns fit."""
        self.call_after_refresh(self.show_heading)

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """The title is as new as the engine's news."""
        self.show_title()

    def ask_linked(
        self,
        topic: str,
        call: Callable[[Cancel], T],
        then: Callable[[T], object],
        *,
        label: str = "linking",
        failed: Callable[[LogscopeError], None] | None = None,
    ) -> None:
        """Ask what needs the transactions: they are made first, if they are not there yet.

        Args:
            topic: What it is about.
            call: Runs on a thread once all is linked.
            then: Runs here with the answer.
            label: What the user is told meanwhile.
            failed: Runs here with the error.
        """
        investigation = self.investigation

        def linked(cancel: Cancel) -> T:
            investigation.prepare_transactions(
                cancel=cancel, progress=lambda told, share: self.queries.report(topic, told, share)
            )
            return call(cancel)

        def arrived(answer: T) -> None:
            self.scope.snapshot = investigation.snapshot
            self.show_title()
            then(answer)
            self.show_status()

        self.queries.ask(topic, linked, arrived, label=label, failed=failed)

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
