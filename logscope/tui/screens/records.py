"""Home: the records of the present view, the trail that made it, and ways on from any record."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from logscope.engine.answers import Line, Snapshot
from logscope.engine.api import Investigation
from logscope.language.sequence import is_sequence
from logscope.tui.messages import CursorMoved, RowChosen
from logscope.tui.screens.browsing import BrowsingScreen
from logscope.tui.screens.faceting import Faceting
from logscope.tui.screens.jumps import Jumps
from logscope.tui.screens.keeping import Keeping
from logscope.tui.screens.looks import Looks
from logscope.tui.screens.noting import Noting
from logscope.tui.screens.record_keys import BINDINGS, DETAIL_HINTS, FACET_HINTS, HINTS, TOPICS
from logscope.tui.screens.searches import Searches
from logscope.tui.screens.splitting import Splitting
from logscope.tui.screens.standing import for_now, records_status
from logscope.tui.screens.trail import TrailScreen
from logscope.tui.screens.viewing import Viewing
from logscope.tui.trail import Step, Trail
from logscope.tui.widgets.chrome import Chrome, Footer, title_line, trail_line
from logscope.tui.widgets.detail import DetailPane
from logscope.tui.widgets.facet_panel import FacetPanel
from logscope.tui.widgets.query_bar import QueryBar
from logscope.tui.widgets.record_list import RecordList
from logscope.tui.widgets.timeline import Timeline

TALL = 30
"""Lines from which the strip has a second one."""
FILTER_HELP = 'word  "a phrase"  /regex/  field:value  level>=warn  -not  (a or b)'
DELTAS = ("", "previous", "start")


class RecordsScreen(BrowsingScreen):
    """The records view."""

    CSS_PATH = "records.tcss"
    BINDINGS = BINDINGS
    HINTS = HINTS
    TOPICS = TOPICS
    PANES = (("In the fields", "detail"), ("In the values", "facets"))
    ABOUT = ("Records", "All records in order of time. Narrow with & and -, pivot with *, go back with ⌫.")

    def __init__(self, investigation: Investigation) -> None:
        """The records of `investigation`."""
        super().__init__(investigation)
        self.trail = Trail()
        self.jumps = Jumps(self)
        self.delta_chosen: str | None = None
        self.pending = ""
        self.widest_place = 0
        self.viewing = Viewing(self)
        self.faceting = Faceting(self)
        self.looks = Looks(self)
        self.noting = Noting(self)
        self.searches = Searches(self)
        self.splitting = Splitting(self)
        self.keeping = Keeping(self)

    def compose(self) -> ComposeResult:
        """Title, trail, strip, records, fields, bar, footer."""
        clock = self.scope.clock
        yield Chrome(id="title")
        yield Chrome(id="trail")
        yield Timeline(clock, id="timeline")
        yield Chrome(id="columns")
        yield RecordList(clock, self.viewing.request, self.investigation.marks, id="records")
        yield from self.splitting.compose()
        with Horizontal(id="panes"):
            yield DetailPane(clock, id="detail")
            yield FacetPanel(id="facets")
        yield QueryBar(id="bar")
        yield Footer()

    @property
    def main_list(self) -> RecordList:
        """The records."""
        return self.query_one("#records", RecordList)

    @property
    def detail(self) -> DetailPane:
        """The fields of the record under the cursor."""
        return self.query_one(DetailPane)

    @property
    def timeline(self) -> Timeline:
        """The strip."""
        return self.query_one(Timeline)

    @property
    def line(self) -> Line | None:
        """The record under the cursor, if it is at hand."""
        return self.main_list.line()

    def on_mount(self) -> None:
        """Ask for everything."""
        self.main_list.teach(["", "Reading …"])
        self.show_title()
        self.viewing.refresh()
        self.keeping.look()

    def on_resize(self, event: events.Resize) -> None:
        """A second line for the strip where there is room; as many bars as fit."""
        self.set_class(event.size.height >= TALL, "tall")
        self.call_after_refresh(self.show_title)
        self.call_after_refresh(self.viewing.ask_histogram)

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """Show what is new."""
        self.show_title()
        self.keeping.look()
        self.viewing.snapshot_changed(snapshot)

    def hints(self) -> Sequence[tuple[str, str]]:
        """Those of the pane that has the focus; detections are worth one where there are rules."""
        if self.facets.has_focus:
            return FACET_HINTS
        if self.detail.has_focus:
            return DETAIL_HINTS
        first = 0 if self.scope.snapshot.rules else 1
        return self.HINTS[first:]

    def delta_now(self) -> str:
        """What the right column shows: since the previous record in pivots, unless one chose."""
        if self.delta_chosen is not None:
            return self.delta_chosen
        return "previous" if self.trail.pivot is not None else ""

    def show_title(self) -> None:
        """Title and trail as they are now."""
        scope = self.scope
        self.query_one("#title", Chrome).show(*title_line(scope.snapshot, scope.clock, scope.heading))
        self.query_one("#trail", Chrome).show(trail_line(self.trail, len(self.viewing.hidden), self.size.width))

    # The cursor

    @on(CursorMoved)
    def _moved(self, event: CursorMoved) -> None:
        event.stop()
        if event.rows is not self.main_list:
            return
        record = self.line
        self.timeline.point(record.time if record else None)
        if self.detail.has_class("open") and record is not None and self.detail.record != record.row:
            self.show_fields(record)
        self.splitting.point()
        self.keeping.stands()
        self.show_status()

    @on(RowChosen)
    def _chosen(self, event: RowChosen) -> None:
        event.stop()
        if event.rows is self.facets:
            self.faceting.act("include")
        elif event.rows is self.splitting.rows:
            self.splitting.chosen()
        elif event.rows is not self.main_list or self.detail.has_class("open"):
            self.close_something()
        elif (record := self.record_here) is not None:
            self.open_fields(record)

    def open_fields(self, record: Line) -> None:
        """Open the fields pane on a record."""
        self.detail.add_class("open")
        self.lay_panes()
        self.show_fields(record)

    def show_fields(self, record: Line) -> None:
        """Fill the detail pane."""
        investigation = self.investigation
        mark, written = self.main_list.mark(), self.noting.note_of(record.source, record.line)
        told = [f"✖ {mark.rule} · step {mark.step} · {mark.level}{for_now(mark)}"] if mark else []
        note = "   ".join(told + ([f"✎ {written.text}"] if written and written.text else []))
        self.queries.ask(
            "fields",
            lambda _: list(investigation.fields(record.row)),
            lambda fields: self.detail.show(record, fields, note),
        )

    def status_parts(self) -> tuple[Content, Content]:
        """Where one stands."""
        return records_status(self)

    # Filters and the trail

    def action_filter(self) -> None:
        """Keep what matches."""
        self.ask_text("filter", "& keep", FILTER_HELP)

    def action_exclude(self) -> None:
        """Drop what matches."""
        self.ask_text("exclude", "− drop", FILTER_HELP)

    def action_search(self) -> None:
        """Search forward."""
        self.ask_text("search", "/", FILTER_HELP)

    def action_search_back(self) -> None:
        """Search backward."""
        self.ask_text("search-back", "\\", FILTER_HELP)

    def submitted(self, purpose: str, text: str) -> None:
        """A filter, or what is searched."""
        if purpose == "note":
            self.noting.write(text, asked=True)
        elif not text and purpose not in ("search", "search-back"):
            self.close_bar()
        elif purpose == "highlight":
            self.searches.submitted(text)
        elif purpose == "filter" and is_sequence(text):
            self.open_sequence(text)
        elif purpose in ("filter", "exclude"):
            self.narrow(Step(purpose, text, text))
        elif purpose in ("search", "search-back"):
            self.jumps.search(text, backwards=purpose == "search-back")

    def narrow(self, step: Step, *, anchor: int | None = None) -> None:
        """One step on in the trail; within the present view unless it is a pivot.

        Args:
            step: The step.
            anchor: The record to stand on; by default the present one.
        """
        view = self.viewing.hits
        self.trail.add(step)
        if step.kind == "pivot" or view is None or not view.complete:
            self.viewing.refresh(anchor=anchor)
        else:
            self.viewing.refresh(base=view, text=step.term if step.kind == "exclude" else step.text)

    def action_back(self) -> None:
        """Back in the trail."""
        if self.trail.back():
            self.show_title()
            self.viewing.refresh()

    def action_forward(self) -> None:
        """Forward in the trail."""
        if self.trail.forward():
            self.show_title()
            self.viewing.refresh()

    def action_undo(self) -> None:
        """Take the last change of the view back."""
        self.keeping.undo()

    def action_trail(self) -> None:
        """The trail as a list."""
        self.app.push_screen(TrailScreen(self.trail), lambda changed: self.viewing.refresh() if changed else None)

    def action_pivot(self) -> None:
        """Every record with the value, in any service."""
        if self.detail.has_focus:
            if (value := self.detail.value) is not None:
                self.jumps.pivot_on(value)
            return
        if (record := self.record_here) is not None:
            self.jumps.pivot_from(record)

    # The rest

    def action_follow(self) -> None:
        """Stay at the end, or cease to."""
        self.main_list.follow(not self.main_list.following)

    def action_delta(self) -> None:
        """The next kind of time column."""
        now = self.delta_now()
        self.delta_chosen = DELTAS[(DELTAS.index(now) + 1) % len(DELTAS)]
        self.main_list.delta = self.delta_chosen
        self.main_list.restyle()
        self.keeping.noticed()

    def action_copy(self) -> None:
        """Copy the value in the fields pane, else the record."""
        if self.detail.has_focus and (value := self.detail.value) is not None:
            self.scope.copy(value.value, f"{value.name}")
        elif (record := self.record_here) is not None:
            self.scope.copy(record.raw, "the record")

    def action_pend(self, what: str) -> None:
        """The next key is a letter."""
        self.pending = what
        self.show_status()

    def on_key(self, event: events.Key) -> None:
        """The letter of a mark; keys of the brush."""
        if self.pending:
            event.stop()
            event.prevent_default()
            pending, self.pending = self.pending, ""
            if event.character and event.character.isprintable() and len(event.character) == 1:
                self.noting.mark(event.character) if pending == "mark" else self.jumps.to_mark(event.character)
            self.show_status()
        elif self.timeline.brush is not None and self.jumps.brush_key(event.key):
            event.stop()
            event.prevent_default()

    def action_brush(self) -> None:
        """Choose a stretch of time."""
        self.jumps.begin_brush()

    def action_again(self, direction: int) -> None:
        """The next hit of the search."""
        self.jumps.again(direction)

    def action_level(self, level: int, direction: int) -> None:
        """The next record of at least a level."""
        self.jumps.level(level, direction)

    def action_detection(self, direction: int) -> None:
        """The next record that is a step of a detection."""
        self.jumps.detection(direction)

    def action_sibling(self, direction: int) -> None:
        """The next record of the same transaction."""
        self.jumps.sibling(direction)

    def action_step(self) -> None:
        """Mark the record as a step of a rule."""
        if (record := self.record_here) is not None:
            self.turn_mark(record.row)
            self.jumps.show_marks()
            self.main_list.action_move(1)

    def action_pin(self) -> None:
        """Pin the record."""
        if (record := self.record_here) is not None:
            self.scope.casebook.pin(self, lambda _: self.investigation.pin_record(record))

    def go_to_row(self, row: int | None) -> None:
        """Come to this screen, and to a record of the present view."""
        while self.app.screen is not self:
            self.app.pop_screen()
        if row is not None:
            self.jumps.to_row(row)

    def action_save_rule(self) -> None:
        """A rule of what is marked, else of what the trail keeps."""
        if self.scope.step_marks:
            self.open_draft()
        elif self.trail.filter_text:
            self.open_draft(self.trail.filter_text)
        else:
            self.scope.say("mark records with . as steps, or filter with & first: S makes a rule of that")

    def on_screen_resume(self) -> None:
        """Marks may have been set meanwhile."""
        self.jumps.show_marks()

    def action_transaction(self) -> None:
        """The record's transaction."""
        self.jumps.open_transaction()

    def action_transactions(self) -> None:
        """The list of transactions, of the stretch of time that is in view."""
        from logscope.tui.screens.transactions import TransactionsScreen

        self.app.push_screen(TransactionsScreen(self.investigation, self.trail.stretch))

    def action_map(self) -> None:
        """The service map of that stretch, beside all others."""
        from logscope.tui.screens.service_map import MapScreen

        self.app.push_screen(MapScreen(self.investigation, self.trail.stretch))

    def action_detections(self) -> None:
        """The list of detections."""
        from logscope.tui.screens.detections import DetectionsScreen

        self.app.push_screen(DetectionsScreen(self.investigation))

    def close_something(self) -> bool:
        """The bar, the brush or the fields."""
        if self.timeline.brush is not None:
            self.jumps.end_brush()
            return True
        if super().close_something():
            return True
        if self.facets.has_class("open") and (self.facets.has_focus or not self.detail.has_class("open")):
            self.faceting.close()
            return True
        if self.detail.has_class("open"):
            self.detail.remove_class("open")
            self.lay_panes()
            self.main_list.focus()
            return True
        return self.splitting.close()

    def run_command(self, name: str, argument: str) -> bool:
        """Commands of this screen."""
        return self.jumps.command(name, argument)
