"""The facets panel and columns of the records screen: which field, what is kept or dropped by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from logscope.engine.answers import View
from logscope.engine.api import Cancel
from logscope.engine.browsing import Facet, FieldShare
from logscope.tui.queries import OPENS
from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.trail import Step

if TYPE_CHECKING:
    from logscope.tui.screens.records import RecordsScreen

FIRST = "service"
"""The field counted before one was chosen."""


class Faceting:
    """Values of fields."""

    def __init__(self, screen: RecordsScreen) -> None:
        """Counts in `screen`'s view."""
        self._screen = screen
        self._names: Sequence[FieldShare] = ()
        self._counted: tuple[View, str] | None = None

    # The panel

    def toggle(self) -> None:
        """Open the panel, with the field under the cursor of the fields pane; or close it."""
        screen = self._screen
        value = screen.detail.value if screen.detail.has_focus else None
        if screen.facets.has_class("open") and value is None:
            self.close()
            return
        screen.facets.add_class("open")
        screen.lay_panes()
        self.count((value.name if value else "") or screen.facets.field or FIRST)
        screen.facets.focus()

    def close(self) -> None:
        """Close the panel."""
        screen = self._screen
        screen.facets.remove_class("open")
        screen.lay_panes()
        screen.queries.give_up("facet")
        screen.main_list.focus()

    def count(self, name: str) -> None:
        """Count the values of a field in the present view."""
        screen = self._screen
        view, investigation = screen.viewing.hits, screen.investigation
        if view is None:
            return
        self._counted = (view, name)
        screen.facets.wait(name)

        def partial(facet: Facet) -> None:
            screen.call_later(self._show, facet, view, name)

        screen.queries.ask(
            "facet",
            lambda cancel: investigation.facet(view, name, cancel=cancel, partial=partial),
            lambda facet: self._show(facet, view, name),
            label="counting",
            failed=screen.tell,
        )

    def _show(self, facet: Facet, view: View, name: str) -> None:
        counted = self._counted
        if counted is not None and counted[0] is view and counted[1] == name == self._screen.facets.field:
            self._screen.facets.show(facet)

    def view_changed(self) -> None:
        """Count again where the panel is open and the view another."""
        screen = self._screen
        if screen.facets.has_class("open") and (self._counted is None or self._counted[0] is not screen.viewing.hits):
            self.count(screen.facets.field or FIRST)

    def act(self, what: str) -> None:
        """A key of the panel."""
        screen = self._screen
        name, value = screen.facets.field, screen.facets.value
        if what == "field":
            self.choose()
        elif what in ("next", "previous"):
            self._beside(1 if what == "next" else -1)
        elif what == "column":
            self.set_columns([*(one for one in screen.main_list.columns if one != name), name])
        elif value is None:
            return
        elif what == "copy":
            screen.scope.copy(value, name)
        else:
            self.by_value(what, name, value)

    def by_value(self, what: str, name: str, value: str) -> None:
        """Keep or drop the records with a value: `include` or `exclude`."""
        screen = self._screen
        text = screen.investigation.value_filter(name, value)
        kind = "filter" if what == "include" else "exclude"
        screen.narrow(Step(kind, text, f"{name}:{value}"))

    # Which field

    def ask_names(self, then: str) -> None:
        """Find the fields of the view, then open the list for `facet` or `columns`."""
        screen = self._screen
        view, investigation = screen.viewing.hits, screen.investigation
        if view is None:
            return

        def arrived(names: Sequence[FieldShare]) -> None:
            self._names = names
            if then == "facet":
                screen.app.push_screen(PickScreen("Values of which field?", self._choices(), free=True), self._picked)
            elif then == "columns":
                screen.app.push_screen(
                    PickScreen("Fields as columns", self._choices(), taken=screen.main_list.columns, free=True),
                    lambda taken: self.set_columns(taken) if taken is not None else None,
                )
            else:
                self._step(1 if then == "next" else -1)

        def call(cancel: Cancel) -> Sequence[FieldShare]:
            return list(investigation.field_names(view, cancel=cancel))

        screen.queries.ask("names", call, arrived, label="finding fields", failed=screen.tell, holds=OPENS)

    def _choices(self) -> list[Choice]:
        notes = {one.name: f"{one.share:>4.0%}  {one.example[:40]}" for one in self._names}
        # What has a column already comes first.
        names = dict.fromkeys([*self._screen.main_list.columns, *notes])
        return [Choice(name, notes.get(name, "")) for name in names]

    def choose(self) -> None:
        """Values of which field?"""
        self.ask_names("facet")

    def _picked(self, names: list[str] | None) -> None:
        if names:
            self._screen.facets.add_class("open")
            self._screen.lay_panes()
            self.count(names[0])
            self._screen.facets.focus()

    def _beside(self, direction: int) -> None:
        if self._names:
            self._step(direction)
        else:
            self.ask_names("next" if direction > 0 else "previous")

    def _step(self, direction: int) -> None:
        names = [one.name for one in self._names]
        if not names:
            return
        here = names.index(self._screen.facets.field) if self._screen.facets.field in names else -1
        self.count(names[(here + direction) % len(names)])

    # Columns

    def choose_columns(self) -> None:
        """Which fields have columns?"""
        self.ask_names("columns")

    def set_columns(self, names: Sequence[str]) -> None:
        """Show these fields as columns."""
        screen = self._screen
        screen.main_list.columns = tuple(dict.fromkeys(names))
        screen.main_list.refetch()
        screen.show_columns()
        screen.keeping.noticed()

    def column_here(self) -> None:
        """The field under the cursor of the fields pane as a column, or no longer."""
        screen = self._screen
        value = screen.detail.value
        if value is None:
            return
        columns = screen.main_list.columns
        left = [one for one in columns if one != value.name]
        self.set_columns(left if len(left) < len(columns) else [*columns, value.name])
