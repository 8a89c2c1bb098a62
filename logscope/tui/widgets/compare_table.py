"""Two transactions step by step, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from logscope.engine.insights import ComparedStep
from logscope.text import human_duration
from logscope.tui.clock import distance
from logscope.tui.widgets.column_list import Cell, Column, ColumnList

SIGNS = {"same": (" ", "log-dim"), "missing": ("−", "log-detection"), "extra": ("+", "log-key"),
         "slower": ("▲", "log-error"), "faster": ("▽", "log-info")}  # fmt: skip
"""A step's kind as a sign and its role."""
WORDS = {"same": "same", "missing": "missing", "extra": "extra", "slower": "slower", "faster": "faster"}
SIDE_BY_SIDE = 120
"""Cells from which both sides' steps are shown."""


class CompareTable(ColumnList):
    """A step a row: here, there, and what is usual."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing compared yet."""
        super().__init__(id=id)
        self._steps: Sequence[ComparedStep] = ()
        self.marked: Mapping[int, str] = {}
        """Signs of records that are to be steps of a rule, by row."""
        self.teach(["Comparing …"])

    def show(self, steps: Sequence[ComparedStep]) -> None:
        """Show these."""
        self._steps = steps
        self.teach(["Neither of the two has a record."])
        self.set_rows(len(steps), self.cursor)

    @property
    def step(self) -> ComparedStep | None:
        """The one under the cursor."""
        return self._steps[self.cursor] if self.cursor < len(self._steps) else None

    def differences(self) -> list[int]:
        """Rows of steps that are not the same."""
        return [place for place, step in enumerate(self._steps) if step.kind != "same"]

    def worst(self) -> int:
        """The row to look at first: the first step that is missing or too many, else the one that lost most time."""
        odd = [place for place, step in enumerate(self._steps) if step.kind in ("missing", "extra")]
        lost = [(step.since_previous or 0) - (step.peer_since_previous or 0) for step in self._steps]
        return odd[0] if odd else max(range(len(lost)), key=lost.__getitem__, default=0)

    def columns(self) -> list[Column]:
        """Side by side where there is room, else one text with the times of both."""
        here, there = Column("+here", 10, right=True), Column("+peer", 10, right=True)
        usual = [Column("usual", 9, right=True), Column("p95", 9, right=True, least=100)]
        kind = Column("", 7)
        if self.wide < SIDE_BY_SIDE:
            return [Column("service", 12), Column("step", 0), kind, here, there, *usual]
        return [here, Column("service", 18), Column("this transaction", 0), kind, there, Column("its peer", 0), *usual]

    def sign(self, index: int) -> Cell:
        """What kind of step it is."""
        step = self._steps[index]
        row = step.row if step.row is not None else step.peer_row
        if row is not None and (mark := self.marked.get(row)):
            return mark, "log-mark"
        return SIGNS.get(step.kind, (" ", "log-dim"))

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        step, title = self._steps[index], column.title
        role = SIGNS.get(step.kind, ("", "foreground"))[1] if step.kind != "same" else "foreground"
        if title == "":
            return ("" if step.kind == "same" else WORDS.get(step.kind, step.kind)), role
        if title == "service":
            return step.service, "log-service"
        if title == "step":
            return step.template, role
        if title == "this transaction":
            return (step.template, role) if step.row is not None else ("╌" * min(room, 12), "log-dim")
        if title == "its peer":
            return (step.template, role) if step.peer_row is not None else ("╌" * min(room, 12), "log-dim")
        if title == "+here":
            return distance(step.since_previous), role
        if title == "+peer":
            return distance(step.peer_since_previous), "foreground"
        value = step.usual if title == "usual" else step.usual_p95
        return ("" if value is None else human_duration(value)), "log-dim"
