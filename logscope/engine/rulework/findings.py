"""The part of a session that answers about what rules found, nearly found, or would find."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from logscope.engine.answers import Absence, Detection, Mark, NearMiss, Newest, Preview, RuleState, View
from logscope.engine.api import Cancel
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.rulework.desk import Desk
    from logscope.engine.session import Session


class Findings:
    """Thin answers; the work is done in the modules named (see `Investigation` for each method)."""

    _session: Session

    @cached_property
    def desk(self) -> Desk:
        """Where rules are made, changed and judged."""
        # Rules are YAML, which costs a tenth of the time to the first screen.
        from logscope.engine.rulework.desk import Desk

        return Desk(self._session)

    def detections(self, *, pending: bool = True) -> Sequence[Detection]:
        """What the rules have found so far, in order of time; `provisional` and `pending` ones too."""
        detecting = self._session.detecting
        found = [*detecting.told.values(), *detecting.found.early]
        if pending:
            with self._session.turns.of(Cancel()):  # live sources are decided on another thread
                found += detecting.pending()
        return sorted(found, key=lambda detection: (detection.time, detection.detection))

    def newest(self) -> Newest:
        """What was found lately."""
        return self._session.detecting.found.newest()

    def rule_states(self) -> Sequence[RuleState]:
        """The rules that run, with what they found and what they cost."""
        from logscope.engine.rulework.rulelist import rule_states

        return rule_states(self._session.detecting)

    def installed_rules(self) -> Sequence[RuleState]:
        """All rules there are: those that run, switched off ones, and those that do not compile."""
        from logscope.engine.rulework.rulelist import installed_rules

        return installed_rules(self._session)

    def near_misses(self, rule: str, *, cancel: Cancel, number: int | None = None) -> Sequence[NearMiss]:
        """What nearly matched a rule, and why it did not; of one transaction however far."""
        from logscope.engine.rulework.rulelist import near_misses

        return near_misses(self._session, rule, number, cancel)

    def preview(self, rule_text: str, *, cancel: Cancel, name: str | None = None) -> Preview:
        """What a rule that is not saved would find.

        Raises:
            RuleError: It does not compile.
        """
        from logscope.engine.rulework.previewing import preview

        return preview(self._session, rule_text, cancel, name)

    def marks(self, rows: Sequence[int]) -> dict[int, Mark]:
        """Of these rows those that are matched steps."""
        return self._session.detecting.found.marks.of(rows)

    def next_step(self, view: View, start: int, *, backwards: bool) -> int | None:
        """The next position whose record is a step of a detection."""
        rows = self._session.detecting.found.marks.rows().implode()
        if backwards:
            above = view.rows.head(start).is_in(rows).arg_true()
            return int(above[-1]) if len(above) else None
        below = view.rows.slice(start + 1).is_in(rows).arg_true()
        return start + 1 + int(below[0]) if len(below) else None

    def absences(self, *, cancel: Cancel) -> Sequence[Absence]:
        """Filters worth offering: what usually follows in a transaction, and is missing in a few."""
        from logscope.engine.analysis.absences import MOST_MEMBERS, absences

        self._session.prepare_transactions(cancel=cancel, asked=True)
        members = self._session.correlating.members().head(MOST_MEMBERS)
        rows = members.get_column(schema.ROW)
        texts = self._session.frames.rows_bulk(rows, self._session.store.view, ["time", "message"])
        cancel.check()
        return absences(members.select("transaction").hstack(texts.select("time", "message")))
