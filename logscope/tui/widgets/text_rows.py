"""Lines of a text that was made here, to scroll over; a line may be marked as wrong."""

from __future__ import annotations

from rich.segment import Segment

from logscope.text import clean
from logscope.tui.widgets.row_list import RowList


class TextRows(RowList):
    """A text by lines, numbered."""

    DEFAULT_CSS = """
    TextRows { border-top: solid $log-strip; border-title-color: $log-hint; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """An empty text."""
        super().__init__(id=id)
        self._lines: list[str] = []
        self._wrong: int | None = None

    def show(self, text: str) -> None:
        """Show a text; the cursor stays where it was."""
        self._lines = text.splitlines()
        self._wrong = None
        self.set_rows(len(self._lines), min(self.cursor, max(0, len(self._lines) - 1)))

    def fault(self, line: int | None) -> None:
        """Mark a line (1-based) as wrong; None: none is."""
        self._wrong = line
        if line is not None:
            self.go(line - 1, center=True)
        self.repaint()

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One line with its number."""
        styles = self.look_up
        behind = "log-cursor" if selected and self.has_focus else "background"
        wrong = self._wrong == index + 1
        text = clean(self._lines[index], cap=4096)[self.side :]
        name, colon, rest = text.partition(":")
        named = bool(colon) and rest[:1] in ("", " ") and name.lstrip(" -").replace("_", "").isalnum()
        number = Segment(
            f"{'✖' if wrong else ' '}{index + 1:>4} ",
            styles.style("log-error" if wrong else "log-dim", behind, bold=wrong),
        )
        parts = [number]
        if named:
            parts.append(Segment(name + colon, styles.style("log-name", behind)))
        parts.append(Segment(rest if named else text, styles.style("foreground", behind)))
        width = self.scrollable_content_region.width
        return Segment.adjust_line_length(parts, width, style=styles.style("foreground", behind))
