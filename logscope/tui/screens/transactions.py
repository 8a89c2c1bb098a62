"""The list of transactions: sorted, filtered, by the grain one chooses, with the ways they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl
from textual import events, on
from textual.content import Content
from textual.widget import Widget

from logscope.engine.answers import PlanChange, Snapshot
from logscope.engine.api import Cancel, Investigation
from logscope.engine.insights import Shape
from logscope.errors import UsageError
from logscope.tui.distribution import Distribution, distribution
from logscope.tui.grains import finer_than, grain_line, hierarchy
from logscope.tui.messages import OffersWanted, RowChosen
from logscope.tui.safe import line
from logscope.tui.screens.listing import FilteredScreen
from logscope.tui.screens.offering import Offering
from logscope.tui.screens.transactions_keys import BINDINGS, HINTS
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.shape_table import ShapeTable, counting_line, shape_line
from logscope.tui.widgets.transaction_table import SLICE, PartWanted, TransactionTable

TALL = 30
"""Lines from which the ways are shown without being asked for."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the engine answered."""

    frame: pl.DataFrame
    shown: dict[int, pl.DataFrame]
    """The slices around the cursor, with all columns."""
    spread: Distribution
    grain: tuple[str, str]


class TransactionsScreen(FilteredScreen):
    """The list of transactions."""

    FILTER_HELP = 'has("charge begin") not has("charge settled")   duration>5s   errors>0   services:payments'
    ROW = "transaction"
    BINDINGS = BINDINGS
    HINTS = HINTS
    ABOUT = (
        "Transactions",
        (
            "Records that keys tie together, one transaction a row. ✖: a rule found something in it. "
            "Tab goes to the ways they take; Enter there keeps those that went one way."
        ),
    )

    def __init__(
        self, investigation: Investigation, where: str = "", pick: Callable[[int], None] | None = None
    ) -> None:
        """The transactions of `investigation` that match `where`.

        Args:
            investigation: The open session.
            where: A filter on transactions.
            pick: Gets the number of the one that Enter chooses, in place of opening it.
        """
        super().__init__(investigation, where)
        self._pick = pick
        self._sort = "start"
        self._descending = False
        self._loaded: Loaded | None = None
        self._offering = Offering(self)
        self._shapes: Sequence[Shape] = ()
        self._grains: tuple[str, ...] = ()
        self._learned: object = None
        self._counted: float | None = None

    def parts(self) -> Iterable[Widget]:
        """The table, its ways and its summary."""
        yield TransactionTable(self.scope.clock, id="transactions")
        yield ShapeTable(id="shapes")
        yield Chrome(id="summary")
        yield Chrome(id="ways")

    @property
    def main_list(self) -> TransactionTable:
        """The table."""
        return self.query_one(TransactionTable)

    @property
    def shapes(self) -> ShapeTable:
        """The ways."""
        return self.query_one(ShapeTable)

    def on_resize(self, event: events.Resize) -> None:
        """The ways are shown where there is room."""
        self.shapes.set_class(event.size.height >= TALL, "open")
        self.call_after_refresh(self._show_summary)

    def heading(self) -> Content:
        """The column titles, the sorted one with an arrow."""
        return line(*self.main_list.titles(self._sort, descending=self._descending))

    # Asking

    def snapshot_changed(self, snapshot: Snapshot) -> None:
        """The list grows, and open transactions age."""
        if self.lives and snapshot.live:
            table = self.main_list
            table.now = snapshot.end
            table.repaint()
        super().snapshot_changed(snapshot)

    def reload(self) -> None:
        """Ask for the list as it is sorted and filtered now."""
        investigation, where = self.investigation, self.where
        sort, descending, first = self._sort, self._descending, self.main_list.part

        def call(cancel: Cancel) -> Loaded:
            # Of millions only figures: texts and lists are made of what is on the screen.
            frame = investigation.transactions(where, sort=sort, descending=descending, cancel=cancel, columns=())
            at = min(first, max(0, frame.height - 1) // SLICE)
            shown = {
                part: investigation.with_columns(frame.slice(part * SLICE, SLICE))
                for part in (at, at + 1)
                if not part or part * SLICE < frame.height
            }
            return Loaded(frame, shown, distribution(frame), investigation.grain())

        self.ask_linked(call, self._arrived, failed=self.filter_failed, holds=self.holds)

    def _arrived(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.answered()
        table = self.main_list
        table.show(loaded.frame, loaded.shown, loaded.grain[0])
        back = self.scope.keys.shown("transactions.unfilter")
        if self.where:
            table.teach(
                ["", "No transaction matches " + self.where[:200], "", f"{back} goes back to the filter before."]
            )
        else:
            table.teach(
                [
                    "No transactions: no identifier was found that several records share.",
                    "",
                    "Looked for: order, request, trace and session ids, UUIDs, long hex, prefixed ids.",
                    f"{self.scope.keys.shown('screen.keys')} lists what was found, and why it links or not;",
                    "add a key with --key NAME='regex with one (group)'.",
                ]
            )
        self._show_summary()
        self._offering.learn()
        self._learn_more()

    @on(PartWanted)
    def _complete(self, event: PartWanted) -> None:
        event.stop()
        investigation, table = self.investigation, self.main_list
        self.queries.ask(
            f"transactions {event.part}",
            lambda _: investigation.with_columns(event.rows),
            lambda rows: table.fill(event.frame, event.part, rows),
        )

    def _learn_more(self) -> None:
        """The ways of all transactions, numbered alike whatever the list is narrowed to, and what can be the grain."""
        self._show_shapes(self._shapes)
        mark = (self.scope.snapshot.generation, self.scope.snapshot.linked, self.scope.changes)
        if self._learned == mark or self.queries.busy("shapes") or self.queries.busy("grains"):
            return
        self._learned = mark
        investigation = self.investigation
        shapes = lambda cancel: list(investigation.shapes(cancel=cancel))  # noqa: E731
        self.queries.ask("shapes", shapes, self._shapes_known, heard=self._ways_counted)
        self.queries.ask("grains", lambda _: hierarchy(investigation.keys()), self._show_grains)
        self._show_summary()

    def _ways_counted(self, share: float | None) -> None:
        self._counted = share
        self._show_summary()

    def _shapes_known(self, shapes: Sequence[Shape]) -> None:
        self._show_shapes(shapes)
        if shapes and self.main_list.rows and not self.main_list.shaped:
            # Now the list can say of each which way it went.
            self.reload()

    def _show_grains(self, names: tuple[str, ...]) -> None:
        self._grains = names
        self._show_summary()

    def _show_shapes(self, shapes: Sequence[Shape]) -> None:
        self._shapes = shapes
        term = next((one.number for one in shapes if self.where == f"shape={one.number}"), None)
        self.shapes.show(shapes, term)
        self._show_summary()

    @on(OffersWanted)
    def _wait_for_offers(self, event: OffersWanted) -> None:
        event.stop()
        self._offering.wait()

    # What it says

    def _show_summary(self) -> None:
        loaded = self._loaded
        if loaded is None or not self.lives:
            return
        count = loaded.frame.height
        left = line(
            (f"{count:,} transaction{'' if count == 1 else 's'}", "bold"),
            (f" · {loaded.spread.words} ", "$log-time"),
            (loaded.spread.bars, "$log-strip"),
        )
        # On a narrow screen the column's title says the grain, and the distribution needs the room.
        room = self.size.width - 2 - left.cell_length
        self.query_one("#summary", Chrome).show(left, grain_line(self._grains, loaded.grain, room))
        ways = self.query_one("#ways", Chrome)
        # The pane says the same and more.
        ways.display = not self.shapes.has_class("open")
        counting = self.queries.busy("shapes") and not self._shapes
        told = counting_line(self._counted) if counting else shape_line(self._shapes, self.size.width - 2)
        ways.show(line(*told))

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many, and the filter."""
        table = self.main_list
        rules = table.row(table.cursor).get("rules") if table.rows else None
        left = line(self.standing(), (f"   ✖ {', '.join(rules)}" if rules else "", "bold $log-detection"))
        if self._pick is not None:
            left = line((f"{self.scope.keys.shown('list.choose')} chooses   ", "bold $log-hint"), left)
        return left, self.filter_shown()

    # Filters

    def action_filter(self) -> None:
        """Filter in the transaction language."""
        super().action_filter()
        self._offering.show()

    def action_shapes(self) -> None:
        """To the ways and back."""
        if self.shapes.has_focus:
            self.main_list.focus()
        else:
            self.shapes.add_class("open")
            self.shapes.focus()
            self._show_summary()

    def chosen(self, event: RowChosen) -> None:
        """Open a transaction, or keep those that went one way; the same way again: all."""
        if event.rows is not self.shapes:
            self.action_open()
        elif (shape := self.shapes.shape) is not None:
            term = f"shape={shape.number}"
            self.wheres.go("" if self.where == term else term)
            self.main_list.focus()
            self.reload()

    def close_something(self) -> bool:
        """The bar, or the ways where they were opened."""
        if super().close_something():
            return True
        if self.shapes.has_focus:
            self.main_list.focus()
            self.shapes.set_class(self.size.height >= TALL, "open")
            self._show_summary()
            return True
        return False

    # The order, and the grain

    def action_sort(self, step: int) -> None:
        """By another column; sizes begin with the largest."""
        sorts = self.main_list.sorts()
        place = sorts.index(self._sort) if self._sort in sorts else 0
        self._sort_by(sorts[(place + step) % len(sorts)])

    def _sort_by(self, name: str) -> None:
        self._sort = name
        self._descending = name in ("duration", "records", "errors", "level", "rules")
        self.reload()

    def action_reverse(self) -> None:
        """The other way round."""
        self._descending = not self._descending
        self.reload()

    def action_grain(self, step: int) -> None:
        """A coarser or finer grain, with its reason."""
        loaded = self._loaded
        name = finer_than(self._grains, loaded.grain[0], step) if loaded else None
        if name is None:
            self.scope.say("no coarser key" if step < 0 else "no finer key")
        else:
            self._set_grain(name)

    def _set_grain(self, name: str) -> None:
        investigation = self.investigation

        def call(cancel: Cancel) -> tuple[str, str]:
            investigation.apply(PlanChange(grain=name), cancel=cancel)
            return investigation.grain()

        def arrived(grain: tuple[str, str]) -> None:
            self.scope.changes += 1
            self.scope.say(f"grain {grain[0]}: {grain[1]}")
            self.reload()

        self.queries.ask("grain", call, arrived, label="linking", failed=self.tell)

    # Ways on

    def action_open(self) -> None:
        """The transaction under the cursor."""
        from logscope.tui.screens.transaction import TransactionScreen

        number = self.main_list.number()
        if number is None:
            return
        if self._pick is not None:
            self.dismiss()
            self._pick(number)
        else:
            self.app.push_screen(TransactionScreen(self.investigation, number))

    def action_compare(self) -> None:
        """The transaction under the cursor beside a normal one."""
        from logscope.tui.screens.compare import CompareScreen

        if (number := self.main_list.number()) is not None:
            self.app.push_screen(CompareScreen(self.investigation, number))

    def action_pivot(self) -> None:
        """The records of the transaction's key value, in the records view."""
        table = self.main_list
        found = table.key_value(table.cursor) if table.rows else None
        if found is not None:
            self.pivot(found[0], found[1])

    def action_map(self) -> None:
        """The service map of these, beside all others."""
        from logscope.tui.screens.service_map import MapScreen

        self.app.push_screen(MapScreen(self.investigation, self.where))

    def action_pin(self) -> None:
        """Pin the transaction."""
        if (number := self.main_list.number()) is not None:
            self.scope.casebook.pin_transaction(self, number)

    def action_save_rule(self) -> None:
        """A rule of the filter, over whole transactions; of marked records if there is none."""
        if self.where:
            self.open_draft(self.where, whole=True)
        elif self.scope.step_marks:
            self.open_draft()
        else:
            self.scope.say("filter with & first, or mark records with . in a transaction: S makes a rule of that")

    def action_detections(self) -> None:
        """The list of detections."""
        from logscope.tui.screens.detections import DetectionsScreen

        self.go_to(DetectionsScreen)

    def run_command(self, name: str, argument: str) -> bool:
        """Commands of this screen.

        Raises:
            UsageError: Its argument does not fit.
        """
        if name == "grain" and argument:
            self._set_grain(argument)
        elif name == "transactions":
            self.submitted("filter", argument)
        elif name == "sort":
            names = {column.title: column.sort for column in self.main_list.columns() if column.sort}
            if argument not in names and argument not in self.main_list.sorts():
                raise UsageError(f"no column {argument!r}", mend=f"there are {', '.join(names)}")
            self._sort_by(names.get(argument, argument))
        elif name == "goto" and argument.isdigit():
            self.main_list.go(int(argument) - 1, center=True)
        elif name in ("compare", "shapes"):
            (self.action_compare if name == "compare" else self.action_shapes)()
        else:
            return super().run_command(name, argument)
        return True
