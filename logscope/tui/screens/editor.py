"""A rule's text, edited in the app: names are completed, errors stand at their line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import TextArea

from logscope.engine.api import Cancel, Investigation
from logscope.errors import LogscopeError
from logscope.rules.keywords import offered
from logscope.text import clean
from logscope.tui.safe import line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.widgets.chrome import Chrome, Footer
from logscope.tui.widgets.query_bar import QueryBar
from logscope.tui.widgets.row_list import RowList

_COLUMNS = ("service", "host", "level", "message", "time", "transaction")
_WORD = re.compile(r"[A-Za-z_@][\w.@-]*$", re.ASCII)
_BARE = re.compile(r"[A-Za-z_@][\w.@-]*", re.ASCII)
_AFTER = 0.4
"""Seconds of rest after which the text is checked."""


class RuleText(TextArea):
    """The text; what is pasted is cleaned."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete the name, else two blanks", id="editor.complete", show=False),
        Binding("ctrl+s", "screen.write", "Save", id="editor.save", show=False),
        Binding("escape", "screen.escape", "Back; what is not saved is asked about", id="editor.back", show=False),
    ]

    names: Sequence[str] = ()
    """Fields and correlation keys, for filters and what is emitted."""

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean(event.text, lines=True)
        await super()._on_paste(event)

    def completion(self) -> str:
        """What Tab would add to the word before the cursor."""
        row, column = self.cursor_location
        found = _WORD.search(self.document.get_line(row)[:column])
        if found is None or self.document.get_line(row)[column:].strip():
            return ""
        lines = [self.document.get_line(number) for number in range(row)]
        return offered([*lines, self.document.get_line(row)[:column]], row, found.group(), self.names)

    def action_complete(self) -> None:
        """Complete the word before the cursor, or indent."""
        self.insert(self.completion() or "  ")


class EditorScreen(InvestigatorScreen):
    """One rule file as text."""

    CSS_PATH = "draft.tcss"
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("editor.save", "save"),
        ("editor.complete", "complete"),
        ("editor.back", "back"),
    )
    TYPES = True
    PANES = (("While typing", "editor"),)
    ABOUT = ("Editing a rule", "Errors stand below with their line. What does not compile is not saved.")

    def __init__(self, investigation: Investigation, path: str, text: str, at: int | None = None) -> None:
        """The file `path` with `text`, the cursor on line `at` (1-based)."""
        super().__init__(investigation)
        self._path = path
        self._saved = text
        self._at = at or 1
        self._errors: Sequence[LogscopeError] = ()
        self._leaving = False

    def compose(self) -> ComposeResult:
        """Title, text, what is wrong, bar, footer."""
        yield Chrome(id="title")
        yield RuleText(self._saved, show_line_numbers=True, soft_wrap=False, theme="css", compact=True, id="text")
        yield Chrome(id="fault")
        yield QueryBar(id="bar")
        yield Footer()

    @property
    def main_list(self) -> RowList:
        """There is none; keys go to the text."""
        return self.query_one(RuleText)  # type: ignore[return-value]  # it has what the base asks: focus and refresh

    @property
    def text(self) -> RuleText:
        """The text."""
        return self.query_one(RuleText)

    def on_mount(self) -> None:
        """Names that can be completed; the first check."""
        self.text.cursor_location = (self._at - 1, 0)
        investigation = self.investigation

        def names(_: Cancel) -> list[str]:
            known = investigation.keys()
            keys = [str(key.get("key", "")) for key in known]
            aliases = [str(name) for key in known for name in key.get("aliases") or ()]
            return [name for name in dict.fromkeys([*keys, *aliases, *_COLUMNS]) if _BARE.fullmatch(name)]

        self.queries.ask("names", names, self._named)
        self._check()

    def _named(self, names: list[str]) -> None:
        self.text.names = names

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._leaving = False
        self.set_timer(_AFTER, self._check)

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        self.show_status()

    def _check(self) -> None:
        text, desk, path = self.text.text, self.investigation.desk, self._path
        self.queries.ask("check", lambda _: list(desk.check(text, path)), self._checked)

    def _checked(self, errors: list[LogscopeError]) -> None:
        self._errors = errors
        self._tell()

    def _tell(self) -> None:
        changed = self.text.text != self._saved
        left = line((self._path, "bold"), ("  ● changed" if changed else "", "$log-warn"))
        count = len(self._errors)
        right = (
            line((f"✖ {count} error{'' if count == 1 else 's'}", "bold $log-error"))
            if count
            else line(("✔ compiles", "$log-info"))
        )
        self.query_one("#title", Chrome).show(left, right)
        fault = self.query_one("#fault", Chrome)
        if not self._errors:
            fault.show(Content(""))
            return
        first = self._errors[0]
        mend = f"; {first.mend}" if first.mend else ""
        fault.show(line((f"✖ line {first.line or '?'}: {first.message}{mend}", "bold $log-error")))

    def status_parts(self) -> tuple[Content, Content]:
        """Where the cursor stands, and what Tab would add."""
        row, column = self.text.cursor_location
        rest = self.text.completion()
        hint = line(("Tab …" + rest.partition("\n")[0].rstrip(), "$log-hint")) if rest else Content("")
        return line(f"line {row + 1}, column {column + 1}"), hint

    def action_write(self) -> None:
        """Save; it runs at once."""
        text, desk, path = self.text.text, self.investigation.desk, self._path

        def written(_: None) -> None:
            self._saved = text
            self._tell()
            self.scope.rules_changed()
            self.scope.say(f"saved {path}; it runs")

        self.queries.ask("write", lambda _: desk.write(path, text), written, label="saving", failed=self._refused)

    def _refused(self, error: LogscopeError) -> None:
        if error.line:
            self.text.cursor_location = (error.line - 1, 0)
        self.scope.say(str(error), "error")

    def action_escape(self) -> None:
        """Back; what is not saved is kept until Esc is pressed again."""
        if self.text.text != self._saved and not self._leaving:
            self._leaving = True
            self.scope.say(f"not saved: {self.scope.keys.shown('editor.save')} saves, Esc again leaves it as it was")
            return
        self.dismiss()

    def action_leave(self) -> None:
        """As Esc: its own key writes into the text here."""
        self.action_escape()

    def action_redraw(self) -> None:
        """Paint everything again."""
        self.scope.forget_terminal()
        self.refresh(layout=True)
