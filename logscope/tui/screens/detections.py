"""The list of detections: what rules found, and what they say of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Detection
from logscope.text import clean
from logscope.tui.clock import Clock
from logscope.tui.painting import fit
from logscope.tui.safe import line
from logscope.tui.screens.listing import ListScreen
from logscope.tui.styles import DETECTION_ROLES, DETECTION_SIGNS
from logscope.tui.widgets.row_list import RowList

STATES = {"matched": "", "pending": "… ", "provisional": "~ ", "retracted": "↺ "}


class DetectionTable(RowList):
    """Detections in order of time."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        """An empty table."""
        super().__init__(id=id)
        self._clock = clock
        self._detections: Sequence[Detection] = ()
        self._teach: list[str] = ["", "Linking …"]

    @property
    def empty_text(self) -> list[str]:
        """What an empty list teaches."""
        return self._teach

    @property
    def detection(self) -> Detection | None:
        """The one under the cursor."""
        return self._detections[self.cursor] if self.cursor < len(self._detections) else None

    def show(self, detections: Sequence[Detection], rules: int) -> None:
        """Show these."""
        self._detections = detections
        self._teach = (
            [f"Nothing found: {rules} rules ran over what is loaded.", "", "logscope rules list shows them."]
            if rules
            else [
                "No rules are enabled.",
                "",
                "logscope rules enable NAME switches a shipped one on; --rules PATH adds yours.",
            ]
        )
        self.set_rows(len(detections), self.cursor)

    def row_segments(self, index: int, selected: bool) -> list[Segment]:
        """One detection."""
        one = self._detections[index]
        styles = self.look_up
        behind = "log-cursor" if selected else "background"
        role = DETECTION_ROLES.get(one.level, "log-dim")
        wide = self.scrollable_content_region.width >= 110
        rule_width = 30 if wide else 16
        key = next((values[0] for values in one.keys.values() if values), "")
        return [
            Segment("▸ " if selected else "  ", styles.style("log-hint", behind, bold=True)),
            Segment(self._clock.time(one.time) + " ", styles.style("log-time", behind)),
            Segment(
                f"{DETECTION_SIGNS.get(one.level, '·')} {fit(clean(one.level), 9)}",
                styles.style(role, behind, bold=True),
            ),
            Segment(fit(clean(one.rule), rule_width) + " ", styles.style("log-detection", behind)),
            *([Segment(fit(clean(key), 16) + " ", styles.style("log-key", behind, bold=True))] if wide else []),
            Segment(
                STATES.get(one.state, "") + clean(one.message or one.title, cap=1000)[self.side :],
                styles.style("foreground", behind),
            ),
        ]


class DetectionsScreen(ListScreen):
    """The list of detections."""

    ROW = "detection"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "open", "Open the transaction", id="detections.open", show=False),
        Binding("y", "copy", "Copy as JSON", id="detections.copy", show=False),
        Binding("asterisk", "pivot", "The records of its key's value", id="detections.pivot", show=False),
        Binding("T", "transactions", "List of transactions", id="detections.transactions", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "open transaction"),
        ("detections.copy", "copy"),
        ("detections.transactions", "list"),
        ("screen.leave", "back"),
    )
    ABOUT = ("Detections", "What the rules found, in the order it was decided. Enter opens the transaction.")

    def parts(self) -> Iterable[Widget]:
        """The table, and what the one under the cursor says."""
        yield DetectionTable(self.scope.clock, id="detections")
        yield Static(id="output")

    @property
    def main_list(self) -> DetectionTable:
        """The table."""
        return self.query_one(DetectionTable)

    def heading(self) -> Content:
        """The column titles."""
        wide = self.size.width >= 111
        rule = "rule".ljust(31 if wide else 17) + ("key".ljust(17) if wide else "")
        return line((f"  {'decided':<13}{'level':<11}{rule}message", "$log-dim"))

    def reload(self) -> None:
        """Ask for them."""
        investigation = self.investigation
        self.ask_linked(lambda _: list(investigation.detections()), self._arrived, label="running rules")

    def _arrived(self, detections: list[Detection]) -> None:
        self.main_list.show(detections, self.scope.snapshot.rules)
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """What the one under the cursor says."""
        one = self.main_list.detection
        if one is None:
            self.query_one("#output", Static).update(Content(""))
            return
        fields: list[Content | str | tuple[str, str]] = []
        for name, value in one.output.items():
            fields += [(f"{name} ", "$log-name"), (f"{value}   ", "bold")]
        steps: list[Content | str | tuple[str, str]] = [("steps  ", "$log-dim")]
        for name, step in one.steps.items():
            at = step.get("time")
            steps += [
                (f"{name} ", "$log-detection"),
                (f"{self.scope.clock.time(at if isinstance(at, int) else None)}   ", "$log-time"),
            ]
        if one.reason:
            steps.append((f"✖ {one.reason}", "bold $log-detection"))
        head = line((clean(one.title), "bold"), (f"  {one.state}", "$log-dim"))
        self.query_one("#output", Static).update(Content("\n").join([head, line(*fields), line(*steps)]), layout=False)

    def action_open(self) -> None:
        """The transaction of the detection, at its last step."""
        from logscope.tui.painting import marks_of_steps
        from logscope.tui.screens.transaction import TransactionScreen

        one = self.main_list.detection
        if one is None:
            return
        if one.number is None:
            self.scope.say("this detection is of single records: x in the records view goes to them")
            return
        self.app.push_screen(TransactionScreen(self.investigation, one.number, marks_of_steps(one.steps)))

    def action_copy(self) -> None:
        """What the rule emits, as JSON."""
        one = self.main_list.detection
        if one is not None:
            told = {"rule": one.rule, "level": one.level, "message": one.message, "output": one.output}
            self.scope.copy(json.dumps(told, default=str), "the detection")

    def action_pivot(self) -> None:
        """The records of its first key's value, at its last step."""
        from logscope.tui.painting import marks_of_steps

        one = self.main_list.detection
        found = next(((name, values[0]) for name, values in one.keys.items() if values), None) if one else None
        if one is not None and found is not None:
            self.pivot(found[0], found[1], marks_of_steps(one.steps))

    def action_transactions(self) -> None:
        """The list of transactions."""
        from logscope.tui.screens.transactions import TransactionsScreen

        self.app.push_screen(TransactionsScreen(self.investigation))
