"""What all screens share: questions under way, the input bar, hints, status, help and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from logscope.engine.answers import Snapshot
from logscope.engine.api import Cancel, Investigation
from logscope.errors import LogscopeError
from logscope.tui.commands import run_line
from logscope.tui.keymap import shown_key
from logscope.tui.messages import QueryDismissed, QuerySubmitted
from logscope.tui.queries import Queries
from logscope.tui.safe import line
from logscope.tui.screens.explained import Explained
from logscope.tui.widgets.chrome import Footer
from logscope.tui.widgets.query_bar import QueryBar
from logscope.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from logscope.engine.rulework.desk import Proposal
    from logscope.tui.app import LogscopeApp

Part = Content | str | tuple[str, str]


LOW = 16
"""Lines of a screen below which all but its list is cut short."""


class InvestigatorScreen(Explained, Screen[None]):
    """A full screen over the investigation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="screen.help", show=False),
        Binding("colon", "command_line", "Command line", id="screen.command", show=False),
        Binding("q", "leave", "Back, or quit", id="screen.leave", show=False),
        Binding("escape", "escape", "Stop, close, or back", id="screen.escape", show=False),
        Binding("K", "keys", "The correlation keys", id="screen.keys", show=False),
        Binding("R", "rules", "The rules", id="screen.rules", show=False),
        Binding("M", "map", "The service map", id="screen.map", show=False),
        Binding("C", "clocks", "Clocks that are off", id="screen.clocks", show=False),
        Binding("I", "case", "The case: what was pinned", id="screen.case", show=False),
        Binding("L", "dashboard", "Figures over time", id="screen.dashboard", show=False),
        Binding("ctrl+l", "redraw", "Redraw", id="screen.redraw", show=False),
        Binding("f2", "tour", "The tour: leave it, or take it up again", id="screen.tour", show=False),
    ]

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """(binding id, label) of the keys that matter, most important first."""
    TYPES: ClassVar[bool] = False
    """Whether keys are text here: help is asked for by the last of its keys, which is none."""

    def __init__(self, investigation: Investigation) -> None:
        """A screen over `investigation`."""
        super().__init__()
        self.investigation = investigation
        self.queries = Queries(self, self.show_status)
        self._word = ""
        """What was said, as long as the status line shows it."""

    @property
    def scope(self) -> LogscopeApp:
        """The app, by its own type."""
        return cast("LogscopeApp", self.app)

    @property
    def lives(self) -> bool:
        """Whether its widgets are there: composed, and not being taken down."""
        return self.is_mounted and self.is_attached and bool(self.query(Footer))

    @property
    def holding(self) -> bool:
        """Whether keys are to wait for what those before them bring."""
        return self.queries.holding

    @classmethod
    def own_bindings(cls) -> list[Binding]:
        """The keys of this kind of screen, without those of all screens."""
        owners = cls.__mro__[: cls.__mro__.index(InvestigatorScreen)]
        return [one for owner in owners for one in vars(owner).get("BINDINGS", ())]

    # What a screen says

    @property
    def main_list(self) -> RowList:
        """The list that keys go to."""
        raise NotImplementedError

    def hints(self) -> Sequence[tuple[str, str]]:
        """The hints that are of use now."""
        return self.HINTS

    def status_parts(self) -> tuple[Content, Content]:
        """Left and right of the status line."""
        return Content(""), Content("")

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """The engine has news."""

    def run_command(self, name: str, argument: str) -> bool:
        """A command of this screen's own; False if there is none of that name."""
        return False

    # Life

    def on_mount(self) -> None:
        """Show hints and status; the second follows what runs."""
        self.main_list.focus()
        self.set_interval(0.2, self._tick)
        self.call_after_refresh(self.show_hints)

    def on_screen_resume(self) -> None:
        """Uncovered again."""
        self.show_hints()
        self.show_status()

    def on_resize(self, event: events.Resize) -> None:
        """As many hints as fit; on a low screen the list comes before what stands below it."""
        self.set_class(event.size.height < LOW, "short")
        self.call_after_refresh(self.show_hints)

    def on_unmount(self) -> None:
        """Nobody waits for answers any more."""
        self.queries.close()

    def _tick(self) -> None:
        word = self.scope.telling.word
        if self.queries.shown() is not None or word != self._word:
            self.show_status()

    def show_hints(self) -> None:
        """The keys that matter here, as they are mapped."""
        for footer in self.query(Footer):
            keys = self.scope.keys
            footer.hints(
                [(keys.shown(name), label) for name, label in self.hints()],
                [(shown_key(keys.of("screen.help")[-1 if self.TYPES else 0]), "help")],
            )

    def show_status(self) -> None:
        """The status line: what runs, else where one stands."""
        if not self.lives:
            return
        self._word = self.scope.telling.word
        for footer in self.query(Footer):
            running = self.queries.shown()
            left, right = self.status_parts()
            if running is not None:
                label, share = running
                done = "" if share is None else f" {share:.0%}"
                right = line((f"⏳ {label}{done} ", "bold $warning"), ("Esc stops", "$log-dim"))
            elif self._word:
                right = line((self._word, "bold $log-hint"))
                if left.cell_length + right.cell_length + 3 > self.size.width:
                    left, right = right, Content("")
            footer.status(left, right)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys typed ahead reach a screen that has no widgets yet, or no longer: they are passed over."""
        return self.lives or not hasattr(self, f"action_{action}")

    # The input bar

    @property
    def bar(self) -> QueryBar:
        """The input bar."""
        return self.query_one(QueryBar)

    def ask_text(self, purpose: str, prompt: str, help_text: str, value: str = "") -> None:
        """Open the bar in place of the footer."""
        self.bar.open(purpose, prompt, help_text, value)
        for footer in self.query(Footer):
            footer.display = False

    def close_bar(self) -> None:
        """Close the bar and give the keys back to the list."""
        if self.bar.is_open:
            self.bar.close()
            for footer in self.query(Footer):
                footer.display = True
            self.main_list.focus()

    @on(QueryDismissed)
    def _dismissed(self) -> None:
        self.queries.cancel()
        self.close_bar()

    @on(QuerySubmitted)
    def _submitted(self, event: QuerySubmitted) -> None:
        event.stop()
        if event.purpose != "command":
            self.submitted(event.purpose, event.text)
            return
        self.close_bar()
        try:
            run_line(self, event.text)
        except LogscopeError as error:
            self.scope.say(str(error), "error")

    def submitted(self, purpose: str, text: str) -> None:
        """A text was entered in the bar, which was opened for `purpose`."""

    def tell(self, error: LogscopeError) -> None:
        """Show an error where it was typed, else as a notification."""
        if self.bar.is_open:
            self.bar.fail(error)
        else:
            self.scope.say(str(error), "error")

    # Actions

    def action_command_line(self) -> None:
        """Commands by name."""
        self.ask_text("command", ":", "goto TIME · N · filter · theme NAME · grain KEY · q    (Ctrl-P: all by name)")

    def go_to(self, kind: type[InvestigatorScreen]) -> None:
        """Another screen over the whole investigation; nothing if one is on it already."""
        if type(self) is not kind:
            self.app.push_screen(kind(self.investigation))

    def action_keys(self) -> None:
        """The correlation keys."""
        from logscope.tui.screens.keys import KeysScreen

        self.go_to(KeysScreen)

    def action_rules(self) -> None:
        """The rules."""
        from logscope.tui.screens.rules import RulesScreen

        self.go_to(RulesScreen)

    def action_map(self) -> None:
        """The service map."""
        from logscope.tui.screens.service_map import MapScreen

        self.go_to(MapScreen)

    def action_clocks(self) -> None:
        """Clocks that are off."""
        from logscope.tui.screens.clocks import ClocksScreen

        self.go_to(ClocksScreen)

    def action_case(self) -> None:
        """What was pinned."""
        from logscope.tui.screens.case import CaseScreen

        self.go_to(CaseScreen)

    def action_dashboard(self) -> None:
        """Figures over time."""
        from logscope.tui.screens.dashboard import DashboardScreen

        self.go_to(DashboardScreen)

    def pivot(self, key: str, value: str, row: int | None = None, *, name: str = "") -> None:
        """Every record with a value, in the records view.

        Args:
            key: The key it belongs to; empty: the value of a field, not of a key.
            value: The value.
            row: The record to stand on.
            name: The field's name, where it is not the key's.
        """
        home = self.scope.home
        while self.app.screen is not home:
            self.app.pop_screen()
        home.jumps.pivot_value(key or None, name or key, value, row)

    # Rules of what one sees

    def turn_mark(self, row: int, *, absent: bool = False) -> None:
        """Mark a record as a step of a rule, or take its mark away."""
        scope = self.scope
        scope.step_marks.turn(row, absent=absent)
        count = len(scope.step_marks)
        self.show_status()
        if count == 1:
            scope.say("marked as a step; S makes a rule of what is marked")

    def open_draft(self, where: str = "", *, whole: bool = False) -> None:
        """Save as rule: of the marks, or of a filter over records or (`whole`) transactions."""
        from logscope.tui.screens.draft import DraftScreen

        desk, marks = self.investigation.desk, self.scope.step_marks.rows

        def propose(cancel: Cancel) -> Proposal:
            return desk.of_filter(where, whole=whole, cancel=cancel) if where else desk.of_records(marks, cancel=cancel)

        self.app.push_screen(DraftScreen(self.investigation, propose))

    def open_sequence(self, text: str) -> None:
        """The rule that a line `seq by ...: [...]` stands for; an error stays under what was typed."""
        from logscope.tui.screens.draft import DraftScreen

        investigation = self.investigation

        def parsed(proposal: Proposal) -> None:
            self.close_bar()
            self.app.push_screen(DraftScreen(investigation, lambda _: proposal))

        self.queries.ask(
            "sequence",
            lambda cancel: investigation.desk.of_sequence(text, cancel=cancel),
            parsed,
            label="linking",
            failed=self.tell,
        )

    def action_leave(self) -> None:
        """Back to the screen before; out of the first one."""
        if self.scope.depth > 1:
            self.dismiss()
        else:
            self.app.exit(0)

    def action_escape(self) -> None:
        """Stop what runs; else close what is open; else back. Never quits."""
        if self.queries.cancel() or self.close_something():
            return
        if self.scope.depth > 1:
            self.dismiss()

    def close_something(self) -> bool:
        """Close a pane; False if none is open."""
        if self.bar.is_open:
            self.close_bar()
            return True
        return False

    def action_tour(self) -> None:
        """Leave the tour, or take it up again."""
        guide = self.scope.guide
        if guide is None:
            self.scope.say("the tour goes over the sample logs: logscope demo")
        else:
            guide.turn()

    def action_redraw(self) -> None:
        """Paint everything again."""
        self.scope.forget_terminal()
        self.refresh(layout=True)
        self.main_list.repaint()
