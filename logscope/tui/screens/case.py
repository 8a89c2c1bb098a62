"""The case: what was pinned, with notes; opened again, told as a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.api import Cancel
from logscope.engine.pinned import CaseFile, Found
from logscope.text import clean
from logscope.tui.painting import fit_end, one_line
from logscope.tui.queries import OPENS
from logscope.tui.safe import line
from logscope.tui.screens.listing import ListScreen
from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.column_list import Cell, Column, ColumnList


class PinTable(ColumnList):
    """A pin a row."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing known yet."""
        super().__init__(id=id)
        self._found: Sequence[Found] = ()

    def show(self, found: Sequence[Found]) -> None:
        """Show these."""
        self._found = found
        self.set_rows(len(found), self.cursor)

    @property
    def pin(self) -> Found | None:
        """The one under the cursor."""
        return self._found[self.cursor] if self.cursor < len(self._found) else None

    def columns(self) -> list[Column]:
        """What, where from, and what is written on it."""
        return [
            Column("pinned", 44 if self.wide >= 120 else 28),
            Column("source", 24, least=100),
            Column("note", 0),
        ]

    def sign(self, index: int) -> Cell:
        """Record or transaction, or that it is gone."""
        one = self._found[index]
        if one.missing:
            return "?", "log-warn"
        return ("◆", "log-key") if one.pin.kind == "transaction" else ("·", "log-hint")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        one = self._found[index]
        pin = one.pin
        told = one_line(pin.title) + (" (not there)" if one.missing else "")
        return {
            "pinned": (told, "log-dim" if one.missing else "log-key" if pin.kind == "transaction" else "foreground"),
            "source": (fit_end(clean(f"{pin.source.rsplit('/', 1)[-1]}:{pin.line}"), room), "log-service"),
            "note": (one_line(pin.note), "foreground"),
        }[column.title]


