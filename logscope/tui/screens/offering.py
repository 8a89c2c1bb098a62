"""Filters that are offered for transactions: what is usual in one, and missing in a few."""

from __future__ import annotations

from collections.abc import Sequence

from logscope.engine.answers import Absence
from logscope.engine.api import Cancel
from logscope.tui.queries import OPENS
from logscope.tui.screens.base import InvestigatorScreen

_LOOKING = "looking for what is usual in a transaction, and missing in a few …"
_FOUND = "usual in a transaction, missing in a few (↓ takes it):"


class Offering:
    """What is offered above the filter bar of one screen."""

    def __init__(self, screen: InvestigatorScreen) -> None:
        """Nothing was looked for yet."""
        self._screen = screen
        self._found: Sequence[Absence] | None = None
        self._takes = False
        """Whether ↓ was pressed before there was anything to take."""

    def learn(self) -> None:
        """Look for it before one asks, so that it is there at once."""
        investigation = self._screen.investigation

        def call(cancel: Cancel) -> Sequence[Absence]:
            investigation.prepare_transactions(cancel=cancel)
            return investigation.absences(cancel=cancel)

        if not self._screen.queries.busy("offers"):
            self._screen.queries.ask("offers", call, self._arrived)

    def show(self) -> None:
        """In the bar that was just opened."""
        self._takes = False
        self._show()

    def wait(self) -> None:
        """↓ was pressed below all there is: if it is still looked for, later keys are meant for what ↓ takes."""
        if self._found is None and self._screen.bar.purpose == "filter":
            self._takes = True
            self.learn()
            self._screen.queries.hold("offers", OPENS)

    def _arrived(self, found: Sequence[Absence]) -> None:
        self._found = found
        if self._screen.bar.is_open and self._screen.bar.purpose == "filter":
            self._show()
            if self._takes and found:
                self._screen.bar.take_offer()
        self._takes = False

    def _show(self) -> None:
        if self._found is None:
            self._screen.bar.offer([], _LOOKING)
        else:
            offers = [(one.filter, f"{one.without:,} of {one.seen:,}") for one in self._found]
            self._screen.bar.offer(offers, _FOUND if offers else "")
