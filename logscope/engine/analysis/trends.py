"""Statistics over time: per service, rule, shape, key, source or level how much, how fast, how wrong.

A figure of transactions belongs to the stretch of time in which the transaction (of a service: its part of it)
begins; a detection to that of the record that completed it in the log's own time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.overtime import KINDS, Figures, Trend, Trends
from logscope.errors import PlanError, UsageError
from logscope.records import schema
from logscope.records.owntimes import with_own_times
from logscope.records.severity import ERROR, level_name

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

BUCKETS = 60
"""Stretches of time at most, where none is asked for."""
MOST_BUCKETS = 10_000
_SECOND = 1_000_000
_STEPS = tuple(
    seconds * _SECOND
    for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800)
)
_FIGURES = ("records", "errors", "transactions", "failed", "p50", "p95", "p99", "detections")


def trends(
    session: Session, over: str = "all", *, every: int | None = None, most: int = 20, where: str = "", cancel: Cancel
) -> Trends:
    """Figures over time.

    Args:
        session: With everything read.
        over: One of `KINDS`, or a key's name.
        every: Length of a stretch of time, microseconds; None: such that there are sixty at most.
        most: Values at most.
        where: Only these transactions, and no records but theirs.
        cancel: Looked at between segments.

    Raises:
        UsageError: There is no such kind or key, or too many stretches.
        FilterError: `where` does not compile.
    """
    return _Trending(session, over, every, most, where, cancel).told()


class _Trending:
    def __init__(self, session: Session, over: str, every: int | None, most: int, where: str, cancel: Cancel) -> None:
        session.prepare_transactions(cancel=cancel, asked=True)
        self._session, self._most, self._cancel, self._where = session, most, cancel, where
        self._key = "" if over in KINDS else self._key_named(over)
        self._over = self._key or over
        view = session.store.view
        index = session.selection.inside(view.index.with_row_index(schema.ROW), view)
        index = with_own_times(index).select(schema.ROW, "time", "level", "source_id")
        self._table = session.transactions(where, cancel=cancel, columns=())
        if where:
            rows = session.correlating.members_of(self._table.get_column("number").to_list()).get_column(schema.ROW)
            index = index.join(rows.unique().to_frame(), on=schema.ROW, how="semi")
        self._index = index.with_columns(at=pl.col("time").to_physical())
        self._first, last = self._span()
        self.every = every or next((step for step in _STEPS if (last - self._first) // step < BUCKETS), _STEPS[-1])
        self._first -= self._first % self.every
        self._count = (last - self._first) // self.every + 1
        if self._count > MOST_BUCKETS:
            raise UsageError(f"{self._count:,} stretches of time are too many", "--every", mend="make them longer")

    def _key_named(self, over: str) -> str:
        try:
            return self._session.key_name(over)
        except (PlanError, AssertionError) as error:
            raise UsageError(
                f"nothing is told by {over!r}", "--over", mend=f"use {', '.join(KINDS)} or a key of `logscope keys`"
            ) from error

    def _span(self) -> tuple[int, int]:
        times = self._index.get_column("at").drop_nulls()
        if times.is_empty():
            return 0, 0
        return int(times.min()), int(times.max())  # type: ignore[arg-type]  # numbers: the column is of them

    def told(self) -> Trends:
        """All figures, put together by value."""
        parts = [frame for frame in (self._records(), self._transactions(), self._detections()) if frame is not None]
        figures = self._joined([self._grouped(frame, ["value", "bucket"]) for frame in parts], ["value", "bucket"])
        whole = self._joined([self._grouped(frame, ["value"]) for frame in parts], ["value"])
        whole = whole.sort(
            pl.max_horizontal("records", pl.col("transactions") * 4, "detections"), "value", descending=[True, False]
        )
        series = []
        for value, *totals in whole.head(self._most).select("value", *_FIGURES).iter_rows():
            mine = figures.filter(pl.col("value") == value).select("bucket", *_FIGURES).sort("bucket")
            stretches = {place: Figures(*counted) for place, *counted in mine.iter_rows()}
            series.append(Trend(value, Figures(*totals), stretches))
        left = max(0, whole.height - self._most)
        return Trends(self._over, self._first, self.every, self._count, tuple(series), left)

    def _grouped(self, frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
        """One row per group of a frame of `value`, `at` and what is counted."""
        frame = frame.with_columns(bucket=(pl.col("at") - self._first) // self.every)
        frame = frame.filter(pl.col("bucket").is_between(0, self._count - 1))
        if "span" in frame.columns:
            return frame.group_by(by).agg(
                transactions=pl.len().cast(pl.Int64),
                failed=pl.col("failed").sum().cast(pl.Int64),
                **{
                    f"p{share}": pl.col("span").quantile(share / 100, "nearest").cast(pl.Int64)
                    for share in (50, 95, 99)
                },
            )
        if "level" in frame.columns:
            return frame.group_by(by).agg(
                records=pl.len().cast(pl.Int64), errors=(pl.col("level") >= ERROR).sum().cast(pl.Int64)
            )
        return frame.group_by(by).agg(detections=pl.len().cast(pl.Int64))

    def _joined(self, parts: Sequence[pl.DataFrame], by: Sequence[str]) -> pl.DataFrame:
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.join(part, on=by, how="full", coalesce=True)
        missing = [pl.lit(None, pl.Int64).alias(name) for name in _FIGURES if name not in whole.columns]
        zeros = [pl.col(name).fill_null(0) for name in _FIGURES if not name.startswith("p")]
        return whole.with_columns(missing).with_columns(zeros)

    # --- what is counted

    def _records(self) -> pl.DataFrame | None:
        over, index = self._over, self._index
        if over == "all":
            named = index.with_columns(value=pl.lit("all"))
        elif over == "level":
            names = {number: level_name(number) or "none" for number in range(7)}
            named = index.with_columns(
                value=pl.col("level").replace_strict(names, default="none", return_dtype=pl.String)
            )
        elif over == "source":
            names = {place: source.name for place, source in enumerate(self._session.loading.sources)}
            named = index.with_columns(
                value=pl.col("source_id").replace_strict(names, default="-", return_dtype=pl.String)
            )
        elif over == "service":
            named = index.join(self._services(index.get_column(schema.ROW)), on=schema.ROW)
        elif self._key:
            values = self._session.correlating.key_values(self._key).select(
                schema.ROW, value=pl.col("value").cast(pl.String)
            )
            named = index.join(values.unique(), on=schema.ROW)
        elif over == "shape":
            shapes = self._shapes().select(pl.col("number").alias("transaction"), "value")
            named = index.join(self._session.correlating.members().join(shapes, on="transaction"), on=schema.ROW)
        else:
            return None
        return named.select("value", "at", "level").drop_nulls("value")

    def _services(self, rows: pl.Series) -> pl.DataFrame:
        session = self._session
        parts = []
        for segment in session.store.view.segments():
            self._cancel.check()
            frame = session.frames.segment(segment, session.store.view, ["service"])
            parts.append(frame.select(schema.ROW, value=pl.col("service").cast(pl.String)))
        empty = pl.DataFrame(schema={schema.ROW: pl.UInt32, "value": pl.String})
        return pl.concat(parts) if parts else empty

    def _shapes(self) -> pl.DataFrame:
        shapes = self._session.analysing.shape_of(self._cancel)
        mine = shapes.join(self._table.select("number"), on="number", how="semi")
        return mine.select("number", value=pl.col("shape").cast(pl.String))

    def _holders(self) -> pl.DataFrame:
        """`number`, `value`: which transactions have a record with a value of the key, weak keys too."""
        linked = self._session.correlating
        values = linked.key_values(self._key).select(schema.ROW, value=pl.col("value").cast(pl.String))
        members = linked.members().rename({"transaction": "number"})
        return members.join(values, on=schema.ROW).select("number", "value").unique()

    def _transactions(self) -> pl.DataFrame | None:
        table = self._table.select(
            "number",
            at=pl.col("start").to_physical(),
            span=pl.col("duration").dt.total_microseconds(),
            failed=pl.col("errors") > 0,
        )
        if self._over == "all":
            return table.with_columns(value=pl.lit("all"))
        if self._over == "shape":
            return table.join(self._shapes(), on="number")
        if self._key:
            return table.join(self._holders(), on="number")
        if self._over == "service":
            return self._service_parts()
        return None

    def _service_parts(self) -> pl.DataFrame:
        """A row per transaction and service: how long it was busy in it."""
        analysing = self._session.analysing
        placed = analysing.placed(self._cancel, self._table.get_column("number") if self._where else None)
        services = analysing.stepping.steps().select("code", value="service")
        return (
            placed.join(services, on="code")
            .group_by("number", "value")
            .agg(
                at=pl.col("at").min(),
                span=pl.col("at").max() - pl.col("at").min(),
                failed=(pl.col("level") >= ERROR).any(),
            )
        )

    def _detections(self) -> pl.DataFrame | None:
        told = [each for each in self._session.detecting.told.values() if each.state != "retracted"]
        frame = pl.DataFrame(
            {
                "value": [each.rule for each in told],
                "at": [each.end for each in told],
                "number": [each.number for each in told],
                "named": [each.keys.get(self._key, []) for each in told],
                schema.ROW: [max((step["row"] for step in each.steps.values()), default=None) for each in told],
            },
            schema={
                "value": pl.String, "at": pl.Int64, "number": pl.UInt32, "named": pl.List(pl.String), schema.ROW: pl.UInt32
            },
        )  # fmt: skip
        # A rule with a grain of its own tells of transactions that are not these: then by its last record.
        members = self._session.correlating.members().group_by(schema.ROW).agg(pl.col("transaction").first())
        frame = frame.join(members, on=schema.ROW, how="left").with_columns(pl.coalesce("number", "transaction"))
        if self._where:
            frame = frame.join(self._table.select("number"), on="number", how="semi")
        if self._over == "all":
            return frame.with_columns(value=pl.lit("all"))
        if self._over == "rule":
            return frame
        frame = frame.drop("value")
        if self._over == "shape":
            return frame.join(self._shapes(), on="number")
        if self._key:
            named = frame.filter(pl.col("named").list.len() > 0).explode("named", empty_as_null=True)
            rest = frame.filter(pl.col("named").list.len() == 0).join(self._holders(), on="number")
            return pl.concat([named.select("at", value="named"), rest.select("at", "value")])
        if self._over == "service":
            return frame.join(self._services(frame.get_column(schema.ROW)), on=schema.ROW).drop_nulls("value")
        return None
