"""A list of any height on Textual's Line API: a cursor, counts, paging, and no object per row.

Measured on 2 cores: a frame of 40 rows takes the same few milliseconds at ten thousand and at fifty
million rows. What matters: finished strips in an LRU, styles resolved once, no animation, no
horizontal scroll bar, and never a refresh of more than the rows on screen.
"""

from __future__ import annotations

from typing import ClassVar, cast

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from logscope.tui.messages import CursorMoved, FollowChanged, RowChosen
from logscope.tui.styles import StyleTable

STRIPS = 4096
SIDE_STEP = 16
WHEEL = 3
"""Rows of a turn of the mouse wheel."""


class RowList(ScrollView, can_focus=True):
    """Rows by number; what a row shows is said by `row_segments`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="list.up", show=False),
        Binding("space,pagedown,ctrl+f", "page(1)", "Page down", id="list.page-down", show=False),
        Binding("b,pageup,ctrl+b", "page(-1)", "Page up", id="list.page-up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", id="list.half-down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", id="list.half-up", show=False),
        Binding("g,home", "top", "First row, or row N after a count", id="list.top", show=False),
        Binding("G,end", "bottom", "Last row, or row N after a count", id="list.bottom", show=False),
        Binding("l,right", "side(1)", "Scroll sideways", id="list.right", show=False),
        Binding("h,left", "side(-1)", "Scroll back sideways", id="list.left", show=False),
        Binding("dollar_sign", "side(8)", "Far right", id="list.far-right", show=False),
        Binding("enter", "choose", "Open", id="list.choose", show=False),
    ]

    DEFAULT_CSS = """
    RowList {
        scrollbar-size-horizontal: 0;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        overflow-y: auto;
        background: $background;
        color: $foreground;
    }
    """

    HELP_TITLE = "Moving"

    def __init__(self, *, id: str | None = None) -> None:
        """An empty list."""
        self._strips: LRUCache[tuple[int, bool, bool], Strip] = LRUCache(STRIPS)
        super().__init__(id=id)
        self.cursor = 0
        self.rows = 0
        self.side = 0
        self.following = False
        self._count = ""

    # What a subclass says

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """The segments of a row; longer ones are cut."""
        raise NotImplementedError

    def cacheable(self, index: int) -> bool:
        """Whether the row's data is at hand; a placeholder is painted anew each time."""
        return True

    @property
    def empty_text(self) -> list[str]:
        """What an empty list teaches."""
        return []

    # Painting

    @property
    def look_up(self) -> StyleTable:
        """The styles of the present theme."""
        return cast("StyleTable", self.app.style_table)  # type: ignore[attr-defined]  # LogscopeApp's, unknown to App

    def notify_style_update(self) -> None:
        """Theme or style changed: nothing painted is good any more."""
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        base = self.look_up.style("foreground")
        if index >= self.rows:
            teach = self.empty_text if not self.rows else []
            if 0 < y <= len(teach):
                return Strip([Segment("   " + teach[y - 1], self.look_up.style("log-dim"))]).adjust_cell_length(
                    width, base
                )
            return Strip.blank(width, base)
        selected = index == self.cursor
        key = (index, selected, self.has_focus)
        strip = self._strips.get(key)
        if strip is None or strip.cell_length != width:
            behind = self.look_up.style("foreground", "log-cursor" if selected else "background")
            strip = Strip(self.row_segments(index, selected)).adjust_cell_length(width, behind)
            if self.cacheable(index):
                # An LRUCache keeps the old value of a key it has.
                self._strips.discard(key)
                self._strips[key] = strip
        return strip

    def repaint(self) -> None:
        """Forget all painted rows and paint those on screen."""
        self._strips.clear()
        self.refresh()

    # Rows and cursor

    @property
    def page(self) -> int:
        """Rows on screen."""
        return max(1, self.scrollable_content_region.height)

    def set_rows(self, rows: int, cursor: int | None = None) -> None:
        """The list has `rows` rows now."""
        self.rows = rows
        self.virtual_size = Size(0, rows)
        self._strips.clear()
        wanted = rows - 1 if self.following else self.cursor if cursor is None else cursor
        self._place(wanted)
        self.refresh()

    def go(self, index: int, *, center: bool = False) -> None:
        """Put the cursor on a row and show it.

        Args:
            index: Which; beyond the ends is the end.
            center: Put it in the middle unless it is on screen already.
        """
        self._place(index, center=center)

    def _place(self, index: int, *, center: bool = False) -> None:
        index = max(0, min(index, self.rows - 1))
        old, self.cursor = self.cursor, index
        top, page = self.scroll_offset.y, self.page
        if center and not top <= index < top + page:
            self._scroll(index - page // 2)
        elif index < top:
            self._scroll(index)
        elif index >= top + page:
            self._scroll(index - page + 1)
        if old != index:
            self._refresh_row(old)
            self._refresh_row(index)
        self.post_message(CursorMoved(self, index))

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, min(top, max(0, self.rows - self.page))), animate=False, immediate=True, force=True)

    def _refresh_row(self, index: int) -> None:
        if 0 <= index - self.scroll_offset.y < self.page:
            self.refresh_line(index)

    def follow(self, on: bool) -> None:
        """Stay at the end as rows come, or cease to."""
        if on != self.following:
            self.following = on
            self.post_message(FollowChanged(on))
        if on:
            self._place(self.rows - 1)

    # Keys

    def take_count(self, default: int = 1) -> int:
        """The number typed before a key."""
        typed, self._count = self._count, ""
        return int(typed) if typed else default

    @property
    def count_typed(self) -> str:
        """The number being typed."""
        return self._count

    def on_key(self, event: events.Key) -> None:
        """Digits count; `0` alone scrolls back to the left."""
        if event.character and event.character in "0123456789" and len(event.character) == 1:
            event.stop()
            if event.character == "0" and not self._count:
                self.shift(0)
            elif len(self._count) < 12:
                self._count += event.character
            self.post_message(CursorMoved(self, self.cursor))
        elif event.key == "escape" and self._count:
            event.stop()
            event.prevent_default()
            self._count = ""

    def _leave_end(self, delta: float) -> None:
        if delta < 0 and self.following:
            self.follow(False)

    def action_move(self, delta: int) -> None:
        """Move the cursor by rows, times the count."""
        self._leave_end(delta)
        self._place(self.cursor + delta * self.take_count())

    def action_page(self, pages: float) -> None:
        """Move by pages, screen and cursor alike."""
        self._leave_end(pages)
        delta = round(self.page * pages) * self.take_count()
        if not delta:
            return
        top = self.scroll_offset.y
        self._scroll(top + delta)
        self._place(self.cursor + delta)

    def action_top(self) -> None:
        """First row, or the row of the count."""
        self._leave_end(-1)
        self._place(self.take_count(1) - 1, center=True)

    def action_bottom(self) -> None:
        """Last row, or the row of the count."""
        if self._count:
            self._leave_end(-1)
        self._place(self.take_count(self.rows) - 1, center=bool(self._count))

    def action_side(self, steps: int) -> None:
        """Scroll the text sideways."""
        self.shift(self.side + steps * SIDE_STEP * self.take_count())

    def shift(self, side: int) -> None:
        """Scroll the text to a character."""
        side = max(0, min(side, 4096))
        if side != self.side:
            self.side = side
            self.repaint()

    def action_choose(self) -> None:
        """Enter on the row."""
        self.take_count()
        if self.rows:
            self.post_message(RowChosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there, a second one opens."""
        index = event.y + self.scroll_offset.y
        if index < self.rows:
            self._place(index)
            if event.chain == 2:
                self.action_choose()

    def _wheel(self, rows: int) -> None:
        """Scroll, and take the cursor along where it would be left behind."""
        self._leave_end(rows)
        self._scroll(self.scroll_offset.y + rows)
        top = self.scroll_offset.y
        self._place(max(top, min(self.cursor, top + self.page - 1)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down."""
        event.stop()
        event.prevent_default()
        self._wheel(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up."""
        event.stop()
        event.prevent_default()
        self._wheel(-WHEEL)

    def on_resize(self) -> None:
        """Keep the cursor on screen."""
        self._strips.clear()
        if self.rows:
            self._place(self.cursor)

    def on_focus(self) -> None:
        """The cursor shows where keys go."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor shows where keys go."""
        self._refresh_row(self.cursor)
