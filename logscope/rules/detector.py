"""`step(hits, state, watermark)`: one engine for scans (one step) and watches (many).

Hits are kept until the watermark passes them, then the groups they fall into are matched again as
far as they reach, and compared with what was told: new detections are raised, vanished ones
retracted. A late record, a transaction that changed and a window whose end is reached go the same
way, so there is no second implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from logscope.rules.description import Describer, Key
from logscope.rules.hits import KEYLESS, TAKES_PART, UNTIMED, HitSelector, by_column
from logscope.rules.model import RETRACTED, Detection, Rule
from logscope.rules.sequence import (
    GROUP,
    UNTIL,
    WHY_LEADING,
    WHY_TRAILING,
    hit_column,
    in_order,
    match_sequence,
    place_column,
)
from logscope.rules.state import DEFAULT_MAX_HITS, OPEN, State

Membership = Callable[[pl.Series], pl.DataFrame]
"""Distinct rows (UInt32) to distinct pairs `row`, `transaction` (UInt32): the transactions they stand in."""

Identity = Callable[[int], str]
"""A transaction's number to its id."""

_NO_ROWS = pl.Series("row", [], dtype=pl.UInt32)
_DIRTY = {GROUP: pl.UInt32, "since": pl.Int64}
_FOREVER = -(2**62)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step told."""

    raised: tuple[Detection, ...]
    retracted: tuple[Detection, ...]
    waiting: int
    """Matches that are not decided yet."""


class Detector:
    """Runs one rule over hits as they come.

    Args:
        rule: One with a sequence (kind `sequence` or `record`).
        state: What an earlier one remembered.
        max_hits: Hits kept at most; the oldest are evicted, counted, and the rule is incomplete.
    """

    def __init__(self, rule: Rule, state: State | None = None, *, max_hits: int = DEFAULT_MAX_HITS) -> None:
        """Ready for the first step."""
        if rule.sequence is None:
            raise ValueError(f"rule {rule.name} has no sequence")
        self.rule = rule
        self.sequence = rule.sequence
        self.state = state or State()
        self.state.hits.limit = max_hits
        self._selector = HitSelector(rule, self.sequence)
        masks = [hit_column(place) for place in range(len(self.sequence.steps))]
        self._machine = [GROUP, "time", "source_id", "line", *masks, *([UNTIL] if self.sequence.until else [])]
        self._describer = Describer(rule, self.sequence, self._selector)

    @property
    def columns(self) -> frozenset[str]:
        """Columns that record frames must be asked for."""
        return self._selector.columns

    def hits(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The records of a frame that matter to the rule; has no effect on the state.

        Args:
            frame: Record frame; columns it lacks count as null.
        """
        return self._selector.select(frame)

    def step(
        self,
        hits: pl.DataFrame | None,
        *,
        watermark: int,
        begin: int,
        final: bool = False,
        decide: bool = False,
        membership: Membership | None = None,
        changed: pl.Series = _NO_ROWS,
        identity: Identity = str,
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
        """
        state = self.state
        known_watermark = state.watermark_us
        watermark = watermark if known_watermark is None else max(watermark, known_watermark)
        released = self._release(hits, watermark, final)
        dirty = [self._due(watermark, begin, decide), self._regroup(changed, membership)]
        fresh: pl.DataFrame | None = None
        if released.height:
            if known_watermark is not None:
                state.late += int((released["time"].to_physical() < known_watermark).sum())
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
            self._recompute(_merged(dirty), identity, decide) if fresh is None else self._first(fresh, identity, decide)
        )
        if not final:
            self._evict()
        return result

    def pending(self, identity: Identity = str) -> tuple[Detection, ...]:
        """What is not decided yet: the data's end or beginning leaves an absence open."""
        dirty = self.state.open.select(GROUP, since=pl.col("start"))
        found = self._matches(_merged([dirty]), decide=False)
        if found is None:
            return ()
        hits, matches = found[0], found[1].filter("pending")
        describe = self._describer.of(hits, matches, self._key(matches, identity))
        watermark = self.state.watermark_us or 0
        unique = {detection.id: detection for _, detection in describe.pending(watermark, self.state.begin_us or 0)}
        return tuple(unique.values())

    def provisional(
        self, newest: int, *, membership: Membership | None = None, identity: Identity = str
    ) -> tuple[Detection, ...]:
        """What would be raised if what has come were all; has no effect on the state.

        Args:
            newest: Time of the newest record, microseconds.
            membership: As for `step`.
            identity: As for `step`.
        """
        ahead = Detector(self.rule, self.state.copy(), max_hits=self.state.hits.limit)
        begin = ahead.state.begin_us
        if begin is None:
            return ()
        return ahead.step(
            None, watermark=newest, begin=begin, final=True, membership=membership, identity=identity
        ).raised

    def _release(self, hits: pl.DataFrame | None, watermark: int, final: bool) -> pl.DataFrame:
        state = self.state
        frames = [] if state.unreleased is None else [state.unreleased]
        if hits is not None and hits.height:
            state.untimed += int((hits["part"] == UNTIMED).sum())
            state.keyless += int((hits["part"] == KEYLESS).sum())
            frames.append(hits.filter(pl.col("part") == TAKES_PART).drop("part"))
        if not frames:
            return pl.DataFrame()
        waiting = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
        if final:
            state.unreleased = None
            return waiting
        ripe = waiting["time"].to_physical() < watermark
        state.unreleased = waiting.filter(~ripe)
        return waiting.filter(ripe)

    def _grouped(self, hits: pl.DataFrame, membership: Membership | None) -> pl.DataFrame:
        """Hits with their group; one row per transaction a record stands in, null in none."""
        if self.sequence.by_transaction:
            if membership is None:
                return hits.with_columns(pl.lit(None, dtype=pl.UInt32).alias(GROUP))
            members = membership(hits["row"]).select(
                pl.col("row").cast(pl.UInt32), pl.col("transaction").cast(pl.UInt32).alias(GROUP)
            )
            return hits.join(members, on="row", how="left")
        if not self.sequence.by:
            return hits.with_columns(pl.lit(0, dtype=pl.UInt32).alias(GROUP))
        names = [by_column(place) for place in range(len(self.sequence.by))]
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

    def _touched(self, hits: pl.DataFrame) -> pl.DataFrame:
        """The groups of hits, and since when their matches may differ."""
        reach = self.sequence.reach_us
        since = pl.lit(None, dtype=pl.Int64) if reach is None else pl.col("time").to_physical().min() - reach
        return hits.filter(pl.col(GROUP).is_not_null()).group_by(GROUP).agg(since=since)

    def _regroup(self, changed: pl.Series, membership: Membership | None) -> pl.DataFrame:
        empty = pl.DataFrame(schema=_DIRTY)
        if not self.sequence.by_transaction or not changed.len():
            return empty
        taken = self.state.hits.take_rows(changed.cast(pl.UInt32).alias("row").unique())
        if taken is None:
            return empty
        grouped = self._grouped(taken.unique("row").drop(GROUP), membership)
        self.state.hits.add(grouped)
        return _merged([self._touched(taken), self._touched(grouped)])

    def _due(self, watermark: int, begin: int, decide: bool) -> pl.DataFrame:
        """The groups of open matches that can be decided now."""
        known = self.state.begin_us
        decidable = (pl.col("why") == WHY_TRAILING) & (pl.col("due") < watermark)
        if known is not None and begin < known:
            decidable |= pl.col("why") == WHY_LEADING
        return self.state.open.filter(pl.lit(True) if decide else decidable).select(GROUP, since="start")

    def _matches(self, dirty: pl.DataFrame, *, decide: bool) -> tuple[pl.DataFrame, pl.DataFrame] | None:
        """Hits of the dirty groups and their matches, `having` tested; None if there are no hits."""
        state, back = self.state, self.sequence.look_back_us
        hits = state.hits.of_groups(dirty.with_columns(pl.col("since") - back)) if dirty.height else None
        if hits is None or not hits.height:
            return None
        return self._paired(hits, decide=decide, dirty=dirty)

    def _paired(
        self, hits: pl.DataFrame, *, decide: bool, dirty: pl.DataFrame | None = None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Hits and their matches (positions in these hits) that start in their group's `since` or later, `having` tested."""
        state = self.state
        # Texts and values stay where they are: only what the machine looks at is sorted.
        ordered = in_order(hits.select(self._machine).with_row_index("place"))
        matches = match_sequence(
            self.sequence,
            ordered,
            watermark_us=_FOREVER if state.watermark_us is None else state.watermark_us,
            begin_us=_FOREVER if state.begin_us is None else state.begin_us,
            decide=decide,
        )
        places = [place_column(stage) for stage in range(len(self.sequence.positive))]
        matches = matches.with_columns(ordered["place"].gather(matches[name]).alias(name) for name in places)
        if dirty is not None:
            matches = matches.join(dirty, on=GROUP, how="left", maintain_order="left")
            matches = matches.filter(pl.col("since").is_null() | (pl.col("start") >= pl.col("since"))).drop("since")
        if self.sequence.having is not None:
            values = self._describer.having_values(hits, matches)
            matches = matches.filter(self.sequence.having.mask(values))
        return hits, matches

    def _first(self, hits: pl.DataFrame, identity: Identity, decide: bool) -> StepResult:
        """Match the first hits there are."""
        found = self._paired(hits.filter(pl.col(GROUP).is_not_null()), decide=decide)
        self.state.open = _open(found[1].filter("pending"))
        return self._tell(found, {}, identity)

    def _recompute(self, dirty: pl.DataFrame, identity: Identity, decide: bool) -> StepResult:
        """Match the dirty groups again as far as they are."""
        state = self.state
        if not dirty.height:
            return StepResult((), (), state.open.height)
        if state.frozen_us is not None:
            dirty = dirty.with_columns(since=pl.max_horizontal("since", pl.lit(state.frozen_us)))
        found = self._matches(dirty, decide=decide)
        self._reopen(dirty, None if found is None else found[1].filter("pending"))
        return self._tell(found, state.told.among(dirty), identity)

    def _tell(
        self, found: tuple[pl.DataFrame, pl.DataFrame] | None, before: dict[str, int], identity: Identity
    ) -> StepResult:
        """Compare what is decided with what was told (id to group)."""
        state = self.state
        current: list[tuple[int, Detection]] = []
        if found is not None:
            hits, matches = found[0], found[1].filter(~pl.col("pending"))
            current = self._describer.of(hits, matches, self._key(matches, identity)).matched()
        raised: list[Detection] = []
        still: set[str] = set()
        for group, detection in current:
            if detection.id in still:
                continue
            still.add(detection.id)
            if detection.id not in before:
                raised.append(detection)
                state.told.add(group, detection)
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
        rest = state.open.join(dirty, on=GROUP, how="left", maintain_order="left", coalesce=True).join(
            dirty.select(GROUP, touched=pl.lit(True)), on=GROUP, how="left", maintain_order="left"
        )
        keep = pl.col("touched").is_null() | (pl.col("start") < pl.col("since")).fill_null(False)
        frames = [rest.filter(keep).select(list(OPEN))]
        if pending is not None and pending.height:
            frames.append(_open(pending))
        state.open = pl.concat(frames)

    def _key(self, matches: pl.DataFrame, identity: Identity) -> Callable[[int], Key]:
        """The number of a match's group to what stands for it in output and ids."""
        if self.sequence.by_transaction:
            return lambda group: Key(identity(group), group, {})
        groups = self.state.groups
        if groups is None:
            return lambda group: Key(None, None, {})
        values = {row[0]: row[1:] for row in groups.join(matches, on=GROUP, how="semi").iter_rows()}
        return lambda group: Key(None, None, dict(zip(self.sequence.by, values[group], strict=True)))

    def _evict(self) -> None:
        state = self.state
        count, bound = state.hits.evict()
        if bound is None:
            return
        state.evicted += count
        state.frozen_us = bound + self.sequence.look_back_us
        state.told.forget_before(state.frozen_us)
        state.open = state.open.filter(pl.col("start") >= state.frozen_us)
        if state.groups is not None:
            state.groups = state.groups.join(state.hits.groups(), on=GROUP, how="semi")


def _open(pending: pl.DataFrame) -> pl.DataFrame:
    return pending.select(pl.col(name).cast(dtype) for name, dtype in OPEN.items())


def _merged(dirty: list[pl.DataFrame]) -> pl.DataFrame:
    """Each dirty group once, since the earliest; null: from its beginning."""
    frames = [frame.cast({GROUP: pl.UInt32, "since": pl.Int64}) for frame in dirty if frame.height]
    if not frames:
        return pl.DataFrame(schema=_DIRTY)
    whole = pl.col("since").is_null().any()
    return (
        pl.concat(frames).group_by(GROUP).agg(pl.when(whole).then(None).otherwise(pl.col("since").min()).alias("since"))
    )


def _order(detection: Detection) -> tuple[int, str]:
    return detection.time, detection.id
