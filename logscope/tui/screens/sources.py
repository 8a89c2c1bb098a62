"""The sources panel: what is read of each, as which format; a format changed, a clock set right, a source switched off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Snapshot, SourceStatus
from logscope.errors import LogscopeError
from logscope.text import clean, human_count
from logscope.tui.clock import Clock, distance
from logscope.tui.health import counted, health
from logscope.tui.painting import fit, fit_end
from logscope.tui.reopening import Reopen
from logscope.tui.safe import line
from logscope.tui.screens.listing import ListScreen
from logscope.tui.screens.looks import span_of
from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.trail import Step
from logscope.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

_FORMAT, _NUMBER = 16, 11
_WIDE = 110
"""Columns from which the time that a source covers is shown."""


def _fault(source: SourceStatus) -> str:
    return (source.error or "").removeprefix(f"{source.name}: ")


class SourceRows(RowList):
    """One source a row."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """Nothing yet."""
        super().__init__(id=id)
        self._clock = clock
        self.sources: Sequence[SourceStatus] = ()
        self.hidden: Sequence[str] = ()
        self.shifts: dict[str, int] = {}

    @property
    def here(self) -> SourceStatus | None:
        """The source under the cursor."""
        return self.sources[self.cursor] if self.cursor < len(self.sources) else None

    @property
    def _clocks(self) -> bool:
        """Whether there is a column for clocks that were moved: where there is room, and where one was."""
        return self.size.width >= _WIDE or any(self.shifts.values())

    def _name_width(self) -> int:
        fixed = 4 + _FORMAT + 2 * _NUMBER + 3 + (24 if self.size.width >= _WIDE else 0) + (10 if self._clocks else 0)
        return max(16, self.scrollable_content_region.width - fixed)

    def heading(self) -> Content:
        """The column titles."""
        wide = f"{'from – to':<23} " if self.size.width >= _WIDE else ""
        wide += f"{'clock':<9}" if self._clocks else ""
        text = f"    {fit('source', self._name_width())} {'format':<{_FORMAT}}{'records':>{_NUMBER}}{'unparsed':>{_NUMBER}}  "
        return line((text + wide, "bold"))

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One source."""
        source = self.sources[index]
        behind = "log-cursor" if selected else "background"
        styles = self.look_up
        off = source.name in self.hidden
        sign, role = ("☐", "log-dim") if off else ("☑", "log-info")
        if source.error:
            sign, role = "✖", "log-error"
        elif source.live and not off:
            sign, role = "●", "log-info"
        width = self._name_width()
        out = [
            Segment("▸ " if selected else "  ", styles.style("log-hint", behind, bold=True)),
            Segment(sign + " ", styles.style(role, behind, bold=True)),
            Segment(fit_end(clean(source.name), width) + " ", styles.style("log-dim" if off else "foreground", behind)),
        ]
        if source.error and not source.records:
            return [*out, Segment(clean(_fault(source), cap=400), styles.style("log-error", behind))]
        out.append(Segment(fit(clean(source.format), _FORMAT), styles.style("log-service", behind)))
        out.append(Segment(human_count(source.records).rjust(_NUMBER), styles.style("foreground", behind)))
        style = styles.style("log-warn" if source.unparsed else "log-dim", behind)
        out.append(Segment(human_count(source.unparsed).rjust(_NUMBER) + "  ", style))
        if self.size.width >= _WIDE:
            span = self._clock.span(source.start, source.end) or ("no times" if source.records else "")
            out.append(Segment(fit(span, 23) + " ", styles.style("log-time", behind)))
        if self._clocks:
            shift = self.shifts.get(source.name, 0)
            out.append(Segment(distance(shift) if shift else "", styles.style("log-warn", behind)))
        return out


