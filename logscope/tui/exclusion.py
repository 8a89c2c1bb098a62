"""An exclusion that is written into a rule: what it would leave is counted before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logscope.engine.answers import Detection, FieldValue, RuleState
from logscope.engine.api import Cancel
from logscope.errors import LogscopeError, RuleError

if TYPE_CHECKING:
    from logscope.tui.screens.base import InvestigatorScreen

HELP = "what the rule is not to find: customer:test-*  order_id:ORD-7    → completes names"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an exclusion would do."""

    text: str
    """The rule's file with it."""
    part: str
    """What it narrows: a step, or the whole."""
    left: int
    """Detections that are left."""


class Exclusion:
    """Asks for a filter, shows its effect, writes it."""

    def __init__(self, screen: InvestigatorScreen) -> None:
        """Asked and told in `screen`."""
        self._screen = screen
        self._rule: RuleState | None = None
        self._now = 0
        self._written: list[tuple[str, str, str]] = []
        """File, its text before and with it, of each that was written here."""
        self.last = False
        """Whether an exclusion is what was decided last."""

    def undo(self) -> bool:
        """Take the last exclusion out of its rule again; whether there was one."""
        if not self._written:
            return False
        screen = self._screen
        desk, (path, before, text) = screen.investigation.desk, self._written.pop()
        self.last = False

        def call(_: Cancel) -> None:
            if desk.text_of(path) != text:
                raise RuleError("was changed since: the exclusion stays", where=path, mend="edit the rule")
            desk.write(path, before)

        def undone(_: None) -> None:
            screen.scope.rules_changed()
            screen.scope.say(f"{path} is as it was before; it runs")

        screen.queries.ask("exclusion", call, undone, label="writing", failed=screen.tell)
        return True

    def ask(self, detection: Detection, now: int) -> None:
        """Ask for what is to be left out.

        Args:
            detection: Of the rule, for which names can be completed.
            now: How many the rule finds now.
        """
        screen, investigation, self._now = self._screen, self._screen.investigation, now
        rows = [step["row"] for step in detection.steps.values() if isinstance(step.get("row"), int)]

        def call(_: Cancel) -> tuple[RuleState, list[FieldValue]]:
            states = investigation.installed_rules()
            rule = next((one for one in states if one.name == detection.rule and one.path), None)
            if rule is None:
                raise RuleError(f"{detection.rule} has no file", mend="it was typed on the command line: save it first")
            return rule, list(investigation.fields(rows[0])) if rows else []

        screen.queries.ask("exclusion", call, lambda found: self._open(*found), failed=screen.tell)

    def _open(self, rule: RuleState, fields: list[FieldValue]) -> None:
        self._rule = rule
        self._screen.ask_text("exclude", f"{rule.name} but not", HELP)
        self._screen.bar.complete([one.name for one in fields])
        offers = [(f"{one.name}:{one.value}", "") for one in fields[:4] if one.value and " " not in one.value]
        self._screen.bar.offer(offers, "of this detection's first record")

    def typed(self, unless: str) -> None:
        """Count what is left."""
        screen, rule = self._screen, self._rule
        if rule is None or not unless:
            screen.close_bar()
            return
        investigation, known = screen.investigation, rule

        def call(cancel: Cancel) -> Effect:
            text, part = investigation.desk.excluded(known, unless)
            return Effect(text, part, investigation.preview(text, cancel=cancel, name=known.name).matches)

        screen.queries.ask("exclusion", call, self._tell, label="trying the exclusion", failed=screen.tell)

    def _tell(self, effect: Effect) -> None:
        from logscope.tui.screens.chooser import ChooserScreen

        screen, rule = self._screen, self._rule
        assert rule is not None
        gone = self._now - effect.left
        question = f"{rule.name} would find {effect.left:,} instead of {self._now:,}: {gone:,} fewer"
        write = "Write it into the rule" if rule.origin != "shipped" else "Copy the shipped rule to yours, with it"
        narrowed = f"{write}  (narrows {effect.part})"
        screen.app.push_screen(
            ChooserScreen(question, [narrowed, "Change the filter"]),
            lambda place: self._write(effect.text) if place == 0 else None,
        )

    def _write(self, text: str) -> None:
        screen, rule = self._screen, self._rule
        assert rule is not None
        desk, path, shipped = screen.investigation.desk, str(rule.path), rule.origin == "shipped"

        def call(_: Cancel) -> tuple[str, str]:
            target = str(desk.own_copy(path)) if shipped else path
            before = desk.text_of(target)
            desk.write(target, text)
            return target, before

        def written(found: tuple[str, str]) -> None:
            target, before = found
            self._written.append((target, before, text))
            self.last = True
            screen.close_bar()
            screen.scope.rules_changed()
            screen.scope.say(f"written to {target}; it runs")

        def failed(error: LogscopeError) -> None:
            screen.close_bar()
            screen.tell(error)

        screen.queries.ask("exclusion", call, written, label="writing", failed=failed)
