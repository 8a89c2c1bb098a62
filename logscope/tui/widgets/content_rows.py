"""Styled text of any length to scroll over: a line is laid out and painted when it comes on screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual


class ContentRows(ScrollView, can_focus=False):
    """Rows of text, wrapped; one widget and no layout, however many there are."""

    DEFAULT_CSS = """
    ContentRows { height: 1fr; scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1; }
    """

    def __init__(self, rows: Sequence[Content], *, id: str | None = None) -> None:
        """Show `rows`."""
        super().__init__(id=id)
        self._rows = tuple(rows)
        self._lines: list[Content] = []
        self._strips: dict[int, Strip] = {}
        self._width = 0

    def on_resize(self) -> None:
        """Wrap again where the width has changed."""
        self._wrap()

    def watch_show_vertical_scrollbar(self) -> None:
        """The bar takes a column."""
        self._wrap()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        if width == self._width or width < 1:
            return
        self._width = width
        self._lines = [part for row in self._rows for part in ((row,) if row.cell_length <= width else row.wrap(width))]
        self._strips.clear()
        self.virtual_size = Size(width, len(self._lines))

    def notify_style_update(self) -> None:
        """Theme or style changed: nothing painted is good any more."""
        self._strips.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        strip = self._strips.get(index)
        if strip is None:
            painted = Visual.to_strips(self, self._lines[index], width, 1, self.visual_style, pad=True)
            strip = self._strips[index] = painted[0] if painted else Strip.blank(width, self.rich_style)
        return strip
