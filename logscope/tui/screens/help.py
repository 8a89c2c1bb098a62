"""All keys of a screen, as they are mapped."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from logscope.tui.commands import COMMANDS
from logscope.tui.keymap import Keys, all_bindings, shown_key
from logscope.tui.safe import line
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.widgets.content_rows import ContentRows

FILTERS = (
    ('word  "a phrase"', "in the text, letter case ignored"),
    ("/regex/  /regex/c", "c: letter case counts"),
    ("field:value  field:ab*  field:*", "equals, wildcards, has the field"),
    ("level>=warn  duration>2s  time>-15m", "compare"),
    ("a b   a or b   -a   ( )", "and, or, not"),
)
TRANSACTION_FILTERS = (
    ('has("charge begin") not has("charge settled")', "holds a record, holds none"),
    ("count(level>=error)>2", "how many of its records match"),
    ("duration>5s  errors>0  services:payments", "its own columns"),
)


def _rows(keys: Keys, names: list[str]) -> list[Content]:
    docs = all_bindings()
    rows = []
    for name in names:
        shown = " ".join(shown_key(key) for key in keys.of(name))
        rows.append(line((f"  {shown:<18}", "bold $log-hint"), docs[name].description))
    return rows


class HelpScreen(ModalScreen[None]):
    """Keys of the screen below, of its lists, commands, and how to write a filter."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "leave", "Close", id="help.close", show=False),
        Binding("j,down,space,pagedown", "scroll(1)", "Down", id="help.down", show=False),
        Binding("k,up,b,pageup", "scroll(-1)", "Up", id="help.up", show=False),
    ]

    def __init__(self, screen: InvestigatorScreen) -> None:
        """Help for `screen`."""
        super().__init__()
        self._of = screen

    def compose(self) -> ComposeResult:
        """Title, what the screen is, its keys."""
        title, about = self._of.ABOUT
        with Vertical(classes="dialog"):
            yield Static(line(title), classes="heading")
            yield ContentRows([line(about), Content(""), *self._text()])
            yield Static(line(("j k scroll · Esc closes", "")), classes="foot")

    def _text(self) -> list[Content]:
        keys = self._of.scope.keys
        names = all_bindings()
        own = [binding.id for binding in self._of.own_bindings() if binding.id]
        rows = [line(("This screen", "bold")), *_rows(keys, own)]
        for head, group in (("Moving", "list"), ("Fields", "detail"), ("Everywhere", "screen"), ("", "app")):
            if group == "detail" and "records.pivot" not in own:
                continue
            if head:
                rows += [Content(""), line((head, "bold"))]
            rows += _rows(keys, [name for name in names if name.startswith(group + ".")])
        rows.append(
            line(("  5j 100G           ", "bold $log-hint"), "a number before a key repeats it, or names a row")
        )
        rows += [Content(""), line(("Filters", "bold"))]
        filters = TRANSACTION_FILTERS + FILTERS if "transactions.filter" in own else FILTERS
        rows += [line((f"  {text:<48}", "$log-key"), meaning) for text, meaning in filters]
        rows += [Content(""), line(("Commands", "bold"))]
        rows += [
            line((f"  :{command.name} {command.argument}".ljust(24), "bold $log-hint"), command.help)
            for command in COMMANDS
        ]
        return rows

    def action_scroll(self, pages: int) -> None:
        """Half a page."""
        view = self.query_one(ContentRows)
        view.scroll_relative(y=pages * max(1, view.size.height // 2), animate=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss()
