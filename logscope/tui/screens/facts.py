"""A modal table of facts: sources, why two records belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from logscope.engine.answers import Snapshot
from logscope.text import human_count
from logscope.tui.clock import Clock
from logscope.tui.health import counted
from logscope.tui.safe import line
from logscope.tui.screens.explained import Explained
from logscope.tui.widgets.content_rows import ContentRows

if TYPE_CHECKING:
    from logscope.actions.outbox import Depth


class FactsScreen(Explained, ModalScreen[None]):
    """Lines of text under a heading."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "leave", "Close", id="facts.close", show=False),
        Binding("j,down,space,pagedown", "scroll(1)", "Down", id="facts.down", show=False),
        Binding("k,up,b,pageup", "scroll(-1)", "Up", id="facts.up", show=False),
        Binding("question_mark,f1", "help", "Help", id="facts.help", show=False),
    ]
    ABOUT = ("Facts", "What is known, to be read: sources, tests, why records belong together.")

    def __init__(self, heading: str, rows: Sequence[Content]) -> None:
        """Show `rows`."""
        super().__init__()
        self._heading = heading
        self._rows = rows

    def compose(self) -> ComposeResult:
        """Heading and rows."""
        with Vertical(classes="dialog"):
            yield Static(line(self._heading), classes="heading")
            yield ContentRows(self._rows)
            yield Static(line(("j k scroll · Esc closes · ? help", "")), classes="foot")

    def action_scroll(self, pages: int) -> None:
        """Half a page."""
        view = self.query_one(ContentRows)
        view.scroll_relative(y=pages * max(1, view.size.height // 2), animate=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss()


def action_facts(depths: Sequence[Depth], clock: Clock) -> list[Content]:
    """One paragraph per action: what waits and why."""
    rows: list[Content] = []
    for depth in depths:
        trouble = depth.dead or (depth.waiting and depth.reason)
        sign, style = ("✖", "$log-error") if trouble else ("●", "$success") if depth.waiting else ("✔", "$log-info")
        rows.append(line((f"{sign} ", style), (depth.action, "bold")))
        told = f"    {depth.delivered:,} delivered · {depth.waiting:,} wait · {depth.dead:,} dead · {depth.failures:,} failures"
        since = clock.full(round(depth.oldest * 1e6)) if depth.oldest else ""
        rows.append(line((told, ""), (f" · oldest since {since}" if since else "", "$log-time")))
        if depth.reason:
            rows.append(line((f"    {depth.reason}", "$log-error")))
    rows.append(line(("logscope actions retry sends what waits and what is dead; drop gives it up", "$log-dim")))
    return rows if depths else [line(("Nothing was ever dispatched: see docs/actions.md.", "$log-dim"))]


def source_facts(snapshot: Snapshot, clock: Clock) -> list[Content]:
    """One paragraph per source, then the counters."""
    rows: list[Content] = []
    for source in snapshot.sources:
        sign, style = ("✖", "$log-error") if source.error else ("●", "$success") if source.live else ("✔", "$log-info")
        rows.append(line((f"{sign} ", style), (source.name, "bold")))
        read = f"{source.read / source.size:.0%}" if source.size else "all"
        rows.append(
            line(
                ("    ", ""),
                (source.format, "$log-service"),
                (
                    f" · {source.records:,} records · {source.unparsed:,} unparsed · {human_count(source.size)} bytes, {read} read",
                    "",
                ),
                (f" · {clock.span(source.start, source.end) or 'no times'}", "$log-time"),
            )
        )
        if source.error:
            rows.append(line(("    " + source.error, "$log-error")))
    if counters := counted(snapshot):
        rows.append(Content(""))
        rows += [line((f"  {name:<12}", "$log-name"), f"{value:,}") for name, value in counters.items()]
    return rows or [line(("No sources.", "$log-dim"))]
