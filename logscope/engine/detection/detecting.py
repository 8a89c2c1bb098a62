"""Rules over the store: hits as records come, one step of every detector, what was told."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import AbsentStep, Detection
from logscope.engine.api import Cancel
from logscope.engine.detection.closing import Closing
from logscope.engine.detection.ruleset import load
from logscope.engine.detection.suppression import Suppression
from logscope.engine.detection.watermark import Watermark
from logscope.engine.linking.correlating import Correlating
from logscope.engine.viewing.selection import Selection
from logscope.errors import LogscopeError, PlanError
from logscope.records import schema
from logscope.text import human_duration

# What runs rules is imported where the first rule runs: it would hold up the first screen of all who run none.
if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.engine.detection.running import Running
    from logscope.engine.options import Options
    from logscope.engine.viewing.frames import Frames
    from logscope.records.store import Segment, Store, StoreView
    from logscope.rules.model import Detection as Found
    from logscope.rules.model import Rule

_WATERMARK_COLUMNS = ("fields.peer", "fields.received", "host")
_OF_INDEX = frozenset({"time", "time_from", "source_id", "line", schema.ROW})


@dataclass(frozen=True, slots=True)
class Told:
    """What a step told."""

    raised: tuple[Detection, ...]
    retracted: tuple[Detection, ...]


class Detecting:
    """Runs the rules of a session.

    Args:
        store: The records.
        frames: Their columns.
        correlating: The session's transactions.
        options: With rules and limits.
        source_name: A source's name by its place.
        rules: To run; None: those that the options name.
    """

    def __init__(
        self,
        store: Store,
        frames: Frames,
        correlating: Correlating,
        options: Options,
        source_name: Callable[[int], str],
        rules: tuple[Rule, ...] | None = None,
    ) -> None:
        """Loads the rules; errors are in `rule_errors`."""
        self._store = store
        self._frames = frames
        self._correlating = correlating
        self._options = options
        self._selection = Selection(options)
        self._source_name = source_name
        self.rules, self.rule_errors = load(options) if rules is None else (rules, ())
        self.notices: list[str] = []
        self.told: dict[str, Detection] = {}
        self.watermark = Watermark(options.lateness, options.max_skew, options.source_idle)
        self.begin: int | None = None
        self._running: list[Running] | None = None
        self._others: dict[str, Correlating] = {}
        self._closings: dict[int, Closing] = {}
        self._at_other_grain: dict[str, list[str]] = {}
        """Why the grain that rules ask for is not there, and their names."""
        self._suppression = Suppression()
        self._next_row = 0
        self._observed = 0
        self._rows: dict[int, tuple[str, str, str]] = {}

    def columns(self, kind: str) -> frozenset[str]:
        """Columns that the rules and the watermark ask of every record; none before the rules have begun.

        Args:
            kind: Of the record's source.
        """
        running = self._running
        if not running:
            return frozenset()
        return frozenset(_WATERMARK_COLUMNS if kind == "messages" else ()).union(*(work.columns for work in running))

    @property
    def late(self) -> int:
        """Records that came behind the watermark."""
        return self.watermark.late.total()

    def reset(self) -> None:
        """Forget what was told: the transactions are others now."""
        self.told = {}
        self._rows = {}
        self._running = None
        self._others = {}
        self._closings = {}
        self._suppression = Suppression()
        self._next_row = 0

    def replace_rules(self, rules: tuple[Rule, ...], errors: tuple[LogscopeError, ...]) -> None:
        """Other rules from now on; what they find is found anew when next asked for."""
        self.rules, self.rule_errors = rules, errors
        self.reset()

    def update(
        self,
        delta: Delta | None,
        *,
        cancel: Cancel,
        final: bool,
        decide: bool = False,
        least: int | None = None,
        now: int | None = None,
    ) -> Told:
        """Take in what came since the last call and tell what is decided.

        Args:
            delta: What linking changed meanwhile.
            cancel: Looked at between segments.
            final: This is all there is: the watermark is the newest record's time.
            decide: With `final`, what is pending is decided too.
            least: With `final`, the watermark is not less than that (what a watch had reached).
            now: The monotonic clock, microseconds.
        """
        if not self.rules:
            return Told((), ())
        from logscope.engine.detection.running import Turn

        running = self._start(cancel)
        view = self._store.view
        moved = {id(self._correlating): delta}
        for other in self._others.values():
            moved[id(other)] = other.update(cancel=cancel, beside=self._correlating)
        now = clock.monotonic_ns() // 1000 if now is None else now
        self._take(running, view, cancel, now)
        watermark = self._final_watermark(least) if final else self.watermark.advance(now)
        if watermark is None or self.begin is None:
            return Told((), ())
        due = {}
        for closing in self._closings.values():
            closing.take(moved.get(id(closing.linked)))
            due[id(closing.linked)] = closing.due(watermark, final=final)
        turn = Turn(watermark, self.begin, final, decide, moved, due)
        raised: list[Detection] = []
        retracted: list[Detection] = []
        for work in running:
            cancel.check()
            result = turn.told[work.rule.name] = work.decide(turn)
            if work.rule.quiet:
                continue
            quiet = self._suppression.of(result.raised)
            raised.extend(
                replace(shown, suppressed=shown.detection in quiet) for shown in self._shown(result.raised, work)
            )
            retracted.extend(self._shown(result.retracted, work))
        for detection in retracted:
            self.told.pop(detection.detection, None)
        for detection in raised:
            self.told[detection.detection] = detection
        if raised or retracted:
            self._mark()
        return Told(tuple(raised), tuple(retracted))

    def pending(self) -> list[Detection]:
        """What the end or the beginning of the data leaves open."""
        return [shown for work in self._loud() for shown in self._shown(work.pending(), work)]

    def provisional(self) -> list[Detection]:
        """What would be told if what has come were all."""
        newest = self.watermark.newest
        if newest is None:
            return []
        early = [shown for work in self._loud() for shown in self._shown(work.provisional(newest), work)]
        return [replace(one, state="provisional") for one in early if one.detection not in self.told]

    def evicted(self) -> dict[str, int]:
        """By rule how much it gave up because it held too much; such a rule is incomplete."""
        counts = ((work.rule.name, work.state().get("evicted", 0)) for work in self.running)
        return {name: count for name, count in counts if count}

    def said(self) -> list[str]:
        """What people should know of the rules."""
        incomplete = (
            f"rule {name} is incomplete: it held more than it can, and the oldest was given up"
            for name in self.evicted()
        )
        return [*self.notices, *incomplete]

    def _loud(self) -> list[Running]:
        """The rules that are told by themselves, not only run for others."""
        return [work for work in self._running or [] if not work.rule.quiet]

    def _final_watermark(self, least: int | None) -> int | None:
        newest = self.watermark.newest
        if newest is None:
            return least
        return newest if least is None else max(newest, least)

    def _start(self, cancel: Cancel) -> list[Running]:
        """All rules at work, each after those it uses, with the transactions of its grain."""
        if self._running is None:
            from logscope.rules.references import in_order_of_use

            plan = self._correlating.prepare(cancel=cancel)
            self._running = [self._begun(rule, plan.grain, cancel) for rule in in_order_of_use(self.rules)]
            for why, names in self._at_other_grain.items():
                some = f"rule {names[0]}" if len(names) == 1 else f"{len(names)} rules ({', '.join(sorted(names))})"
                self.notices.append(f"{some}: {why}; at grain {plan.grain or 'none'} instead")
            self._at_other_grain = {}
        return self._running

    def _begun(self, rule: Rule, chosen: str | None, cancel: Cancel) -> Running:
        from logscope.engine.detection.running import RunningSteps, RunningWhole

        if rule.transaction is not None:
            linked = self._linked(rule, rule.transaction.grain, chosen, cancel)
            return RunningWhole(rule, self._closings.setdefault(id(linked), Closing(linked)))
        sequence = rule.sequence
        if sequence is None or not sequence.by_transaction:
            return RunningSteps(rule, None, self._derived, every=self._options.every)
        return RunningSteps(rule, self._linked(rule, sequence.grain, chosen, cancel), self._derived)

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
            options = replace(self._options, grain=wanted.grain)
            other = Correlating(self._store, self._frames, options, self._correlating.extracted)
            other.prepare(cancel=cancel, plan=wanted)
            other.update(cancel=cancel, beside=self._correlating)
            self._others[wanted.grain] = other
        return self._others[wanted.grain]

    def _take(self, running: Sequence[Running], view: StoreView, cancel: Cancel, now: int) -> None:
        """Give the new records to the rules; the watermark sees all of them."""
        from logscope.rules.sharing import Sharing

        columns = frozenset[str]().union(*(work.columns for work in running))
        sharing = Sharing(work.rule for work in running)
        segments = list(view.since(self._next_row)) if view.records > self._next_row else []
        for number, segment in enumerate(segments):
            cancel.check()
            cancel.tell("applying rules", number / len(segments))
            asked = self.columns(segment.binding.ref.kind) | _OF_INDEX
            frame = self._frames.segment(
                segment, view, {name for name in asked if not name.startswith(schema.KEY_PREFIX)}
            )
            frame = self._selection.inside(frame, view)
            # After other rules or keys the same records are taken anew; time has not gone on by that.
            fresh = frame.filter(pl.col(schema.ROW) >= self._observed) if self._observed else frame
            self._observe(segment, fresh, now)
            frame = self._correlating.key_columns(frame, columns)
            with sharing.over(frame):
                for work in running:
                    work.take(frame)
        self._next_row = self._observed = view.records

    def _derived(self, detections: Sequence[Found], columns: frozenset[str]) -> pl.DataFrame:
        from logscope.engine.detection.telling import derived, place_of

        wanted = [name for name in columns if not name.startswith(schema.KEY_PREFIX)]
        rows = pl.Series(schema.ROW, [place_of(found) for found in detections], dtype=pl.UInt32)
        records = self._frames.rows(rows, self._store.view, {*wanted, "time", "source_id", "line"})
        return derived(detections, records, lambda frame: self._correlating.key_columns(frame, columns))

    def _observe(self, segment: Segment, frame: pl.DataFrame, now: int) -> None:
        timed = frame.filter(pl.col("time_from") != schema.FROM_FILE)
        if timed.is_empty():
            return
        earliest = timed.get_column("time").to_physical().min()
        if isinstance(earliest, int):
            self.begin = earliest if self.begin is None else min(self.begin, earliest)
        names = {"time": "time", "source_id": "source_id"}
        if segment.binding.ref.kind == "messages":
            names |= {"peer": "fields.peer", "received": "fields.received", "host": "host"}
        self.watermark.observe(timed.select(**names), now)

    def _shown(self, found: Sequence[Found], work: Running) -> list[Detection]:
        from logscope.engine.detection.telling import shown

        if work.linked is not None:
            work.linked.naming.keys(one.number for one in found if one.number is not None)
        return [shown(one, work.linked, self._correlating, self._store.view, self._source_name) for one in found]

    # --- what the screens ask

    @property
    def running(self) -> Sequence[Running]:
        """The rules at work; none before the first records."""
        return self._running or ()

    def _mark(self) -> None:
        rows: dict[int, tuple[str, str, str]] = {}
        for detection in self.told.values():
            for name, step in detection.steps.items():
                rows[step["row"]] = (detection.rule, name, detection.level)
        self._rows = rows

    def marks(self, rows: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Of these rows those that are matched steps: row -> (rule, step, level)."""
        known = self._rows
        return {row: known[row] for row in rows if row in known}

    def of_transaction(self, number: int) -> list[Detection]:
        """Detections of one transaction."""
        return [detection for detection in self.told.values() if detection.number == number]

    def absent_steps(self, detection: Detection) -> list[AbsentStep]:
        """The steps that did not happen, with the window that stayed empty."""
        rule = next((rule for rule in self.rules if rule.name == detection.rule), None)
        if rule is None or rule.sequence is None:
            return []
        steps = rule.sequence.steps
        found = []
        for place, step in enumerate(steps):
            if not step.absent:
                continue
            before = next((s for s in reversed(steps[:place]) if not s.absent), None)
            after = next((s for s in steps[place + 1 :] if not s.absent), None)
            start = detection.steps[before.name]["time"] if before else detection.start - (step.within_us or 0)
            end = detection.steps[after.name]["time"] if after else max(detection.time, start)
            found.append(AbsentStep(rule.name, step.name, start, end, f"nothing for {human_duration(end - start)}"))
        return found

    def with_rules(self, table: pl.DataFrame) -> pl.DataFrame:
        """A transaction frame with the names of the rules that matched."""
        names: dict[int, list[str]] = {}
        for detection in self.told.values():
            if detection.number is not None and detection.rule not in names.setdefault(detection.number, []):
                names[detection.number].append(detection.rule)
        rules = pl.DataFrame(
            {"number": list(names), "rules": list(names.values())},
            schema={"number": pl.UInt32, "rules": pl.List(pl.String)},
        )
        return table.join(rules, on="number", how="left", maintain_order="left").with_columns(
            pl.col("rules").fill_null([])
        )
