"""Rules a row each, and what one rule has found and nearly found."""

from __future__ import annotations

from collections.abc import Sequence

from logscope.engine.answers import Detection, NearMiss, RuleState
from logscope.text import human_duration
from logscope.tui.clock import Clock
from logscope.tui.styles import DETECTION_ROLES, DETECTION_SIGNS
from logscope.tui.widgets.column_list import Cell, Column, ColumnList


class RuleTable(ColumnList):
    """All rules there are."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """None known yet."""
        super().__init__(id=id)
        self._clock = clock
        self._rules: Sequence[RuleState] = ()

    @property
    def rule(self) -> RuleState | None:
        """The one under the cursor."""
        return self._rules[self.cursor] if self.cursor < len(self._rules) else None

    def show(self, rules: Sequence[RuleState]) -> None:
        """Show these; the cursor stays on the rule it is on."""
        now = self.rule
        self._rules = rules
        self.teach(["There are no rules.", "", "S in the records view makes one of what you have found."])
        same = (place for place, one in enumerate(rules) if now and (one.path, one.name) == (now.path, now.name))
        self.set_rows(len(rules), next(same, self.cursor))
        self.repaint()

    def columns(self) -> list[Column]:
        """On or off, how bad, what it found, what it costs."""
        wide = self.wide >= 110
        return [
            Column("rule", 34 if wide else 26),
            Column("level", 15 if wide else 9),
            Column("found", 7, right=True),
            Column("last", 12, least=100),
            Column("held", 6, right=True, least=90),
            Column("took", 8, right=True, least=70),
            Column("of", 8),
            Column("title", 0),
        ]

    def sign(self, index: int) -> Cell:
        """Whether it runs."""
        one = self._rules[index]
        if one.error:
            return "✖", "log-error"
        return ("●", "log-info") if one.enabled else ("○", "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell; what does not run is dimmed."""
        one = self._rules[index]
        dim = not one.enabled
        if column.title == "rule":
            name = one.name.rsplit("/", 1)[-1] if one.error else one.name
            return name, "log-error" if one.error else "log-dim" if dim else "log-detection"
        if column.title == "level":
            told = f"{DETECTION_SIGNS.get(one.level, '·')} {one.level}" if one.level else ""
            return told, "log-dim" if dim else DETECTION_ROLES.get(one.level, "log-dim")
        if column.title == "title":
            return one.error or one.title, "log-error" if one.error else "log-dim" if dim else "foreground"
        told = {
            "found": f"{one.matches:,}" if one.enabled and not one.error else "",
            "last": self._clock.time(one.last) if one.last is not None else "",
            "held": f"{one.waiting:,}" if one.waiting else "",
            "took": human_duration(round(one.seconds * 1_000_000)) if one.seconds else "",
            "of": one.origin,
        }[column.title]
        return told, "log-dim" if dim or column.title in ("of", "took") else "foreground"


class FindingTable(ColumnList):
    """What a rule found, and what it nearly found."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """Nothing yet."""
        super().__init__(id=id)
        self._clock = clock
        self._found: Sequence[Detection] = ()
        self._missed: Sequence[NearMiss] = ()
        self.near = False
        """Whether it shows what was nearly found."""

    @property
    def detection(self) -> Detection | None:
        """The one under the cursor."""
        return self._found[self.cursor] if not self.near and self.cursor < len(self._found) else None

    @property
    def miss(self) -> NearMiss | None:
        """The near miss under the cursor."""
        return self._missed[self.cursor] if self.near and self.cursor < len(self._missed) else None

    def show(self, found: Sequence[Detection], missed: Sequence[NearMiss]) -> None:
        """Show these, newest first, and those, nearest first."""
        self._found, self._missed = found, missed
        self.turn(near=self.near)

    def turn(self, *, near: bool) -> None:
        """What was found, or what nearly was."""
        moved = near != self.near
        self.near = near
        self.teach(
            ["Nothing failed by one thing alone, or not by little."]
            if near
            else ["It has found nothing in what is loaded."]
        )
        self.set_rows(len(self._missed if near else self._found), 0 if moved else self.cursor)
        self.repaint()

    def columns(self) -> list[Column]:
        """When, about what, in words."""
        if self.near:
            return [Column("time", 12), Column("about", 18), Column("step", 12), Column("why it did not match", 0)]
        return [Column("decided", 12), Column("about", 18), Column("message", 0)]

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        if self.near:
            miss = self._missed[index]
            if column.title == "time":
                return self._clock.time(miss.time), "log-time"
            if column.title == "about":
                return miss.subject, "log-key"
            return (miss.step, "log-detection") if column.title == "step" else (miss.text, "foreground")
        one = self._found[index]
        if column.title == "decided":
            return self._clock.time(one.time), "log-time"
        if column.title == "about":
            return next((values[0] for values in one.keys.values() if values), ""), "log-key"
        return one.message or one.title, "foreground"
