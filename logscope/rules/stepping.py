"""`step(hits, state, watermark)`: one engine for scans (one step) and watches (many), for every kind of rule.

Hits are kept until the watermark passes them, then the groups they fall into are matched again as
far as they reach, and compared with what was told: new detections are raised, vanished ones
retracted. A late record, a transaction that changed and a window whose end is reached go the same
way, so there is no second implementation. What a kind of rule looks for is its subclass's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import polars as pl

from logscope.rules.hits import KEYLESS, TAKES_PART, UNTIMED
from logscope.rules.model.rule import RETRACTED, Detection, Rule
from logscope.rules.sequence import DETECTION, GROUP, WHY_LEADING
from logscope.rules.state import OPEN, State

Membership = Callable[[pl.Series], pl.DataFrame]
"""Distinct rows (UInt32) to distinct pairs `row`, `transaction` (UInt32): the transactions they stand in."""

Identity = Callable[[Sequence[int]], Mapping[int, str]]
"""Transactions' numbers to their ids: of all that are wanted at once, since one costs as much as many."""


def by_number(numbers: Sequence[int]) -> Mapping[int, str]:
    """Ids where no transactions are linked."""
    return {number: str(number) for number in numbers}


NO_ROWS = pl.Series("row", [], dtype=pl.UInt32)
DIRTY = {GROUP: pl.UInt32, "since": pl.Int64}
"""Groups to match again, and since when (microseconds; null: from the beginning)."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step told."""

    raised: tuple[Detection, ...]
    retracted: tuple[Detection, ...]
    waiting: int
    """Matches that are not decided yet."""
    moved: tuple[Detection, ...] = ()
    """Told before, and standing at another time now: what other rules have to know."""


class Found(Protocol):
    """The matches among some hits."""

    def open(self) -> pl.DataFrame:
        """Those that are not decided yet, with the columns of `OPEN`."""

    def matched(self) -> list[tuple[int, Detection]]:
        """(group, detection) of those that are decided."""

    def pending(self, watermark_us: int, begin_us: int) -> list[tuple[int, Detection]]:
        """(group, detection) of those that are not."""


