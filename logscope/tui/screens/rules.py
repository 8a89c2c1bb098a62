"""The list of rules: which run, what they found, what they cost; on and off, and to be edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from logscope.engine.answers import RuleState
from logscope.engine.api import Cancel
from logscope.tui.editing import edit_outside, edit_rule
from logscope.tui.safe import line
from logscope.tui.screens.base import Part
from logscope.tui.screens.listing import ListScreen
from logscope.tui.widgets.rule_table import RuleTable


def state_words(rule: RuleState) -> list[Part]:
    """In words what a rule holds and gave up."""
    parts: list[Part] = [(f"{rule.waiting:,} waiting", "") if rule.waiting else ("nothing waiting", "$log-dim")]
    parts += [
        (f"   {name} {count:,}", "$log-dim") for name, count in rule.counts.items() if count and name != "evicted"
    ]
    if rule.incomplete:
        parts.append((f"   ⚠ incomplete: {rule.counts['evicted']:,} given up", "bold $log-warn"))
    return parts


def place_words(rule: RuleState) -> str:
    """Where a rule is written."""
    if rule.path is None:
        return "typed on the command line"
    name = rule.path.rsplit("/", 1)[-1] if rule.origin == "shipped" else rule.path
    return f"{name}{f':{rule.line}' if rule.line else ''}{' (shipped)' if rule.origin == 'shipped' else ''}"


class RulesScreen(ListScreen):
    """All rules there are."""

    ROW = "rule"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "turn", "Switch it on or off", id="rules.switch", show=False),
        Binding("e", "edit", "Edit it here", id="rules.edit", show=False),
        Binding("E", "editor", "Edit it in $EDITOR", id="rules.editor", show=False),
        Binding("D", "detections", "What it found", id="rules.detections", show=False),
        Binding("t", "open", "Its page", id="rules.page", show=False),
        Binding("r", "read", "Read all rules anew", id="rules.reload", show=False),
    ]
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("list.choose", "its page"),
        ("rules.switch", "on/off"),
        ("rules.edit", "edit"),
        ("rules.editor", "$EDITOR"),
        ("rules.detections", "what it found"),
        ("rules.reload", "read anew"),
        ("screen.leave", "back"),
    )
    ABOUT = ("Rules", "● runs, ○ is off, ✖ does not compile. A file that changes is read anew by itself.")

    def parts(self) -> Iterable[Widget]:
        """The table, and what is to say of the one under the cursor."""
        yield RuleTable(self.scope.clock, id="rules")
        yield Static(id="output")

    @property
    def main_list(self) -> RuleTable:
        """The table."""
        return self.query_one(RuleTable)

    def heading(self) -> Content:
        """The column titles."""
        return line(*self.main_list.titles())

    def reload(self) -> None:
        """Ask for them."""
        investigation = self.investigation
        self.ask_linked(lambda _: list(investigation.installed_rules()), self._arrived, label="running rules")

    def _arrived(self, rules: Sequence[RuleState]) -> None:
        ranked = sorted(rules, key=lambda one: (not one.error, not one.enabled, -one.matches, one.name))
        self.main_list.show(ranked)
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Title, state, file."""
        one, output = self.main_list.rule, self.query_one("#output", Static)
        if one is None:
            output.update(Content(""))
            return
        head = line((one.error, "bold $log-error")) if one.error else line((one.title, "bold"))
        state = line(
            *(state_words(one) if one.enabled and not one.error else [("off" if not one.error else "", "$log-dim")])
        )
        output.update(Content("\n").join([head, state, line((place_words(one), "$log-dim"))]), layout=False)

    def action_open(self) -> None:
        """Its page."""
        from logscope.tui.screens.page import PageScreen

        one = self.main_list.rule
        if one is None:
            return
        if one.error:
            self.action_edit()
        elif one.enabled:
            self.app.push_screen(PageScreen(self.investigation, one.name))
        else:
            self.scope.say("it does not run: x switches it on")

    def action_turn(self) -> None:
        """On or off."""
        one, desk = self.main_list.rule, self.investigation.desk
        if one is None or one.error:
            return
        on, wanted = not one.enabled, one

        def call(_: Cancel) -> None:
            desk.switch(wanted, on=on)

        def switched(_: None) -> None:
            self.scope.rules_changed()

        self.queries.ask("switch", call, switched, label="switching", failed=self.tell)

    def action_edit(self) -> None:
        """Edit it here."""
        if (one := self.main_list.rule) is not None:
            edit_rule(self, one)

    def action_editor(self) -> None:
        """Edit it in the user's editor."""
        if (one := self.main_list.rule) is not None:
            edit_outside(self, one)

    def action_detections(self) -> None:
        """What it found."""
        from logscope.tui.screens.detections import DetectionsScreen

        one = self.main_list.rule
        self.app.push_screen(DetectionsScreen(self.investigation, one.name if one else None))

    def action_read(self) -> None:
        """Read all rules anew."""
        desk = self.investigation.desk
        self.queries.ask("reload", lambda _: desk.reload(), self.scope.rules_reloaded, label="reading rules")
