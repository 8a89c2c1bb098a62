"""Figures over time: how much, how fast, how wrong, by service, rule, shape or key, with a plot of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from logscope.engine.api import Cancel, Investigation
from logscope.engine.overtime import KINDS, Trend, Trends
from logscope.errors import LogscopeError
from logscope.language.writing import quoted
from logscope.layout.histogram import sparkline
from logscope.layout.plot import columns
from logscope.text import human_count, human_duration
from logscope.tui.safe import line
from logscope.tui.screens.listing import FilteredScreen
from logscope.tui.wheres import both
from logscope.tui.widgets.column_list import Cell, Column, ColumnList
from logscope.tui.widgets.plot_view import PlotView

FIGURES = (
    ("rate", "records a second"),
    ("error_share", "share with an error"),
    ("p50", "duration, p50"),
    ("p95", "duration, p95"),
    ("p99", "duration, p99"),
    ("transactions", "transactions"),
    ("detections", "detections"),
)
"""What can be plotted, and its name."""
MOST = 200
"""Values listed."""
SHORT = 20
"""Lines of the screen below which there is no room for the plot."""


def amount(figure: str, value: float | None) -> str:
    """A figure as people read it; empty where there is none."""
    if value is None:
        return ""
    if figure == "error_share":
        return f"{value:.1%}" if value else "0"
    if figure.startswith("p"):
        return human_duration(round(value))
    if figure == "rate":
        return f"{value:,.0f}/s" if value >= 100 else f"{value:.2g}/s"
    return human_count(round(value))


class TrendTable(ColumnList):
    """A value a row."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing known yet."""
        super().__init__(id=id)
        self._trends: Trends | None = None
        self._figure = "rate"

    def show(self, told: Trends, figure: str) -> None:
        """Show these, with one figure over time at the right."""
        self._trends, self._figure = told, figure
        self.set_rows(len(told.series), min(self.cursor, max(0, len(told.series) - 1)))

    @property
    def series(self) -> Trend | None:
        """The one under the cursor."""
        told = self._trends
        return told.series[self.cursor] if told and self.cursor < len(told.series) else None

    def columns(self) -> list[Column]:
        """Totals, and over time."""
        over = self._trends.over if self._trends else ""
        return [
            Column(over or "value", 24 if self.wide >= 110 else 16),
            Column("records", 8, right=True),
            Column("trans.", 7, right=True),
            Column("errors", 6, right=True),
            Column("p50", 8, right=True, least=96),
            Column("p95", 8, right=True),
            Column("p99", 8, right=True, least=96),
            Column("found", 5, right=True),
            Column("over time", 0),
        ]

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        told = self._trends
        assert told is not None
        one = told.series[index]
        whole = one.whole
        failing = bool(whole.error_share)
        if not column.width:
            values = columns(told.values(one, self._figure), min(room, max(told.count, 1)), add=False)
            return sparkline([value or 0 for value in values]), "log-strip"
        if column.title in ("p50", "p95", "p99"):
            return amount(column.title, getattr(whole, column.title)), "foreground"
        return {
            "records": (human_count(whole.records) if whole.records else "", "foreground"),
            "trans.": (human_count(whole.transactions) if whole.transactions else "", "foreground"),
            "errors": (amount("error_share", whole.error_share), "log-error" if failing else "log-dim"),
            "found": (human_count(whole.detections) if whole.detections else "", "log-detection"),
        }.get(column.title, (one.value, "log-service"))


