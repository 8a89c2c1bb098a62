"""Silences on the one engine: of each key its last record waits until its silence would be long enough.

What is kept of a key is one record a beat. How long is long is asked only when the shortest silence
that counts is over, so a record that comes in its usual time costs a comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from logscope.rules.description import Describer, Key
from logscope.rules.hits import TAKES_PART, HitSelector, by_column
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.retained import RetainedHits
from logscope.rules.sequence import GROUP, WHY_MATCHED, place_column
from logscope.rules.silences.rhythm import Bound, Others, Rhythms, beats, reach_us
from logscope.rules.state import DEFAULT_MAX_HITS, OPEN, State
from logscope.rules.stepping import Identity, Membership, StepDetector
from logscope.text import human_duration

_WAITS, _ALONE, _SETTLED = range(3)
"""Column `why` of what is open: its time is not up; nobody else was heard; only another record changes it."""

_NEVER = 2**62
_COMPACT = 50_000
_MATCHES = {GROUP: pl.UInt32, place_column(0): pl.UInt32, "start": pl.Int64, "last": pl.Int64, "due": pl.Int64,
            "why": pl.UInt8, "usual": pl.Int64}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """See `stepping.Found`."""

    describe: Callable[[pl.DataFrame], list[tuple[int, Detection]]]
    decided: pl.DataFrame
    opened: pl.DataFrame
    ahead: Callable[[], pl.DataFrame]

    def open(self) -> pl.DataFrame:
        return self.opened

    def matched(self) -> list[tuple[int, Detection]]:
        return self.describe(self.decided)

    def pending(self, watermark_us: int, begin_us: int) -> list[tuple[int, Detection]]:
        found = []
        for group, detection in self.describe(self.ahead()):
            left = human_duration(max(detection.time - watermark_us, 0))
            reason = f"the data ends {left} before the silence is long enough; {detection.reason}"
            found.append((group, replace(detection, state="pending", reason=reason)))
        return found


class SilenceDetector(StepDetector):
    """Runs one rule of kind `silence` over hits as they come.

    Args:
        rule: The rule.
        state: What an earlier one remembered.
        max_hits: Hits kept at most, one a beat and key; the oldest are evicted, counted, and the rule is incomplete.
    """

    def __init__(self, rule: Rule, state: State | None = None, max_hits: int = DEFAULT_MAX_HITS) -> None:
        """Ready for the first step."""
        if rule.silence is None or rule.sequence is None:
            raise ValueError(f"rule {rule.name} is not over silences")
        super().__init__(rule, state, max_hits)
        self.silence = rule.silence
        self._sequence = rule.sequence
        self._selector = HitSelector(rule, rule.sequence)
        self._describer = Describer(rule, rule.sequence, self._selector)
        self._compacted = 0

    @property
    def columns(self) -> frozenset[str]:
        """Columns that record frames must be asked for."""
        return self._selector.columns

    @property
    def back_us(self) -> int:
        """Nothing: what is usual is looked up only where it is asked."""
        return 0

    @property
    def needs_us(self) -> int:
        """What is usual is told by so much time before."""
        return self.silence.history_us

    def waiting(self) -> pl.DataFrame:
        """Those whose time is not up."""
        return self.state.open.filter(pl.col("why") == _WAITS)

    def hits(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The last record of each key and beat, and those that take no part; has no effect on the state."""
        hits = self._selector.select(frame)
        beat = pl.col("time").to_physical() // self.silence.beat_us
        names = [by_column(place) for place in range(len(self.silence.by))]
        taking = hits["part"] == TAKES_PART
        last = hits.filter(taking).with_columns(beat.alias("beat")).sort("time", "source_id", "line")
        last = last.unique([*names, "beat"], keep="last", maintain_order=True).drop("beat")
        return last if taking.all() else pl.concat([last, hits.filter(~taking)])

    def _ahead(self) -> SilenceDetector:
        return SilenceDetector(self.rule, self.state.copy(), self.state.hits.limit)

    def _grouped(self, hits: pl.DataFrame, membership: Membership | None) -> pl.DataFrame:
        if not self.silence.by:
            return hits.with_columns(pl.lit(0, dtype=pl.UInt32).alias(GROUP))
        return self._numbered(hits, [by_column(place) for place in range(len(self.silence.by))])

    def _touched(self, hits: pl.DataFrame) -> pl.DataFrame:
        """A group since its record that waits; from its beginning if one is late, for it changes what is usual."""
        known = -_NEVER if self.state.watermark_us is None else self.state.watermark_us
        waiting = self.state.open.filter(pl.col("why") != _ALONE).group_by(GROUP).agg(pl.col("start").min())
        came = hits.group_by(GROUP).agg(pl.col("time").to_physical().min().alias("first"))
        since = pl.when(pl.col("first") >= known).then(pl.min_horizontal("first", "start"))
        touched = came.join(waiting, on=GROUP, how="left").select(GROUP, since=since)
        late = came.filter(pl.col("first") < known)
        if not late.height:
            return touched
        # Who was alone may have been heard by others after all.
        alone = self.state.open.filter((pl.col("why") == _ALONE) & (pl.col("due") >= late["first"].min()))
        return pl.concat([touched, alone.select(GROUP, since="start")])

    def _due(self, watermark: int, begin: int, decide: bool) -> pl.DataFrame:
        due = pl.lit(True) if decide else pl.col("due") < watermark
        return self.state.open.filter((pl.col("why") == _WAITS) & due).select(GROUP, since="start")

    def _find(self, hits: pl.DataFrame, dirty: pl.DataFrame | None, identity: Identity, *, decide: bool) -> _Found:
        watermark = -_NEVER if self.state.watermark_us is None else self.state.watermark_us
        found = beats(self.silence, hits)
        same = pl.col(GROUP) == pl.col(GROUP).shift(-1)
        beat = self.silence.beat_us
        least = (pl.col("t") + self.silence.after_us) // beat
        found = found.with_columns(next=pl.when(same).then(pl.col("beat").shift(-1)), least=least)
        ends = (pl.col("least") + 1) * beat - 1
        trailing = pl.col("next").is_null()
        asked = found.filter(pl.when(trailing).then((ends < watermark) | decide).otherwise(pl.col("next") > least))
        waits = found.filter(trailing & (ends >= watermark) & (not decide))
        decided, opened = self._judged(asked, watermark, decide=decide)
        opened += [(group, time, due, _WAITS) for group, time, due in waits.select(GROUP, "t", ends).iter_rows()]
        open_ = pl.DataFrame(opened, schema=OPEN, orient="row")

        def describe(matches: pl.DataFrame) -> list[tuple[int, Detection]]:
            described = self._describer.of(hits, matches, self._key(matches)).matched()
            usual = matches["usual"].to_list()
            return [
                (group, replace(one, reason=_reason(one, gap)))
                for (group, one), gap in zip(described, usual, strict=True)
            ]

        def ahead() -> pl.DataFrame:
            found, _ = self._judged(waits, watermark, decide=True)
            return found

        return _Found(describe, decided, open_, ahead)

    def _judged(
        self, asked: pl.DataFrame, watermark: int, *, decide: bool
    ) -> tuple[pl.DataFrame, list[tuple[int, int, int, int]]]:
        """(silences, what is open) of beats after which a group was not heard for long."""
        opened: list[tuple[int, int, int, int]] = []
        bounds: list[tuple[dict[str, int], Bound]] = []
        rows = list(asked.iter_rows(named=True))
        rhythms = self._rhythms(asked)
        for row in rows:
            bound = rhythms.bound(row[GROUP], row["t"])
            last = row["next"] is None
            if bound is None or (not last and row["next"] <= bound.due_us // self.silence.beat_us):
                if last:
                    opened.append((row[GROUP], row["t"], _NEVER, _SETTLED))
            elif last and bound.due_us >= watermark and not decide:
                opened.append((row[GROUP], row["t"], bound.due_us, _WAITS))
            else:
                bounds.append((row, bound))
        silences = []
        others = Others(self.silence, self._between(bounds))
        for row, bound in bounds:
            heard = others.heard(row[GROUP], bound)
            if heard:
                silences.append(
                    (row[GROUP], row["place"], row["t"], row["t"], bound.due_us, WHY_MATCHED, bound.usual_us)
                )
            else:
                opened.append((row[GROUP], row["t"], bound.due_us, _ALONE))
            if heard and row["next"] is None:
                opened.append((row[GROUP], row["t"], _NEVER, _SETTLED))
        return pl.DataFrame(silences, schema=_MATCHES, orient="row"), opened

    def _rhythms(self, asked: pl.DataFrame) -> Rhythms:
        if not asked.height:
            return Rhythms(self.silence, asked)
        wanted = asked.group_by(GROUP).agg(since=pl.col("t").min() - self.silence.history_us)
        found = self.state.hits.of_groups(wanted)
        assert found is not None
        return Rhythms(self.silence, beats(self.silence, found))

    def _between(self, bounds: list[tuple[dict[str, int], Bound]]) -> pl.DataFrame | None:
        return self.state.hits.between(*reach_us(bound for _, bound in bounds)) if bounds else None

    def _key(self, matches: pl.DataFrame) -> Callable[[int], Key]:
        groups = self.state.groups
        if groups is None:
            return lambda group: Key(None, None, {})
        values = {row[0]: row[1:] for row in groups.join(matches, on=GROUP, how="semi").iter_rows()}
        return lambda group: Key(None, None, dict(zip(self.silence.by, values[group], strict=True)))

    def subject(self, group: int) -> Key:
        """Whose silence a group's is."""
        return self._key(pl.DataFrame({GROUP: pl.Series([group], dtype=pl.UInt32)}))(group)

    def _evict(self) -> None:
        kept = self.state.hits
        if len(kept) > 2 * self._compacted + _COMPACT and (frame := kept.frame()) is not None:
            # Batches that came within one beat have each left a record of it.
            self.state.hits = RetainedHits(kept.limit, frame[beats(self.silence, frame)["place"]])
            self._compacted = len(self.state.hits)
        super()._evict()


def _reason(detection: Detection, usual_us: int) -> str:
    silent = human_duration(detection.time - detection.start)
    return f"silent for {silent}, usually heard within {human_duration(usual_us)}"
