"""The trail as a list: each step can be switched off, or gone back to."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from logscope.text import several
from logscope.tui.safe import line
from logscope.tui.screens.explained import Explained
from logscope.tui.trail import Trail


class TrailScreen(Explained, ModalScreen[bool]):
    """Steps with their counts; True comes back if something was changed."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="trail.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="trail.up", show=False),
        Binding("space", "switch", "Switch the step on or off", id="trail.toggle", show=False),
        Binding("enter", "go", "Go to the step", id="trail.go", show=False),
        Binding("escape,q,tilde", "leave", "Close", id="trail.close", show=False),
        Binding("question_mark,f1", "help", "Help", id="trail.help", show=False),
    ]
    ABOUT = (
        "Trail",
        "Every filter and pivot, with the records it left. Those before a pivot no longer narrow; a number switches its step.",
    )

    def __init__(self, trail: Trail) -> None:
        """Shows and changes `trail`."""
        super().__init__()
        self._trail = trail
        self._place = max(0, trail.position - 1)
        self._changed = False

    def compose(self) -> ComposeResult:
        """The list, drawn as one text."""
        with Vertical(classes="dialog"):
            yield Static(line("Trail"), classes="heading")
            # With the focus it would take the arrows for itself.
            with VerticalScroll(can_focus=False):
                yield Static(id="steps")
            yield Static(line(("Space on/off · Enter go there · 1-9 on/off · Esc close · ? help", "")), classes="foot")

    def on_mount(self) -> None:
        """Show the steps."""
        self._show()

    def _show(self) -> None:
        trail = self._trail
        if not trail.steps:
            self.query_one("#steps", Static).update(
                line(("Nothing narrowed yet: & keeps what matches, - drops it, * pivots on a value.", "$log-dim"))
            )
            return
        rows = []
        effective = {id(step) for step in trail.effective}
        for place, step in enumerate(trail.steps):
            here = place == self._place
            box = "☑" if step.enabled else "☐"
            note = (
                ""
                if id(step) in effective
                else "  (off)"
                if not step.enabled
                else "  (before the pivot: does not narrow)"
            )
            note = "  (ahead)" if place >= trail.position else note
            count = "" if step.count is None else f"  {several(step.count, 'record')}"
            rows.append(
                line(
                    ("▸ " if here else "  ", "bold $log-hint"),
                    (f"{place + 1} {box} ", "bold" if here else ""),
                    (f"{step.kind:<8}", "$log-dim"),
                    (step.label[:200], "bold" if here else "" if step.enabled else "strike $log-dim"),
                    (count, "$log-time"),
                    (note, "$log-dim"),
                )
            )
        self.query_one("#steps", Static).update(Content("\n").join(rows))
        view = self.query_one(VerticalScroll)
        view.scroll_to(y=self._place - view.size.height // 2, animate=False)

    def on_key(self, event: events.Key) -> None:
        """A number switches its step."""
        if event.character and event.character in "123456789" and int(event.character) <= len(self._trail.steps):
            event.stop()
            self._place = int(event.character) - 1
            self.action_switch()

    def action_move(self, delta: int) -> None:
        """To another step."""
        self._place = max(0, min(len(self._trail.steps) - 1, self._place + delta))
        self._show()

    def action_switch(self) -> None:
        """Switch the step on or off."""
        if self._trail.steps:
            self._trail.toggle(self._place)
            self._changed = True
            self._show()

    def action_go(self) -> None:
        """Stand behind the step."""
        if self._trail.steps:
            self._trail.stand(self._place + 1)
            self._changed = True
        self.dismiss(self._changed)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(self._changed)