class DashboardScreen(FilteredScreen):
    """Figures over time."""

    FILTER_HELP = "duration>5s   errors>0   services:payments   (empty: all records and transactions)"
    ROW = "value"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,greater_than_sign", "over(1)", "Over another thing: service, rule, shape, key",
                id="dashboard.next", show=False),
        Binding("shift+tab,less_than_sign", "over(-1)", "Over the thing before", id="dashboard.previous", show=False),
        Binding("m", "figure", "Plot another figure", id="dashboard.figure", show=False),
        Binding("ampersand,slash", "filter", "Only some transactions", id="dashboard.filter", show=False),
        Binding("backspace", "unfilter", "Back to the filter before", id="dashboard.unfilter", show=False),
        Binding("right_curly_bracket", "refilter", "Forward again", id="dashboard.refilter", show=False),
        Binding("t,T", "open", "Its transactions", id="dashboard.open", show=False),
        Binding("plus", "stretch(2)", "Longer stretches of time", id="dashboard.longer", show=False),
        Binding("minus", "stretch(-2)", "Shorter stretches of time", id="dashboard.shorter", show=False),
    ]  # fmt: skip
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("dashboard.next", "by what"),
        ("dashboard.figure", "plot what"),
        ("list.choose", "its transactions"),
        ("dashboard.filter", "filter"),
        ("dashboard.longer", "longer"),
        ("dashboard.shorter", "shorter"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Over time",
        (
            "Errors: the share of transactions with one, of records where there are none. A transaction counts where it "
            "begins, of a service its part in it; ◆ below the plot is a detection."
        ),
    )

    def __init__(self, investigation: Investigation, where: str = "", *, over: str = "service") -> None:
        """Figures of the transactions that match `where`, by `over`."""
        super().__init__(investigation, where)
        self._over = over
        self._every: int | None = None
        self._figure = 0
        self._trends: Trends | None = None

    def parts(self) -> Iterable[Widget]:
        """The table, and the plot of one row."""
        yield TrendTable(id="trends")
        yield PlotView(self.scope.clock, id="plot")

    @property
    def main_list(self) -> TrendTable:
        """The values."""
        return self.query_one(TrendTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def on_resize(self, event: events.Resize) -> None:
        """The plot is there where there is room."""
        self.query_one(PlotView).display = event.size.height >= SHORT

    def reload(self) -> None:
        """Ask for the figures."""
        investigation, where, over, every = self.investigation, self.where, self._over, self._every

        def call(cancel: Cancel) -> Trends:
            return investigation.trends(over, every=every, most=MOST, where=where, cancel=cancel)

        self.ask_linked(call, self._arrived, label="counting over time", failed=self._failed, holds=self.holds)

    def _failed(self, error: LogscopeError) -> None:
        self._every = self._trends.every if self._trends else None
        self.filter_failed(error)

    def _arrived(self, told: Trends) -> None:
        self._trends = told
        self.answered()
        self._lay()

    def _lay(self) -> None:
        if self._trends is None:
            return
        name = FIGURES[self._figure][0]
        self.main_list.teach(["", f"Nothing is told by {self._over} here.", "", "Tab goes on to another thing."])
        self.main_list.show(self._trends, name)
        self.show_heading()
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Plot the row under the cursor."""
        told, one = self._trends, self.main_list.series
        name, words = FIGURES[self._figure]
        if told is None:
            return
        values = told.values(one, name) if one is not None else ()
        many = human_duration(told.every)
        self.query_one(PlotView).show(
            f" {one.value}: {words}, {many} each" if one is not None else "",
            values,
            lambda value: amount(name, value),
            span=(told.start, told.start + told.every * told.count),
            marks=told.values(one, "detections") if one is not None else (),
            as_bars=name in ("rate", "transactions", "detections"),
        )

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many, by what, and the filter."""
        left = f" · {self._trends.left_out:,} more" if self._trends and self._trends.left_out else ""
        return line(self.standing(), (left, "$log-dim")), self.filter_shown()

    # Actions

    def _kinds(self) -> list[str]:
        keys = [str(one["key"]) for one in self.investigation.keys()]  # noqa: SIM118  (no dict)
        kinds = [*KINDS, *(key for key in keys if key not in KINDS)]
        return kinds if self._over in kinds else [*kinds, self._over]

    def action_over(self, step: int) -> None:
        """By another thing."""
        kinds = self._kinds()
        self._over = kinds[(kinds.index(self._over) + step) % len(kinds)]
        self.main_list.go(0)
        self.reload()

    def action_figure(self) -> None:
        """Another figure."""
        self._figure = (self._figure + 1) % len(FIGURES)
        self._lay()

    def action_stretch(self, times: int) -> None:
        """Longer or shorter stretches of time."""
        if self._trends is not None:
            every = self._trends.every
            self._every = every * times if times > 0 else max(1_000_000, every // -times)
            self.reload()

    def action_open(self) -> None:
        """The transactions of the value under the cursor."""
        from logscope.tui.screens.transactions import TransactionsScreen

        one, over = self.main_list.series, self._over
        if one is None:
            return
        named = {"service": "services", "source": "sources", "rule": "rules"}
        if over == "all":
            more = ""
        elif over == "shape":
            more = f"shape={one.value}"
        elif over == "level":
            more = f"has(level={one.value})"
        elif over in named:
            more = f"{named[over]}:{quoted(one.value)}"
        else:
            more = f"has({over}:{quoted(one.value)})"
        self.app.push_screen(TransactionsScreen(self.investigation, both(self.where, more)))

    def run_command(self, name: str, argument: str) -> bool:
        """`:dashboard KIND`."""
        if name == "dashboard" and argument:
            self._over = argument
            self.reload()
            return True
        return super().run_command(name, argument)
