"""What has been made of a records view: undone and done again, kept for the next time, brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logscope.tui.viewstate import ViewState

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

MOST = 200
"""Changes that can be undone."""


class Keeping:
    """Watches a records screen; every change of its state can be undone."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Watches `screen`."""
        self._screen = screen
        self._now = ViewState()
        self._undone: list[ViewState] = []
        self._done: list[ViewState] = []

    def state(self) -> ViewState:
        """What has been made of the view."""
        screen = self._screen
        rows = screen.main_list
        return ViewState(
            steps=tuple(screen.trail.steps),
            position=screen.trail.position,
            columns=rows.columns,
            searches=tuple(screen.searches.named),
            notes=tuple(screen.noting.notes.values()),
            hidden=tuple(screen.viewing.hidden),
            context=screen.looks.context,
            wrap=rows.wrap,
            zone=screen.looks.zone,
            delta=screen.delta_chosen,
        )

    def noticed(self) -> None:
        """Something may have changed: remember what was."""
        now = self.state().bare
        if now != self._now:
            self._done.append(self._now)
            del self._done[:-MOST]
            self._undone.clear()
            self._now = now

    def undo(self) -> None:
        """Take the last change back."""
        if not self._done:
            self._screen.scope.say("nothing to undo")
            return
        self._undone.append(self._now)
        self.bring(self._done.pop())

    def redo(self) -> None:
        """Do again what was taken back."""
        if not self._undone:
            self._screen.scope.say("nothing to do again")
            return
        self._done.append(self._now)
        self.bring(self._undone.pop())

    def bring(self, state: ViewState, *, anchor: int | None = None) -> None:
        """Show another state; that is no change that can be undone.

        Args:
            state: What to show.
            anchor: The record to stand on; by default the present one.
        """
        screen = self._screen
        rows = screen.main_list
        self._now = state.bare
        screen.trail.steps = list(state.steps)
        screen.trail.position = state.position
        rows.columns, rows.wrap = state.columns, state.wrap
        screen.delta_chosen = state.delta
        screen.looks.context = state.context
        screen.searches.set(state.searches)
        screen.noting.set(state.notes)
        screen.viewing.hidden = state.hidden
        if state.zone != screen.looks.zone:
            screen.looks.set_zone(state.zone, told=False)
        screen.show_columns()
        screen.show_title()
        screen.viewing.refresh(anchor=anchor)
