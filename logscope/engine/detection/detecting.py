"""Rules over the store: hits as records come, one step of every detector, what was told."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl
from msgspec import json

from logscope.engine.answers import Detection
from logscope.engine.api import Cancel
from logscope.engine.detection.atwork import AtWork, whole_groups
from logscope.engine.detection.results import Results
from logscope.engine.detection.ruleset import load
from logscope.engine.detection.suppression import Suppression
from logscope.engine.detection.watermark import Watermark
from logscope.engine.linking.correlating import Correlating
from logscope.engine.viewing.selection import Selection
from logscope.errors import LogscopeError
from logscope.records import schema
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, below, numbers, under

# What runs rules is imported where the first rule runs: it would hold up the first screen of all who run none.
if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.engine.detection.running import Running
    from logscope.engine.options import Options
    from logscope.engine.viewing.frames import Frames
    from logscope.records.pieces import Segment, StoreView
    from logscope.records.store import Store
    from logscope.rules.model.rule import Detection as Found
    from logscope.rules.model.rule import Rule

_WATERMARK_COLUMNS = ("fields.peer", "fields.received", "host")
_MANY = 20_000
"""Records of a stretch of which it is asked first which rules can match there at all."""
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
        self.found = Results(correlating)
        self.watermark = Watermark(options.lateness, options.max_skew, options.source_idle)
        self.begin: int | None = None
        self._at_work = AtWork(store, frames, correlating, options, self._derived)
        self._suppression = Suppression()
        self._observed = 0
        """The first record that the watermark has not seen."""
        self._pending: tuple[int, list[Detection]] = (-1, [])
        self._turns = 0

    def columns(self, kind: str) -> frozenset[str]:
        """Columns that the rules and the watermark ask of every record; none before the rules have begun.

        Args:
            kind: Of the record's source.
        """
        running = self.running
        if not running:
            return frozenset()
        return frozenset(_WATERMARK_COLUMNS if kind == "messages" else ()).union(*(work.columns for work in running))

    @property
    def told(self) -> dict[str, Detection]:
        """What was told, by id, in the order in which it was."""
        return self.found.told

    @property
    def late(self) -> int:
        """Records that came behind the watermark."""
        return self.watermark.late.total()

    def reset(self) -> None:
        """Forget what was told: the transactions are others now."""
        self._forget(())
        self._at_work.forget()

    def _forget(self, kept: Collection[str]) -> None:
        """Forget what all but some rules told."""
        self.found.keep(kept)
        self._turns += 1
        self._suppression.keep(kept)

    def replace_rules(self, rules: tuple[Rule, ...], errors: tuple[LogscopeError, ...]) -> None:
        """Other rules from now on; what those find that are new or changed is found when next asked for."""
        self.rules, self.rule_errors = rules, errors
        self._forget(self._at_work.keep(rules))

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

        running = self._at_work.started(self.rules, cancel)
        view = self._store.view
        moved = self._at_work.moved(delta, cancel)
        now = clock.monotonic_ns() // 1000 if now is None else now
        self._take(running, view, cancel, now)
        watermark = self._final_watermark(least) if final else self.watermark.advance(now)
        if watermark is None or self.begin is None:
            return Told((), ())
        due = self._at_work.due(moved, watermark, final=final)
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
        self._turns += 1
        self.found.note(raised, retracted)
        return Told(tuple(raised), tuple(retracted))

    def pending(self) -> list[Detection]:
        """What the end or the beginning of the data leaves open; looked for once a turn at most."""
        if self._pending[0] != self._turns:
            found = [shown for work in self._loud() for shown in self._shown(work.pending(), work)]
            self._pending = (self._turns, found)
        return self._pending[1]

    def provisional(self) -> list[Detection]:
        """What would be told if what has come were all; the steps of these are marked until it is asked again."""
        newest = self.watermark.newest
        if newest is None:
            return []
        found = [shown for work in self._loud() for shown in self._shown(work.provisional(newest), work)]
        self.found.foresee([replace(one, state="provisional") for one in found if one.detection not in self.told])
        return self.found.early

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
        keyless = (words for work in self.running if (words := work.keyless()) is not None)
        return [*self._at_work.notices, *incomplete, *keyless]

    def _loud(self) -> list[Running]:
        """The rules that are told by themselves, not only run for others."""
        return [work for work in self.running if not work.rule.quiet]

    def _final_watermark(self, least: int | None) -> int | None:
        newest = self.watermark.newest
        if newest is None:
            return least
        return newest if least is None else max(newest, least)

    def _take(self, running: Sequence[Running], view: StoreView, cancel: Cancel, now: int) -> None:
        """Give each rule the records that it has not been given; the watermark sees all of them once."""
        behind = [work for work in running if work.next_row < self._observed]
        if behind:
            # New or changed: they are given from the beginning what the others have, then all go on together.
            known = view.before(self._observed)
            self._give(behind, list(known.segments()), known, cancel, None)
        segments = list(view.since(self._observed)) if view.records > self._observed else []
        self._give(running, segments, view, cancel, now)
        self._observed = view.records

    def _give(
        self, running: Sequence[Running], segments: Sequence[Segment], view: StoreView, cancel: Cancel, now: int | None
    ) -> None:
        """Records to rules; with `now` (the monotonic clock) also to the watermark."""
        from logscope.rules.gates import Gates
        from logscope.rules.sharing import Sharing

        sharing, gates = Sharing(work.rule for work in running), Gates(work.rule for work in running)
        for number, segment in enumerate(segments):
            cancel.check()
            cancel.tell("applying rules", number / len(segments))
            working = list(running)
            if gates and segment.records >= _MANY:
                # Live blocks are small, and all that is asked of them was found when they were read.
                told = self._correlating.key_columns(self._frame(segment, view, gates.columns), gates.columns)
                closed = gates.closed(told)
                working = [work for work in running if work.rule.name not in closed]
            columns = frozenset[str]().union(*(work.columns for work in working))
            asked = columns if now is None or len(working) < len(running) else self.columns(segment.binding.ref.kind)
            if now is not None and segment.binding.ref.kind == "messages":
                asked = asked.union(_WATERMARK_COLUMNS)
            frame = self._frame(segment, view, asked)
            if now is not None:
                self._observe(segment, frame, now)
            frame = self._correlating.key_columns(frame, columns)
            with sharing.over(frame):
                for work in working:
                    work.take(frame)
        for work in running:
            work.next_row = view.records

    def _frame(self, segment: Segment, view: StoreView, columns: Collection[str]) -> pl.DataFrame:
        """A segment's records with these columns, those of keys left out."""
        wanted = {name for name in columns if not name.startswith(schema.KEY_PREFIX)} | _OF_INDEX
        return self._selection.inside(self._frames.segment(segment, view, wanted), view)

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
        from logscope.engine.detection.telling import places_of, shown

        if not found:
            return []
        if work.linked is not None:
            work.linked.naming.keys(one.number for one in found if one.number is not None)
        places = places_of(found, self._store.view, self._source_name)
        return [shown(one, work.linked, self._correlating, places) for one in found]

    # --- letting go

    @property
    def linked(self) -> tuple[Correlating, ...]:
        """All transactions that rules run over; the session's come first."""
        return self._at_work.linked

    def keep_only(self, rows: Kept, whole: Kept, transactions: Mapping[int, Kept], until: int) -> None:
        """Let go of all other records (see `AtWork.keep_only`), and of what no rule can take back any more."""
        from logscope.engine.detection.telling import renumbered

        self._at_work.keep_only(rows, whole, transactions, until)
        self._observed = len(rows)
        held = set[str]().union(*(work.told() for work in self.running))
        told = [found for name, found in self.told.items() if name in held]
        self.found.replace(list(renumbered(told, rows, transactions[id(self._correlating)])))
        self._turns += 1
        spans = {rule.name: rule.emit.suppress_us for rule in self.rules}
        self._suppression.forget_before(self.watermark.value or 0, spans)

    # --- over a restart

    @property
    def settled(self) -> bool:
        """Whether what it remembers can be saved: all that has come was decided up to the watermark."""
        return self.watermark.value is not None and self._observed == self._store.view.records

    def saved(self) -> Saved:
        """All that it remembers, if it is `settled`."""
        told = [json.encode(found).decode() for found in self.told.values()]
        return {
            "about": numbers(begin=self.begin, observed=self._observed),
            "told": pl.DataFrame({"detection": told}, schema={"detection": pl.String}),
            "suppression": self._suppression.saved(),
            **under("watermark", self.watermark.saved()),
            **under("rules", self._at_work.saved()),
        }

    def forget(self) -> None:
        """As before the first record."""
        self.reset()
        self.watermark = self.watermark.fresh()
        self.begin, self._observed = None, 0

    def restore(self, frames: Saved, digests: Mapping[str, str], now: int, cancel: Cancel) -> set[str]:
        """Go on where `saved` was; records and transactions are restored already.

        Args:
            frames: As `saved` gave them.
            digests: Of the rules that ran then, by name.
            now: The monotonic clock, microseconds.
            cancel: Looked at before.

        Returns:
            Names of the rules that go on; the others are begun anew.
        """
        kept = whole_groups([rule.name for rule in self.rules if digests.get(rule.name) == rule.digest], self.rules)
        self._at_work.restore(below("rules", frames), self.rules, kept, cancel)
        self.begin, self._observed = frames["about"].row(0)
        self.watermark.restore(below("watermark", frames), now)
        self._suppression.restore(frames["suppression"])
        self.found.replace([json.decode(text, type=Detection) for text in frames["told"]["detection"]])
        self._forget(kept)
        return kept

    # --- what the screens ask

    @property
    def running(self) -> Sequence[Running]:
        """The rules at work; none before the first records."""
        return self._at_work.running
