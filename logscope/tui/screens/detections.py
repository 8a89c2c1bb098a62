"""The list of detections: what rules found, what they say of it, and what the analyst decides about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Detection
from logscope.engine.api import Cancel, Investigation
from logscope.engine.detection.marking import last_row
from logscope.engine.rulework.triage import ACKNOWLEDGED, FALSE_POSITIVE, Verdict
from logscope.text import clean
from logscope.tui.exclusion import Exclusion
from logscope.tui.messages import RowChosen
from logscope.tui.safe import line
from logscope.tui.screens.base import Part
from logscope.tui.screens.listing import ListScreen
from logscope.tui.widgets.detection_table import JUDGED, DetectionTable, RuleCounts

TALL = 30
"""Lines from which the rules are shown beside the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine answered."""

    detections: Sequence[Detection]
    verdicts: Mapping[str, Verdict]


class DetectionsScreen(ListScreen):
    """The list of detections."""

    ROW = "detection"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "open", "Open the transaction", id="detections.open", show=False),
        Binding("a", "acknowledge", "Acknowledge", id="detections.acknowledge", show=False),
        Binding("F", "false_positive", "False positive, with a reason", id="detections.false-positive", show=False),
        Binding("U", "unjudge", "Take the decision, or the exclusion, back", id="detections.undo", show=False),
        Binding("exclamation_mark", "exclude", "Write an exclusion into the rule", id="detections.exclude", show=False),
        Binding("v", "hide", "Hide what is decided about, or show it", id="detections.hide", show=False),
        Binding("tab", "rules", "By rule, over time", id="detections.rules", show=False),
        Binding("p", "page", "The rule's page", id="detections.page", show=False),
        Binding("r", "reverse", "Newest first, or last", id="detections.reverse", show=False),
        Binding("y", "copy", "Copy as JSON", id="detections.copy", show=False),
        Binding("asterisk", "pivot", "The records of its key's value", id="detections.pivot", show=False),
        Binding("T", "transactions", "List of transactions", id="detections.transactions", show=False),
        Binding("P", "pin", "Pin its transaction into the case, or take its pin away", id="detections.pin", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "open transaction"),
        ("detections.acknowledge", "acknowledge"),
        ("detections.false-positive", "false"),
        ("detections.rules", "by rule"),
        ("detections.page", "rule"),
        ("detections.exclude", "exclude"),
        ("detections.undo", "undo"),
        ("detections.hide", "hide decided"),
        ("detections.copy", "copy"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "Detections",
        (
            "What the rules found, newest first, what is pending (…) last. Enter opens the transaction, else the "
            "records. ✔ acknowledged, ∅ a false positive: "
            "kept by the detection's id, so the same records show it again."
        ),
    )

    def __init__(self, investigation: Investigation, rule: str | None = None) -> None:
        """The detections of `investigation`, or of one rule of it."""
        super().__init__(investigation)
        self._rule = rule
        self._newest_first = True
        self._hidden = False
        self._by_rule = False
        self._found = Found((), {})
        self._exclusion = Exclusion(self)

    def parts(self) -> Iterable[Widget]:
        """The table, the rules over time, and what the one under the cursor says."""
        yield DetectionTable(self.scope.clock, id="detections")
        yield RuleCounts(id="rules")
        yield Static(id="output")

    @property
    def main_list(self) -> DetectionTable:
        """The table."""
        return self.query_one(DetectionTable)

    @property
    def counts(self) -> RuleCounts:
        """The rules over time."""
        return self.query_one(RuleCounts)

    def on_resize(self, event: events.Resize) -> None:
        """The rules are shown where there is room."""
        self.counts.set_class(event.size.height >= TALL or self._by_rule, "open")

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def reload(self) -> None:
        """Ask for them."""
        investigation = self.investigation

        def call(_: Cancel) -> Found:
            return Found(list(investigation.detections()), investigation.desk.verdicts())

        self.ask_linked(call, self._arrived, label="running rules", failed=self.tell)

    def _arrived(self, found: Found) -> None:
        self._found = found
        snapshot = self.scope.snapshot
        self.counts.chosen = self._rule
        self.counts.show(found.detections, (snapshot.start or 0, snapshot.end or 1))
        self._narrow()

    def _narrow(self) -> None:
        """Show what of it is wanted."""
        verdicts = {name: one.verdict for name, one in self._found.verdicts.items()}
        shown = [
            one
            for one in self._found.detections
            if (self._rule is None or one.rule == self._rule) and not (self._hidden and one.detection in verdicts)
        ]
        if self._newest_first:
            shown.reverse()
        # What was found comes before what may yet turn out not to be.
        shown.sort(key=lambda one: one.state == "pending")
        self.main_list.show(shown, verdicts, self._teach())
        self.cursor_moved()
        self.show_status()

    def _teach(self) -> list[str]:
        rules, keys = self.scope.snapshot.rules, self.scope.keys
        if self._found.detections:
            return ["Nothing is left of what was found.", "", f"{keys.shown('detections.hide')} shows what is decided."]
        if rules:
            return [
                f"Nothing found: {rules} rules ran over what is loaded.", "",
                f"{keys.shown('screen.rules')} shows them, what they hold and what nearly matched.",
            ]  # fmt: skip
        return [
            "No rules are enabled.", "",
            f"{keys.shown('screen.rules')} lists them: x switches one on. S in the records view makes one of",
            "what you have found.",
        ]  # fmt: skip

    def cursor_moved(self) -> None:
        """What the one under the cursor says."""
        one = self.main_list.detection
        if one is None:
            self.query_one("#output", Static).update(Content(""))
            return
        fields: list[Part] = []
        for name, value in one.output.items():
            fields += [(f"{name} ", "$log-name"), (f"{value}   ", "bold")]
        steps: list[Part] = [("steps  ", "$log-dim")]
        for name, step in one.steps.items():
            at = step.get("time")
            steps += [
                (f"{name} ", "$log-detection"),
                (f"{self.scope.clock.time(at if isinstance(at, int) else None)}   ", "$log-time"),
            ]
        if one.reason:
            steps.append((f"✖ {one.reason}", "bold $log-detection"))
        head: list[Part] = [(clean(one.title), "bold"), (f"  {one.state}", "$log-dim")]
        if (verdict := self._found.verdicts.get(one.detection)) is not None:
            sign = JUDGED.get(verdict.verdict, "")
            head.append((f"   {sign} {verdict.verdict} {verdict.reason}", "bold $log-info"))
        told = Content("\n").join([line(*head), line(*fields), line(*steps)])
        self.query_one("#output", Static).update(told, layout=False)

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many, of which rule."""
        left = [self.standing()]
        if self._rule is not None:
            left.append(line((f"   of {self._rule}", "$log-detection")))
        judged = sum(one.detection in self._found.verdicts for one in self._found.detections)
        hidden = " hidden" if self._hidden else ""
        right = line((f"{judged:,} decided{hidden}" if judged else "", "$log-dim"))
        return Content("").join(left), right

    # Ways on

    def chosen(self, event: RowChosen) -> None:
        """Enter: the transaction; on a rule only its detections, or all again."""
        if event.rows is self.counts:
            rule = self.counts.rule
            self._rule = None if rule == self._rule else rule
            self.counts.chosen = self._rule
            self.counts.repaint()
            self._narrow()
        else:
            self.action_open()

    def action_rules(self) -> None:
        """To the rules and back."""
        self._by_rule = not self._by_rule
        self.counts.set_class(self.size.height >= TALL or self._by_rule, "open")
        (self.counts if self._by_rule else self.main_list).focus()

    def close_something(self) -> bool:
        """The bar, the rules, or the choice of one."""
        if super().close_something():
            return True
        if self._by_rule:
            self.action_rules()
            return True
        return False

    def action_reverse(self) -> None:
        """Newest first, or last."""
        self._newest_first = not self._newest_first
        self._narrow()

    def action_hide(self) -> None:
        """Hide what is decided about, or show it."""
        self._hidden = not self._hidden
        self._narrow()

    def action_page(self) -> None:
        """The page of the rule under the cursor."""
        from logscope.tui.screens.page import PageScreen

        one = self.main_list.detection
        name = self.counts.rule if self._by_rule else one.rule if one else None
        if name is not None:
            self.app.push_screen(PageScreen(self.investigation, name))

    def action_open(self) -> None:
        """The transaction of the detection at its last step; where it is of none, the records there."""
        one = self.main_list.detection
        if one is None:
            return
        row = last_row(one.steps)
        if one.number is not None:
            self._show_transaction(one.number, row)
        elif row is None or one.rows:
            # A correlation counts records of many: they are what it is about.
            self.scope.home.go_to_row(row)
        else:
            self._open_that_of(row)

    def _open_that_of(self, row: int) -> None:
        """The transaction that a record stands in: rules by a host or a service name none."""

        def call(_: Cancel) -> Sequence[int]:
            return self.investigation.transactions_of(row)

        def arrived(numbers: Sequence[int]) -> None:
            if len(numbers) == 1:
                self._show_transaction(numbers[0], row)
            else:
                self.scope.home.go_to_row(row)

        self.queries.ask("transaction", call, arrived, failed=self.tell)

    def _show_transaction(self, number: int, row: int | None) -> None:
        from logscope.tui.screens.transaction import TransactionScreen

        self.app.push_screen(TransactionScreen(self.investigation, number, row))

    def action_pin(self) -> None:
        """Pin the detection's transaction."""
        one = self.main_list.detection
        if one is not None and one.number is not None:
            self.scope.casebook.pin_transaction(self, one.number)
        elif one is not None:
            self.scope.say("it belongs to no transaction: pin its records in the records view")

    def action_copy(self) -> None:
        """What the rule emits, as JSON."""
        one = self.main_list.detection
        if one is not None:
            told = {"rule": one.rule, "level": one.level, "message": one.message, "output": one.output}
            self.scope.copy(json.dumps(told, default=str), "the detection")

    def action_pivot(self) -> None:
        """The records of its first key's value, at its last step."""
        one = self.main_list.detection
        found = next(((name, values[0]) for name, values in one.keys.items() if values), None) if one else None
        if one is not None and found is not None:
            self.pivot(found[0], found[1], last_row(one.steps))

    def action_transactions(self) -> None:
        """The list of transactions."""
        from logscope.tui.screens.transactions import TransactionsScreen

        self.app.push_screen(TransactionsScreen(self.investigation))

    # Deciding

    def _judge(self, verdict: Verdict | None) -> None:
        one, desk = self.main_list.detection, self.investigation.desk
        if one is None:
            return
        name = one.detection
        self._exclusion.last = False

        def call(_: Cancel) -> Mapping[str, Verdict]:
            desk.judge(name, verdict)
            return desk.verdicts()

        self.queries.ask("judge", call, self._judged, failed=self.tell)

    def _judged(self, verdicts: Mapping[str, Verdict]) -> None:
        self.close_bar()
        self._found = Found(self._found.detections, verdicts)
        place = self.main_list.cursor
        self._narrow()
        self.main_list.go(place if self._hidden else place + 1)

    def action_acknowledge(self) -> None:
        """It is known: nothing more to do."""
        if (one := self.main_list.detection) is not None:
            self._judge(Verdict(ACKNOWLEDGED, rule=one.rule))

    def action_false_positive(self) -> None:
        """It should not have been found; asks why."""
        if self.main_list.detection is not None:
            self.ask_text("reason", "false positive because", "kept with it; ! writes an exclusion into the rule")

    def action_unjudge(self) -> None:
        """Take back an exclusion that was written last, else the decision about this one."""
        one = self.main_list.detection
        judged = one is not None and one.detection in self._found.verdicts
        if judged and not self._exclusion.last:
            self._judge(None)
        elif not self._exclusion.undo():
            self.scope.say("nothing is decided about this one")

    def action_exclude(self) -> None:
        """An exclusion in the rule, its effect shown first."""
        if (one := self.main_list.detection) is not None:
            self._exclusion.ask(one, sum(other.rule == one.rule for other in self._found.detections))

    def submitted(self, purpose: str, text: str) -> None:
        """A reason, or an exclusion."""
        one = self.main_list.detection
        if purpose == "reason" and one is not None:
            self._judge(Verdict(FALSE_POSITIVE, text, one.rule))
        elif purpose == "exclude":
            self._exclusion.typed(text)
