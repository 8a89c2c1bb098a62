"""Marks, notes and tags on records; they stay with the record, whatever is filtered, and with its sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from logscope.engine.answers import Line
from logscope.engine.api import Cancel
from logscope.text import clean
from logscope.tui.painting import one_line
from logscope.tui.queries import OPENS
from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.viewstate import Note

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

MARKED = "●"
"""The gutter's sign of a note without a letter."""


class Noting:
    """What is written on records."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Nothing yet."""
        self._screen = screen
        self.notes: dict[tuple[str, int], Note] = {}
        self._rows: dict[tuple[str, int], int] = {}
        self._about: Line | None = None
        """The record that a note is typed for."""

    def set(self, notes: Sequence[Note]) -> None:
        """Exactly these."""
        self.notes = {(one.source, one.line): one for one in notes}
        self.locate()

    # Writing

    def mark(self, letter: str) -> None:
        """Mark the record; the same letter again takes it away."""
        record = self._screen.record_here
        if record is None:
            return
        place = (record.source, record.line)
        note = self.notes.get(place, Note(*place))
        taken = note.letter == letter
        self.notes = {at: one if one.letter != letter else replace(one, letter="") for at, one in self.notes.items()}
        self._write(place, replace(note, letter="" if taken else letter), record.row)

    def ask(self) -> None:
        """Write on the record."""
        record = self._about = self._screen.record_here
        if record is not None:
            note = self.notes.get((record.source, record.line))
            self._screen.ask_text(
                "note", "✎", "a note; #words are tags; empty takes it away", note.text if note else ""
            )

    def write(self, text: str, *, asked: bool = False) -> None:
        """The note of the record under the cursor, or of the one that was `asked` about: the cursor may follow the end."""
        record = self._about if asked else self._screen.record_here
        self._screen.close_bar()
        if record is not None:
            place = (record.source, record.line)
            self._write(place, replace(self.notes.get(place, Note(*place)), text=text), record.row)

    def _write(self, place: tuple[str, int], note: Note, row: int) -> None:
        self._rows[place] = row
        self.notes[place] = note
        self.notes = {at: one for at, one in self.notes.items() if one.letter or one.text}
        self.show()
        self._screen.keeping.noticed()

    # Showing

    def locate(self) -> None:
        """Find the records of notes that are not known yet; sources may still be read."""
        screen, investigation = self._screen, self._screen.investigation
        missing = [place for place in self.notes if place not in self._rows]
        if not missing:
            self.show()
            return

        def found(rows: dict[tuple[str, int], int]) -> None:
            self._rows |= rows
            self.show()

        screen.queries.ask("notes", lambda _: investigation.located(missing), found)

    def show(self) -> None:
        """Letters in the gutter, notes under their records."""
        rows = self._screen.main_list
        self._screen.jumps.show_marks()
        view, investigation = rows.view, self._screen.investigation
        written = [(self._rows[at], one.text) for at, one in self.notes.items() if one.text and at in self._rows]
        if view is None:
            return

        def call(cancel: Cancel) -> list[tuple[int, str]]:
            places = []
            for row, text in written:
                cancel.check()
                place = investigation.position(view, row) if len(view.rows) else -1
                if 0 <= place < len(view.rows) and view.rows[place] == row:
                    places.append((place, clean(text)))
            return places

        self._screen.queries.ask(
            "shown notes", call, lambda notes: rows.show_notes(notes) if rows.view is view else None
        )

    @property
    def letters(self) -> dict[int, str]:
        """Row -> the gutter's sign."""
        return {self._rows[place]: note.letter or MARKED for place, note in self.notes.items() if place in self._rows}

    def note_of(self, source: str, line: int) -> Note | None:
        """What is written on a record."""
        return self.notes.get((source, line))

    # Going

    def row_of(self, letter: str) -> int | None:
        """The record with a letter."""
        return next((self._rows.get(place) for place, one in self.notes.items() if one.letter == letter), None)

    def beside(self, direction: int) -> None:
        """The next record in view that is marked or written on."""
        screen, investigation = self._screen, self._screen.investigation
        marked, start = [self._rows[place] for place in self.notes if place in self._rows], screen.main_list.place

        def call(view: object, cancel: Cancel) -> int | None:
            shown = screen.main_list.view
            ahead = []
            for row in marked:
                cancel.check()
                if shown is None or not len(shown.rows):
                    return None
                place = investigation.position(shown, row)
                if shown.rows[place] == row and (place > start if direction > 0 else place < start):
                    ahead.append(place)
            return (min(ahead) if direction > 0 else max(ahead)) if ahead else None

        screen.jumps.ask_position("mark", call, f"no mark {'below' if direction > 0 else 'above'} in this view")

    def choose(self) -> None:
        """All marks and notes as a list; the one taken is gone to."""
        screen, investigation = self._screen, self._screen.investigation
        known = [(place, self._rows[place]) for place in self.notes if place in self._rows]
        if not known:
            keys = screen.scope.keys
            mark, note = keys.shown("records.mark"), keys.shown("records.note")
            screen.scope.say(f"no marks yet: {mark} and a letter marks, {note} writes a note")
            return

        def call(_: Cancel) -> list[tuple[Choice, int]]:
            everything = investigation.view("", cancel=_)
            found = []
            for place, row in known:
                note = self.notes[place]
                at = investigation.position(everything, row)
                line = investigation.lines(everything, at, at + 1)[0]
                told = " ".join(part for part in (note.letter or MARKED, note.text) if part)
                time = screen.scope.clock.time(line.time)
                found.append((Choice(f"{told}  {time} {one_line(line.message)[:60]}", f"{place[0]}:{place[1]}"), row))
            return found

        def arrived(found: list[tuple[Choice, int]]) -> None:
            rows = {choice.name: row for choice, row in found}
            screen.app.push_screen(
                PickScreen("Marks and notes", [choice for choice, _ in found]),
                lambda names: screen.jumps.to_row(rows[names[0]]) if names else None,
            )

        screen.queries.ask("marks list", call, arrived, label="reading", holds=OPENS)
