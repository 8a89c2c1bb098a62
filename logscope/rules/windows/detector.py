"""Correlation rules on the one engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from logscope.rules.hits import by_column
from logscope.rules.model.rule import Detection, Rule
from logscope.rules.sequence import GROUP, WHY_TRAILING
from logscope.rules.state import DEFAULT_MAX_HITS, OPEN, State
from logscope.rules.stepping import Identity, Membership, StepDetector
from logscope.rules.windows.describe import AlertReport
from logscope.rules.windows.evaluate import evaluate
from logscope.rules.windows.hits import WindowHits
from logscope.rules.windows.matches import Alerts

_FOREVER = -(2**62)


@dataclass(frozen=True, slots=True)
class _FoundAlerts:
    """See `stepping.Found`."""

    report: AlertReport
    alerts: pl.DataFrame
    """Those of the root that count, with the `group` they are kept under."""
    waiting: pl.DataFrame
    watermark_us: int

    def open(self) -> pl.DataFrame:
        return self.waiting

    def matched(self) -> list[tuple[int, Detection]]:
        return self._of(~pl.col("pending"))

    def pending(self, watermark_us: int, begin_us: int) -> list[tuple[int, Detection]]:
        return self._of(pl.col("pending"))

    def _of(self, which: pl.Expr) -> list[tuple[int, Detection]]:
        chosen = self.alerts.filter(which)
        groups = dict(chosen.select("place", GROUP).iter_rows())
        return [(groups[place], found) for place, found in self.report.detections(chosen, self.watermark_us)]


class WindowDetector(StepDetector):
    """Runs one correlation rule over hits as they come.

    Args:
        rule: One with `windows`.
        state: What an earlier one remembered.
        max_hits: Hits kept at most; the oldest are evicted, counted, and the rule is incomplete.
        every: Tell each time at which the condition holds, not only where it begins to.
    """

    def __init__(
        self, rule: Rule, state: State | None = None, max_hits: int = DEFAULT_MAX_HITS, *, every: bool = False
    ) -> None:
        """Ready for the first step."""
        if rule.windows is None:
            raise ValueError(f"rule {rule.name} is no correlation")
        super().__init__(rule, state, max_hits)
        self.windows = rule.windows
        self.every = every
        self._selector = WindowHits(rule.windows)

    @property
    def selector(self) -> WindowHits:
        """Knows the hits' columns."""
        return self._selector

    @property
    def columns(self) -> frozenset[str]:
        """Columns that record frames must be asked for."""
        return self._selector.columns

    @property
    def back_us(self) -> int:
        """How long before its end the records of a window lie, microseconds."""
        return self.windows.back_us

    def hits(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The records of a frame that matter to the rule; has no effect on the state.

        Args:
            frame: Record frame; columns it lacks count as null.
        """
        return self._selector.select(frame)

    def _ahead(self) -> WindowDetector:
        return WindowDetector(self.rule, self.state.copy(), self.state.hits.limit, every=self.every)

    def _grouped(self, hits: pl.DataFrame, membership: Membership | None) -> pl.DataFrame:
        if not self.windows.flat or not self.windows.by:
            # The alerts of a chain may be grouped otherwise than the records below them.
            return hits.with_columns(pl.lit(0, dtype=pl.UInt32).alias(GROUP))
        return self._numbered(self._selector.grouped(hits), [by_column(place) for place in range(len(self.windows.by))])

    def _touched(self, hits: pl.DataFrame) -> pl.DataFrame:
        return hits.group_by(GROUP).agg(since=pl.col("time").to_physical().min())

    def _due(self, watermark: int, begin: int, decide: bool) -> pl.DataFrame:
        due = pl.lit(True) if decide else pl.col("due") < watermark
        return self.state.open.filter(due).select(GROUP, since="start")

    def _place(self, detection: Detection) -> int:
        return detection.time

    def _find(
        self, hits: pl.DataFrame, dirty: pl.DataFrame | None, identity: Identity, *, decide: bool
    ) -> _FoundAlerts:
        watermark = _FOREVER if self.state.watermark_us is None else self.state.watermark_us
        hits = hits.sort("time", "source_id", "line", GROUP)
        alerts = evaluate(self.windows, hits, self._selector, watermark_us=watermark, decide=decide)
        told = alerts.frame if self.every else alerts.frame.filter("rises")
        told = self._counting(told, alerts, hits, dirty)
        waiting = [self._waiting(each, hits, dirty) for each in _tree(alerts)]
        report = AlertReport(self.rule, self._selector, hits, alerts)
        return _FoundAlerts(report, told, pl.concat(waiting), watermark)

    def _counting(
        self, frame: pl.DataFrame, alerts: Alerts, hits: pl.DataFrame, dirty: pl.DataFrame | None
    ) -> pl.DataFrame:
        """Alerts with the group that their records are kept under, without those before its `since`."""
        frame = frame.with_columns(self._kept_under(frame, alerts, hits).alias(GROUP))
        if dirty is None:
            return frame
        frame = frame.join(dirty, on=GROUP, how="left", maintain_order="left")
        return frame.filter(pl.col("since").is_null() | (pl.col("end") >= pl.col("since"))).drop("since")

    def _kept_under(self, frame: pl.DataFrame, alerts: Alerts, hits: pl.DataFrame) -> pl.Series:
        if not self.windows.flat or not self.windows.by:
            return pl.repeat(0, frame.height, dtype=pl.UInt32, eager=True)
        matches = alerts.matches.frame
        groups = matches.select("g", hits[GROUP].gather(matches["at"]).alias(GROUP)).unique("g")
        return frame.select("g").join(groups, on="g", how="left", maintain_order="left")[GROUP]

    def _waiting(self, alerts: Alerts, hits: pl.DataFrame, dirty: pl.DataFrame | None) -> pl.DataFrame:
        pending = self._counting(alerts.frame.filter("pending"), alerts, hits, dirty)
        open_ = {GROUP: pl.col(GROUP), "start": pl.col("end"), "due": pl.col("end"), "why": pl.lit(WHY_TRAILING)}
        return pending.select(open_[name].cast(dtype).alias(name) for name, dtype in OPEN.items())


def _tree(alerts: Alerts) -> Sequence[Alerts]:
    below = [found for child in alerts.matches.children if child is not None for found in _tree(child)]
    return [alerts, *below]