class SourcesScreen(ListScreen):
    """What is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,minus", "switch", "Switch the source off or on", id="sources.switch", show=False),
        Binding("o", "only", "Only this source; again: all", id="sources.only", show=False),
        Binding("c", "format", "Read it as another format", id="sources.format", show=False),
        Binding("s", "shift", "Set its clock right", id="sources.shift", show=False),
        Binding("a", "open_more", "Open other sources", id="sources.open", show=False),
        Binding("y", "copy", "Copy its name", id="sources.copy", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "its records"),
        ("sources.switch", "off / on"),
        ("sources.only", "only this"),
        ("sources.format", "format"),
        ("sources.shift", "clock"),
        ("sources.open", "open others"),
        ("screen.leave", "back"),
    )
    ABOUT = ("Sources", "Each source with its format and what no format fits. Enter shows its records.")
    ROW = "source"

    def __init__(self, home: RecordsScreen) -> None:
        """The sources of `home`."""
        super().__init__(home.investigation)
        self._home = home

    def parts(self) -> Iterable[Widget]:
        """The list."""
        yield SourceRows(self.scope.clock, id="sources")
        yield Static(id="output")

    @property
    def main_list(self) -> SourceRows:
        """The list."""
        return self.query_one(SourceRows)

    def heading(self) -> Content:
        """The column titles."""
        return self.main_list.heading()

    def reload(self) -> None:
        """All sources."""
        self._fill(self.scope.snapshot)

    def catch_up(self) -> None:
        """Counts go on."""
        if self.lives:
            self._fill(self.scope.snapshot)

    def _fill(self, snapshot: Snapshot) -> None:
        rows = self.main_list
        rows.sources, rows.hidden, rows.shifts = snapshot.sources, self._home.viewing.hidden, self.scope.shifts
        rows.set_rows(len(rows.sources))
        self.show_heading()
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """How the one under the cursor fares, if it lives, or what is wrong with it."""
        source = self.main_list.here
        output = self.query_one("#output", Static)
        output.display = any(one.live or one.error for one in self.main_list.sources)
        if source is not None and source.error:
            told = line((_fault(source), "$log-error"))
        else:
            told = health(source) if source is not None else Content("")
        output.update(told, layout=False)

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many, and what was counted."""
        told = " · ".join(f"{name} {value:,}" for name, value in counted(self.scope.snapshot).items())
        return self.standing(), line((told, "$log-dim"))

    def _hide(self, names: Sequence[str]) -> None:
        self._home.viewing.hidden = tuple(names)
        self._home.viewing.refresh()
        self._fill(self.scope.snapshot)

    def action_switch(self) -> None:
        """Off or on."""
        if (source := self.main_list.here) is not None:
            hidden = self._home.viewing.hidden
            off = source.name in hidden
            self._hide([one for one in hidden if one != source.name] if off else [*hidden, source.name])

    def action_only(self) -> None:
        """All others off; or all on again."""
        if (source := self.main_list.here) is not None:
            others = [one.name for one in self.main_list.sources if one.name != source.name]
            self._hide([] if set(self._home.viewing.hidden) == set(others) else others)

    def action_open(self) -> None:
        """Its records."""
        if (source := self.main_list.here) is not None and source.records:
            text = self.investigation.value_filter("source", source.name)
            self.dismiss()
            self._home.narrow(Step("filter", text, f"source:{source.name.rsplit('/', 1)[-1]}"))

    def action_format(self) -> None:
        """Another format: the sources are read again with it."""
        source = self.main_list.here
        if source is None or not self.scope.can_reopen:
            self.scope.say("what came through a pipe or a socket is not read again: start with --format")
            return
        name = source.name
        choices = [
            Choice(one, "as it is now" if one in source.format.split("+") else "")
            for one in self.investigation.format_names()
        ]

        def taken(names: list[str] | None) -> None:
            if names:
                self.scope.reopen(Reopen(formats=(f"{name}={names[0]}",)))

        self.app.push_screen(PickScreen(f"Read {name.rsplit('/', 1)[-1]} as", choices), taken)

    def action_shift(self) -> None:
        """Its clock."""
        if (source := self.main_list.here) is not None:
            self.ask_text("shift", f"{source.name.rsplit('/', 1)[-1]} ±", "+2s, -500ms, +1h: added to its times")

    def submitted(self, purpose: str, text: str) -> None:
        """A shift was typed."""
        source = self.main_list.here
        if not text or source is None:
            self.close_bar()
            return
        try:
            span = span_of(text.lstrip("+-"))
        except LogscopeError as error:
            self.tell(error)
            return
        self.close_bar()
        self._home.looks.shift(source.name, -span if text.startswith("-") else span)
        self._fill(self.scope.snapshot)

    def action_open_more(self) -> None:
        """The file picker."""
        self._home.run_more("open", "")

    def action_copy(self) -> None:
        """Its name."""
        if (source := self.main_list.here) is not None:
            self.scope.copy(source.name, "the source's name")
