"""Ways from one record to another: search, levels, detections, the same transaction, marks, time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from logscope.engine.answers import FieldValue, Line, View
from logscope.engine.api import Cancel
from logscope.text import several
from logscope.tui.clock import iso
from logscope.tui.queries import MOVES, OPENS
from logscope.tui.screens.awaiting import Awaiting
from logscope.tui.screens.chooser import MOST, ChooserScreen
from logscope.tui.trail import Step

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

STRONG = ("strong",)


class Jumps:
    """What moves the cursor of the records screen; every question runs on a thread."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Moves `screen`'s cursor."""
        self._screen = screen
        self._search = ""
        self._backwards = False
        self.awaiting = Awaiting(screen)

    @property
    def searched(self) -> str:
        """What was searched last."""
        return self._search

    def _view(self) -> View | None:
        return self._screen.main_list.view

    def ask_position(
        self, topic: str, call: Callable[[View, Cancel], int | None], nothing: str, label: str = ""
    ) -> None:
        """Ask for a position of the view on a thread, then go there; `nothing` is said where there is none."""
        view = self._view()
        if view is None:
            return

        def arrived(position: int | None) -> None:
            if position is None:
                self._screen.scope.say(nothing)
            else:
                self._screen.main_list.follow(False)
                self._screen.main_list.go_to(position, center=True)

        self._screen.queries.ask(
            topic, lambda cancel: call(view, cancel), arrived, label=label, failed=self._screen.tell, holds=MOVES
        )

    # Search

    def search(self, text: str, *, backwards: bool) -> None:
        """Begin a search; an empty text repeats the last one."""
        screen = self._screen
        wanted = text or self._search
        if not wanted:
            screen.close_bar()
            return
        investigation = screen.investigation

        def compiled(patterns: tuple[str, ...]) -> None:
            self._search, self._backwards = wanted, backwards
            screen.close_bar()
            screen.main_list.searched = patterns
            screen.main_list.restyle()
            self._find(backwards)

        screen.queries.ask(
            "highlights", lambda _: tuple(investigation.highlights(wanted)), compiled, failed=screen.tell
        )

    def again(self, direction: int) -> None:
        """The next hit, in the direction of the search or against it."""
        if not self._search:
            self._screen.scope.say("nothing searched yet: / begins a search")
            return
        self._find(self._backwards == (direction > 0))

    def _find(self, backwards: bool) -> None:
        screen = self._screen
        text, start = self._search, screen.main_list.place
        way = "above" if backwards else "below"
        self.ask_position(
            "find",
            lambda view, cancel: screen.investigation.find(view, text, start, backwards=backwards, cancel=cancel),
            f"no {text!r} {way}",
            "searching",
        )

    # Levels, detections, transactions

    def level(self, level: int, direction: int) -> None:
        """The next record of at least a level."""
        investigation, start = self._screen.investigation, self._screen.main_list.place
        self.ask_position(
            "level",
            lambda view, _: investigation.next_level(view, start, level, backwards=direction < 0),
            f"no {'errors' if level >= 5 else 'warnings'} {'below' if direction > 0 else 'above'}",
        )

    def detection(self, direction: int) -> None:
        """The next record that is a step of a detection."""
        screen = self._screen
        investigation, start = screen.investigation, screen.main_list.place
        if not screen.scope.snapshot.findings:
            screen.scope.say("no detections: rules found nothing here, or none are enabled")
            return
        self.ask_position(
            "detection",
            lambda view, _: investigation.next_step(view, start, backwards=direction < 0),
            f"no detection {'below' if direction > 0 else 'above'} in this view",
        )

    def sibling(self, direction: int) -> None:
        """The next record of the same transaction, in this view."""
        screen = self._screen
        record = screen.record_here
        if record is None:
            return
        row, start = record.row, screen.main_list.place
        investigation = screen.investigation

        def call(view: View, cancel: Cancel) -> int | None:
            investigation.prepare_transactions(cancel=cancel)
            found: set[int] = set()
            for number in investigation.transactions_of(row):
                for member in investigation.transaction(number).members:
                    place = investigation.position(view, member.line.row)
                    if place < len(view.rows) and view.rows[place] == member.line.row:
                        found.add(place)
            ahead = [place for place in found if (place > start if direction > 0 else place < start)]
            return (min(ahead) if direction > 0 else max(ahead)) if ahead else None

        way = "later" if direction > 0 else "earlier"
        self.ask_position("sibling", call, f"no {way} record of this transaction in view", "linking")

    def open_transaction(self) -> None:
        """The waterfall of the record's transaction; a choice if it stands in several."""
        screen = self._screen
        record = screen.record_here
        if record is None:
            return
        investigation, row = screen.investigation, record.row

        def call(cancel: Cancel) -> list[tuple[int, str]]:
            investigation.prepare_transactions(cancel=cancel)
            numbers = list(investigation.transactions_of(row))[:MOST]
            if len(numbers) == 1:
                return [(numbers[0], "")]
            return [(number, investigation.transaction(number).title) for number in numbers]

        def arrived(found: list[tuple[int, str]]) -> None:
            if not found:
                screen.scope.say("no key ties this record to others; :keys shows what was looked for")
            elif len(found) == 1:
                self._push(found[0][0], row)
            else:
                screen.app.push_screen(
                    ChooserScreen("This record stands in several transactions", [title for _, title in found]),
                    lambda place: self._push(found[place][0], row) if place is not None else None,
                )

        screen.queries.ask("transaction", call, arrived, label="linking", holds=OPENS)

    def _push(self, number: int, row: int | None) -> None:
        from logscope.tui.screens.transaction import TransactionScreen

        self._screen.app.push_screen(TransactionScreen(self._screen.investigation, number, row))

    # Pivot

    def pivot_from(self, record: Line) -> None:
        """Pivot on a key of a record; where keys are still looked for, once they are found."""
        screen, investigation = self._screen, self._screen.investigation
        waits = screen.scope.snapshot.transactions is None

        def call(cancel: Cancel) -> list[FieldValue]:
            if waits:
                investigation.prepare_transactions(cancel=cancel)
            return list(investigation.fields(record.row))

        screen.queries.ask("pivot", call, self.pivot_among, label="finding keys", failed=screen.tell, holds=OPENS)

    def pivot_among(self, fields: Sequence[FieldValue]) -> None:
        """Pivot on the one strong key; ask where there are several; say so where there is none."""
        screen = self._screen
        keyed = [one for one in fields if one.key]
        choices = [one for one in keyed if one.key_class in STRONG] or keyed
        if not choices:
            screen.scope.say("no key in this record: open its fields with Enter, Tab to a value, then *")
        elif len(choices) == 1:
            self.pivot_on(choices[0])
        else:
            labels = [
                f"{one.key:<14} {one.value[:40]:<24}"
                + (f" {several(one.records, 'record')}" if one.records is not None else "")
                for one in choices
            ]
            screen.app.push_screen(
                ChooserScreen("Pivot on which key?", labels),
                lambda place: self.pivot_on(choices[place]) if place is not None else None,
            )

    def pivot_on(self, value: FieldValue) -> None:
        """Every record with a value, under any field's name of its key."""
        self.pivot_value(value.key, value.name, value.value, None)
        self._screen.main_list.focus()

    def pivot_value(self, key: str | None, name: str, value: str, row: int | None) -> None:
        """Pivot on a value from elsewhere, the cursor on a record."""
        screen = self._screen
        text = screen.investigation.pivot_filter(key, name, value)
        screen.narrow(Step("pivot", text, f"{key or name} {value}"), anchor=row)

    # Marks, rows, times

    def show_marks(self) -> None:
        """Letters, and signs of the records that are to be steps of a rule."""
        if not self._screen.lives:
            return
        signs = {**self._screen.noting.letters, **self._screen.scope.step_marks.signs}
        if self._screen.main_list.letters != signs:
            self._screen.main_list.letters = signs
            self._screen.main_list.restyle()

    def to_mark(self, letter: str) -> None:
        """To the record with a mark, or the place nearest to its time."""
        row = self._screen.noting.row_of(letter)
        if row is None:
            self._screen.scope.say(f"no mark {letter}: m{letter} sets it")
        else:
            self.to_row(row)

    def to_row(self, row: int) -> None:
        """To a record, or the place nearest to its time."""
        self.ask_position("row", lambda view, _: self._screen.investigation.position(view, row), "")

    def to_time(self, time: int) -> None:
        """To the first record at or after a time."""
        self.ask_position("goto", lambda view, _: self._screen.investigation.position_of_time(view, time), "")
        self.awaiting.again(lambda: self.to_time(time))

    def to_number(self, number: int) -> None:
        """To a record by its number in the view, from 1."""
        self._screen.main_list.follow(False)
        self._screen.main_list.go_to(number - 1, center=True)
        self.awaiting.again(lambda: self.to_number(number))

    # Time

    def begin_brush(self) -> None:
        """A stretch of one bar, at the cursor."""
        timeline = self._screen.timeline
        record = self._screen.record_here
        place = timeline.place_of(record.time if record else None) or 0
        if timeline.buckets:
            timeline.brush = (place, place)
            timeline.refresh()
            self._screen.show_status()

    def end_brush(self) -> None:
        """No stretch."""
        self._screen.timeline.brush = None
        self._screen.timeline.refresh()
        self._screen.show_status()

    def brush_key(self, key: str) -> bool:
        """A key while a stretch is chosen; whether it was one of its own."""
        timeline = self._screen.timeline
        if timeline.brush is None:
            return False
        left, right = timeline.brush
        most = len(timeline.buckets) - 1
        if key in ("left", "h"):
            left, right = (left - 1, right - 1) if left else (left, right)
        elif key in ("right", "l"):
            left, right = (left + 1, right + 1) if right < most else (left, right)
        elif key in ("shift+right", "L"):
            right = min(most, right + 1)
        elif key in ("shift+left", "H"):
            right = max(left, right - 1)
        elif key == "enter":
            start, end = timeline.buckets[left].start, timeline.buckets[right].end
            self.end_brush()
            self.narrow_time(start, end)
            return True
        else:
            return False
        timeline.brush = (left, right)
        timeline.refresh()
        return True

    def narrow_time(self, start: int | None, end: int | None) -> None:
        """Keep a stretch of time."""
        terms = ([f"time>={iso(start)}"] if start is not None else []) + (
            [f"time<{iso(end)}"] if end is not None else []
        )
        clock = self._screen.scope.clock
        label = clock.stretch(start, end, days=self._screen.main_list.with_day)
        self._screen.narrow(Step("time", " ".join(terms), label))

    # Commands

    def _set_grain(self, name: str) -> None:
        screen, investigation = self._screen, self._screen.investigation

        def call(_: Cancel) -> tuple[str, str]:
            investigation.set_grain(name)
            return investigation.grain()

        def arrived(grain: tuple[str, str]) -> None:
            screen.scope.say(f"grain {grain[0]}: {grain[1]}")

        screen.queries.ask("grain", call, arrived, failed=screen.tell)

    def command(self, name: str, argument: str) -> bool:
        """Commands that move or narrow."""
        screen = self._screen
        record = screen.line
        near = record.time if record else screen.scope.snapshot.start
        clock = screen.scope.clock
        if name == "goto":
            if argument.endswith("%") and argument[:-1].isdigit():
                screen.main_list.go_to((screen.main_list.records - 1) * int(argument[:-1]) // 100, center=True)
            elif argument.replace(",", "").isdigit():
                self.to_number(int(argument.replace(",", "")))
            else:
                self.to_time(clock.parse(argument, near))
        elif name in ("filter", "exclude") and argument:
            screen.narrow(Step(name, argument, argument))
        elif name == "find":
            self.search(argument, backwards=False)
        elif name == "since":
            self.narrow_time(clock.parse(argument, near), None)
        elif name == "until":
            self.narrow_time(None, clock.parse(argument, near))
        elif name == "transactions":
            from logscope.tui.screens.transactions import TransactionsScreen

            screen.app.push_screen(TransactionsScreen(screen.investigation, argument))
        elif name == "detections":
            screen.action_detections()
        elif name == "grain":
            self._set_grain(argument)
        elif name == "follow":
            screen.action_follow()
        else:
            return screen.looks.command(name, argument) or screen.run_more(name, argument)
        return True
