"""A rule at work on a session: takes records as they come, decides as the watermark passes."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from logscope.engine.detection.closing import Closing
from logscope.engine.detection.wholes import WholeRule
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved
from logscope.rules.bounding import keep_only, needed
from logscope.rules.deciders import decider_of
from logscope.rules.description import Key
from logscope.rules.detector import Detector
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.nearmiss import Miss, find_misses
from logscope.rules.retained import RetainedHits
from logscope.rules.silences.detector import SilenceDetector
from logscope.rules.silences.nearmiss import find_silence_misses
from logscope.rules.state import State
from logscope.rules.stepping import StepResult, by_number
from logscope.rules.windows.detector import WindowDetector
from logscope.rules.windows.nearmiss import find_window_misses

if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.engine.linking.correlating import Correlating

NOTHING = StepResult((), (), 0)

Derive = Callable[[Sequence[Detection], frozenset[str]], pl.DataFrame]
"""Detections of other rules, and the columns asked for, to a frame that a rule takes like records."""


@dataclass
class Turn:
    """What all rules are told of one turn."""

    watermark: int
    begin: int
    final: bool
    decide: bool
    moved: Mapping[int, Delta | None]
    """What linking changed, by `id` of the linked."""
    due: Mapping[int, pl.DataFrame]
    """Which transactions are to be decided, by `id` of who follows them."""
    told: dict[str, StepResult] = field(default_factory=dict)
    """By name what the rules before have told in this turn."""


class Running(Protocol):
    """One rule at work."""

    rule: Rule
    linked: Correlating | None
    seconds: float
    """Time spent on it."""
    waiting: int
    """Matches that are not decided yet."""
    next_row: int
    """The first record that it has not been given."""
    closing: Closing | None
    """Follows the transactions, of a rule over whole ones."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns that record frames must be asked for."""

    def take(self, frame: pl.DataFrame) -> None:
        """Records have come."""

    def decide(self, turn: Turn) -> StepResult:
        """Tell what the turn decides."""

    def pending(self) -> Sequence[Detection]:
        """What the data's end or beginning leaves open."""

    def provisional(self, newest: int) -> Sequence[Detection]:
        """What would be told if what has come were all."""

    def state(self) -> dict[str, int]:
        """Counts of what was passed over or given up."""

    def misses(self, group: int | None) -> Sequence[tuple[Miss, Key]]:
        """What nearly matched, and what it is about; of one group however far."""

    def keyless(self) -> str | None:
        """In words, that none of the records that it is about has what it groups by; None if some have, or none came."""

    def needed(self) -> Sequence[pl.Series]:
        """Rows of the records that it may still have to look at, after a turn."""

    def keep_only(self, rows: Kept, transactions: Kept | None, until: int) -> None:
        """Let go of all other records; what it might have needed is counted as evicted.

        Args:
            rows: Those that stay.
            transactions: Of those of its grain, whole ones; None where there are none.
            until: The newest time of a record that goes, microseconds.
        """

    def hits(self) -> Sequence[RetainedHits]:
        """What it keeps of records."""

    def told(self) -> Collection[str]:
        """Ids of the detections that it might take back."""

    def saved(self) -> Saved:
        """What it remembers, after a turn."""

    def restore(self, frames: Saved) -> None:
        """Remember what `saved` told of an equal rule."""


