"""The service map: which service hands to which, how often, how fast, with what errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from logscope.engine.api import Cancel, Investigation
from logscope.engine.insights import ServiceMap
from logscope.language.writing import quoted
from logscope.text import several
from logscope.tui.safe import line
from logscope.tui.screens.listing import FilteredScreen
from logscope.tui.wheres import both
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.service_table import SORTS, ServiceTable, rows_of


class MapScreen(FilteredScreen):
    """Services and the hops between them."""

    FILTER_HELP = "start>=2026-11-01T10:17:00Z   errors>0   duration>5s   shape=2   (beside it: all others)"
    ROW = "row"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ampersand,slash", "filter", "Only some transactions, beside all others", id="map.filter", show=False),
        Binding("backspace", "unfilter", "Back to the filter before", id="map.unfilter", show=False),
        Binding("right_curly_bracket", "refilter", "Forward again", id="map.refilter", show=False),
        Binding("greater_than_sign", "sort(1)", "Another order", id="map.sort-next", show=False),
        Binding("less_than_sign", "sort(-1)", "The order before", id="map.sort-previous", show=False),
        Binding("t,T", "open", "Its transactions", id="map.open", show=False),
        Binding("e", "failing", "Its transactions with errors", id="map.failing", show=False),
        Binding("asterisk", "records", "The service's records", id="map.records", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "its transactions"),
        ("map.filter", "compare some"),
        ("map.sort-next", "order"),
        ("map.failing", "failing ones"),
        ("map.records", "records"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Service map",
        (
            "Under each service those it hands on to. A hop's time is from the caller's last record to the callee's first, "
            "a service's from its first to its last record in a transaction. With a filter, others' p95 is that of all "
            "other transactions: ◷ slower than there, ▲ failing."
        ),
    )

    def __init__(self, investigation: Investigation, where: str = "") -> None:
        """The map of the transactions that match `where`."""
        super().__init__(investigation, where)
        self._sort = "slower" if where else "flow"
        self._maps: tuple[ServiceMap, ServiceMap | None] | None = None

    def parts(self) -> Iterable[Widget]:
        """The table, and the whole in a line."""
        yield ServiceTable(id="services")
        yield Chrome(id="summary")

    @property
    def main_list(self) -> ServiceTable:
        """The services."""
        return self.query_one(ServiceTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles(self._sort, descending=True))

    def reload(self) -> None:
        """Ask for the map, and with a filter for that of all others."""
        investigation, where = self.investigation, self.where

        def call(cancel: Cancel) -> tuple[ServiceMap, ServiceMap | None]:
            found = investigation.service_map(where, cancel=cancel)
            usual = investigation.service_map(f"not ({where})", cancel=cancel) if where else None
            return found, usual

        self.ask_linked(call, self._arrived, failed=self.filter_failed, holds=self.holds)

    def _arrived(self, maps: tuple[ServiceMap, ServiceMap | None]) -> None:
        self._maps = maps
        self.answered()
        self._lay()

    def _lay(self) -> None:
        if self._maps is None:
            return
        found, usual = self._maps
        keys = self.scope.keys
        self.main_list.teach(
            ["", "No transaction matches " + self.where[:200], "", f"{keys.shown('map.unfilter')} goes back."]
            if self.where
            else [
                "No services: no key ties records of several together, or none says which service wrote it.",
                "",
                f"{keys.shown('screen.keys')} lists the keys that were found, :sources how each file is read.",
            ]
        )
        self.main_list.show(rows_of(found, usual, self._sort), compared=usual is not None)
        services, hops = len(found.services), len(found.hops)
        told: list[tuple[str, str]] = [
            (f"{services} service{'' if services == 1 else 's'} · {several(hops, 'hop')}", "bold")
        ]
        if self.where:
            told.append(("   beside all other transactions", "$log-dim"))
        else:
            told.append((f"   {keys.shown('map.filter')} sets some transactions beside all others", "$log-dim"))
        self.query_one("#summary", Chrome).show(line(*told), line((f"order: {self._sort}", "$log-dim")))
        self.show_heading()

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many, and the filter."""
        return self.standing(), self.filter_shown()

    # Filters and order

    def submitted(self, purpose: str, text: str) -> None:
        """A filter."""
        if text and not self.where and self._sort == "flow":
            # What stands out is what one compares for.
            self._sort = "slower"
        super().submitted(purpose, text)

    def action_sort(self, step: int) -> None:
        """Another order."""
        self._sort = SORTS[(SORTS.index(self._sort) + step) % len(SORTS)]
        self._lay()

    # Ways on

    def _open(self, more: str = "") -> None:
        from logscope.tui.screens.transactions import TransactionsScreen

        row = self.main_list.current
        if row is None:
            return
        services = [row.caller] if row.callee in (None, row.caller) else [row.caller, row.callee or ""]
        terms = [f"services:{quoted(name)}" for name in services]
        where = both(self.where, " ".join(terms + ([more] if more else [])))
        self.app.push_screen(TransactionsScreen(self.investigation, where))

    def action_open(self) -> None:
        """The transactions that went there."""
        self._open()

    def action_failing(self) -> None:
        """Those of them with an error there."""
        row = self.main_list.current
        name = (row.callee or row.caller) if row else ""
        self._open(f"has(service:{quoted(name)} level>=error)")

    def action_records(self) -> None:
        """The records of the service."""
        if (row := self.main_list.current) is not None:
            self.pivot("", row.callee or row.caller, name="service")

    def run_command(self, name: str, argument: str) -> bool:
        """Commands of this screen."""
        if name == "map":
            self.submitted("filter", argument)
        elif name == "transactions":
            self.action_open()
        else:
            return super().run_command(name, argument)
        return True
