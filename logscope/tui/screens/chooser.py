"""A small question with numbered answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from logscope.tui.safe import line
from logscope.tui.screens.explained import Explained

MOST = 9


class ChooserScreen(Explained, ModalScreen[int | None]):
    """Up to nine answers, chosen by their number; None if none was."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss_none", "Cancel", id="chooser.cancel", show=False),
        Binding("question_mark,f1", "help", "Help", id="chooser.help", show=False),
    ]
    ABOUT = ("A question with numbers", "The number before an answer chooses it; nothing happens until then.")

    def __init__(self, question: str, answers: Sequence[str]) -> None:
        """Ask `question` with `answers`."""
        super().__init__()
        self._question = question
        self._answers = list(answers)[:MOST]

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        with Vertical(classes="dialog"):
            yield Static(line(self._question), classes="heading")
            for number, answer in enumerate(self._answers, start=1):
                yield Static(line((f" {number} ", "bold $log-hint"), " ", answer))
            yield Static(line(("a number chooses · Esc cancels · ? help", "")), classes="foot")

    def on_key(self, event: events.Key) -> None:
        """A number chooses."""
        if event.character and event.character in "123456789" and int(event.character) <= len(self._answers):
            event.stop()
            self.dismiss(int(event.character) - 1)
        elif event.key == "enter" and len(self._answers) == 1:
            self.dismiss(0)

    def action_dismiss_none(self) -> None:
        """No answer."""
        self.dismiss(None)