class CaseScreen(ListScreen):
    """What was pinned."""

    ROW = "pin"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("number_sign,e", "note", "Write a note on it", id="case.note", show=False),
        Binding("n", "notes", "Write the case's own notes", id="case.notes", show=False),
        Binding("z,delete", "drop", "Take the pin away", id="case.drop", show=False),
        Binding("left_square_bracket", "move(-1)", "Earlier in the report", id="case.earlier", show=False),
        Binding("right_square_bracket", "move(1)", "Later in the report", id="case.later", show=False),
        Binding("s", "save(False)", "Save a report: .html, .md, .json", id="case.save", show=False),
        Binding("S", "save(True)", "Save a redacted report", id="case.save-redacted", show=False),
        Binding("c", "choose", "Another case", id="case.choose", show=False),
        Binding("U", "undo", "Undo the last change of the case", id="case.undo", show=False),
        Binding("y", "copy", "Copy the command that opens it", id="case.copy", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "open"),
        ("case.note", "note"),
        ("case.save", "save report"),
        ("case.save-redacted", "redacted"),
        ("case.notes", "case's notes"),
        ("case.drop", "drop"),
        ("case.choose", "other case"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Case",
        (
            "◆ a transaction, · a record, ? no longer there. P pins in the records, the transactions, a transaction "
            "and the detections; every change is kept at once."
        ),
    )

    _before: tuple[CaseFile, ...] = ()

    def parts(self) -> Iterable[Widget]:
        """The pins, and the note in full."""
        yield PinTable(id="pins")
        yield Static(id="output")

    @property
    def main_list(self) -> PinTable:
        """The pins."""
        return self.query_one(PinTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def show_title(self) -> None:
        """Its name and how much it holds."""
        case = self.scope.casebook.case
        if case is None or not case.name:
            super().show_title()
            return
        many = "" if len(case.pins) == 1 else "s"
        left = line((f" {case.name}", "bold $log-key"), f"   {len(case.pins)} pin{many}")
        self.query_one("#title", Chrome).show(left, line((one_line(case.notes)[:80], "$log-dim")))

    def reload(self) -> None:
        """Ask what the pins stand for."""
        investigation, book = self.investigation, self.scope.casebook

        def call(cancel: Cancel) -> tuple[CaseFile, Sequence[Found]]:
            case = book.in_hand()
            return case, investigation.find_pins(case.pins, cancel=cancel)

        self.ask_linked(call, self._arrived, label="finding what is pinned")

    def _arrived(self, told: tuple[CaseFile, Sequence[Found]]) -> None:
        case, found = told
        if self.scope.casebook.case is None and case.name:
            self.scope.casebook.case = case
        keys = self.scope.keys
        self.main_list.teach(
            [
                "",
                "Nothing is pinned.",
                "",
                f"{keys.shown('records.pin')} pins the record, transaction or detection under the cursor; what is pinned",
                "is kept with a note each, and told as a report: .html, .md or .json.",
                f"{keys.shown('case.choose')} chooses another case.",
            ]
        )
        self.main_list.show(found)
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """The note in full."""
        one, output = self.main_list.pin, self.query_one("#output", Static)
        if one is None:
            output.update(Content(""))
            return
        keys = self.scope.keys
        note = (
            line((f"✎ {one.pin.note}", ""))
            if one.pin.note
            else line((f"{keys.shown('case.note')} writes a note", "$log-dim"))
        )
        head = line((one.pin.title, "bold"), (f"   {one.pin.source}:{one.pin.line}", "$log-dim"))
        output.update(Content("\n").join([head, note]), layout=False)

    # Changing

    def _change(self, changed: CaseFile) -> None:
        book = self.scope.casebook
        if book.case is not None:
            self._before = (*self._before[-50:], book.case)
        book.change(self, lambda _, __: changed, self.reload)

    def _place(self) -> tuple[CaseFile, int] | None:
        case, one = self.scope.casebook.case, self.main_list.pin
        if case is None or one is None or one.pin not in case.pins:
            return None
        return case, case.pins.index(one.pin)

    def action_note(self) -> None:
        """Write on the pin."""
        if (found := self._place()) is not None:
            self.ask_text("note", "✎", "a note on what is pinned; empty takes it away", found[0].pins[found[1]].note)

    def action_notes(self) -> None:
        """Write the case's notes."""
        case = self.scope.casebook.case
        self.ask_text("notes", "✎ case", "words that the report begins with", case.notes if case else "")

    def action_drop(self) -> None:
        """Take the pin away."""
        if (found := self._place()) is not None:
            self._change(found[0].with_pin(found[0].pins[found[1]]))

    def action_undo(self) -> None:
        """The case as it was."""
        if not self._before:
            self.scope.say("nothing to undo")
            return
        *before, last = self._before
        self._before = tuple(before)
        self.scope.casebook.change(self, lambda _, __: last, self.reload)

    def action_move(self, step: int) -> None:
        """Earlier or later in the report."""
        if (found := self._place()) is None:
            return
        case, place = found
        other = place + step
        if 0 <= other < len(case.pins):
            pins = list(case.pins)
            pins[place], pins[other] = pins[other], pins[place]
            self.main_list.go(other)
            self._change(replace(case, pins=tuple(pins)))

    def submitted(self, purpose: str, text: str) -> None:
        """A note, or a report's name."""
        self.close_bar()
        case = self.scope.casebook.case
        if purpose == "note" and (found := self._place()) is not None:
            self._change(found[0].with_note(found[1], text))
        elif purpose == "notes":
            empty = self.investigation.new_case("", self.scope.source_names)
            self._change(replace(case or empty, notes=text))
        elif purpose in ("save", "save-redacted") and text and case is not None:
            self._save(case, Path(text).expanduser(), redact=purpose == "save-redacted")

    def action_save(self, redact: bool) -> None:
        """A report of all that is pinned."""
        case = self.scope.casebook.case
        if case is None or not case.pins:
            self.scope.say("nothing is pinned")
            return
        told = "a report of all that is pinned: .html, .md or .json by its ending"
        masked = "; ids, addresses and names are masked" if redact else ""
        name = f"{case.name}{'-redacted' if redact else ''}.html"
        self.ask_text("save-redacted" if redact else "save", "save as", told + masked, name)

    def _save(self, case: CaseFile, path: Path, *, redact: bool) -> None:
        investigation = self.investigation
        self.queries.ask(
            "save",
            lambda cancel: investigation.export(path, case=case, kept=case.name, redact=redact, cancel=cancel),
            lambda _: self.scope.say(f"saved {path}"),
            label="writing the report",
            failed=self.tell,
        )

    def action_copy(self) -> None:
        """The command that opens it again."""
        case = self.scope.casebook.case
        if case is not None and case.name:
            self.scope.copy(f"logscope --case {case.name}", "the command")

    def action_choose(self) -> None:
        """Another case of these sources."""
        cases, sources = self.investigation.cases, set(self.scope.source_names)

        def chosen(names: list[str] | None) -> None:
            if names:
                self.scope.casebook.take(self, "new" if names[0] == "a new case" else names[0], self.reload)

        def arrived(found: Sequence[CaseFile]) -> None:
            choices = [Choice("a new case")]
            choices += [
                Choice(one.name, f"{len(one.pins)} pins · {one_line(one.notes)[:50]}")
                for one in found
                if set(one.sources) == sources
            ]
            self.app.push_screen(PickScreen("Cases of these logs", choices), chosen)

        self.queries.ask("cases", lambda _: list(cases.all()), arrived, label="reading", holds=OPENS)

    def run_command(self, name: str, argument: str) -> bool:
        """`:save FILE`, `:case NAME`."""
        case = self.scope.casebook.case
        if name == "save" and case is not None:
            self._save(case, Path(argument or f"{case.name}.html").expanduser(), redact=False)
            return True
        return super().run_command(name, argument)

    def action_open(self) -> None:
        """The transaction, or the record."""
        one = self.main_list.pin
        if one is None or one.missing:
            if one is not None:
                self.scope.say("it is not there: its source is not open, or was rotated away")
        elif one.number is not None:
            from logscope.tui.screens.transaction import TransactionScreen

            self.app.push_screen(TransactionScreen(self.investigation, one.number, one.row))
        else:
            self.scope.home.go_to_row(one.row)
