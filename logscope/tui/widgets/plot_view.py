"""A plot over time under a list: bars for counts, a line for durations and shares, detections below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from logscope.layout.plot import bars, columns, lines
from logscope.text import clean
from logscope.tui.clock import Clock
from logscope.tui.painting import fit
from logscope.tui.styles import StyleTable

SIDE = 10
"""Cells for the figures at the left."""


class PlotView(Widget):
    """Figures of equal stretches of time."""

    DEFAULT_CSS = """
    PlotView { height: 9; width: 1fr; background: $background; }
    """

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """Nothing to show yet."""
        super().__init__(id=id)
        self._clock = clock
        self._values: Sequence[float | None] = ()
        self._marks: Sequence[float | None] = ()
        self._amount: Callable[[float], str] = str
        self._title, self._bars = "", True
        self._start = self._end = 0

    def show(
        self,
        title: str,
        values: Sequence[float | None],
        amount: Callable[[float], str],
        *,
        span: tuple[int, int],
        marks: Sequence[float | None] = (),
        as_bars: bool = True,
    ) -> None:
        """Plot these.

        Args:
            title: What they are.
            values: One per stretch of time; None: nothing to tell.
            amount: Writes a figure with its unit.
            span: Start and end, microseconds since 1970 UTC.
            marks: Detections per stretch.
            as_bars: Bars, else a line.
        """
        self._title, self._values, self._amount = clean(title, cap=200), values, amount
        self._marks, self._bars = marks, as_bars
        self._start, self._end = span
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line: the title, the plot, its marks, its times."""
        width, height = self.size.width, self.size.height
        styles: StyleTable = self.app.style_table  # type: ignore[attr-defined]  # LogscopeApp's, unknown to App
        room, rows = max(1, width - SIDE - 1), max(1, height - 3)
        highest = max((value for value in self._values if value is not None), default=0.0)
        dim = styles.style("log-dim")
        if y == 0:
            told = [Segment(fit(self._title, width), styles.style("foreground", bold=True))]
        elif y <= rows:
            side = self._amount(highest) if y == 1 else "0" if y == rows else ""
            told = [Segment(fit(side, SIDE - 1).strip().rjust(SIDE - 1) + "│", dim)]
            told.append(Segment(self._drawn(room, rows)[y - 1], styles.style("log-strip")))
        elif y == rows + 1:
            found = columns(self._marks, room, add=True) if self._marks else []
            marks = "".join("◆" if value else "─" for value in found) or "─" * room
            told = [Segment(" " * (SIDE - 1) + "└", dim)]
            told += [Segment(sign, styles.style("log-detection", bold=True) if sign == "◆" else dim) for sign in marks]
        else:
            told = [Segment(" " * SIDE + self._clock.span(self._start, self._end), dim)]
        return Strip(told).adjust_cell_length(width, styles.style("foreground"))

    def _drawn(self, room: int, rows: int) -> list[str]:
        if self._bars:
            return bars(columns(self._values, room, add=False), rows)
        return lines(self._values, room, rows)
