"""The input line: filter, search, command. Errors are shown under it, at their column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from logscope.errors import LogscopeError
from logscope.text import clean
from logscope.tui.messages import OffersWanted, QueryDismissed, QuerySubmitted
from logscope.tui.safe import content, line

HISTORY = 200
_NAME = re.compile(r"[A-Za-z_@][\w.@-]*", re.ASCII)


class Names(Suggester):
    """Completes the name that is being typed."""

    def __init__(self, names: Sequence[str]) -> None:
        """Those of `names` that a filter can name bare; others might hold anything."""
        super().__init__(case_sensitive=True)
        self._names = [name for name in names if _NAME.fullmatch(name)]

    async def get_suggestion(self, value: str) -> str | None:
        """The value with its last word completed, and a colon after it."""
        found = re.search(r"(?:^|[\s(\[{-])([A-Za-z_@][\w.@-]*)$", value, re.ASCII)
        if found is None:
            return None
        typed = found.group(1)
        name = next((name for name in self._names if name.startswith(typed) and name != typed), None)
        return None if name is None else value + name[len(typed) :] + ("" if "{" in value else ":")


class SafeInput(Input):
    """An Input whose text is clean: a paste may come from a log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "history(-1)", "Earlier", id="input.earlier", show=False),
        Binding("down", "history(1)", "Later", id="input.later", show=False),
        Binding("escape", "dismiss", "Cancel", id="input.cancel", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        """An empty line."""
        super().__init__(id=id, compact=True)
        self.cursor_blink = False
        self.past: list[str] = []
        self.offers: list[str] = []
        self._place = 0

    def validate_value(self, value: str) -> str:
        """Nothing that a terminal would act upon."""
        return clean(value)

    def remember(self, text: str) -> None:
        """Add to the history."""
        if text and (not self.past or self.past[-1] != text):
            self.past.append(text)
            del self.past[:-HISTORY]
        self._place = len(self.past)

    def action_history(self, step: int) -> None:
        """Earlier texts, and below the empty line what is offered."""
        texts = [*self.past, "", *self.offers]
        if self._place + step == len(texts):
            self.post_message(OffersWanted())
        self._place = max(0, min(len(texts) - 1, self._place + step))
        self.value = texts[self._place]
        self.cursor_position = len(self.value)

    def action_dismiss(self) -> None:
        """Close without an answer."""
        self.post_message(QueryDismissed())


class QueryBar(Vertical):
    """Prompt and input on one line, help or error on the next."""

    DEFAULT_CSS = """
    QueryBar { height: auto; display: none; background: $panel; }
    QueryBar #offers { height: auto; display: none; color: $log-time; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    QueryBar #offers.some { display: block; }
    QueryBar.open { display: block; }
    QueryBar #prompt { width: auto; height: 1; padding: 0 0 0 1; color: $log-hint; text-style: bold; }
    QueryBar #row { height: 1; layout: horizontal; }
    QueryBar SafeInput { width: 1fr; background: $panel; padding: 0; }
    QueryBar #below { height: 1; color: $log-dim; padding: 0; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """A closed bar."""
        super().__init__(id=id)
        self.purpose = ""
        self._past: dict[str, list[str]] = {}
        self._prompt_width = 0
        self._help = ""

    def compose(self):  # type: ignore[no-untyped-def]  # a generator of widgets
        """Prompt, input, and the line below."""
        yield Static(id="offers")
        with Vertical(id="row"):
            yield Static(id="prompt")
            yield SafeInput(id="input")
        yield Static(id="below")

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("open")

    def open(self, purpose: str, prompt: str, help_text: str, value: str = "") -> None:
        """Ask for a text.

        Args:
            purpose: Comes back in `QuerySubmitted`.
            prompt: Before the input.
            help_text: Under it, until there is an error.
            value: What it begins with.
        """
        self.purpose = purpose
        self._prompt_width = len(prompt) + 2
        self._help = help_text
        self.query_one("#prompt", Static).update(content(prompt + " "))
        field = self.query_one(SafeInput)
        field.past = self._past.setdefault(purpose, [])
        field.remember("")
        self.offer([])
        field.suggester = None
        field.value = value
        field.cursor_position = len(value)
        self._tell_help()
        self.add_class("open")
        field.focus()

    def offer(self, offers: Sequence[tuple[str, str]], title: str = "") -> None:
        """Show texts worth trying above the input; ↓ takes them.

        Args:
            offers: (text, what it would find) each.
            title: What they have in common; empty: nothing is shown above them.
        """
        self.query_one(SafeInput).offers = [text for text, _ in offers]
        widest = max((len(note) for _, note in offers), default=0)
        rows = [line(("↓ " + note.rjust(widest), "$log-time"), ("  " + text, "$log-hint")) for text, note in offers]
        if title:
            rows.insert(0, line((title, "$log-dim")))
        self.query_one("#offers", Static).update(Content("\n").join(rows))
        self.query_one("#offers").set_class(bool(rows), "some")

    def take_offer(self) -> None:
        """Put the first text that is offered into the input."""
        self.query_one(SafeInput).action_history(1)

    def complete(self, names: Sequence[str]) -> None:
        """Complete names as they are typed; → takes what is shown."""
        self.query_one(SafeInput).suggester = Names(names)

    def prefill(self, value: str) -> None:
        """Begin the text with something."""
        field = self.query_one(SafeInput)
        field.value = value
        field.cursor_position = len(value)

    def close(self) -> None:
        """Hide it."""
        self.remove_class("open")

    def fail(self, error: LogscopeError) -> None:
        """Show an error under the input, with a sign at its column."""
        below = self.query_one("#below", Static)
        told = error.message + (f"; {error.mend}" if error.mend else "")
        if error.column is None:
            below.update(line((" ✖ " + told, "$log-error")))
            return
        column = max(0, error.column - 1) + self._prompt_width
        if column + len(told) + 2 < self.size.width or column < len(told) + 2:
            below.update(line((" " * column + "^ " + told, "$log-error")))
        else:
            below.update(line((" " * (column - len(told) - 1) + told + " ^", "$log-error")))

    def _tell_help(self) -> None:
        self.query_one("#below", Static).update(line((" " * self._prompt_width + self._help, "$log-dim")))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell_help()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(SafeInput).remember(event.value)
        self.post_message(QuerySubmitted(self.purpose, event.value.strip()))

    def on_key(self, event: events.Key) -> None:
        """Backspace on an empty line closes, as in less."""
        if event.key == "backspace" and not self.query_one(SafeInput).value:
            event.stop()
            self.post_message(QueryDismissed())