class StepDetector(ABC):
    """Runs one rule over hits as they come.

    Args:
        rule: The rule.
        state: What an earlier one remembered.
        max_hits: Hits kept at most; the oldest are evicted, counted, and the rule is incomplete.
    """

    def __init__(self, rule: Rule, state: State | None, max_hits: int) -> None:
        """Ready for the first step."""
        self.rule = rule
        self.state = state or State()
        self.state.hits.limit = max_hits

    # --- what a kind of rule looks for

    @property
    @abstractmethod
    def columns(self) -> frozenset[str]:
        """Columns that record frames must be asked for."""

    @property
    @abstractmethod
    def back_us(self) -> int:
        """How long before a group's `since` its hits still matter, microseconds."""

    @property
    def reach_us(self) -> int | None:
        """How long before a record a match may begin that it decides, microseconds; None: however long."""
        return 0

    @property
    def needs_us(self) -> int:
        """How long before the earliest that may still be looked at hits matter to it, microseconds."""
        return self.back_us

    def waiting(self) -> pl.DataFrame:
        """What of `state.open` time will decide; the others only a record that comes late."""
        return self.state.open.filter(pl.col("why") != WHY_LEADING)

    def asked_since(self) -> int | None:
        """The time since which hits can still be asked for, if no record comes late; None: since ever."""
        watermark, reach = self.state.watermark_us, self.reach_us
        if reach is None or watermark is None:
            return None
        first = self.waiting()["start"].min()
        since = watermark - reach
        return min(since, first if isinstance(first, int) else since) - self.needs_us

    @abstractmethod
    def hits(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The records of a frame that matter to the rule; has no effect on the state.

        Args:
            frame: Record frame; columns it lacks count as null. With `model.RULE_COLUMN` its rows are
                detections of the rules that this one uses: they have the time of the detection, its
                id in `model.DETECTION_COLUMN`, its output in the place of fields, and else the
                columns of the record that completed it.
        """

    @abstractmethod
    def _grouped(self, hits: pl.DataFrame, membership: Membership | None) -> pl.DataFrame:
        """Hits with their group; one row per group a record stands in, null in none."""

    @abstractmethod
    def _touched(self, hits: pl.DataFrame) -> pl.DataFrame:
        """The groups of hits, and since when their matches may differ (`DIRTY`)."""

    @abstractmethod
    def _due(self, watermark: int, begin: int, decide: bool) -> pl.DataFrame:
        """The groups of open matches that can be decided now (`DIRTY`)."""

    @abstractmethod
    def _find(self, hits: pl.DataFrame, dirty: pl.DataFrame | None, identity: Identity, *, decide: bool) -> Found:
        """The matches among hits that count since their group's `since`; of all, without `dirty`."""

    @abstractmethod
    def _ahead(self) -> StepDetector:
        """One with a state of its own, equal to this one's; what was told is the same and not to be changed."""

    def _regroup(self, changed: pl.Series, membership: Membership | None) -> pl.DataFrame:
        """The groups of rows whose transactions are others than before (`DIRTY`)."""
        return pl.DataFrame(schema=DIRTY)

    def _ripens(self, waiting: pl.DataFrame, newest: int) -> bool:
        """Whether hits that the watermark has not passed may decide anything at `newest`, beside what is due then."""
        return True

    def _ripe(self, waiting: pl.DataFrame, due: pl.DataFrame, newest: int) -> pl.DataFrame:
        """Of hits that the watermark has not passed those of groups where something would be decided at `newest`.

        Args:
            waiting: Hits with their group.
            due: The groups of open matches that would be decided then (`DIRTY`).
            newest: Microseconds.
        """
        return waiting

    def _place(self, detection: Detection) -> int:
        """The time that `since` is compared with."""
        return detection.start

    # --- the engine

    def step(
        self,
        hits: pl.DataFrame | None,
        *,
        watermark: int,
        begin: int,
        final: bool = False,
        decide: bool = False,
        membership: Membership | None = None,
        changed: pl.Series = NO_ROWS,
        identity: Identity = by_number,
        withdrawn: Collection[str] = (),
    ) -> StepResult:
        """Take in hits and tell what the watermark decides.

        Args:
            hits: As `hits` gave them, in any order; None: none.
            watermark: No record before it is expected any more, microseconds; it never goes back.
            begin: Time of the earliest record there is, microseconds.
            final: The end of the data: also hits at and after the watermark are matched.
            decide: With `final`, what is pending is taken as matched.
            membership: For rules by transaction: which transactions records stand in.
            changed: Rows whose transactions, or whose transactions' ids, are others than before.
            identity: For rules by transaction: a transaction's id.
            withdrawn: Ids of other rules' detections that were hits and are none any more.
        """
        state = self.state
        known_watermark = state.watermark_us
        watermark = watermark if known_watermark is None else max(watermark, known_watermark)
        dirty = [self._withdraw(withdrawn)] if withdrawn else []
        released = self._release(hits, watermark, final)
        dirty += [self._due(watermark, begin, decide), self._regroup(changed, membership)]
        fresh: pl.DataFrame | None = None
        if released.height:
            if known_watermark is not None:
                state.late += int((released["time"].cast(pl.Int64) < known_watermark).sum())
            grouped = self._grouped(released, membership)
            if len(state.hits) or state.open.height or len(state.told) or state.frozen_us is not None:
                dirty.append(self._touched(grouped))
            else:
                fresh = grouped
            state.hits.add(grouped)
        state.watermark_us = watermark
        state.begin_us = begin if state.begin_us is None else min(begin, state.begin_us)
        # Of a first batch, a scan's only one, everything is matched: nothing has to be looked up.
        result = (
            self._recompute(merged(dirty), identity, decide) if fresh is None else self._first(fresh, identity, decide)
        )
        if not final:
            self._evict()
        return result

    def pending(self, identity: Identity = by_number) -> tuple[Detection, ...]:
        """What is not decided yet: the data's end or beginning leaves an absence open."""
        dirty = self.state.open.select(GROUP, since=pl.col("start"))
        found = self._found(merged([dirty]), identity, decide=False)
        if found is None:
            return ()
        watermark = self.state.watermark_us or 0
        unique = {detection.id: detection for _, detection in found.pending(watermark, self.state.begin_us or 0)}
        return tuple(unique.values())

    def counts(self) -> dict[str, int]:
        """What was passed over or given up, by why."""
        state = self.state
        return {"late": state.late, "evicted": state.evicted, "untimed": state.untimed, "keyless": state.keyless}

    def provisional(
        self, newest: int, *, membership: Membership | None = None, identity: Identity = by_number
    ) -> tuple[Detection, ...]:
        """What would be raised if what has come were all; has no effect on the state.

        Args:
            newest: Time of the newest record, microseconds.
            membership: As for `step`.
            identity: As for `step`.
        """
        begin, waiting = self.state.begin_us, self.state.unreleased
        if begin is None:
            return ()
        due = self._due(newest, begin, False)
        ripens = waiting is not None and waiting.height > 0 and self._ripens(waiting, newest)
        if not due.height and not ripens:
            return ()
        ahead = self._ahead()
        dirty = [due]
        if waiting is not None and waiting.height:
            ripe = self._ripe(ahead._grouped(waiting, membership), due, newest)
            dirty.append(ahead._touched(ripe))
            ahead.state.hits.add(ripe, join=False)
        ahead.state.watermark_us = max(newest, self.state.watermark_us or newest)
        found = ahead._found(ahead._unsettled(merged(dirty)), identity, decide=False)
        matched = {} if found is None else {one.id: one for _, one in found.matched()}
        return tuple(sorted((one for one in matched.values() if one.id not in self.state.told), key=_order))

    def _release(self, hits: pl.DataFrame | None, watermark: int, final: bool) -> pl.DataFrame:
        state = self.state
        frames = [] if state.unreleased is None else [state.unreleased]
        if hits is not None and hits.height:
            state.untimed += int((hits["part"] == UNTIMED).sum())
            state.keyless += int((hits["part"] == KEYLESS).sum())
            taking = hits["part"] == TAKES_PART
            without = hits[[name for name in hits.columns if name != "part"]]
            frames.append(without if taking.all() else without.filter(taking))
        if not frames:
            return pl.DataFrame()
        waiting = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
        if final:
            state.unreleased = None
            return waiting
        ripe = waiting["time"].cast(pl.Int64) < watermark
        state.unreleased = waiting.filter(~ripe)
        return waiting.filter(ripe)

    def _withdraw(self, ids: Collection[str]) -> pl.DataFrame:
        unreleased = self.state.unreleased
        if unreleased is not None and DETECTION in unreleased.columns:
            gone = unreleased[DETECTION].is_in(pl.Series(list(ids), dtype=pl.String).implode()).fill_null(False)
            self.state.unreleased = unreleased.filter(~gone)
        taken = self.state.hits.take_detections(ids)
        return pl.DataFrame(schema=DIRTY) if taken is None else self._touched(taken)

    def _found(self, dirty: pl.DataFrame, identity: Identity, *, decide: bool) -> Found | None:
        """The matches of the dirty groups; None if they have no hits."""
        if not dirty.height:
            return None
        hits = self.state.hits.of_groups(dirty.with_columns(pl.col("since") - self.back_us))
        if hits is None or not hits.height:
            return None
        return self._find(hits, dirty, identity, decide=decide)

    def _first(self, hits: pl.DataFrame, identity: Identity, decide: bool) -> StepResult:
        """Match the first hits there are."""
        found = self._find(hits.filter(pl.col(GROUP).is_not_null()), None, identity, decide=decide)
        self.state.open = found.open()
        return self._tell(found, {})

    def _unsettled(self, dirty: pl.DataFrame) -> pl.DataFrame:
        """Dirty groups since no earlier than their hits are kept."""
        frozen = self.state.frozen_us
        return dirty if frozen is None else dirty.with_columns(since=pl.max_horizontal("since", pl.lit(frozen)))

    def _recompute(self, dirty: pl.DataFrame, identity: Identity, decide: bool) -> StepResult:
        """Match the dirty groups again as far as they are."""
        state = self.state
        if not dirty.height:
            return StepResult((), (), state.open.height)
        dirty = self._unsettled(dirty)
        found = self._found(dirty, identity, decide=decide)
        self._reopen(dirty, None if found is None else found.open())
        return self._tell(found, state.told.among(dirty))

    def _tell(self, found: Found | None, before: dict[str, int]) -> StepResult:
        """Compare what is decided with what was told (id to group)."""
        state = self.state
        raised: list[Detection] = []
        still: set[str] = set()
        for group, detection in [] if found is None else found.matched():
            if detection.id in still:
                continue
            still.add(detection.id)
            if detection.id not in before:
                raised.append(detection)
                state.told.add(group, detection, self._place(detection))
        retracted = [
            replace(state.told.remove(group, detection_id), state=RETRACTED, reason="a late record made it false")
            for detection_id, group in before.items()
            if detection_id not in still
        ]
        raised.sort(key=_order)
        retracted.sort(key=_order)
        return StepResult(tuple(raised), tuple(retracted), state.open.height)

    def _reopen(self, dirty: pl.DataFrame, pending: pl.DataFrame | None) -> None:
        """Replace the open matches of the dirty groups."""
        state = self.state
        marked = dirty.lazy().with_columns(touched=pl.lit(True))
        rest = state.open.lazy().join(marked, on=GROUP, how="left", maintain_order="left")
        keep = pl.col("touched").is_null() | (pl.col("start") < pl.col("since")).fill_null(False)
        frames = [rest.filter(keep).select(list(OPEN)).collect()]
        if pending is not None and pending.height:
            frames.append(pending)
        state.open = pl.concat(frames)

    def _numbered(self, hits: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        """Hits with the number of their key, which stands in columns `names`."""
        known = self.state.groups
        new = hits.select(names).unique()
        if known is not None:
            new = new.join(known, on=names, how="anti")
        if new.height:
            first = self.state.next_group
            self.state.next_group += new.height
            numbers = pl.int_range(first, first + new.height, dtype=pl.UInt32, eager=True).alias(GROUP)
            new = new.select(numbers, *names)
            known = new if known is None else pl.concat([known, new])
            self.state.groups = known
        return hits if known is None else hits.join(known, on=names, how="left").drop(names)

    def _evict(self) -> None:
        state = self.state
        count, bound = state.hits.evict()
        if bound is None:
            return
        state.evicted += count
        state.frozen_us = bound + self.back_us
        state.told.forget_before(state.frozen_us)
        state.open = state.open.filter(pl.col("start") >= state.frozen_us)
        if state.groups is not None:
            state.groups = state.groups.join(state.hits.groups(), on=GROUP, how="semi")


def merged(dirty: list[pl.DataFrame]) -> pl.DataFrame:
    """Each dirty group once, since the earliest; null: from its beginning."""
    frames = [frame if frame.schema == DIRTY else frame.cast(DIRTY) for frame in dirty if frame.height]  # type: ignore[arg-type]  # a mapping of types
    if not frames:
        return pl.DataFrame(schema=DIRTY)
    whole = pl.col("since").is_null().any()
    return (
        pl.concat(frames).group_by(GROUP).agg(pl.when(whole).then(None).otherwise(pl.col("since").min()).alias("since"))
    )


def _order(detection: Detection) -> tuple[int, str]:
    return detection.time, detection.id
