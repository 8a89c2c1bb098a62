"""Services, and under each those it hands on to, beside what is usual elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from logscope.engine.insights import Hop, ServiceLoad, ServiceMap
from logscope.text import human_count, human_duration
from logscope.tui.widgets.column_list import Cell, Column, ColumnList

MUCH = 1.5
"""How many times as long is worth a sign."""
LITTLE = 5_000
"""Microseconds below which a difference is not."""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service, or a hop from it."""

    load: ServiceLoad | None
    hop: Hop | None
    usual: int | None
    """p95 among the other transactions, microseconds."""
    usual_errors: float | None
    """Share of the other transactions with an error there."""

    @property
    def caller(self) -> str:
        """The service the row is about."""
        return self.load.service if self.load else self.hop.caller if self.hop else ""

    @property
    def callee(self) -> str | None:
        """The service it hands on to; None in a service's own row."""
        return self.hop.callee if self.hop else None

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """Transactions, errors, p50, p95."""
        one = self.load or self.hop
        return (one.transactions, one.errors, one.p50, one.p95) if one else (0, 0, 0, 0)

    @property
    def slower(self) -> float | None:
        """How many times as long as elsewhere, where that is much."""
        most = self.figures[3]
        if self.usual is None or most - self.usual < LITTLE or most < self.usual * MUCH:
            return None
        return most / max(1, self.usual)

    @property
    def fails_more(self) -> bool:
        """Whether errors are clearly more frequent than elsewhere."""
        count, errors, _, _ = self.figures
        return self.usual_errors is not None and count > 0 and errors / count > 2 * self.usual_errors + 0.01


SORTS = ("flow", "transactions", "errors", "p95", "slower")
"""`flow`: as the work goes, callers first."""


def rows_of(found: ServiceMap, usual: ServiceMap | None, sort: str) -> list[ServiceRow]:
    """Services in an order, each with its hops below it.

    Args:
        found: The map.
        usual: The map of all other transactions, if it is narrowed.
        sort: One of `SORTS`.
    """
    loads = {one.service: one for one in usual.services} if usual else {}
    hops = {(one.caller, one.callee): one for one in usual.hops} if usual else {}
    out: list[tuple[ServiceRow, list[ServiceRow]]] = []
    for load in found.services:
        own = [
            ServiceRow(None, hop, *_usual(hops.get((hop.caller, hop.callee))))
            for hop in found.hops
            if hop.caller == load.service
        ]
        out.append((ServiceRow(load, None, *_usual(loads.get(load.service))), own))
    if sort == "flow":
        order = flow(found)
        out.sort(key=lambda pair: order.index(pair[0].caller))
    else:
        out.sort(key=lambda pair: -max(_rank(row, sort) for row in (pair[0], *pair[1])))
        for _, own in out:
            own.sort(key=lambda row: -_rank(row, sort))
    return [row for head, own in out for row in (head, *own)]


def flow(found: ServiceMap) -> list[str]:
    """The services as the work goes: those that nobody calls first, then whom they hand on to."""
    called = {hop.callee for hop in found.hops if hop.caller != hop.callee}
    names = [one.service for one in found.services]
    waiting = [name for name in names if name not in called]
    order: list[str] = []
    while waiting or len(order) < len(names):
        # In a circle nobody is first: begin where most is.
        name = waiting.pop(0) if waiting else next(name for name in names if name not in order)
        if name in order:
            continue
        order.append(name)
        handed = sorted((hop for hop in found.hops if hop.caller == name), key=lambda hop: -hop.transactions)
        waiting += [hop.callee for hop in handed if hop.callee not in order]
    return order


def bar(half: int, most: int, longest: int, room: int) -> str:
    """p50 as full cells and p95 as light ones, of the longest p95 as the whole width."""
    scale = room / max(1, longest)
    full, light = round(half * scale), round(most * scale)
    return "█" * full + "░" * max(0, light - full)


def _usual(one: ServiceLoad | Hop | None) -> tuple[int | None, float | None]:
    if one is None:
        return None, None
    return one.p95, one.errors / max(1, one.transactions)


def _rank(row: ServiceRow, sort: str) -> float:
    count, errors, _, most = row.figures
    return {"transactions": count, "errors": errors, "p95": most, "slower": row.slower or 0.0}[sort]


class ServiceTable(ColumnList):
    """A service a row, its hops below it."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing yet."""
        super().__init__(id=id)
        self._rows: list[ServiceRow] = []
        self._compared = False

    def show(self, rows: list[ServiceRow], *, compared: bool) -> None:
        """Show these; `compared`: with what is usual elsewhere."""
        self._rows, self._compared = rows, compared
        self.set_rows(len(rows), self.cursor)

    @property
    def current(self) -> ServiceRow | None:
        """The one under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def columns(self) -> list[Column]:
        """What is usual only where there is something to compare with."""
        found = [
            Column("service", 0),
            Column("transactions", 12, "transactions", right=True, least=100),
            Column("trans", 6, "transactions", right=True),
            Column("errors", 7, "errors", right=True),
            Column("p50", 9, right=True),
            Column("p95", 9, "p95", right=True),
        ]
        found.pop(2 if self.wide >= 100 else 1)
        found.append(Column("time", 30, least=130))
        if self._compared:
            found += [Column("others' p95", 11, right=True), Column("", 8, "slower")]
        return found

    def sign(self, index: int) -> Cell:
        """Whether something is wrong there."""
        row = self._rows[index]
        if row.fails_more or (row.figures[1] and row.usual_errors is None):
            return "▲", "log-error"
        return ("◷", "log-warn") if row.slower else (" ", "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        row = self._rows[index]
        count, errors, half, most = row.figures
        if column.title == "service":
            return (f"  → {row.callee}", "foreground") if row.hop else (row.caller, "log-service")
        if column.title.startswith("trans"):
            return (f"{count:,}" if column.width > 8 else human_count(count)), "foreground"
        if column.title == "time":
            return bar(half, most, max(one.figures[3] for one in self._rows), room), "log-strip"
        if column.title == "errors":
            return (human_count(errors), "log-error") if errors else ("·", "log-dim")
        if column.title == "others' p95":
            return ("" if row.usual is None else human_duration(row.usual)), "log-dim"
        if column.title == "":
            return (f"× {row.slower:.1f}" if row.slower else "new" if row.usual is None else ""), "log-error"
        return human_duration(half if column.title == "p50" else most), "log-warn" if row.slower else "foreground"
