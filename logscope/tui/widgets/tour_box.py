"""The lesson of the tour that is on, above the footer of every screen."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from logscope.tui.safe import line
from logscope.tui.tour import LESSONS, WAYS, Tour, told


class TourBox(Static):
    """Which lesson, what one sees, what to press."""

    DEFAULT_CSS = """
    TourBox { height: auto; max-height: 7; background: $panel; color: $foreground; border-left: thick $primary; padding: 0 1; }
    """

    def tell(self, tour: Tour, screen: str, shown: Callable[[str], str]) -> None:
        """Show the lesson.

        Args:
            tour: Its lesson is shown.
            screen: The title of the screen it is shown on.
            shown: The key of a binding, as people write it.
        """
        lesson = tour.lesson
        number = f"Tour {tour.place + 1}/{len(LESSONS)}"
        leave = f"   {shown('screen.tour')} leaves it · :tour skip"
        do = told(lesson.do, shown)
        if lesson.at and screen != lesson.at and lesson.at in WAYS:
            do = f"It goes on from there: {told(WAYS[lesson.at], shown)}. Then: {do}"
        head = line((f"{number}  ", "bold $primary"), (lesson.title, "bold"), (leave, "$log-dim"))
        self.update(
            Content("\n").join([head, line(told(lesson.say, shown)), line(("▶ ", "bold $log-hint"), (do, "bold"))])
        )
