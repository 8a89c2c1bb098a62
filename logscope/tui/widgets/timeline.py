"""The histogram strip: records over time by level, detections marked, the cursor's time shown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from logscope.engine.answers import Bucket
from logscope.layout.histogram import Bar, bars
from logscope.tui.clock import Clock
from logscope.tui.styles import StyleTable, level_role

CROWDED = 4
"""Bars of which one may hold a detection before marks have a line of their own."""

ERROR = 5
"""The level from which a bar has a mark."""


class Timeline(Widget):
    """One line of bars; two on a high screen, the upper one for detections and errors."""

    class Picked(Message):
        """A bar was clicked, or a stretch of them drawn over."""

        def __init__(self, first: int, last: int) -> None:
            """The buckets from `first` to `last`."""
            self.first, self.last = first, last
            super().__init__()

    DEFAULT_CSS = """
    Timeline { height: 1; width: 1fr; background: $background; }
    Timeline.crowded { height: 2; }
    """

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """Nothing to show yet."""
        super().__init__(id=id)
        self._clock = clock
        self._buckets: Sequence[Bucket] = ()
        self._bars: list[Bar] = []
        self._time: int | None = None
        self._label = ""
        self._drawn: int | None = None
        """Where the mouse went down."""
        self.brush: tuple[int, int] | None = None
        """First and last bucket of the stretch being chosen."""

    @property
    def buckets(self) -> Sequence[Bucket]:
        """What is shown."""
        return self._buckets

    @property
    def label_width(self) -> int:
        """Cells taken by the times at the end of the line."""
        return 27 if self.size.width >= 60 else 0

    @property
    def wanted(self) -> int:
        """How many buckets fit."""
        return max(1, self.size.width - 2 - self.label_width)

    def show(self, buckets: Sequence[Bucket]) -> None:
        """Show these bars."""
        self._buckets = buckets
        self._bars = bars([bucket.levels for bucket in buckets], [bucket.detections for bucket in buckets])
        # In one line a mark takes the place of its bar: where many would go, marks have a line of their own.
        crowded = sum(bar.detections > 0 for bar in self._bars) * CROWDED > len(self._bars)
        # Without colours a bar does not say that there are errors in it: a mark above it does.
        unsaid = self.app.no_color and any(bar.level >= ERROR for bar in self._bars)
        self.set_class(crowded or unsaid, "crowded")
        self.refresh()

    def point(self, time: int | None) -> None:
        """Show where in time the cursor stands."""
        if time != self._time:
            old, self._time = self._place(self._time), time
            if old != self._place(time):
                self.refresh()

    def place_of(self, time: int | None) -> int | None:
        """The bucket of a time."""
        return self._place(time)

    def _place(self, time: int | None) -> int | None:
        if time is None or not self._buckets:
            return None
        start, end = self._buckets[0].start, self._buckets[-1].end
        if end <= start:
            return 0
        return max(0, min(len(self._buckets) - 1, (time - start) * len(self._buckets) // (end - start)))

    # The mouse

    def _under(self, x: int) -> int | None:
        return max(0, min(len(self._buckets) - 1, x - 1)) if self._buckets else None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A stretch begins."""
        place = self._under(event.x)
        if place is not None:
            self.capture_mouse()
            self._drawn = place
            self.brush = (place, place)
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """It reaches to the mouse."""
        place = self._under(event.x)
        if self._drawn is not None and place is not None:
            self.brush = (min(self._drawn, place), max(self._drawn, place))
            self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """It ends: one bar is gone to, several narrow the time."""
        if self._drawn is None or self.brush is None:
            return
        self.release_mouse()
        first, last = self.brush
        self._drawn = self.brush = None
        self.refresh()
        self.post_message(self.Picked(first, last))

    def render_line(self, y: int) -> Strip:
        """One line of the strip."""
        width = self.size.width
        styles: StyleTable = self.app.style_table  # type: ignore[attr-defined]  # LogscopeApp's, unknown to App
        marks_line = self.size.height > 1 and y == 0
        at = self._place(self._time)
        out = [Segment(" ", styles.style("foreground"))]
        for place, bar in enumerate(self._bars):
            behind = "background"
            if (self.brush and self.brush[0] <= place <= self.brush[1]) or place == at:
                behind = "log-cursor"
            if bar.detections and (marks_line or self.size.height == 1):
                out.append(Segment("◆", styles.style("log-detection", behind, bold=True)))
            elif marks_line and place != at and bar.level >= ERROR:
                out.append(Segment("▲", styles.style(level_role(bar.level), behind)))
            elif marks_line:
                out.append(Segment("▾" if place == at else " ", styles.style("log-hint", behind)))
            else:
                role = level_role(bar.level) if bar.level >= 4 else "log-strip"
                out.append(Segment(bar.cells[-1], styles.style(role, behind)))
        if self.label_width and self._buckets and not marks_line:
            out.append(Segment("  " + self._span(), styles.style("log-dim")))
        return Strip(out).adjust_cell_length(width, styles.style("foreground"))

    def _span(self) -> str:
        first, last = self._buckets[0].start, self._buckets[-1].end
        if self.brush:
            first, last = self._buckets[self.brush[0]].start, self._buckets[self.brush[1]].end
        return self._clock.span(first, last)
