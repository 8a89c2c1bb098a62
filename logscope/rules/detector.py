"""Sequences and single records on the one engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from logscope.rules.description import Describer, Description, Key
from logscope.rules.hits import HitSelector, by_column
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.sequence import (
    DETECTION,
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
from logscope.rules.stepping import DIRTY, Identity, Membership, StepDetector, StepResult, merged
from logscope.rules.values import constant

_FOREVER = -(2**62)


@dataclass(frozen=True, slots=True)
class _FoundMatches:
    """See `stepping.Found`."""

    describer: Describer
    hits: pl.DataFrame
    matches: pl.DataFrame
    key: Callable[[pl.DataFrame], Callable[[int], Key]]

    def open(self) -> pl.DataFrame:
        waiting = self.matches[list(OPEN)].filter(self.matches["pending"])
        return waiting if waiting.schema == OPEN else waiting.cast(OPEN)  # type: ignore[arg-type]  # a mapping of types

    def matched(self) -> list[tuple[int, Detection]]:
        if self.matches["pending"].all():
            return []
        return self._of(~pl.col("pending")).matched()

    def pending(self, watermark_us: int, begin_us: int) -> list[tuple[int, Detection]]:
        return self._of(pl.col("pending")).pending(watermark_us, begin_us)

    def _of(self, which: pl.Expr) -> Description:
        matches = self.matches.filter(which)
        return self.describer.of(self.hits, matches, self.key(matches))


class Detector(StepDetector):
    """Runs one rule with a sequence (kind `sequence` or `record`) over hits as they come.

    Args:
        rule: The rule.
        state: What an earlier one remembered.
        max_hits: Hits kept at most; the oldest are evicted, counted, and the rule is incomplete.
    """

    def __init__(self, rule: Rule, state: State | None = None, max_hits: int = DEFAULT_MAX_HITS) -> None:
        """Ready for the first step."""
        if rule.sequence is None:
            raise ValueError(f"rule {rule.name} has no sequence")
        super().__init__(rule, state, max_hits)
        self.sequence = rule.sequence
        self._selector = HitSelector(rule, self.sequence)
        masks = [hit_column(place) for place in range(len(self.sequence.steps))]
        self._machine = [GROUP, "time", "source_id", "line", *masks, *([UNTIL] if self.sequence.until else [])]
        self._machine += [DETECTION] if rule.uses else []
        self._describer = Describer(rule, self.sequence, self._selector)

    @property
    def columns(self) -> frozenset[str]:
        """Columns that record frames must be asked for."""
        return self._selector.columns

    @property
    def back_us(self) -> int:
        """How far before its first step a match looks for absences, microseconds."""
        return self.sequence.look_back_us

    @property
    def reach_us(self) -> int | None:
        """As far as its steps may lie apart."""
        return self.sequence.reach_us

    def hits(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The records of a frame that matter to the rule; has no effect on the state.

        Args:
            frame: Record frame; columns it lacks count as null.
        """
        return self._selector.select(frame)

    def _ahead(self) -> Detector:
        return Detector(self.rule, self.state.copy(), self.state.hits.limit)

    def having_values(self, hits: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
        """The values that `having` reads, one row per match (positions in these hits)."""
        return self._describer.having_values(hits, matches)

    def subject(self, group: int, identity: Identity) -> Key:
        """What a group stands for."""
        return self._key(pl.DataFrame({GROUP: pl.Series([group], dtype=pl.UInt32)}), identity)(group)

    def _grouped(self, hits: pl.DataFrame, membership: Membership | None) -> pl.DataFrame:
        if self.sequence.by_transaction:
            if membership is None:
                return hits.with_columns(pl.lit(None, dtype=pl.UInt32).alias(GROUP))
            members = membership(hits["row"])
            groups = [members["row"].cast(pl.UInt32), members["transaction"].cast(pl.UInt32).alias(GROUP)]
            return hits.join(pl.DataFrame(groups), on="row", how="left")
        if not self.sequence.by:
            return hits.with_columns(pl.lit(0, dtype=pl.UInt32).alias(GROUP))
        return self._numbered(hits, [by_column(place) for place in range(len(self.sequence.by))])

    def _touched(self, hits: pl.DataFrame) -> pl.DataFrame:
        reach = self.sequence.reach_us
        since = pl.lit(None, dtype=pl.Int64) if reach is None else pl.col("time").to_physical().min() - reach
        grouped = hits.filter(pl.col(GROUP).is_not_null()) if hits[GROUP].null_count() else hits
        return grouped.group_by(GROUP).agg(since=since)

    def _regroup(self, changed: pl.Series, membership: Membership | None) -> pl.DataFrame:
        empty = pl.DataFrame(schema=DIRTY)
        if not self.sequence.by_transaction or not changed.len():
            return empty
        taken = self.state.hits.take_rows(changed.cast(pl.UInt32).alias("row").unique())
        if taken is None:
            return empty
        # A detection of another rule stands at a record of its own.
        same = ["row", DETECTION] if DETECTION in taken.columns else ["row"]
        grouped = self._grouped(taken.unique(same).drop(GROUP), membership)
        self.state.hits.add(grouped)
        return merged([self._touched(taken), self._touched(grouped)])

    def _due(self, watermark: int, begin: int, decide: bool) -> pl.DataFrame:
        known, waiting = self.state.begin_us, self.state.open
        decidable = (waiting["why"] == WHY_TRAILING) & (waiting["due"] < watermark)
        if known is not None and begin < known:
            decidable |= waiting["why"] == WHY_LEADING
        if decide:
            decidable = constant(True, waiting.height)
        return pl.DataFrame({GROUP: waiting[GROUP].filter(decidable), "since": waiting["start"].filter(decidable)})

    def _ending(self, newest: int) -> pl.Expr:
        """Hits with which a match ends: without its last step nothing is decided, nor before the absence behind that is over."""
        steps = self.sequence.steps
        last = max(place for place, step in enumerate(steps) if not step.absent)
        within = [step.within_us for step in steps[last + 1 :] if step.within_us is not None]
        return pl.col(hit_column(last)) & (pl.col("time").to_physical() + max(within, default=0) <= newest)

    def _ripens(self, waiting: pl.DataFrame, newest: int) -> bool:
        return bool(waiting.select(self._ending(newest).any()).item())

    def _ripe(self, waiting: pl.DataFrame, due: pl.DataFrame, newest: int) -> pl.DataFrame:
        ending = self._ending(newest) & pl.col(GROUP).is_not_null()
        groups = waiting.lazy().filter(ending).select(GROUP)
        asked = pl.concat([groups, due.lazy().select(pl.col(GROUP).cast(pl.UInt32))])
        return waiting.lazy().join(asked, on=GROUP, how="semi").collect()

    def _find(
        self, hits: pl.DataFrame, dirty: pl.DataFrame | None, identity: Identity, *, decide: bool
    ) -> _FoundMatches:
        state = self.state
        if DETECTION in self._machine and DETECTION not in hits.columns:
            hits = hits.with_columns(pl.lit(None, dtype=pl.String).alias(DETECTION))
        # Texts and values stay where they are: only what the machine looks at is sorted.
        ordered = in_order(hits[self._machine].with_row_index("place"))
        matches = match_sequence(
            self.sequence,
            ordered,
            watermark_us=_FOREVER if state.watermark_us is None else state.watermark_us,
            begin_us=_FOREVER if state.begin_us is None else state.begin_us,
            decide=decide,
        )
        places = [place_column(stage) for stage in range(len(self.sequence.positive))]
        matches = matches.with_columns(ordered["place"][matches[name]].alias(name) for name in places)
        if dirty is not None and dirty["since"].null_count() < dirty.height:
            # One query: each costs more than what it is asked of.
            since = pl.col("since").is_null() | (pl.col("start") >= pl.col("since"))
            asked = matches.lazy().join(dirty.lazy(), on=GROUP, how="left", maintain_order="left")
            matches = asked.filter(since).drop("since").collect()
        if self.sequence.having is not None:
            values = self._describer.having_values(hits, matches)
            matches = matches.filter(self.sequence.having.mask(values))
        return _FoundMatches(self._describer, hits, matches, lambda chosen: self._key(chosen, identity))

    def _key(self, matches: pl.DataFrame, identity: Identity) -> Callable[[int], Key]:
        """The number of a match's group to what stands for it in output and ids."""
        if self.sequence.by_transaction:
            ids = identity(matches[GROUP].unique().to_list())
            return lambda group: Key(ids[group], group, {})
        groups = self.state.groups
        if groups is None:
            return lambda group: Key(None, None, {})
        values = {row[0]: row[1:] for row in groups.join(matches, on=GROUP, how="semi").iter_rows()}
        return lambda group: Key(None, None, dict(zip(self.sequence.by, values[group], strict=True)))


__all__ = ["Detector", "Identity", "Membership", "StepResult"]
