"""Shapes: the ways that transactions went, and how many went each."""

from __future__ import annotations

from collections.abc import Sequence

from logscope.engine.insights import Shape
from logscope.text import human_count, human_duration
from logscope.tui.painting import fit, one_line
from logscope.tui.widgets.column_list import Cell, Column, ColumnList
from logscope.tui.widgets.transaction_table import initials

RARE = 0.02
"""Share below which a way is an odd one."""


class ShapeTable(ColumnList):
    """One way a row, the usual ones first."""

    BESIDE = True

    DEFAULT_CSS = """
    ShapeTable { display: none; height: 8; border-top: solid $log-strip; }
    ShapeTable.open { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """No shapes yet."""
        super().__init__(id=id)
        self._shapes: Sequence[Shape] = ()
        self.chosen: int | None = None
        """Number of the shape that the list is narrowed to."""

    def show(self, shapes: Sequence[Shape], chosen: int | None) -> None:
        """Show these, `chosen` marked."""
        self._shapes, self.chosen = shapes, chosen
        self.teach(["No transactions, and so no way that they go."])
        self.set_rows(len(shapes), self.cursor)

    @property
    def shape(self) -> Shape | None:
        """The one under the cursor."""
        return self._shapes[self.cursor] if self.cursor < len(self._shapes) else None

    def columns(self) -> list[Column]:
        """Number, how many, how long, which way."""
        return [
            Column("way", 4, right=True),
            Column("share", 7, right=True),
            Column("transactions", 12, right=True, least=90),
            Column("p50", 9, right=True),
            Column("p95", 9, right=True),
            Column("err", 5, right=True),
            Column("path", 0),
        ]

    def sign(self, index: int) -> Cell:
        """Whether the list is narrowed to it."""
        return ("●", "log-hint") if self._shapes[index].number == self.chosen else (" ", "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        one = self._shapes[index]
        rare = "log-warn" if one.share < RARE else "foreground"
        if column.title == "path":
            return path_of(one, room), "log-service"
        if column.title == "err":
            return (human_count(one.errors), "log-error") if one.errors else ("·", "log-dim")
        return {
            "way": (str(one.number), rare),
            "share": (f"{one.share:.1%}", rare),
            "transactions": (f"{one.transactions:,}", "foreground"),
            "p50": (human_duration(one.p50), "foreground"),
            "p95": (human_duration(one.p95), "foreground"),
        }[column.title]


def path_of(shape: Shape, room: int) -> str:
    """The services it went through and how its last step reads, as much as fits in `room` characters."""
    path = initials(shape.services)
    last = one_line(shape.templates[-1][1]) if shape.templates else ""
    told = f"{path}  {len(shape.templates)} steps, … {last}"
    if len(path) > room:
        # The end is where ways differ most.
        return "… " + path[-(room - 2) :]
    return fit(told, room).rstrip()


def counting_line(share: float | None) -> list[tuple[str, str]]:
    """That the ways are being counted, and how far that is."""
    return [(f"ways … {share:.0%}" if share else "ways …", "$log-dim")]


def shape_line(shapes: Sequence[Shape], room: int) -> list[Cell]:
    """The ways in one line: the usual ones, as many as fit."""
    parts: list[Cell] = [(f"ways {len(shapes):,}", "$log-dim")]
    used = len(parts[0][0])
    for one in shapes:
        path = initials(one.services)
        told = [(f"   {one.number} ", "bold"), (path[:24] + ("…" if len(path) > 24 else ""), "$log-service"),
                (f" {one.share:.1%}", "$log-warn" if one.share < RARE else "$log-time"),
                (" ▲" if one.errors else "", "$log-error")]  # fmt: skip
        used += sum(len(text) for text, _ in told)
        if used > room:
            break
        parts += told
    return parts
