"""The records of a view, of any number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size

from logscope.engine.answers import AbsentStep, Line, Mark, View
from logscope.text import clean
from logscope.tui.cellwise import breaks
from logscope.tui.clock import Clock
from logscope.tui.highlight import Marked
from logscope.tui.messages import ColumnsLaid
from logscope.tui.painting import (
    Look,
    absent_row,
    extra_row,
    fit,
    lead_width,
    message_room,
    record_row,
    shown_text,
    who,
    wrap_row,
)
from logscope.tui.widgets.extras import Extra, Extras, ExtraText, WrapPart
from logscope.tui.widgets.row_list import RowList
from logscope.tui.windows import Marks, Window, Windows

SERVICE_MIN, SERVICE_MAX = 6, 16
COLUMN_MAX = 32
"""Cells of a field's column at most."""
WRAP_NEAR = 120
"""Records before and after the cursor that are wrapped; it moves with the cursor."""
WRAP_LINES = 40
"""Lines of one message at most."""


class RecordList(RowList):
    """Records in windows; fetches through the screen, paints a placeholder until they are there."""

    def __init__(
        self, clock: Clock, request: Callable[[int, int, int], None], marks: Marks, *, id: str | None = None
    ) -> None:
        """`request(start, stop, version)` is to fetch a window and give it to `received`."""
        super().__init__(id=id)
        self._clock = clock
        self._windows = Windows(request, marks)
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
        self.columns: tuple[str, ...] = ()
        self.named: tuple[tuple[str, str], ...] = ()
        """(pattern, role) of searches that stay painted."""
        self.wrap = False
        self._column_widths: tuple[int, ...] = ()
        self._absent: tuple[tuple[int, Extra], ...] = ()
        self._notes: tuple[tuple[int, Extra], ...] = ()
        self._folds: dict[int, tuple[ExtraText, ...]] = {}
        self._wrapped_at: int | None = None
        self._extras = Extras()

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
            self._absent, self._notes, self._folds = (), (), {}
        self._extras = Extras(self._rows_between(self.place if cursor is None else cursor))
        self._windows.reset(len(view.rows), keep=grown)
        self.set_rows(len(view.rows) + len(self._extras), None if cursor is None else self._row_of(cursor))

    # Rows of the list are positions of the view, and what stands between them.

    def show_absent(self, absent: Sequence[tuple[int, AbsentStep]]) -> None:
        """Show steps that did not happen as rows of their own.

        Args:
            absent: (position of the record that it stands after, step).
        """
        found = sorted(absent, key=lambda one: (one[0], one[1].start))
        self._absent = tuple(found)
        self.relay()

    def show_notes(self, notes: Sequence[tuple[int, str]]) -> None:
        """Show notes under their records: (position, cleaned text)."""
        shown = tuple((position, ExtraText(text, "log-mark", "✎ ")) for position, text in notes)
        if shown != self._notes:
            self._notes = shown
            self.relay()

    def fold(self, position: int, lines: Sequence[ExtraText]) -> None:
        """Show lines under a record; none: fold it again."""
        if lines:
            self._folds[position] = tuple(lines)
        else:
            self._folds.pop(position, None)
        self.relay()

    def is_unfolded(self, position: int) -> bool:
        """Whether a record is unfolded in place."""
        return position in self._folds

    def relay(self) -> None:
        """Put the rows between records anew; the cursor keeps its record and its place on the screen."""
        place, offset = self.place, self.cursor - self.scroll_offset.y
        behind = self.cursor - self._row_of(place)
        self._extras = Extras(self._rows_between(place))
        row = self._row_of(place)
        last = self._row_of(place + 1) - 1 if place + 1 < self.records else self.records + len(self._extras) - 1
        row = min(row + behind, max(row, last))
        self.rows = self.records + len(self._extras)
        self.virtual_size = Size(0, self.rows)
        self._strips.clear()
        # What stands under the record is shown too, as far as the screen is high.
        end = min(max(row, last), row + self.page - 1)
        self._scroll(max(row - offset, end - self.page + 1))
        self._place(row)
        self.refresh()

    def _rows_between(self, place: int) -> Iterable[tuple[int, Extra]]:
        yield from self._wraps(place)
        yield from ((position, one) for position, lines in self._folds.items() for one in lines)
        yield from self._notes
        yield from self._absent

    def _wraps(self, place: int) -> Iterable[tuple[int, Extra]]:
        """Further lines of the messages round a position, as far as they are at hand."""
        self._wrapped_at = place if self.wrap else None
        width = self.scrollable_content_region.width
        if not self.wrap or width < 1:
            return
        room = message_room(self._look or self._make_look(width))
        for position in range(max(0, place - WRAP_NEAR), min(self.records, place + WRAP_NEAR + 1)):
            line = self._windows.line(position)
            if line is not None:
                for side in breaks(shown_text(line)[: room * WRAP_LINES], room):
                    yield position, WrapPart(side)

    @property
    def records(self) -> int:
        """Records in the view."""
        return len(self.view.rows) if self.view is not None else 0

    @property
    def place(self) -> int:
        """The cursor's position in the view; between records that of the record before."""
        return self._position(self.cursor)

    def go_to(self, position: int, *, center: bool = False) -> None:
        """Put the cursor on a position of the view."""
        self.go(self._row_of(position), center=center)

    def _row_of(self, position: int) -> int:
        return self._extras.row_of(position)

    def _position(self, row: int) -> int:
        return self._extras.position_of(row)

    def _place(self, index: int, *, center: bool = False) -> None:
        super()._place(index, center=center)
        at = self._wrapped_at
        if at is not None and abs(self.place - at) > WRAP_NEAR // 2:
            self._wrapped_at = None
            self.call_later(self.relay)

    def restyle(self) -> None:
        """Marks, highlights or the time column changed."""
        self._look = None
        self.repaint()

    def received(self, window: Window) -> None:
        """A window is there."""
        if not self._windows.put(window):
            return
        widest = max((cell_len(who(line)) for line in window.lines), default=0)
        wanted = min(max(self._service_width, widest, SERVICE_MIN), self._service_limit)
        widths = self._widths(window)
        if wanted != self._service_width or widths != self._column_widths:
            self._service_width, self._column_widths = wanted, widths
            self._look = None
            if self.columns:
                self.post_message(ColumnsLaid(self))
        if self.wrap:
            self.call_later(self.relay)
        top = self._position(self.scroll_offset.y)
        if window.start < top + self.page and window.start + len(window.lines) > top:
            self.repaint()
        else:
            self._strips.clear()
        if window.line(self.place):
            self._place(self.cursor)

    def _widths(self, window: Window) -> tuple[int, ...]:
        """Cells of each column: what its values and its name need, no more than a third of the row."""
        known = self._column_widths if len(self._column_widths) == len(self.columns) else (0,) * len(self.columns)
        most = min(COLUMN_MAX, max(8, self.scrollable_content_region.width // 3))
        found = []
        for number, name in enumerate(self.columns):
            widest = max(
                (cell_len(values[number]) for values in window.cells.values() if number < len(values)), default=0
            )
            found.append(min(most, max(len(name), widest, known[number])))
        return tuple(found)

    def heading(self) -> str:
        """The names of the columns, above them; empty where there are none."""
        if not self.columns:
            return ""
        look = self._look or self._make_look(self.scrollable_content_region.width)
        before = lead_width(look) - sum(look.columns) - len(look.columns)
        names = " ".join(fit(clean(name), width) for name, width in zip(self.columns, look.columns, strict=False))
        return " " * before + names

    def line(self, position: int | None = None) -> Line | None:
        """The record at a position (the cursor's), if it is at hand."""
        return self._windows.line(self.place if position is None else position)

    def mark_again(self) -> None:
        """Other records may be steps of a detection now."""
        if self._windows.mark_again():
            self.repaint()

    def mark(self, position: int | None = None) -> Mark | None:
        """What the record at a position is to a rule, if it is a step of a detection."""
        place = self.place if position is None else position
        window = self._windows.at(place) if place < self.records else None
        line = window.line(place) if window else None
        return window.marks.get(line.row) if window and line else None

    def refetch(self) -> None:
        """Columns have changed: fetch what is on screen again."""
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
        position = self._position(index)
        window = self._windows.at(position)
        line = window.line(position) if window else None
        if isinstance(absent := self._extras.at(index), AbsentStep):
            return absent_row(absent, self.look_up, selected=selected)
        if window is None or line is None:
            return [Segment("   ·", self.look_up.style("log-dim", "log-cursor" if selected else "background"))]
        width = self.scrollable_content_region.width
        look = self._look
        if look is None or look.width != width or look.side != self.side or look.styles is not self.look_up:
            look = self._look = self._make_look(width)
        if (extra := self._extras.at(index)) is not None:
            return self._extra(extra, line, look, selected)
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
            closed=isinstance(self._extras.at(index + 1), AbsentStep),
            context=line.row in window.context,
            cells=window.cells.get(line.row, ()),
        )

    def _extra(self, extra: Extra, line: Line, look: Look, selected: bool) -> list[Segment]:
        if isinstance(extra, WrapPart):
            return wrap_row(line, look, extra.side, selected=selected)
        if isinstance(extra, ExtraText):
            return extra_row(extra.text, extra.role, extra.lead, look, selected=selected)
        return absent_row(extra, self.look_up, selected=selected)

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
                # The last one wins: what somebody gave a colour keeps it where it is searched, too.
                [(pattern, "log-key") for pattern in self.pivoted]
                + [(pattern, "log-match-text") for pattern in self.searched]
                + list(self.named)
            ),
            side=self.side,
            columns=self._column_widths[: len(self.columns)],
        )
