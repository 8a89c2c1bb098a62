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
from logscope.tui.screens.explained import Explained
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


PAIRS = {"next": "previous", "later": "earlier", "up": "down", "in": "out"}
"""Ends of ids that are told in one row."""
PAIR_ROOM = 52
"""Characters that two descriptions may have together to stand in one row at 80 columns."""


def _rows(keys: Keys, names: list[str]) -> list[Content]:
    docs = all_bindings()
    rows, told = [], set[str]()
    for name in names:
        if name in told:
            continue
        head, _, end = name.rpartition("-" if "-" in name else ".")
        other = f"{name[: len(head) + 1]}{PAIRS.get(end, '')}"
        both = [name]
        fits = other in names and len(docs[name].description) + len(docs[other].description) < PAIR_ROOM
        if end in PAIRS and fits and other not in told:
            both.append(other)
        told.update(both)
        shown = " ".join(shown_key(key) for one in both for key in keys.of(one))
        rows.append(line((f"  {shown:<16}", "bold $log-hint"), " · ".join(docs[one].description for one in both)))
    return rows


class HelpScreen(ModalScreen[None]):
    """Keys of the screen below, of its lists, commands, and how to write a filter."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "leave", "Close", id="help.close", show=False),
        Binding("j,down,space,pagedown", "scroll(1)", "Down", id="help.down", show=False),
        Binding("k,up,b,pageup", "scroll(-1)", "Up", id="help.up", show=False),
    ]

    def __init__(self, screen: Explained) -> None:
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
        # The app that lets one choose what to open has no keys of its own.
        keys = getattr(self.app, "keys", None) or Keys({})
        names = all_bindings()
        own = [binding.id for binding in self._of.own_bindings() if binding.id]
        rows = self._topics(keys, own)
        if not isinstance(self._of, InvestigatorScreen):
            return rows
        for head, group in (*self._of.PANES, ("Moving", "list"), ("Everywhere", "screen"), ("", "app")):
            if group == "list" and self._of.TYPES:
                continue
            if head:
                rows += [Content(""), line((head, "bold"))]
            rows += _rows(keys, [name for name in names if name.startswith(group + ".")])
        rows.append(line(("  5j 100G         ", "bold $log-hint"), "a number before a key repeats it, or names a row"))
        rows += [Content(""), line(("Filters", "bold"))]
        filters = TRANSACTION_FILTERS + FILTERS if "transactions.filter" in own else FILTERS
        rows += [line((f"  {text:<48}", "$log-key"), meaning) for text, meaning in filters]
        rows += [Content(""), line(("Commands", "bold"))]
        rows += [
            line((f"  :{command.name} {command.argument}".ljust(24), "bold $log-hint"), command.help)
            for command in COMMANDS
        ]
        return rows

    def _topics(self, keys: Keys, own: list[str]) -> list[Content]:
        rows: list[Content] = []
        left = list(own)
        for head, ends in self._of.TOPICS:
            named = [name for end in ends for name in own if name.partition(".")[2] == end]
            left = [name for name in left if name not in named]
            rows += [*([Content("")] if rows else []), line((head, "bold")), *_rows(keys, named)]
        if left:
            rows += [*([Content("")] if rows else []), line(("This screen", "bold")), *_rows(keys, left)]
        return rows

    def action_scroll(self, pages: int) -> None:
        """Half a page."""
        view = self.query_one(ContentRows)
        view.scroll_relative(y=pages * max(1, view.size.height // 2), animate=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss()
