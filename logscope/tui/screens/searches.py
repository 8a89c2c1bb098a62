"""Several searches at once, each with a name and a colour of its own, painted wherever they match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.styles import LANES
from logscope.tui.viewstate import NamedSearch

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen


class Searches:
    """The named searches of a records screen."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Paints in `screen`."""
        self._screen = screen
        self.named: tuple[NamedSearch, ...] = ()

    def add(self, text: str, name: str = "") -> None:
        """Keep a search painted; one of the same name is replaced.

        Args:
            text: In the filter language.
            name: What it is called; by default its text.
        """
        taken = {one.color for one in self.named}
        color = next((number for number in range(LANES) if number not in taken), len(self.named) % LANES)
        name = name or text
        same = next((one for one in self.named if one.name == name), None)
        made = NamedSearch(name, text, same.color if same else color)
        self._resolve((*(one for one in self.named if one.name != name), made))

    def set(self, searches: Sequence[NamedSearch]) -> None:
        """Exactly these."""
        self._resolve(tuple(searches))

    def _resolve(self, searches: tuple[NamedSearch, ...]) -> None:
        """Find what to paint; a search that does not compile changes nothing."""
        screen = self._screen
        investigation = screen.investigation
        if not searches and not self.named:
            return

        def call() -> tuple[tuple[str, str], ...]:
            return tuple(
                (pattern, f"lane-{one.color + 1}")
                for one in searches
                if one.enabled
                for pattern in investigation.highlights(one.text)
            )

        def compiled(patterns: tuple[tuple[str, str], ...]) -> None:
            self.named = searches
            screen.main_list.named = patterns
            screen.main_list.restyle()
            screen.close_bar()
            screen.show_columns()
            screen.keeping.noticed()

        screen.queries.ask("named", lambda _: call(), compiled, failed=screen.tell)

    def choose(self) -> None:
        """The searches as a list: those left ticked stay painted."""
        screen = self._screen
        if not self.named:
            key = screen.scope.keys.shown("records.highlight")
            screen.scope.say(f"no named search yet: {key} paints one, `name: filter` names it")
            return
        choices = [Choice(one.name, one.text) for one in self.named]
        ticked = [one.name for one in self.named if one.enabled]

        def taken(names: list[str] | None) -> None:
            if names is not None:
                self._resolve(tuple(replace(one, enabled=one.name in names) for one in self.named))

        screen.app.push_screen(PickScreen("Searches: ticked ones are painted", choices, taken=ticked), taken)

    def drop(self, name: str) -> None:
        """Forget one, or all."""
        left = tuple(one for one in self.named if name and one.name != name)
        self._resolve(left)

    def submitted(self, text: str) -> None:
        """`NAME: FILTER`, or a filter that is its own name."""
        name, sign, rest = text.partition(": ")
        if sign and rest.strip() and name.replace(" ", "").isalnum():
            self.add(rest.strip(), name.strip())
        elif text:
            self.add(text)
        else:
            self._screen.close_bar()
