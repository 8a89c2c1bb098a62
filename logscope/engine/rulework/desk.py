"""All that a face does with rules and what they found: making, changing, switching, testing, judging."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from logscope.engine.rulework.authoring import Authoring, Proposal
from logscope.engine.rulework.proposing import StepSpan, nice_step, turned
from logscope.engine.rulework.rulefiles import Reloaded, RuleFiles
from logscope.engine.rulework.triage import ACKNOWLEDGED, FALSE_POSITIVE, Triage, Verdict
from logscope.engine.rulework.wording import retold

if TYPE_CHECKING:
    from logscope.engine.answers import RuleState
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session
    from logscope.errors import LogscopeError
    from logscope.rules.drafts import Draft
    from logscope.rules.tests import TestResult

__all__ = [
    "ACKNOWLEDGED", "FALSE_POSITIVE", "Desk", "Proposal", "Reloaded", "RuleDesk", "StepSpan", "Verdict", "nice_step",
    "retold", "turned",
]  # fmt: skip


class RuleDesk(Protocol):
    """What the screens ask about rules; all of it blocks and belongs on a thread."""

    def of_records(self, marks: Sequence[tuple[int, bool]], *, cancel: Cancel) -> Proposal:
        """A sequence of marked records: (row, whether absent) each (see `Authoring`)."""

    def of_filter(self, text: str, *, whole: bool, cancel: Cancel) -> Proposal:
        """A rule over single records, or whole transactions."""

    def of_sequence(self, text: str, *, cancel: Cancel) -> Proposal:
        """The rule of a line `seq by ...`."""

    def spans(self, draft: Draft, *, cancel: Cancel) -> tuple[StepSpan, ...]:
        """How long its steps take in the data."""

    def tested(self, draft: Draft, *, cancel: Cancel) -> tuple[Draft, str | None]:
        """The draft with tests of its own records; in words why there are none."""

    def save(self, draft: Draft) -> Path:
        """Write it as a file of the user's, in force at once."""

    def text_of(self, path: str) -> str:
        """The text of a rule file."""

    def check(self, text: str, path: str = "rule") -> Sequence[LogscopeError]:
        """What does not compile."""

    def write(self, path: str, text: str) -> None:
        """Write a changed file, in force at once."""

    def switch(self, rule: RuleState, *, on: bool) -> None:
        """Switch a rule on or off, at once."""

    def own_copy(self, path: str) -> Path:
        """A shipped file as one's own, in its place."""

    def excluded(self, rule: RuleState, unless: str) -> tuple[str, str]:
        """The text with an exclusion, and which part it narrows."""

    def run_tests(self, rule: RuleState) -> Sequence[TestResult]:
        """How its tests go."""

    def reload(self) -> Reloaded | None:
        """Read all rules anew, if a file has changed."""

    def watch(self, told: Callable[[Reloaded], object]) -> None:
        """Read them anew whenever a file changes."""

    def verdicts(self) -> Mapping[str, Verdict]:
        """What was decided about detections, by their ids."""

    def judge(self, detection: str, verdict: Verdict | None) -> None:
        """Decide about a detection, or take it back."""


class Desk(Authoring, RuleFiles, Triage):
    """See `RuleDesk`.

    Args:
        session: Whose rules they are.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is read yet."""
        Authoring.__init__(self, session)
        RuleFiles.__init__(self, session)
        Triage.__init__(self)

    def save(self, draft: Draft) -> Path:
        """See `RuleDesk`."""
        path = super().save(draft)
        self.take(path)
        self.reload(force=True)
        return path

    def write(self, path: str, text: str) -> None:
        """See `RuleDesk`."""
        super().write(path, text)
        self.reload()

    def switch(self, rule: RuleState, *, on: bool) -> None:
        """See `RuleDesk`."""
        super().switch(rule, on=on)
        self.reload(force=True)

    def own_copy(self, path: str) -> Path:
        """See `RuleDesk`."""
        copied = super().own_copy(path)
        self.take(copied)
        self.reload(force=True)
        return copied
