"""The split: what the trail keeps above, all records below, moving together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from logscope.engine.answers import View
from logscope.engine.api import Cancel
from logscope.tui.safe import line
from logscope.tui.widgets.record_list import RecordList
from logscope.tui.windows import Window

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen


class Splitting:
    """The lower list of a records screen."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Closed."""
        self._screen = screen
        self._rows: RecordList | None = None
        self._pointed: int | None = None

    def compose(self) -> Iterable[Widget]:
        """The lower list, not shown."""
        self._rows = RecordList(self._screen.scope.clock, self._request, self._screen.investigation.marks, id="all")
        yield self._rows

    @property
    def rows(self) -> RecordList:
        """The lower list."""
        assert self._rows is not None
        return self._rows

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self._rows is not None and self._rows.has_class("open")

    def toggle(self) -> None:
        """Show all records below those that match, or no longer."""
        if self.close():
            return
        self.rows.add_class("open")
        self.rows.border_title = line(
            "all records", (" · Tab goes there, Enter brings the upper list along", "$log-dim")
        )
        self._pointed = None
        self.view_changed()

    def close(self) -> bool:
        """Close it; False if it was not open."""
        if not self.is_open:
            return False
        self.rows.remove_class("open")
        self._screen.main_list.focus()
        return True

    def view_changed(self) -> None:
        """Ask for all records anew, and stand where the upper list stands."""
        if not self.is_open:
            return
        screen, investigation = self._screen, self._screen.investigation

        def arrived(view: View) -> None:
            upper = screen.main_list
            self.rows.with_day, self.rows.letters = upper.with_day, upper.letters
            self.rows.columns = upper.columns
            self.rows.restyle()
            self.rows.show(view, grown=self.rows.view is not None)
            self._pointed = None
            self.point()

        screen.queries.ask("all", lambda cancel: investigation.view("", cancel=cancel), arrived)

    def mark_again(self) -> None:
        """Other records may be steps of a detection now."""
        if self.is_open:
            self.rows.mark_again()

    def point(self) -> None:
        """Stand on the record of the upper list."""
        screen, record, view = self._screen, self._screen.line, self.rows.view if self._rows else None
        if not self.is_open or record is None or view is None or record.row == self._pointed or self.rows.has_focus:
            return
        self._pointed = row = record.row
        investigation = screen.investigation
        screen.queries.ask(
            "all place",
            lambda _: investigation.position(view, row),
            lambda place: self.rows.go_to(place, center=True),
        )

    def chosen(self) -> None:
        """Enter on a record: the upper list comes to it, or as near as its filter lets it."""
        record = self.rows.line()
        if record is not None:
            self._pointed = record.row
            self._screen.jumps.to_row(record.row)
            self._screen.main_list.focus()

    def _request(self, start: int, stop: int, version: int) -> None:
        screen, view = self._screen, self.rows.view
        if view is None:
            return
        investigation, columns = screen.investigation, self.rows.columns

        def call(_: Cancel) -> Window:
            lines = list(investigation.lines(view, max(0, start - 1), stop))
            before = lines.pop(0) if start and lines else None
            rows = [one.row for one in lines]
            cells = investigation.cells(rows, columns) if columns else {}
            return Window(start, tuple(lines), before, version, cells=cells)

        screen.queries.ask(f"all window {start}", call, self.rows.received)
