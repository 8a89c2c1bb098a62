"""A list to choose from by typing: fields, columns, sessions, files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from logscope.text import clean
from logscope.tui.messages import RowChosen
from logscope.tui.painting import fit
from logscope.tui.safe import line
from logscope.tui.screens.explained import Explained
from logscope.tui.widgets.row_list import RowList


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry."""

    name: str
    note: str = ""


class PickInput(Input):
    """The line that narrows the list."""

    def validate_value(self, value: str) -> str:
        """Nothing that a terminal would act upon."""
        return clean(value)

    def on_key(self, event: events.Key) -> None:
        """A question mark asks for help where nothing is typed yet."""
        if event.character == "?" and not self.value and isinstance(self.screen, PickScreen):
            event.stop()
            event.prevent_default()
            self.screen.action_help()


class PickList(RowList):
    """The entries that match."""

    can_focus = False

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing to choose from yet."""
        super().__init__(id=id)
        self.choices: list[Choice] = []
        self.taken: list[str] | None = None
        self.typed = ""

    @property
    def empty_text(self) -> list[str]:
        """Nothing fits what was typed, or there is nothing at all."""
        return ["nothing of that name" if self.typed else "nothing to choose from"]

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One entry, ticked where several can be taken."""
        choice = self.choices[index]
        behind = "log-cursor" if selected else "background"
        styles = self.look_up
        box = "" if self.taken is None else "☑ " if choice.name in self.taken else "☐ "
        width = self.scrollable_content_region.width
        name = clean(choice.name, cap=400)
        room = max(width * 6 // 10 - 4, min(len(name), width - 8)) - len(box)
        return [
            Segment("▸ " if selected else "  ", styles.style("log-hint", behind, bold=True)),
            Segment(box, styles.style("log-key", behind)),
            Segment(fit(name, room), styles.style("foreground", behind, bold=selected)),
            Segment("  " + clean(choice.note, cap=400), styles.style("log-dim", behind)),
        ]


class PickScreen(Explained, ModalScreen[list[str] | None]):
    """Chosen by typing a part of a name; None if nothing was. With `taken`, several are ticked."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", id="pick.down", show=False, priority=True),
        Binding("up", "move(-1)", "Up", id="pick.up", show=False, priority=True),
        Binding("pagedown", "move(10)", "Page down", id="pick.page-down", show=False, priority=True),
        Binding("pageup", "move(-10)", "Page up", id="pick.page-up", show=False, priority=True),
        Binding(
            "tab", "tick", "Tick or untick, where several can be taken", id="pick.toggle", show=False, priority=True
        ),
        Binding("enter", "take", "Take", id="pick.take", show=False, priority=True),
        Binding("escape", "leave", "Cancel", id="pick.cancel", show=False, priority=True),
        Binding("f1", "help", "Help; also ? where nothing is typed", id="pick.help", show=False),
    ]
    ABOUT = (
        "A list to choose from",
        "Type parts of a name, in any order, to narrow it; what is typed counts only here.",
    )

    def __init__(
        self, title: str, choices: Sequence[Choice], *, taken: Sequence[str] | None = None, free: bool = False
    ) -> None:
        """Choose among `choices`.

        Args:
            title: What is chosen.
            choices: In order.
            taken: Those ticked at the beginning; None: exactly one is chosen.
            free: What was typed can be taken where nothing matches it.
        """
        super().__init__()
        self._title = title
        self._all = list(choices)
        self._taken = None if taken is None else list(taken)
        self._given = bool(taken)
        self._free = free

    def compose(self) -> ComposeResult:
        """Title, input, list."""
        with Vertical(classes="dialog"):
            yield Static(line(self._title), classes="heading")
            yield PickInput(compact=True, id="pick-input")
            yield PickList(id="pick-list")
            told = "type to narrow · ↑↓ · Enter takes · Esc cancels · ? help"
            yield Static(line((told if self._taken is None else "Tab ticks · " + told, "")), classes="foot")

    @property
    def rows(self) -> PickList:
        """The list."""
        return self.query_one(PickList)

    def on_mount(self) -> None:
        """Everything, before something is typed."""
        self.rows.taken = self._taken
        self._narrow("")
        self.query_one(PickInput).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow(event.value)

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        self.rows.typed = text
        self.rows.choices = [one for one in self._all if all(word in one.name.lower() for word in words)]
        self.rows.set_rows(len(self.rows.choices), 0)

    def on_key(self, event: events.Key) -> None:
        """Keys of the list are the input's here."""
        if event.key == "backspace" and not self.query_one(PickInput).value:
            event.stop()

    @on(RowChosen)
    def _chosen(self, event: RowChosen) -> None:
        event.stop()
        self.action_take()

    def action_move(self, delta: int) -> None:
        """To another entry."""
        self.rows.go(self.rows.cursor + delta)

    def action_tick(self) -> None:
        """Tick or untick."""
        rows = self.rows
        if self._taken is None or rows.cursor >= len(rows.choices):
            return
        name = rows.choices[rows.cursor].name
        if name in self._taken:
            self._taken.remove(name)
        else:
            self._taken.append(name)
        rows.repaint()
        rows.go(rows.cursor + 1)

    def action_take(self) -> None:
        """The entry under the cursor, or those ticked."""
        rows, typed = self.rows, self.query_one(PickInput).value.strip()
        here = [rows.choices[rows.cursor].name] if rows.cursor < len(rows.choices) else []
        if not here and typed and self._free:
            here = [typed]
        if self._taken is None:
            if here:
                self.dismiss(here)
            return
        # Enter takes the one that was typed for, and where nothing is ticked the one under the cursor.
        wanted = (typed or not (self._taken or self._given)) and here and here[0] not in self._taken
        self.dismiss([*self._taken, *(here if wanted else ())])

    def action_leave(self) -> None:
        """Nothing."""
        self.dismiss(None)
