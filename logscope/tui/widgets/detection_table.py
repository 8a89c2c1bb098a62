"""Detections a row each, and the rules that made them over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from logscope.engine.answers import Detection
from logscope.layout.histogram import sparkline
from logscope.tui.clock import Clock
from logscope.tui.styles import DETECTION_ROLES, DETECTION_SIGNS
from logscope.tui.widgets.column_list import Cell, Column, ColumnList

STATES = {"matched": "", "pending": "… ", "provisional": "~ ", "retracted": "↺ "}
JUDGED = {"acknowledged": "✔", "false positive": "∅"}
"""What was decided about a detection, as a sign."""


class DetectionTable(ColumnList):
    """Detections in the order they are given."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """An empty table."""
        super().__init__(id=id)
        self._clock = clock
        self._detections: Sequence[Detection] = ()
        self._judged: Mapping[str, str] = {}
        self._longest = 0
        """Characters of the longest rule's name."""

    @property
    def detection(self) -> Detection | None:
        """The one under the cursor."""
        return self._detections[self.cursor] if self.cursor < len(self._detections) else None

    def show(self, detections: Sequence[Detection], judged: Mapping[str, str], teach: Sequence[str]) -> None:
        """Show these; the cursor stays on the detection it is on.

        Args:
            detections: In order.
            judged: Detection id to verdict.
            teach: What an empty list says.
        """
        now = self.detection
        self._detections, self._judged = detections, judged
        self._longest = max((len(name) for name in {one.rule for one in detections}), default=0)
        self.teach(teach)
        places = {one.detection: place for place, one in enumerate(detections)}
        self.set_rows(len(detections), places.get(now.detection, self.cursor) if now else 0)
        self.repaint()

    def columns(self) -> list[Column]:
        """When, how bad, which rule, about what, in words."""
        wide = self.wide >= 110
        return [
            Column("decided", 12),
            Column("level", 11 if wide else 10),
            Column("rule", max(30, min(self._longest, self.wide - 120)) if wide else 16),
            Column("key", 16, least=110),
            Column("message", 0),
        ]

    def sign(self, index: int) -> Cell:
        """What was decided about it."""
        return JUDGED.get(self._judged.get(self._detections[index].detection, ""), " "), "log-info"

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell; what is judged is dimmed."""
        one = self._detections[index]
        dim = one.detection in self._judged
        if column.title == "decided":
            return self._clock.time(one.time), "log-dim" if dim else "log-time"
        if column.title == "level":
            role = DETECTION_ROLES.get(one.level, "log-dim")
            return f"{DETECTION_SIGNS.get(one.level, '·')} {one.level}", "log-dim" if dim else role
        if column.title == "rule":
            return one.rule, "log-dim" if dim else "log-detection"
        if column.title == "key":
            return next((values[0] for values in one.keys.values() if values), ""), "log-dim" if dim else "log-key"
        return STATES.get(one.state, "") + (one.message.strip() or one.title), "log-dim" if dim else "foreground"


class RuleCounts(ColumnList):
    """How many detections each rule made, and when."""

    BESIDE = True
    DEFAULT_CSS = """
    RuleCounts { display: none; height: 6; border-top: solid $log-strip; }
    RuleCounts.open { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing counted yet."""
        super().__init__(id=id)
        self._rules: list[tuple[str, str, list[int]]] = []
        self._span = (0, 1)
        self.chosen: str | None = None
        """The rule that the list is narrowed to."""

    @property
    def rule(self) -> str | None:
        """The one under the cursor."""
        return self._rules[self.cursor][0] if self.cursor < len(self._rules) else None

    def show(self, detections: Sequence[Detection], span: tuple[int, int]) -> None:
        """Count these.

        Args:
            detections: All of them.
            span: First and last time of the records, microseconds.
        """
        times: dict[str, tuple[str, list[int]]] = {}
        for one in detections:
            times.setdefault(one.rule, (one.level, []))[1].append(one.time)
        order = list(DETECTION_SIGNS)
        self._rules = sorted(
            ((rule, level, found) for rule, (level, found) in times.items()),
            key=lambda one: (order.index(one[1]) if one[1] in order else 9, -len(one[2]), one[0]),
        )
        late = max((max(found) for _, _, found in self._rules), default=span[1])
        self._span = (span[0], max(span[1], late, span[0] + 1))
        self.teach(["No rule has found anything."])
        self.set_rows(len(self._rules), min(self.cursor, max(0, len(self._rules) - 1)))
        self.repaint()

    def columns(self) -> list[Column]:
        """Which, how many, when."""
        return [Column("rule", 30), Column("found", 7, right=True), Column("over time", 0)]

    def sign(self, index: int) -> Cell:
        """Whether the list is narrowed to it."""
        rule, level, _ = self._rules[index]
        if rule == self.chosen:
            return "●", "log-hint"
        return DETECTION_SIGNS.get(level, "·"), DETECTION_ROLES.get(level, "log-dim")

    def cell(self, index: int, column: Column, room: int) -> Cell:
        """One cell."""
        rule, level, times = self._rules[index]
        if column.title == "rule":
            return rule, "log-detection"
        if column.title == "found":
            return f"{len(times):,}", "foreground"
        start, end = self._span
        counts = [0] * max(1, room)
        for time in times:
            counts[max(0, min(len(counts) - 1, (time - start) * len(counts) // (end - start)))] += 1
        return sparkline(counts), DETECTION_ROLES.get(level, "log-dim")
