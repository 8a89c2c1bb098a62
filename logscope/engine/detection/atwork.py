"""The rules at work: each begun once, with the transactions of its grain; those that stay the same go on as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from logscope.engine.detection.closing import Closing
from logscope.engine.linking.correlating import Correlating
from logscope.errors import PlanError
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, below, numbers, under

# What runs rules is imported where the first rule runs: it would hold up the first screen of all who run none.
if TYPE_CHECKING:
    import polars as pl

    from logscope.correlation.linker import Delta
    from logscope.engine.api import Cancel
    from logscope.engine.detection.running import Derive, Running
    from logscope.engine.options import Options
    from logscope.engine.viewing.frames import Frames
    from logscope.records.store import Store
    from logscope.rules.model.rule import Rule

_OTHER = "other "


class AtWork:
    """Begins rules, and keeps the transactions of other grains that some of them ask for.

    Args:
        store: The records.
        frames: Their columns.
        correlating: The session's transactions.
        options: With the grain that was asked for.
        derive: Detections of other rules as records.
    """

    def __init__(
        self, store: Store, frames: Frames, correlating: Correlating, options: Options, derive: Derive
    ) -> None:
        """No rule is begun."""
        self._store = store
        self._frames = frames
        self._correlating = correlating
        self._options = options
        self._derive = derive
        self._running: list[Running] | None = None
        self._others: dict[str, Correlating] = {}
        self._closings: dict[int, Closing] = {}
        self._at_other_grain: dict[str, list[str]] = {}
        """Why the grain that rules ask for is not there, and their names."""
        self.notices: list[str] = []

    @property
    def running(self) -> Sequence[Running]:
        """The rules at work; none before the first records."""
        return self._running or ()

    def forget(self) -> None:
        """Begin all rules anew: the transactions are others now."""
        self._running = None
        self._others = {}
        self._closings = {}
        self.notices = []  # of the grains there were

    def keep(self, rules: Collection[Rule]) -> set[str]:
        """Let those rules go on that are among others as they were, with all that they use and are used by.

        Args:
            rules: Those that are in force from now on.

        Returns:
            Names of those that go on; the others are begun anew.
        """
        if self._running is None:
            return set()
        now = {rule.name: rule for rule in rules}
        same = {work.rule.name for work in self._running if _equal(work.rule, now.get(work.rule.name))}
        kept = whole_groups(same, rules)
        self._running = [work for work in self._running if work.rule.name in kept]
        for work in self._running:
            work.rule = now[work.rule.name]  # it may stand elsewhere in its file now
        # What has been decided of a transaction is not told again, but to those who begin anew.
        self._closings = {}
        return kept

    def started(self, rules: Collection[Rule], cancel: Cancel) -> list[Running]:
        """All rules at work, each after those it uses, with the transactions of its grain."""
        if self._running is None or len(self._running) < len(rules):
            from logscope.rules.references import in_order_of_use

            plan = self._correlating.prepare(cancel=cancel)
            known = {work.rule.name: work for work in self.running}
            self._running = [
                known.get(rule.name) or self._begun(rule, plan.grain, cancel) for rule in in_order_of_use(rules)
            ]
            self._say_grains(plan.grain)
        return self._running

    def _say_grains(self, chosen: str | None) -> None:
        for why, names in self._at_other_grain.items():
            some = f"rule {names[0]}" if len(names) == 1 else f"{len(names)} rules ({', '.join(sorted(names))})"
            self.notices.append(f"{some}: {why}; at grain {chosen or 'none'} instead")
        self._at_other_grain = {}

    def _begun(self, rule: Rule, chosen: str | None, cancel: Cancel) -> Running:
        from logscope.engine.detection.running import RunningSteps, RunningWhole

        if rule.transaction is not None:
            linked = self._linked(rule, rule.transaction.grain, chosen, cancel)
            return RunningWhole(rule, self._closings.setdefault(id(linked), Closing(linked)))
        sequence = rule.sequence
        if sequence is None or not sequence.by_transaction:
            return RunningSteps(rule, None, self._derive, every=self._options.every)
        return RunningSteps(rule, self._linked(rule, sequence.grain, chosen, cancel), self._derive)

    def _linked(self, rule: Rule, grain: str | None, chosen: str | None, cancel: Cancel) -> Correlating:
        """The session's transactions, or others if the rule wants another grain."""
        plan = self._correlating.plan
        assert plan is not None
        if not grain or self._options.grain != "auto":
            return self._correlating
        try:
            wanted = plan.with_grain(grain, why=f"rule {rule.name}")
        except PlanError as error:
            self._at_other_grain.setdefault(error.message, []).append(rule.name)
            return self._correlating
        if wanted.grain == chosen or wanted.grain is None:
            return self._correlating
        if wanted.grain not in self._others:
            other = self._other(wanted.grain)
            other.prepare(cancel=cancel, plan=wanted)
            other.update(cancel=cancel, beside=self._correlating)
            self._others[wanted.grain] = other
        return self._others[wanted.grain]

    def _other(self, grain: str) -> Correlating:
        options = replace(self._options, grain=grain)
        return Correlating(self._store, self._frames, options, self._correlating.extracted)

    def moved(self, delta: Delta | None, cancel: Cancel) -> dict[int, Delta | None]:
        """What linking changed, by `id` of the linked: of the session's as given, of the others found now."""
        moved = {id(self._correlating): delta}
        for other in self._others.values():
            moved[id(other)] = other.update(cancel=cancel, beside=self._correlating)
        return moved

    def due(self, moved: Mapping[int, Delta | None], watermark: int, *, final: bool) -> dict[int, pl.DataFrame]:
        """Which transactions are to be decided now, by `id` of who follows them."""
        due = {}
        for closing in {id(one): one for one in self._followed()}.values():
            closing.take(moved.get(id(closing.linked)))
            due[id(closing)] = closing.due(watermark, final=final)
        return due

    def _followed(self) -> list[Closing]:
        return [work.closing for work in self.running if work.closing is not None]

    # --- letting go

    @property
    def linked(self) -> tuple[Correlating, ...]:
        """The session's transactions, and those of other grains that rules run over."""
        return (self._correlating, *self._others.values())

    def keep_only(self, rows: Kept, whole: Kept, transactions: Mapping[int, Kept], until: int) -> None:
        """Let go of all other records (see `Running.keep_only`).

        Args:
            rows: Those that stay.
            whole: Likewise, those left out whose transactions go.
            transactions: Of each of `linked`, by `id`.
            until: The newest time of a record that goes, microseconds.
        """
        from logscope.rules.bounding import share_texts

        for work in self.running:
            if work.linked is None:
                work.keep_only(rows, None, until)
            else:
                work.keep_only(whole, transactions[id(work.linked)], until)
            work.next_row = len(rows)
        share_texts((hits for work in self.running for hits in work.hits()), len(rows))
        for closing in {id(one): one for one in self._followed()}.values():
            closing.keep_only(transactions[id(closing.linked)])

    # --- over a restart

    def saved(self) -> Saved:
        """What all rules remember, and the transactions of other grains."""
        frames: Saved = {}
        for grain, other in self._others.items():
            frames |= under(_OTHER + grain, other.saved())
        for work in self.running:
            place = f"rule {work.rule.name}"
            frames[f"{place}/about"] = numbers(next_row=work.next_row)
            frames |= under(place, work.saved())
        return frames

    def restore(self, frames: Saved, rules: Collection[Rule], kept: Collection[str], cancel: Cancel) -> None:
        """Begin rules as `saved` told of them.

        Args:
            frames: Of a session with an equal plan, over the records that are in the store.
            rules: All that are in force.
            kept: Names of those that go on; the others begin anew.
            cancel: Looked at before.
        """
        from logscope.rules.references import in_order_of_use

        plan = self._correlating.prepare(cancel=cancel)
        grains = {name.partition("/")[0].removeprefix(_OTHER) for name in frames if name.startswith(_OTHER)}
        for grain in sorted(grains):
            other = self._other(grain)
            other.restore(below(_OTHER + grain, frames), plan.with_grain(grain))
            self._others[grain] = other
        closings: tuple[dict[int, Closing], dict[int, Closing]] = ({}, {})
        self._running = []
        for rule in in_order_of_use(rules):
            goes_on = rule.name in kept
            self._closings = closings[goes_on]
            work = self._begun(rule, plan.grain, cancel)
            if goes_on:
                mine = below(f"rule {rule.name}", frames)
                work.next_row = mine["about"].item()
                work.restore(mine)
            self._running.append(work)
        self._say_grains(plan.grain)


def _equal(rule: Rule, other: Rule | None) -> bool:
    return other is not None and rule.digest == other.digest and rule.quiet == other.quiet and rule.key == other.key


def whole_groups(names: Collection[str], rules: Collection[Rule]) -> set[str]:
    """Those of some rules of which all that use one another are among them.

    Args:
        names: Of the rules that could go on.
        rules: All there are.
    """
    known = {rule.name for rule in rules}
    together = [{rule.name, *rule.uses} & known for rule in rules]
    kept = known.intersection(names)
    while out := {name for group in together if not group <= kept for name in group & kept}:
        kept -= out
    return kept
