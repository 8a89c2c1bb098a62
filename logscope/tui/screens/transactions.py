"""The list of transactions: sorted, filtered, by the grain one chooses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from logscope.engine.answers import Absence
from logscope.engine.api import Cancel, Investigation
from logscope.errors import LogscopeError
from logscope.layout.histogram import sparkline
from logscope.text import clean, human_duration
from logscope.tui.safe import line
from logscope.tui.screens.listing import ListScreen
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.transaction_table import SLICE, PartWanted, TransactionTable

SORTS = ("start", "duration", "records", "errors", "level")
FILTER_HELP = 'has("charge begin") not has("charge settled")   duration>5s   errors>0   services:payments'
BARS = 18
NARROW = 100


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the engine answered."""

    frame: pl.DataFrame
    shown: dict[int, pl.DataFrame]
    """The slices around the cursor, with all columns."""
    quantiles: tuple[int, int, int]
    """p50, p95, p99 of the duration, microseconds."""
    spark: str
    grain: tuple[str, str]


def durations(frame: pl.DataFrame) -> tuple[tuple[int, int, int], str]:
    """Quantiles and a sparkline over the logarithm of the durations."""
    if frame.is_empty():
        return (0, 0, 0), ""
    spans = frame["duration"].dt.total_microseconds()
    found = [spans.quantile(share) or 0.0 for share in (0.5, 0.95, 0.99)]
    longest = math.log10(float(spans.max() or 0) + 1000)  # type: ignore[arg-type]  # a number: the column is one
    places = (((spans.clip(0) + 1000).log10() - 3) / max(1e-9, longest - 3) * (BARS - 1)).floor().cast(pl.Int32)
    counts = dict(places.value_counts().rows())
    return (int(found[0]), int(found[1]), int(found[2])), sparkline([counts.get(place, 0) for place in range(BARS)])


