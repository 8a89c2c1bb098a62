"""The keys of the records view beyond moving, narrowing and pivoting; each hands on to the part that knows how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType

from logscope.engine.answers import Line
from logscope.tui.messages import ColumnsLaid, FollowChanged
from logscope.tui.safe import line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.detail import DetailPane
from logscope.tui.widgets.facet_panel import FacetPanel
from logscope.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen


_OPENING = 3.0
"""Seconds that keys wait for the first record at most."""


def _bound(keys: str, action: str, told: str, name: str) -> Binding:
    return Binding(keys, action, told, id=f"records.{name}", show=False)


class BrowsingScreen(InvestigatorScreen):
    """Facets, columns, context, notes, named searches, looks, undo: bindings and their actions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _bound("f", "facet", "Values of a field, with counts", "facet"),
        _bound("c", "columns", "Fields as columns", "columns"),
        _bound("r", "context", "Records round those that match (5r: five each)", "context"),
        _bound("s", "split", "Split: all records below those that match", "split"),
        _bound("p", "unfold", "Unfold the record in place", "unfold"),
        _bound("vertical_line", "wrap", "Wrap long messages", "wrap"),
        _bound("number_sign", "note", "Write a note; #words are tags", "note"),
        _bound("quotation_mark", "notes", "List of marks and notes", "notes"),
        _bound("right_square_bracket", "beside(1)", "Next mark or note", "note-next"),
        _bound("left_square_bracket", "beside(-1)", "Previous mark or note", "note-previous"),
        _bound("a", "highlight", "Keep a search painted, by name", "highlight"),
        _bound("A", "highlights", "List of named searches", "highlights"),
        _bound("right_parenthesis", "later(1)", "A minute later (5): five; :step sets it)", "later"),
        _bound("left_parenthesis", "later(-1)", "A minute earlier", "earlier"),
        _bound("percent_sign", "percent", "To half, or 90% after a count", "percent"),
        _bound("z", "zoom_in", "Zoom into the time round the record", "zoom-in"),
        _bound("Z", "zoom_out", "Zoom out again", "zoom-out"),
        _bound("V", "zone", "Times in UTC, or as at start", "zone"),
        _bound("ctrl+r", "redo", "Do again what was undone", "redo"),
        _bound("semicolon", "sql", "SQL over the records", "sql"),
        _bound("at", "sources", "Sources: format, clock, off and on", "sources"),
        _bound("Y", "copy_place", "Copy where the record stands (source:line)", "copy-place"),
    ]

    _opened: float | None = None
    """When it was opened, as long as there is no first record."""

    def on_mount(self) -> None:
        """From now on keys wait for the first record."""
        self._opened = time.monotonic()

    @property
    def home(self) -> RecordsScreen:
        """The records screen that it is."""
        return cast("RecordsScreen", self)

    @property
    def record_here(self) -> Line | None:
        """The record under the cursor, for a key that needs one; where the view has none that is said."""
        record = self.home.line
        if record is None and self.home.main_list.records:
            self.scope.say("this record is still being read")
        elif record is None:
            back = self.scope.keys.shown("records.back")
            self.scope.say("no record here" + (f": {back} goes a step back" if self.home.trail.effective else ""))
        return record

    @property
    def holding(self) -> bool:
        """Also while the first record is read: keys are meant for it."""
        return super().holding or self._opening()

    def _opening(self) -> bool:
        if self._opened is None or not self.lives:
            return False
        to_come = self.scope.snapshot.loading or self.home.main_list.records
        if not to_come or self.home.line is not None or time.monotonic() - self._opened > _OPENING:
            self._opened = None
        return self._opened is not None

    def action_escape(self) -> None:
        """As everywhere; the first record is not waited for any more."""
        self._opened = None
        super().action_escape()

    # The panes

    @property
    def facets(self) -> FacetPanel:
        """The values of a field."""
        return self.query_one(FacetPanel)

    def lay_panes(self) -> None:
        """Room for the panes that are open; the cursor stays in view."""
        self.query_one("#panes").set_class(self.home.detail.has_class("open") or self.facets.has_class("open"), "open")
        self.call_after_refresh(self._keep_in_view)

    @on(ColumnsLaid)
    def show_columns(self) -> None:
        """The names of the columns and of the searches that are painted."""
        heading, named = self.home.main_list.heading(), [one for one in self.home.searches.named if one.enabled]
        legend = [part for one in named for part in ((" ■ ", f"bold $lane-{one.color + 1}"), one.name)]
        chrome = self.query_one("#columns", Chrome)
        chrome.set_class(bool(heading or named), "some")
        chrome.show(line((heading, "bold $log-key")), line(*legend))

    def view_arrived(self, *, grown: bool) -> None:
        """Another view is shown, or the same with more records."""
        if not grown:
            self.home.keeping.noticed()
        self.home.jumps.awaiting.view_arrived()
        self.home.noting.locate()
        self.home.faceting.view_changed()
        self.home.splitting.view_changed()
        self.call_after_refresh(self.show_columns)

    @on(FacetPanel.Asked)
    @on(DetailPane.Asked)
    def _asked(self, event: FacetPanel.Asked | DetailPane.Asked) -> None:
        event.stop()
        value = self.home.detail.value
        if isinstance(event, FacetPanel.Asked):
            self.home.faceting.act(event.what)
        elif event.what == "column":
            self.home.faceting.column_here()
        elif value is not None:
            self.home.faceting.by_value(event.what, value.name, value.value)

    def action_switch(self) -> None:
        """From the records to the panes that are open, and back."""
        panes = [one for one in (self.home.splitting.rows, self.home.detail, self.facets) if one.has_class("open")]
        if not panes and (record := self.record_here) is not None:
            self.home.open_fields(record)
            panes = [self.home.detail]
        round_ = [self.home.main_list, *panes]
        here = next((place for place, one in enumerate(round_) if one.has_focus), 0)
        round_[(here + 1) % len(round_)].focus()

    def run_more(self, name: str, argument: str) -> bool:
        """Commands about searches, notes and the panels."""
        if name == "highlight":
            self.home.searches.submitted(argument)
        elif name == "unhighlight":
            self.home.searches.drop(argument)
        elif name == "note":
            self.home.noting.write(argument)
        elif name in ("notes", "highlights", "split", "undo", "redo"):
            getattr(self, f"action_{name}")()
        elif name == "sql":
            self.action_sql(argument)
        elif name == "sources":
            self.action_sources()
        else:
            return self.home.keeping.command(name, argument)
        return True

    @on(FollowChanged)
    def _follow_changed(self, event: FollowChanged) -> None:
        event.stop()
        self.home.viewing.seen = self.home.main_list.records
        self.show_status()

    def _keep_in_view(self) -> None:
        self.home.main_list.go(self.home.main_list.cursor)

    @on(Timeline.Picked)
    def _picked(self, event: Timeline.Picked) -> None:
        event.stop()
        buckets = self.home.timeline.buckets
        if event.last >= len(buckets):
            return
        if event.first == event.last:
            self.home.jumps.to_time(buckets[event.first].start)
        else:
            self.home.jumps.narrow_time(buckets[event.first].start, buckets[event.last].end)

    def on_descendant_focus(self) -> None:
        """Other keys matter in a pane."""
        self.show_hints()

    # Keys

    def action_facet(self) -> None:
        """Values of a field."""
        self.home.faceting.toggle()

    def action_columns(self) -> None:
        """Fields as columns; in the fields pane the one under the cursor."""
        self.home.faceting.choose_columns()

    def action_context(self) -> None:
        """Records round those that match."""
        self.home.looks.toggle_context()

    def action_split(self) -> None:
        """All records below those that match."""
        self.home.splitting.toggle()

    def action_unfold(self) -> None:
        """The whole record in place."""
        self.home.looks.unfold()

    def action_wrap(self) -> None:
        """Long messages on several lines."""
        self.home.looks.toggle_wrap()

    def action_note(self) -> None:
        """Write on the record."""
        self.home.noting.ask()

    def action_notes(self) -> None:
        """Marks and notes as a list."""
        self.home.noting.choose()

    def action_beside(self, direction: int) -> None:
        """The next mark or note."""
        self.home.noting.beside(direction)

    def action_highlight(self) -> None:
        """Keep a search painted."""
        searched = self.home.jumps.searched
        self.ask_text("highlight", "paint", "FILTER, or NAME: FILTER; stays painted in a colour of its own", searched)

    def action_highlights(self) -> None:
        """Named searches as a list."""
        self.home.searches.choose()

    def action_later(self, direction: int) -> None:
        """A step in time."""
        self.home.looks.later(direction)

    def action_percent(self) -> None:
        """So far through the view."""
        self.home.looks.percent()

    def action_zoom_in(self) -> None:
        """Less time."""
        self.home.looks.zoom_in()

    def action_zoom_out(self) -> None:
        """More time."""
        self.home.looks.zoom_out()

    def action_zone(self) -> None:
        """Another zone."""
        self.home.looks.next_zone()

    def action_redo(self) -> None:
        """Do it again."""
        self.home.keeping.redo()

    def action_sql(self, text: str = "") -> None:
        """The SQL prompt."""
        from logscope.tui.screens.sql import SqlScreen

        self.app.push_screen(SqlScreen(self.home, text))

    def action_sources(self) -> None:
        """The sources panel."""
        from logscope.tui.screens.sources import SourcesScreen

        self.app.push_screen(SourcesScreen(self.home))

    def action_copy_place(self) -> None:
        """Copy the source and line of the record."""
        if (record := self.record_here) is not None:
            self.scope.copy(f"{record.source}:{record.line}", "where it stands")
