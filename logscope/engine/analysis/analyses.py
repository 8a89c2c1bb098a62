"""The part of a session that answers about transactions as a whole and about the plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.correlation.plan import to_toml
from logscope.engine.answers import Effect, PlanChange
from logscope.engine.insights import Comparison, ServiceMap, Shape, Skew

# What works answers out is imported when it is first asked: the first screen needs none of it.
if TYPE_CHECKING:
    from logscope.engine.analysis.analysing import Analysing
    from logscope.engine.api import Cancel
    from logscope.engine.linking.replanning import Replanning
    from logscope.engine.session import Session


class Analyses:
    """Thin answers; the work is done in the modules named (see `Investigation` for each method).

    Args:
        session: The whole, of which this is a part.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is worked out yet."""
        self._session = session

    @cached_property
    def analysing(self) -> Analysing:
        """What tells templates, shapes, services and clocks."""
        from logscope.engine.analysis.analysing import Analysing

        return Analysing(self._session)

    @cached_property
    def replanning(self) -> Replanning:
        """What changes the plan."""
        from logscope.engine.linking.replanning import Replanning

        return Replanning(self._session)

    def templates(self, filter_text: str = "", *, cancel: Cancel) -> pl.DataFrame:
        """Message templates of the records that a filter keeps, most frequent first."""
        return self.analysing.templates(filter_text, cancel)

    def shapes(self, where: str = "", *, cancel: Cancel) -> Sequence[Shape]:
        """Shapes of the transactions that a filter keeps, most first."""
        return self.analysing.shapes(where, cancel)

    def compare(self, number: int, peer: int | None = None, *, cancel: Cancel) -> Comparison:
        """A transaction beside another, by default its nearest normal peer."""
        from logscope.engine.analysis.comparing import compare

        return compare(self._session, number, peer, cancel)

    def service_map(self, where: str = "", *, cancel: Cancel) -> ServiceMap:
        """Which service hands to which, within the transactions that a filter keeps."""
        return self.analysing.service_map(where, cancel)

    def skews(self, *, cancel: Cancel) -> Sequence[Skew]:
        """How far clocks are off, as far as shared transactions tell."""
        return self.analysing.skews(cancel)

    def shift(self, source: str, offset: int) -> None:
        """Move the times of a source or host."""
        from logscope.engine.analysis.clocks import shift

        shift(self._session, source, offset)

    def keys(self) -> Sequence[dict[str, Any]]:
        """Correlation keys as interface section 3 lists them."""
        return self._session.correlating.key_objects()

    def key_name(self, name: str) -> str:
        """A key's own name, by any spelling or alias of it.

        Raises:
            PlanError: There is none.
        """
        plan = self._session.correlating.plan
        assert plan is not None
        return plan.key(name).name

    def refused_keys(self) -> Sequence[str]:
        """Candidates that are no keys, each with the reason."""
        plan = self._session.correlating.plan
        return plan.refused if plan is not None else ()

    def plan_text(self) -> str:
        """Keys and grain as a file for `--plan`."""
        plan = self._session.correlating.plan
        assert plan is not None
        return to_toml(plan)

    def grain(self) -> tuple[str, str]:
        """The chosen grain and why."""
        return self._session.correlating.grain()

    def grain_lines(self) -> Sequence[tuple[str, str]]:
        """The grain, why, what is coarser and finer, what links and what does not: (label, words)."""
        from logscope.engine.linking.grainlines import grain_lines

        plan = self._session.correlating.plan
        return grain_lines(plan) if plan is not None else ()

    def effect(self, change: PlanChange, *, cancel: Cancel) -> Effect:
        """What a change of the plan would make of the transactions."""
        return self.replanning.effect(change, cancel)

    def apply(self, change: PlanChange, *, cancel: Cancel) -> None:
        """Change the plan."""
        self.replanning.apply(change, cancel)

    def plan_changes(self) -> Sequence[PlanChange]:
        """What was changed, oldest first."""
        return self.replanning.changes()

    def undo_change(self) -> bool:
        """Take the last change of the plan back."""
        return self.replanning.undo()

    def save_plan(self, path: Path) -> None:
        """Write the plan to a file."""
        self.replanning.save(path)
