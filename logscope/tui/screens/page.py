"""One rule: what it found and nearly found, what it holds and costs, and whether its tests pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import Detection, NearMiss, RuleState
from logscope.engine.api import Cancel, Investigation
from logscope.engine.detection.marking import last_row
from logscope.errors import RuleError
from logscope.rules.tests import TestResult
from logscope.text import human_duration
from logscope.tui.editing import edit_outside, edit_rule
from logscope.tui.safe import line
from logscope.tui.screens.base import Part
from logscope.tui.screens.facts import FactsScreen
from logscope.tui.screens.listing import ListScreen
from logscope.tui.screens.rules import place_words, state_words
from logscope.tui.styles import DETECTION_ROLES, DETECTION_SIGNS
from logscope.tui.widgets.chrome import Chrome
from logscope.tui.widgets.rule_table import FindingTable


@dataclass(frozen=True, slots=True)
class Known:
    """What the engine answered."""

    rule: RuleState
    found: Sequence[Detection]
    missed: Sequence[NearMiss]


class PageScreen(ListScreen):
    """The page of one rule."""

    ROW = "match"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "turn", "What it found, or nearly found", id="page.turn", show=False),
        Binding("t", "open", "Open the transaction", id="page.open", show=False),
        Binding("r", "run_tests", "Run its tests", id="page.tests", show=False),
        Binding("e", "edit", "Edit it here", id="page.edit", show=False),
        Binding("E", "editor", "Edit it in $EDITOR", id="page.editor", show=False),
        Binding("y", "copy", "Copy its file's name", id="page.copy", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("page.turn", "near misses"),
        ("list.choose", "open transaction"),
        ("page.tests", "run tests"),
        ("page.edit", "edit"),
        ("page.editor", "$EDITOR"),
        ("screen.leave", "back"),
    )
    ABOUT = (
        "A rule",
        (
            "Matches, newest first; Tab shows what nearly matched, nearest first, and by what it failed. "
            "Waiting: matches that are not decided yet."
        ),
    )

    def __init__(self, investigation: Investigation, name: str) -> None:
        """The page of the rule `name`."""
        super().__init__(investigation)
        self._rule_name = name
        self._known: Known | None = None
        self._tests: Sequence[TestResult] | None = None

    def parts(self) -> Iterable[Widget]:
        """The list, and what there is to say of the rule."""
        yield FindingTable(self.scope.clock, id="findings")
        yield Static(id="facts")

    @property
    def main_list(self) -> FindingTable:
        """Matches, or near misses."""
        return self.query_one(FindingTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def reload(self) -> None:
        """Ask for all of it."""
        investigation, name = self.investigation, self._rule_name

        def call(cancel: Cancel) -> Known:
            rule = next((one for one in investigation.installed_rules() if one.name == name and not one.error), None)
            if rule is None or not rule.enabled:
                raise RuleError(f"{name} does not run any more", mend="R lists all rules")
            found = [one for one in investigation.detections() if one.rule == name]
            cancel.check()
            return Known(rule, found[::-1], list(investigation.near_misses(name, cancel=cancel)))

        self.ask_linked(call, self._arrived, label="running rules", failed=self.tell)

    def _arrived(self, known: Known) -> None:
        self._known = known
        self.main_list.show(known.found, known.missed)
        self._tell()

    def show_title(self) -> None:
        """Its name and level."""
        known = self._known
        if known is None:
            super().show_title()
            return
        rule = known.rule
        role = DETECTION_ROLES.get(rule.level, "log-dim")
        left = line(
            (f"{DETECTION_SIGNS.get(rule.level, '·')} {rule.level} ", f"bold ${role}"),
            (rule.name, "bold $log-detection"),
        )
        found = f"{len(known.found):,} found · {len(known.missed):,} nearly"
        self.query_one("#title", Chrome).show(left, line((found, "bold")))

    def _tell(self) -> None:
        known = self._known
        if known is None:
            return
        rule = known.rule
        took = human_duration(round(rule.seconds * 1_000_000))
        state: list[Part] = [*state_words(rule), (f"   took {took}", "$log-time")]
        rows = [line((rule.title, "bold")), line(*state), line((place_words(rule), "$log-dim")), self._tested()]
        self.query_one("#facts", Static).update(Content("\n").join(rows))
        self.show_title()

    def _tested(self) -> Content:
        if self._tests is None:
            return line((f"{self.scope.keys.shown('page.tests')} runs its tests", "$log-dim"))
        failed = [one for one in self._tests if not one.passed]
        if not self._tests:
            return line(("it carries no test", "$log-warn"))
        if not failed:
            return line((f"✔ {len(self._tests)} tests pass", "bold $log-info"))
        return line((f"✖ {len(failed)} of {len(self._tests)} tests fail: {failed[0].test}", "bold $log-error"))

    def status_parts(self) -> tuple[Content, Content]:
        """Which of how many."""
        rows = self.main_list
        word = "near miss" if rows.near else "match"
        told = f"{word} {rows.cursor + 1:,} of {rows.rows:,}" if rows.rows else ""
        return line(told, (f"   {rows.count_typed}" if rows.count_typed else "", "bold $log-hint")), Content("")

    # Actions

    def action_turn(self) -> None:
        """What it found, or nearly found."""
        self.main_list.turn(near=not self.main_list.near)
        self.show_heading()
        self.show_status()

    def action_open(self) -> None:
        """The transaction, at the last step, or at what came too late."""
        from logscope.tui.screens.transaction import TransactionScreen

        one, miss = self.main_list.detection, self.main_list.miss
        if one is not None:
            number, row = one.number, last_row(one.steps)
        elif miss is not None:
            number, row = miss.number, miss.row if miss.row is not None else miss.steps[-1][1]
        else:
            return
        if number is None:
            self.scope.home.go_to_row(row)
        else:
            self.app.push_screen(TransactionScreen(self.investigation, number, row))

    def action_run_tests(self) -> None:
        """Run its tests, in one batch and cut at every record."""
        known, desk = self._known, self.investigation.desk
        if known is None:
            return
        rule = known.rule
        self.queries.ask(
            "tests", lambda _: desk.run_tests(rule), self._tests_ran, label="running its tests", failed=self.tell
        )

    def _tests_ran(self, results: Sequence[TestResult]) -> None:
        self._tests = results
        self._tell()
        if any(not one.passed for one in results):
            rows: list[Content] = []
            for one in results:
                sign, style = ("✔", "$log-info") if one.passed else ("✖", "bold $log-error")
                rows.append(line((f"{sign} {one.test}", style)))
                told = [one.error] if one.error else [str(each) for each in one.differences]
                rows += [line((f"    {each}", "")) for each in told]
            self.app.push_screen(FactsScreen("Its tests", rows))

    def action_edit(self) -> None:
        """Edit it here."""
        if self._known is not None:
            edit_rule(self, self._known.rule)

    def action_editor(self) -> None:
        """Edit it in the user's editor."""
        if self._known is not None:
            edit_outside(self, self._known.rule)

    def action_copy(self) -> None:
        """Its file's name."""
        if self._known is not None and self._known.rule.path:
            self.scope.copy(self._known.rule.path, "the file's name")