class TransactionsScreen(ListScreen):
    """The list of transactions."""

    ROW = "transaction"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ampersand,slash", "filter", "Filter transactions", id="transactions.filter", show=False),
        Binding("backspace", "unfilter", "Take the filter away", id="transactions.unfilter", show=False),
        Binding("greater_than_sign", "sort(1)", "Sort by the next column", id="transactions.sort-next", show=False),
        Binding("less_than_sign", "sort(-1)", "Sort by the previous one", id="transactions.sort-previous", show=False),
        Binding("r,s", "reverse", "Reverse the order", id="transactions.reverse", show=False),
        Binding("plus", "grain(-1)", "A coarser grain", id="transactions.grain-up", show=False),
        Binding("minus", "grain(1)", "A finer grain", id="transactions.grain-down", show=False),
        Binding("t", "open", "Open the transaction", id="transactions.open", show=False),
        Binding("D", "detections", "List of detections", id="transactions.detections", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "open"),
        ("transactions.filter", "filter"),
        ("transactions.sort-next", "sort by"),
        ("transactions.reverse", "reverse"),
        ("transactions.grain-up", "coarser"),
        ("transactions.grain-down", "finer"),
        ("screen.leave", "back"),
    )
    ABOUT = ("Transactions", "Records that keys tie together, one transaction a row. ✖: a rule found something in it.")

    def __init__(self, investigation: Investigation, where: str = "") -> None:
        """The transactions of `investigation` that match `where`."""
        super().__init__(investigation)
        self._where = where
        self._before = ""
        self._sort = "start"
        self._descending = False
        self._loaded: Loaded | None = None
        self._offers: Sequence[Absence] = ()

    def parts(self) -> Iterable[Widget]:
        """The table and its summary."""
        yield TransactionTable(self.scope.clock, id="transactions")
        yield Chrome(id="summary")

    @property
    def main_list(self) -> TransactionTable:
        """The table."""
        return self.query_one(TransactionTable)

    def on_mount(self) -> None:
        """Ask for the list."""
        self.reload()

    def heading(self) -> Content:
        """The column titles, the sorted one with an arrow."""
        return line(*self.main_list.heading(self._sort, self._descending))

    def reload(self, grain: str | None = None) -> None:
        """Ask for the list as it is sorted and filtered now."""
        investigation, where = self.investigation, self._where
        sort, descending, first = self._sort, self._descending, self.main_list.part

        def call(cancel: Cancel) -> Loaded:
            if grain is not None:
                investigation.set_grain(grain)
            # Of millions only figures: texts and lists are made of what is on the screen.
            frame = investigation.transactions(where, sort=sort, descending=descending, cancel=cancel, columns=())
            at = min(first, max(0, frame.height - 1) // SLICE)
            shown = {
                part: investigation.with_columns(frame.slice(part * SLICE, SLICE))
                for part in (at, at + 1)
                if not part or part * SLICE < frame.height
            }
            return Loaded(frame, shown, *durations(frame), investigation.grain())

        self.ask_linked("transactions", call, self._arrived, failed=self._failed)

    def _arrived(self, loaded: Loaded) -> None:
        self._loaded = loaded
        if self.bar.is_open and self.bar.purpose == "filter":
            self.close_bar()
        table = self.main_list
        table.show(loaded.frame, loaded.shown, loaded.grain[0])
        if self._where:
            table.teach(["", "No transaction matches " + clean(self._where, cap=200), "", "⌫ takes the filter away."])
        else:
            table.teach(
                [
                    "No transactions: no identifier was found that several records share.",
                    "",
                    "Looked for: order, request, trace and session ids, UUIDs, long hex, prefixed ids.",
                    ":keys lists what was found; add one with --key NAME='regex with one (group)'.",
                ]
            )
        self.show_heading()
        self._show_summary()
        self._learn_offers()

    @on(PartWanted)
    def _complete(self, event: PartWanted) -> None:
        event.stop()
        investigation, table = self.investigation, self.main_list
        self.queries.ask(
            f"transactions {event.part}",
            lambda _: investigation.with_columns(event.rows),
            lambda rows: table.fill(event.frame, event.part, rows),
        )

    def _failed(self, error: LogscopeError) -> None:
        self._where = self._before
        self.tell(error)

    def _show_summary(self) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        half, most, nearly = (human_duration(value) for value in loaded.quantiles)
        count = loaded.frame.height
        parts: list[Content | str | tuple[str, str]] = [
            (f"{count:,} transaction{'' if count == 1 else 's'}", "bold"),
            (f" · p50 {half} · p95 {most} · p99 {nearly} ", "$log-time"),
            (loaded.spark, "$log-strip"),
        ]
        grain: list[Content | str | tuple[str, str]] = [("grain ", "$log-dim"), (loaded.grain[0], "bold $log-key")]
        if self.size.width >= 120:
            grain.append((f"  {loaded.grain[1]}"[:60], "$log-dim"))
        # On a narrow screen the column's title says the grain, and the distribution needs the room.
        right = line(*grain) if self.size.width >= NARROW else None
        self.query_one("#summary", Chrome).show(line(*parts), right)

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many, and the filter."""
        table = self.main_list
        rules = table.row(table.cursor).get("rules") if table.rows else None
        left = line(self.standing(), (f"   ✖ {', '.join(rules)}" if rules else "", "bold $log-detection"))
        return left, line((f"& {self._where}" if self._where else "", "$log-hint"))

    def submitted(self, purpose: str, text: str) -> None:
        """A filter."""
        self._before, self._where = self._where, text
        self.reload()

    def action_open(self) -> None:
        """The transaction under the cursor."""
        from logscope.tui.screens.transaction import TransactionScreen

        number = self.main_list.number()
        if number is not None:
            self.app.push_screen(TransactionScreen(self.investigation, number))

    def action_filter(self) -> None:
        """Filter in the transaction language."""
        self.ask_text("filter", "& transactions", FILTER_HELP, self._where)
        self._offer(self._offers)

    def _learn_offers(self) -> None:
        """What may be worth a filter; looked for before one asks, so that it is there at once."""
        investigation = self.investigation
        if not self.queries.busy("offers"):
            self.queries.ask("offers", lambda cancel: investigation.absences(cancel=cancel), self._offer)

    def _offer(self, found: Sequence[Absence]) -> None:
        self._offers = found
        if self.bar.is_open and self.bar.purpose == "filter":
            offers = [(one.filter, f"{one.without:,} of {one.seen:,}") for one in found]
            self.bar.offer(offers, "usual in a transaction, missing in a few (↓ takes it):")

    def action_unfilter(self) -> None:
        """All transactions again."""
        if self._where:
            self._where = ""
            self.reload()

    def action_sort(self, step: int) -> None:
        """By another column; sizes begin with the largest."""
        self._sort = SORTS[(SORTS.index(self._sort) + step) % len(SORTS)]
        self._descending = self._sort != "start"
        self.reload()

    def action_reverse(self) -> None:
        """The other way round."""
        self._descending = not self._descending
        self.reload()

    def action_grain(self, step: int) -> None:
        """A coarser or finer grain, with its reason."""
        investigation = self.investigation

        def call(_: Cancel) -> str | None:
            found = investigation.keys()
            strong = [one for one in found if one.get("active", True) and one.get("class") == "strong"]
            # Coarse to fine: a coarser key has fewer values.
            names = [str(one["key"]) for one in sorted(strong, key=lambda one: int(one.get("values", 0)))]
            now = investigation.grain()[0]
            place = (names.index(now) if now in names else 0 if step < 0 else -1) + step
            return names[place] if 0 <= place < len(names) else None

        def arrived(name: str | None) -> None:
            if name is None:
                self.scope.say("no coarser key" if step < 0 else "no finer key")
            else:
                self.reload(name)
                self.queries.ask("grain", lambda _: investigation.grain(), self._say_grain)

        self.queries.ask("grain", call, arrived, label="finding keys")

    def _say_grain(self, grain: tuple[str, str]) -> None:
        self.scope.say(f"grain {grain[0]}: {grain[1]}")

    def action_detections(self) -> None:
        """The list of detections."""
        from logscope.tui.screens.detections import DetectionsScreen

        self.app.push_screen(DetectionsScreen(self.investigation))

    def run_command(self, name: str, argument: str) -> bool:
        """Commands of this screen."""
        if name == "grain" and argument:
            self.reload(argument)
        elif name in ("filter", "transactions"):
            self._before, self._where = self._where, argument
            self.reload()
        elif name == "detections":
            self.action_detections()
        elif name == "goto" and argument.isdigit():
            self.main_list.go(int(argument) - 1, center=True)
        else:
            return False
        return True
