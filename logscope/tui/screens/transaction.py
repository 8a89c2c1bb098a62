"""One transaction: its waterfall, and below it its records; moving in one moves the other."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from logscope.engine.answers import Snapshot, TransactionDetail
from logscope.engine.api import Investigation
from logscope.text import human_duration
from logscope.tui.messages import CursorMoved, RowChosen
from logscope.tui.queries import OPENS
from logscope.tui.safe import line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.screens.facts import FactsScreen
from logscope.tui.screens.growing import Growing
from logscope.tui.screens.transaction_head import file_name, held_of, rules_of, title_of, waits_of
from logscope.tui.widgets.chrome import Chrome, Footer
from logscope.tui.widgets.detail import DetailPane
from logscope.tui.widgets.member_list import MemberList
from logscope.tui.widgets.query_bar import QueryBar
from logscope.tui.widgets.waterfall_view import WaterfallView


class TransactionScreen(InvestigatorScreen):
    """A transaction as a waterfall."""

    CSS_PATH = "lists.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "switch", "Between waterfall and records", id="transaction.switch", show=False),
        Binding("e", "error(1)", "Next error", id="transaction.error-next", show=False),
        Binding("E", "error(-1)", "Previous error", id="transaction.error-previous", show=False),
        Binding("x", "step(1)", "Next step of a detection", id="transaction.step-next", show=False),
        Binding("X", "step(-1)", "Previous step of a detection", id="transaction.step-previous", show=False),
        Binding("c", "wait(1)", "Next thing that was waited for", id="transaction.wait-next", show=False),
        Binding("w,i", "why", "Why: what ties the record to the first one", id="transaction.why", show=False),
        Binding("equals_sign", "compare", "Compare with a normal one", id="transaction.compare", show=False),
        Binding("asterisk,T", "records", "Pivot: its records, or the value's", id="transaction.records", show=False),
        Binding("full_stop", "mark", "Mark as a step of a rule", id="transaction.mark", show=False),
        Binding("S", "save_rule", "Save as rule: the marked records", id="transaction.save-rule", show=False),
        Binding("y", "copy", "Copy the record", id="transaction.copy", show=False),
        Binding("Y", "copy_all", "Copy all its records", id="transaction.copy-all", show=False),
        Binding("P", "pin", "Pin it into the case, or take its pin away", id="transaction.pin", show=False),
        Binding("p", "pin_record", "Pin the record alone", id="transaction.pin-record", show=False),
        Binding("s", "save", "Save a report of it", id="transaction.save", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.down", "next"),
        ("list.choose", "fields"),
        ("transaction.switch", "waterfall"),
        ("transaction.compare", "compare"),
        ("transaction.wait-next", "waited for"),
        ("transaction.mark", "mark step"),
        ("transaction.save-rule", "save as rule"),
        ("transaction.why", "why"),
        ("transaction.records", "in records"),
        ("transaction.error-next", "error"),
        ("transaction.step-next", "step"),
        ("transaction.pin", "pin"),
        ("transaction.save", "save"),
        ("transaction.copy-all", "copy all"),
        ("screen.leave", "back"),
    )
    PANES = (("In the waterfall", "waterfall"),)
    ABOUT = (
        "Transaction",
        (
            "● a record, ◉ several, ▲ an error, ✖ a step that did not happen, ╱ ╱ a silence that was folded, "
            "━ and ◷ what the end waited for."
        ),
    )

    def __init__(self, investigation: Investigation, number: int, row: int | None = None) -> None:
        """The transaction `number`, the cursor on the record `row`."""
        super().__init__(investigation)
        self._number = number
        self._row = row
        self._detail: TransactionDetail | None = None
        self._growing = Growing(self, number, self._grown)

    def compose(self) -> ComposeResult:
        """Title, what holds it together, waterfall, records, fields, bar, footer."""
        clock = self.scope.clock
        yield Chrome(id="title")
        yield Chrome(id="held")
        yield Chrome(id="waits")
        yield WaterfallView(id="waterfall")
        yield Chrome(id="heading")
        yield MemberList(clock, id="members")
        yield DetailPane(clock, id="detail")
        yield QueryBar(id="bar")
        yield Footer()

    @property
    def main_list(self) -> MemberList:
        """Its records."""
        return self.query_one(MemberList)

    @property
    def fall(self) -> WaterfallView:
        """Its waterfall."""
        return self.query_one(WaterfallView)

    @property
    def pane(self) -> DetailPane:
        """The fields of the record under the cursor."""
        return self.query_one(DetailPane)

    def on_mount(self) -> None:
        """Ask for it."""
        investigation, number = self.investigation, self._number
        self.queries.ask("transaction", lambda _: investigation.transaction(number), self._arrived, label="reading")

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """It may have grown."""
        self._growing.snapshot_changed(snapshot)
        self.show_status()

    def _grown(self, detail: TransactionDetail) -> None:
        """More of it has come: the cursor stays on its record, at the end it goes along."""
        members = self.main_list
        current = members.current
        stays = members.cursor < members.rows - 1
        self._row = current.member.line.row if stays and current is not None and current.member else None
        self._arrived(detail)
        if not stays:
            members.go(members.rows - 1)

    def _arrived(self, detail: TransactionDetail) -> None:
        self._detail = detail
        self._growing.begin(detail)
        members = self.main_list
        self.fall.show(detail)
        members.show(detail)
        self.query_one("#title", Chrome).show(title_of(detail), rules_of(detail))
        self.query_one("#held", Chrome).show(held_of(detail))
        waits = self.query_one("#waits", Chrome)
        waits.set_class(bool(detail.critical), "some")
        waits.show(waits_of(detail))
        self.query_one("#heading", Chrome).show(line((members.heading(), "$log-dim")))
        wanted = members.row_of(record=self._row) if self._row is not None else None
        members.go(wanted or 0, center=True)
        self.show_status()

    @on(CursorMoved)
    def _moved(self, event: CursorMoved) -> None:
        event.stop()
        row = self.main_list.current
        if event.rows is self.main_list and row is not None:
            self.fall.point(row.index)
            if self.pane.has_class("open"):
                self._show_fields()
            self.show_status()

    @on(WaterfallView.Picked)
    def _picked(self, event: WaterfallView.Picked) -> None:
        event.stop()
        place = self.main_list.row_of(index=event.index)
        if place is not None:
            self.main_list.go(place)

    @on(RowChosen)
    def _chosen(self, event: RowChosen) -> None:
        event.stop()
        if event.rows is not self.main_list or self.pane.has_class("open"):
            self.close_something()
        else:
            self.pane.add_class("open")
            self._show_fields()
            self.call_after_refresh(lambda: self.main_list.go(self.main_list.cursor))

    def _show_fields(self) -> None:
        row = self.main_list.current
        if row is None or row.member is None:
            return
        record, investigation = row.member.line, self.investigation
        note = f"✖ {row.member.step[0]} · step {row.member.step[1]}" if row.member.step else ""
        self.queries.ask(
            "fields",
            lambda _: list(investigation.fields(record.row)),
            lambda fields: self.pane.show(record, fields, note),
        )

    def status_parts(self) -> tuple[Content, Content]:
        """The record under the cursor, where it was read."""
        row = self.main_list.current
        if row is None or self._detail is None:
            return Content(""), Content("")
        if row.absent is not None:
            window = human_duration(row.absent.end - row.absent.start)
            return line((f"✖ {row.absent.step}: nothing in a window of {window}", "bold $log-detection")), Content("")
        member = row.member
        wait = next((one for one in self._detail.critical if member and one.row == member.line.row), None)
        place = f"{member.line.source.rsplit('/', 1)[-1]}:{member.line.line}" if member else ""
        count = f"record {row.index + 1} of {len(self._detail.members)}"
        told = f"◷ {wait.share:.0%} {wait.text}" if wait else ""
        lives = self._growing.told()
        left = line((place, "$log-service"), f"   {count}", (f"   ⋯ {lives}" if lives else "", "$log-hint"))
        return left, line((told, "$log-warn"))

    # Actions

    def action_switch(self) -> None:
        """Waterfall, records, fields in turn."""
        order = [self.main_list, self.fall, *([self.pane] if self.pane.has_class("open") else [])]
        now = next((place for place, widget in enumerate(order) if widget.has_focus), 0)
        order[(now + 1) % len(order)].focus()

    def _seek(self, direction: int, wanted: set[int], nothing: str) -> None:
        now = self.main_list.cursor
        ahead = [place for place in wanted if (place > now if direction > 0 else place < now)]
        if ahead:
            self.main_list.go(min(ahead) if direction > 0 else max(ahead), center=True)
        else:
            self.scope.say(nothing)

    def action_error(self, direction: int) -> None:
        """The next error."""
        rows = enumerate(self.main_list.shown)
        self._seek(direction, {place for place, row in rows if row.member and row.member.error}, "no further error")

    def action_step(self, direction: int) -> None:
        """The next step of a detection, absent ones too."""
        rows = enumerate(self.main_list.shown)
        found = {place for place, row in rows if row.absent or (row.member and row.member.step)}
        self._seek(direction, found, "no further step")

    def action_why(self) -> None:
        """The chain of keys between the first record and this one."""
        row, detail = self.main_list.current, self._detail
        if row is None or detail is None or not detail.members:
            return
        first, here = detail.members[0].line.row, detail.members[row.index].line.row
        investigation = self.investigation

        def arrived(told: list[str]) -> None:
            rows = [line(text) for text in told or ("It is the first record.",)]
            self.app.push_screen(FactsScreen("Why it stands here", rows))

        self.queries.ask("why", lambda _: list(investigation.explain(first, here)), arrived, holds=OPENS)

    def action_wait(self, direction: int) -> None:
        """The next record that was waited for."""
        waited = {wait.row for wait in self._detail.critical} if self._detail else set()
        rows = enumerate(self.main_list.shown)
        found = {place for place, row in rows if row.member and row.member.line.row in waited}
        now = self.main_list.cursor
        # Round the end: there are few, and one wants them all.
        wrapped = (
            found if any(place > now for place in found) else {place + len(self.main_list.shown) for place in found}
        )
        if wrapped:
            self.main_list.go(min(place for place in wrapped if place > now) % len(self.main_list.shown), center=True)
        else:
            self.scope.say("nothing was waited for")

    def action_compare(self) -> None:
        """This transaction beside a normal one."""
        from logscope.tui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(self.investigation, self._number))

    def action_records(self) -> None:
        """In the records view: those of the value under the cursor in the fields, else of the transaction's key."""
        row, detail = self.main_list.current, self._detail
        record = row.member.line.row if row and row.member else None
        if self.pane.has_focus and (value := self.pane.value) is not None:
            self.pivot(value.key or "", value.value, record, name=value.name)
        elif detail is not None and detail.keys:
            name, values = next(iter(detail.keys.items()))
            self.pivot(name, values[0], record)

    def action_pin(self) -> None:
        """Pin the transaction."""
        self.scope.casebook.pin_transaction(self, self._number)

    def action_pin_record(self) -> None:
        """Pin the record alone."""
        row, investigation = self.main_list.current, self.investigation
        if row is not None and row.member is not None:
            record = row.member.line
            self.scope.casebook.pin(self, lambda _: investigation.pin_record(record))

    def action_save(self) -> None:
        """A report of the transaction, in a file."""
        if self._detail is not None:
            told = "a report with waterfall, records, keys and evidence: .md, .html or .json by its ending"
            self.ask_text("save", "save as", told, f"{file_name(self._detail.title)}.html")

    def submitted(self, purpose: str, text: str) -> None:
        """The name of the report."""
        self.close_bar()
        if not text:
            return
        path, investigation, number = Path(text).expanduser(), self.investigation, self._number
        self.queries.ask(
            "save",
            lambda cancel: investigation.export(path, [number], cancel=cancel),
            lambda _: self.scope.say(f"saved {path}"),
            label="writing the report",
            failed=self.tell,
        )

    def run_command(self, name: str, argument: str) -> bool:
        """Commands of this screen."""
        if name == "save":
            self.submitted("save", argument or f"{file_name(self._detail.title if self._detail else '')}.html")
        elif name == "compare":
            self.action_compare()
        else:
            return False
        return True

    def action_mark(self) -> None:
        """Mark the record as a step of a rule."""
        row = self.main_list.current
        if row is not None and row.member is None:
            compare = self.scope.keys.shown("transaction.compare")
            self.scope.say(f"it did not happen here: {compare} shows a normal one, where it can be marked as absent")
        elif row is not None and row.member is not None:
            self.turn_mark(row.member.line.row)
            self.main_list.marked = self.scope.step_marks.signs
            self.main_list.repaint()
            self.main_list.action_move(1)

    def action_save_rule(self) -> None:
        """A rule of the marked records."""
        if self.scope.step_marks:
            self.open_draft()
        else:
            self.scope.say("mark the records that are its steps with . first: S makes a rule of them")

    def on_screen_resume(self) -> None:
        """Marks may have been set meanwhile."""
        if self.lives:
            self.main_list.marked = self.scope.step_marks.signs
            self.main_list.repaint()

    def action_copy(self) -> None:
        """The record."""
        row = self.main_list.current
        if row is not None and row.member is not None:
            self.scope.copy(row.member.line.raw, "the record")

    def action_copy_all(self) -> None:
        """All records, a line each."""
        if self._detail is not None:
            self.scope.copy("\n".join(member.line.raw for member in self._detail.members), "the transaction")

    def close_something(self) -> bool:
        """The bar or the fields."""
        if super().close_something():
            return True
        if self.pane.has_class("open"):
            self.pane.remove_class("open")
            self.main_list.focus()
            return True
        return False
