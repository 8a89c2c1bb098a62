"""A transaction beside its nearest normal peer: what is the same, missing, extra, slower."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.api import Cancel, Investigation
from logscope.engine.insights import Comparison, Shape
from logscope.text import human_duration
from logscope.tui.clock import distance
from logscope.tui.safe import line
from logscope.tui.screens.chooser import MOST, ChooserScreen
from logscope.tui.screens.listing import ListScreen
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.compare_table import WORDS, CompareTable
from logscope.tui.widgets.shape_table import path_of


@dataclass(frozen=True, slots=True)
class Beside:
    """What the engine answered."""

    comparison: Comparison
    title: str
    peer_title: str
    duration: int
    peer_duration: int
    """Microseconds."""


def _pause(row: int | None, since: int | None) -> str:
    """The pause before a step, in words."""
    return "not there" if row is None else distance(since) or "the first"


class CompareScreen(ListScreen):
    """Two transactions side by side."""

    ROW = "step"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "peer", "Choose another peer", id="compare.peer", show=False),
        Binding("x", "difference(1)", "Next difference", id="compare.next", show=False),
        Binding("X", "difference(-1)", "Previous difference", id="compare.previous", show=False),
        Binding("t", "open", "Open the transaction at the step", id="compare.open", show=False),
        Binding("P", "open_peer", "Open the peer at the step", id="compare.open-peer", show=False),
        Binding(
            "full_stop", "mark", "Mark as a step of a rule; what is missing as absent", id="compare.mark", show=False
        ),
        Binding("S", "save_rule", "Save as rule: the marked steps", id="compare.save-rule", show=False),
        Binding("y", "copy", "Copy the comparison", id="compare.copy", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("compare.next", "difference"),
        ("compare.peer", "another peer"),
        ("list.choose", "open there"),
        ("compare.open-peer", "open peer"),
        ("compare.mark", "mark step"),
        ("compare.save-rule", "save as rule"),
        ("compare.copy", "copy"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Compare",
        (
            "A transaction beside one that went as most do. − missing, + extra, ▲ slower, ▽ faster; "
            "usual is the p50 of that pause in the peer's kind."
        ),
    )

    def __init__(self, investigation: Investigation, number: int, peer: int | None = None) -> None:
        """The transaction `number` beside `peer`, by default the nearest normal one."""
        super().__init__(investigation)
        self._number = number
        self._peer = peer
        self._beside: Beside | None = None

    def parts(self) -> Iterable[Widget]:
        """The steps, and what is to say of the one under the cursor."""
        yield CompareTable(id="steps")
        yield Static(id="output")

    @property
    def main_list(self) -> CompareTable:
        """The steps."""
        return self.query_one(CompareTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def reload(self) -> None:
        """Ask for the comparison."""
        investigation, number, peer = self.investigation, self._number, self._peer

        def call(cancel: Cancel) -> Beside:
            found = investigation.compare(number, peer, cancel=cancel)
            cancel.check()
            one, other = investigation.transaction(number), investigation.transaction(found.peer)
            return Beside(found, one.title, other.title, one.end - one.start, other.end - other.start)

        self.ask_linked(call, self._arrived, label="comparing")

    def _arrived(self, beside: Beside) -> None:
        first = self._beside is None
        self._beside = beside
        table = self.main_list
        table.show(beside.comparison.steps)
        self._show_marks()
        differences = table.differences()
        if first and differences:
            table.go(table.worst(), center=True)
        self.show_title()
        self.cursor_moved()

    def show_title(self) -> None:
        """Which two, and in how much they differ."""
        beside = self._beside
        if beside is None:
            super().show_title()
            return
        found = beside.comparison
        left = line(
            (beside.title, "bold $log-key"),
            (f" {human_duration(beside.duration)}", "bold"),
            ("  beside  ", "$log-dim"),
            (beside.peer_title, "$log-key"),
            f" {human_duration(beside.peer_duration)}",
        )
        signs = (("−", found.missing, "missing"), ("+", found.extra, "extra"), ("▲", found.slower, "slower"))
        told = [(f"{sign} {count} {word}  ", "bold $log-detection") for sign, count, word in signs if count]
        self.query_one("#title", Chrome).show(left, line(*(told or [("the same", "$log-info")])))

    def cursor_moved(self) -> None:
        """The whole step, and what is usual there."""
        step, beside = self.main_list.step, self._beside
        output = self.query_one("#output", Static)
        if step is None or beside is None:
            output.update(Content(""))
            return
        usual = ""
        if step.usual is not None:
            usual = f"   usual {human_duration(step.usual)}"
            usual += f", p95 {human_duration(step.usual_p95)}" if step.usual_p95 is not None else ""
        pauses = line(
            ("here ", "$log-dim"),
            (_pause(step.row, step.since_previous), "bold" if step.row is not None else "bold $log-detection"),
            ("   peer ", "$log-dim"),
            _pause(step.peer_row, step.peer_since_previous),
            (usual, "$log-time"),
        )
        head = line(
            (step.service, "$log-service"), "  ", (step.template, "bold"), (f"  {WORDS[step.kind]}", "$log-dim")
        )
        told = [head, pauses, line((beside.comparison.why, "$log-dim"))]
        output.update(Content("\n").join(told), layout=False)

    def action_difference(self, direction: int) -> None:
        """The next step that is not the same."""
        now, table = self.main_list.cursor, self.main_list
        ahead = [place for place in table.differences() if (place > now if direction > 0 else place < now)]
        if ahead:
            table.go(min(ahead) if direction > 0 else max(ahead), center=True)
        else:
            self.scope.say("no further difference" if table.differences() else "step by step the same")

    def action_mark(self) -> None:
        """The step is to be one of a rule; what only the peer has, as one that must not be missing."""
        step = self.main_list.step
        row = step.row if step is not None and step.row is not None else step.peer_row if step is not None else None
        if step is not None and row is not None:
            self.turn_mark(row, absent=step.row is None)
            self._show_marks()
            self.main_list.action_move(1)

    def action_save_rule(self) -> None:
        """A rule of the marked steps."""
        if self.scope.step_marks:
            self.open_draft()
        else:
            self.scope.say("mark the steps of the rule with . first: what is missing here becomes an absent one")

    def _show_marks(self) -> None:
        self.main_list.marked = self.scope.step_marks.signs
        self.main_list.repaint()

    # Another peer

    def action_peer(self) -> None:
        """A typical one of another kind, or any of the list."""
        investigation = self.investigation
        self.queries.ask(
            "shapes", lambda cancel: list(investigation.shapes(cancel=cancel)), self._choose_peer, label="comparing"
        )

    def _choose_peer(self, shapes: Sequence[Shape]) -> None:
        kinds = [one for one in shapes if one.example != self._number][: MOST - 2]
        answers = ["The nearest normal one"]
        answers += [
            f"Way {one.number}, {one.share:.1%}, p50 {human_duration(one.p50)}  {path_of(one, 40)}" for one in kinds
        ]
        answers.append("One of the list …")

        def chosen(place: int | None) -> None:
            if place is None:
                return
            if place == len(answers) - 1:
                from logscope.tui.screens.transactions import TransactionsScreen

                self.app.push_screen(TransactionsScreen(self.investigation, pick=self._set_peer))
            else:
                self._set_peer(kinds[place - 1].example if place else None)

        self.app.push_screen(ChooserScreen("Beside which transaction?", answers), chosen)

    def _set_peer(self, number: int | None) -> None:
        if number == self._number:
            self.scope.say("that is the transaction itself")
            return
        self._peer = number
        self.reload()

    # Ways on

    def action_open(self) -> None:
        """The transaction at the step; of a missing one the peer."""
        step = self.main_list.step
        if step is not None and step.row is None:
            self.action_open_peer()
        else:
            self._open(self._number, step.row if step else None)

    def action_open_peer(self) -> None:
        """The peer at the step."""
        step = self.main_list.step
        if self._beside is not None:
            self._open(self._beside.comparison.peer, step.peer_row if step else None)

    def _open(self, number: int, row: int | None) -> None:
        from logscope.tui.screens.transaction import TransactionScreen

        self.app.push_screen(TransactionScreen(self.investigation, number, row))

    def action_copy(self) -> None:
        """All steps as text, a line each."""
        if self._beside is None:
            return
        rows = [
            f"{step.kind:<8}{distance(step.since_previous):>11}{distance(step.peer_since_previous):>11}  "
            f"{step.service}  {step.template}"
            for step in self._beside.comparison.steps
        ]
        self.scope.copy("\n".join([self._beside.comparison.why, *rows]), "the comparison")
