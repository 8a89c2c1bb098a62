"""Leads through the tour: shows the lesson on every screen, and sees when it has been done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.tour import Standing, Tour
from logscope.tui.widgets.query_bar import QueryBar
from logscope.tui.widgets.tour_box import TourBox

if TYPE_CHECKING:
    from logscope.tui.app import LogscopeApp

LOOK_SECONDS = 0.1
"""How often it is looked whether the lesson has been done."""


class Guide:
    """The tour over the screens of an app."""

    def __init__(self, app: LogscopeApp, tour: Tour) -> None:
        """Nothing is shown yet."""
        self._app = app
        self._tour = tour
        self._timer: Timer | None = None
        self._told: tuple[object, ...] = ()

    def start(self) -> None:
        """Begin, or say how to go on with one that was left."""
        if self._tour.on:
            self._turn_on()
        elif not self._tour.finished:
            self._app.say(f"the tour waits at lesson {self._tour.place + 1}: {self._app.keys.shown('screen.tour')}")

    def turn(self) -> None:
        """Leave it, or take it up again."""
        if not self._tour.on:
            self._turn_on()
            return
        if self._tour.finished:
            self._tour.skip()
        else:
            self._tour.leave()
            self._app.say(f"{self._app.keys.shown('screen.tour')} takes the tour up again")
        self._turn_off()

    def skip(self) -> None:
        """The next lesson."""
        if self._tour.on:
            self._tour.skip()
        if self._tour.on:
            self._show()
        else:
            self._turn_off()

    def _turn_on(self) -> None:
        self._tour.begin()
        self._told = ()
        if self._timer is None:
            self._timer = self._app.set_interval(LOOK_SECONDS, self._look)
        self._look()

    def _turn_off(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        for screen in self._app.screen_stack:
            screen.query(TourBox).remove()

    def _look(self) -> None:
        if self._tour.on and self._app.home.lives:
            self._tour.stands(self.standing())
            self._show()

    def _show(self) -> None:
        screen = self._app.screen
        if not isinstance(screen, InvestigatorScreen) or not screen.lives:
            return
        boxes = screen.query(TourBox)
        now = (screen, self._tour.place, len(boxes), self._app.keys)
        if boxes and now == self._told:
            return
        if not boxes:
            screen.mount(TourBox(), before=screen.query_one(QueryBar))
            return
        self._told = now
        boxes.first().tell(self._tour, screen.ABOUT[0], self._app.keys.shown)

    def standing(self) -> Standing:
        """Where one stands now."""
        from logscope.tui.screens.help import HelpScreen
        from logscope.tui.screens.listing import FilteredScreen

        stack, home = self._app.screen_stack, self._app.home
        top = [one for one in stack if isinstance(one, InvestigatorScreen)][-1]
        return Standing(
            screen=top.ABOUT[0],
            cursor=home.main_list.cursor,
            fields=home.detail.has_class("open"),
            values=home.facets.has_class("open"),
            searched=home.jumps.searched,
            steps=tuple(step.kind for step in home.trail.present),
            where=top.where if isinstance(top, FilteredScreen) else "",
            help=isinstance(stack[-1], HelpScreen),
        )
