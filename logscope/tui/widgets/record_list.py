"""The records of a view, of any number."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence

from rich.segment import Segment

from logscope.engine.answers import AbsentStep, Line, View
from logscope.tui.clock import Clock
from logscope.tui.highlight import Marked
from logscope.tui.painting import Look, absent_row, record_row, shown_text, who
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
        self._absent: tuple[tuple[int, AbsentStep], ...] = ()
        self._absent_rows: list[int] = []

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
        if not grown:
            self._absent, self._absent_rows = (), []
        self._windows.reset(len(view.rows), keep=grown)
        self.set_rows(len(view.rows) + len(self._absent), None if cursor is None else self._row_of(cursor))

    # Rows of the list are positions of the view, and steps that did not happen.

    def show_absent(self, absent: Sequence[tuple[int, AbsentStep]]) -> None:
        """Show steps that did not happen as rows of their own.

        Args:
            absent: (position of the record that it stands after, step).
        """
        place = self.place
        self._absent = tuple(sorted(absent, key=lambda one: (one[0], one[1].start)))
        self._absent_rows = [position + 1 + before for before, (position, _) in enumerate(self._absent)]
        self.set_rows(self.records + len(self._absent), self._row_of(place))

    @property
    def records(self) -> int:
        """Records in the view."""
        return len(self.view.rows) if self.view is not None else 0

    @property
    def place(self) -> int:
        """The cursor's position in the view; on an absent step that of the record before."""
        return self._position(self.cursor)

    def go_to(self, position: int, *, center: bool = False) -> None:
        """Put the cursor on a position of the view."""
        self.go(self._row_of(position), center=center)

    def _row_of(self, position: int) -> int:
        return position + sum(after < position for after, _ in self._absent)

    def _position(self, row: int) -> int:
        return row - bisect_right(self._absent_rows, row)

    def _absent_at(self, row: int) -> AbsentStep | None:
        place = bisect_left(self._absent_rows, row)
        return self._absent[place][1] if row in self._absent_rows[place : place + 1] else None

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
        top = self._position(self.scroll_offset.y)
        if window.start < top + self.page and window.start + len(window.lines) > top:
            self.repaint()
        else:
            self._strips.clear()
        if window.line(self.place):
            self._place(self.cursor)

    def line(self, position: int | None = None) -> Line | None:
        """The record at a position (the cursor's), if it is at hand."""
        return self._windows.line(self.place if position is None else position)

    def mark(self, position: int | None = None) -> tuple[str, str, str] | None:
        """(rule, step, level) of the record at a position, if it is a step of a detection."""
        place = self.place if position is None else position
        window = self._windows.at(place) if place < self.records else None
        line = window.line(place) if window else None
        return window.marks.get(line.row) if window and line else None

    def refetch(self) -> None:
        """Marks have changed: fetch what is on screen again."""
        self._windows.reset(self.records, keep=True)
        self.repaint()

    @property
    def _service_limit(self) -> int:
        return SERVICE_MAX if self.size.width >= 110 else 10

    def cacheable(self, index: int) -> bool:
        """Placeholders and stale rows are painted anew."""
        return self._windows.line(self._position(index)) is not None

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One record, or its placeholder."""
        if (absent := self._absent_at(index)) is not None:
            return absent_row(absent, self.look_up, selected=selected)
        position = self._position(index)
        window = self._windows.at(position)
        line = window.line(position) if window else None
        if window is None or line is None:
            return [Segment("   ·", self.look_up.style("log-dim", "log-cursor" if selected else "background"))]
        width = self.scrollable_content_region.width
        look = self._look
        if look is None or look.width != width or look.side != self.side or look.styles is not self.look_up:
            look = self._look = self._make_look(width)
        if not look.marked.knows(shown_text(line)):
            top = self._position(self.scroll_offset.y)
            around = (window.line(place) for place in range(min(top, position), max(top + self.page, position + 1)))
            look.marked.learn(shown_text(one) for one in around if one is not None)
        return record_row(
            line,
            window.previous(position),
            look,
            selected=selected,
            mark=window.marks.get(line.row),
            letter=self.letters.get(line.row, ""),
            last_step=line.row in self.last_steps and index + 1 not in self._absent_rows,
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
            marked=Marked(
                [(pattern, "log-key") for pattern in self.pivoted]
                + [(pattern, "log-match-text") for pattern in self.searched]
            ),
            side=self.side,
        )