class RunningSteps:
    """A rule over records, sequences of them, or other rules' detections."""

    def __init__(self, rule: Rule, linked: Correlating | None, derive: Derive, *, every: bool = False) -> None:
        """Ready for the first records; `every` as for `decider_of`."""
        self.rule = rule
        self.linked = linked
        self.seconds = 0.0
        self.waiting = 0
        self.next_row = 0
        self.closing: Closing | None = None
        self._derive = derive
        self._decider = decider_of(rule, every=every)
        self._hits: list[pl.DataFrame] = []

    @property
    def columns(self) -> frozenset[str]:
        """See `Running`."""
        return self._decider.columns

    def take(self, frame: pl.DataFrame) -> None:
        """See `Running`."""
        begun = clock.perf_counter()
        hits = self._decider.hits(frame)
        if hits.height:
            self._hits.append(hits)
        self.seconds += clock.perf_counter() - begun

    def decide(self, turn: Turn) -> StepResult:
        """See `Running`."""
        begun = clock.perf_counter()
        results = [turn.told[name] for name in self.rule.uses if name in turn.told]
        others = [detection for result in results for detection in (*result.raised, *result.moved)]
        if others:
            derived = self._decider.hits(self._derive(others, self.columns))
            if derived.height:
                self._hits.append(derived)
        hits = pl.concat(self._hits, how="diagonal_relaxed") if self._hits else None
        self._hits = []
        moved = turn.moved.get(id(self.linked)) if self.linked is not None else None
        more: dict[str, Any] = {} if moved is None else {"changed": moved.rows}
        withdrawn = [detection.id for result in results for detection in (*result.retracted, *result.moved)]
        if withdrawn:
            more["withdrawn"] = withdrawn
        result = self._decider.step(
            hits,
            watermark=turn.watermark,
            begin=turn.begin,
            final=turn.final,
            decide=turn.decide,
            membership=None if self.linked is None else self.linked.groups_of,
            identity=self._identity,
            **more,
        )
        self.waiting = result.waiting
        self.seconds += clock.perf_counter() - begun
        return result

    def pending(self) -> Sequence[Detection]:
        """See `Running`."""
        return self._decider.pending(self._identity)

    def provisional(self, newest: int) -> Sequence[Detection]:
        """See `Running`."""
        membership = None if self.linked is None else self.linked.groups_of
        return self._decider.provisional(newest, membership=membership, identity=self._identity)

    def state(self) -> dict[str, int]:
        """See `Running`."""
        return self._decider.counts()

    def misses(self, group: int | None) -> Sequence[tuple[Miss, Key]]:
        """See `Running`."""
        if isinstance(self._decider, WindowDetector):
            return find_window_misses(self._decider) if group is None else ()
        if isinstance(self._decider, SilenceDetector):
            return find_silence_misses(self._decider) if group is None else ()
        if not isinstance(self._decider, Detector):
            return ()
        found = find_misses(self._decider, group=group)
        return [(miss, self._decider.subject(miss.group, self._identity)) for miss in found]

    def keyless(self) -> str | None:
        """See `Running`."""
        state = self._decider.state
        waiting = state.unreleased is not None and state.unreleased.height
        chained = self.rule.windows is not None and not self.rule.windows.flat
        if not state.keyless or state.next_group or waiting or chained:
            return None
        by = (
            self.rule.windows.by
            if self.rule.windows is not None
            else self.rule.sequence.by
            if self.rule.sequence
            else ()
        )
        return f"rule {self.rule.name}: none of the {state.keyless:,} records that it is about has {', '.join(by)}"

    def needed(self) -> Sequence[pl.Series]:
        """See `Running`."""
        return needed(self._decider)

    def keep_only(self, rows: Kept, transactions: Kept | None, until: int) -> None:
        """See `Running`."""
        keep_only(self._decider, rows, None if self.linked is None else transactions, until)

    def hits(self) -> Sequence[RetainedHits]:
        """See `Running`."""
        return [self._decider.state.hits]

    def told(self) -> Collection[str]:
        """See `Running`."""
        return self._decider.state.told.ids()

    def saved(self) -> Saved:
        """See `Running`."""
        return self._decider.state.frames()

    def restore(self, frames: Saved) -> None:
        """See `Running`."""
        self._decider.state = State.restore(frames, max_hits=self._decider.state.hits.limit)

    def _identity(self, numbers: Sequence[int]) -> Mapping[int, str]:
        return by_number(numbers) if self.linked is None else self.linked.naming.identities(numbers)


class RunningWhole:
    """A rule over whole transactions."""

    def __init__(self, rule: Rule, closing: Closing) -> None:
        """Ready for the first records."""
        self.rule = rule
        self.linked: Correlating | None = closing.linked
        self.closing: Closing | None = closing
        self.seconds = 0.0
        self.waiting = 0
        self.next_row = 0
        self._whole = WholeRule(rule, closing)
        self._hits: list[list[pl.DataFrame]] = []

    @property
    def columns(self) -> frozenset[str]:
        """See `Running`."""
        return self._whole.columns

    def take(self, frame: pl.DataFrame) -> None:
        """See `Running`."""
        begun = clock.perf_counter()
        self._hits.append(self._whole.hits(frame))
        self.seconds += clock.perf_counter() - begun

    def decide(self, turn: Turn) -> StepResult:
        """See `Running`."""
        begun = clock.perf_counter()
        self._whole.take(self._hits)
        self._hits = []
        due, moved = turn.due[id(self.closing)], turn.moved.get(id(self.linked))
        result = self._whole.step(due, moved, watermark=turn.watermark, final=turn.final)
        self.seconds += clock.perf_counter() - begun
        return result

    def pending(self) -> Sequence[Detection]:
        """See `Running`: an open transaction is nothing that was found."""
        return ()

    def provisional(self, newest: int) -> Sequence[Detection]:
        """See `Running`."""
        return ()

    def state(self) -> dict[str, int]:
        """See `Running`."""
        return {"evicted": self._whole.evicted}

    def misses(self, group: int | None) -> Sequence[tuple[Miss, Key]]:
        """See `Running`."""
        found = self._whole.misses(group)
        assert self.linked is not None
        names = self.linked.naming.identities([miss.group for miss in found])
        return [(miss, Key(names.get(miss.group), miss.group, {})) for miss in found]

    def keyless(self) -> str | None:
        """See `Running`: it has no key but the transaction."""
        return None

    def needed(self) -> Sequence[pl.Series]:
        """See `Running`: the transactions that are not decided."""
        return [self._whole.closing.undecided()]

    def keep_only(self, rows: Kept, transactions: Kept | None, until: int) -> None:
        """See `Running`."""
        assert transactions is not None
        self._whole.keep_only(rows, transactions)

    def hits(self) -> Sequence[RetainedHits]:
        """See `Running`."""
        return self._whole.kept

    def told(self) -> Collection[str]:
        """See `Running`."""
        return self._whole.told_ids()

    def saved(self) -> Saved:
        """See `Running`."""
        return {"closing": self._whole.closing.saved(), **self._whole.saved()}

    def restore(self, frames: Saved) -> None:
        """See `Running`."""
        self._whole.closing.restore(frames["closing"])
        self._whole.restore(frames)
