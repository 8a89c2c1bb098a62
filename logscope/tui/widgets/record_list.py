"""The records of a view, of any number."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.segment import Segment

from logscope.engine.api import Line, View
from logscope.tui.clock import Clock
from logscope.tui.painting import Look, record_row, who
from logscope.tui.widgets.row_list import RowList
from logscope.tui.windows import Window, Windows

SERVICE_MIN, SERVICE_MAX = 6, 16


class RecordList(RowList):
    """Records in windows; fetches through the screen, paints a placeholder until they are there."""

    def __init__(self, clock: Clock, request: Callable[[int, int, int], None], *, id: str | None = None) -> None:
        """`request(start, stop, version)` is to fetch a window and give it to `received`."""
        super().__init__(id=id)
        self._clock = clock
        self._windows = Windows(request)
        self._look: Look | None = None
        self._service_width = SERVICE_MIN
        self._teach: list[str] = []
        self.view: View | None = None
        self.delta = ""
        self.origin: int | None = None
        self.with_day = False
        self.searched: tuple[str, ...] = ()
        self.pivoted: tuple[str, ...] = ()
        self.letters: Mapping[int, str] = {}
        self.last_steps: frozenset[int] = frozenset()

    @property
    def empty_text(self) -> list[str]:
        """What an empty view teaches."""
        return self._teach

    def teach(self, lines: list[str]) -> None:
        """Say what an empty view shows."""
        self._teach = lines
        if not self.rows:
            self.refresh()

    def show(self, view: View, *, grown: bool, cursor: int | None = None) -> None:
        """Show a view.

        Args:
            view: The records.
            grown: It is the present one, newer: rows at hand may stay until replaced.
            cursor: Where to stand.
        """
        self.view = view
        self._windows.reset(len(view.rows), keep=grown)
        self.set_rows(len(view.rows), cursor)

    def restyle(self) -> None:
        """Marks, highlights or the time column changed."""
        self._look = None
        self.repaint()

    def received(self, window: Window) -> None:
        """A window is there."""
        if not self._windows.put(window):
            return
        widest = max((len(who(line)) for line in window.lines), default=0)
        wanted = min(max(self._service_width, widest, SERVICE_MIN), self._service_limit)
        if wanted != self._service_width:
            self._service_width = wanted
            self._look = None
        top = self.scroll_offset.y
        if window.start < top + self.page and window.start + len(window.lines) > top:
            self.repaint()
        else:
            self._strips.clear()
        if window.line(self.cursor):
            self._place(self.cursor)

    def line(self, position: int | None = None) -> Line | None:
        """The record at a position (the cursor's), if it is at hand."""
        return self._windows.line(self.cursor if position is None else position)

    def mark(self, position: int | None = None) -> tuple[str, str, str] | None:
        """(rule, step, level) of the record at a position, if it is a step of a detection."""
        place = self.cursor if position is None else position
        window = self._windows.at(place) if place < self.rows else None
        line = window.line(place) if window else None
        return window.marks.get(line.row) if window and line else None

    def refetch(self) -> None:
        """Marks have changed: fetch what is on screen again."""
        self._windows.reset(self.rows, keep=True)
        self.repaint()

    @property
    def _service_limit(self) -> int:
        return SERVICE_MAX if self.size.width >= 110 else 10

    def cacheable(self, index: int) -> bool:
        """Placeholders and stale rows are painted anew."""
        return self._windows.line(index) is not None

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One record, or its placeholder."""
        window = self._windows.at(index)
        line = window.line(index) if window else None
        if window is None or line is None:
            return [Segment("   ·", self.look_up.style("log-dim", "log-cursor" if selected else "background"))]
        width = self.scrollable_content_region.width
        look = self._look
        if look is None or look.width != width or look.side != self.side or look.styles is not self.look_up:
            look = self._look = self._make_look(width)
        return record_row(
            line,
            window.previous(index),
            look,
            selected=selected,
            mark=window.marks.get(line.row),
            letter=self.letters.get(line.row, ""),
            last_step=line.row in self.last_steps,
        )

    def _make_look(self, width: int) -> Look:
        return Look(
            styles=self.look_up,
            clock=self._clock,
            width=width,
            service_width=self._service_width,
            with_day=self.with_day,
            delta=self.delta,
            origin=self.origin,
            searched=self.searched,
            pivoted=self.pivoted,
            side=self.side,
        )
