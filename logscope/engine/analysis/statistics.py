"""`stats`: what was read, per source, and how long transactions take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.analysis.trends import trends
from logscope.engine.api import Cancel
from logscope.engine.overtime import Figures, Trend, Trends
from logscope.engine.rendering import iso, present, source_json
from logscope.records import schema
from logscope.records.severity import level_name

if TYPE_CHECKING:
    from logscope.engine.session import Session


_PART = 4_000_000
"""Records that are counted at once."""


def source_objects(session: Session) -> Iterator[dict[str, Any]]:
    """One JSON object per source, those that could not be read too."""
    view = session.store.view
    index = session.selection.inside(view.index, view)
    whole = index.height == view.records
    counts = _counts(index)
    levels: dict[int, dict[str, int]] = {}
    for source_id, level, count in counts.select("source_id", "level", "records").iter_rows():
        levels.setdefault(source_id, {})[level_name(level) or "none"] = count
    by_source = counts.group_by("source_id").agg(pl.col("records").sum(), pl.col("start").min(), pl.col("end").max())
    spans = {source_id: (count, start, end) for source_id, count, start, end in by_source.iter_rows()}
    for place, status in enumerate(session.loading.status()):
        if not whole and status.error is None:
            records, start, end = spans.get(place, (0, None, None))
            status = replace(status, records=records, start=start, end=end)
        yield source_json(status, levels.get(place, {}) if status.error is None else {})


def _counts(index: pl.DataFrame) -> pl.DataFrame:
    """`source_id`, `level`, `records`, `start`, `end` (null: no time of its own), a part at a time, for the budget's sake."""
    by = ["source_id", "level"]
    own = pl.when(pl.col("time_from") != schema.FROM_FILE).then(pl.col("time").to_physical())
    parts = [
        part.select(*by, at=own)
        .group_by(by)
        .agg(pl.len().alias("records"), start=pl.col("at").min(), end=pl.col("at").max())
        for part in index.iter_slices(_PART)
    ]
    if not parts:
        return pl.DataFrame(
            schema={"source_id": pl.UInt16, "level": pl.UInt8, "records": pl.UInt32, "start": pl.Int64, "end": pl.Int64}
        )
    whole = pl.concat(parts).group_by(by)
    return whole.agg(pl.col("records").sum(), pl.col("start").min(), pl.col("end").max()).sort(by)


def duration_summary(session: Session) -> dict[str, Any]:
    """How long transactions take: count, p50, p95, p99, longest, in milliseconds."""
    frame = session.transactions(cancel=Cancel(), columns=())
    spans = frame.get_column("duration").dt.total_microseconds() / 1000

    def quantile(share: float) -> float | None:
        value = spans.quantile(share, "linear")
        return None if value is None else round(value, 3)

    return {
        "transactions": frame.height,
        "p50_ms": quantile(0.5),
        "p95_ms": quantile(0.95),
        "p99_ms": quantile(0.99),
        "max_ms": quantile(1.0),
    }


def transaction_objects(session: Session) -> Iterator[dict[str, Any]]:
    """Objects about transactions: their durations, then each shape, service, hand-over and clock."""
    yield duration_summary(session)
    cancel = Cancel()
    for shape in session.shapes(cancel=cancel):
        yield {
            "shape": shape.number, "transactions": shape.transactions, "share": round(shape.share, 6),
            "p50_ms": shape.p50 / 1000, "p95_ms": shape.p95 / 1000, "errors": shape.errors,
            "services": list(shape.services),
            "steps": [{"service": service, "template": template} for service, template in shape.templates],
        }  # fmt: skip
    told = session.service_map(cancel=cancel)
    for load in told.services:
        yield {
            "service": load.service, "transactions": load.transactions, "records": load.records,
            "errors": load.errors, "p50_ms": load.p50 / 1000, "p95_ms": load.p95 / 1000,
        }  # fmt: skip
    for hop in told.hops:
        yield {
            "caller": hop.caller, "callee": hop.callee, "transactions": hop.transactions, "errors": hop.errors,
            "p50_ms": hop.p50 / 1000, "p95_ms": hop.p95 / 1000,
        }  # fmt: skip
    for skew in session.skews(cancel=cancel):
        yield present(
            {
                "clock": skew.source,
                "offset_ms": skew.offset / 1000,
                "spread_ms": skew.spread / 1000,
                "transactions": skew.transactions,
                "text": skew.text,
            }
        )


def over_time(session: Session, over: str, *, every: int | None, most: int) -> Iterator[dict[str, Any]]:
    """Objects about figures over time: of each value first the whole, then every stretch in which there is something.

    Args:
        session: With everything read.
        over: `all`, `service`, `rule`, `shape`, `source`, `level`, or a key.
        every: Length of a stretch, microseconds; None: chosen.
        most: Values at most.

    Raises:
        UsageError: There is no such kind or key.
    """
    told = trends(session, over, every=every, most=most, cancel=Cancel())
    for series in told.series:
        whole = _entry(told, series, 0, told.count) | _figures(told, series.whole, told.count)
        yield whole | {"stretches": told.count, "every_ms": told.every / 1000}
        for place in range(told.count):
            figures = series.at(place)
            if figures.records or figures.transactions or figures.detections:
                yield _entry(told, series, place, place + 1) | {"stretch": place} | _figures(told, figures, 1)


def _entry(told: Trends, series: Trend, first: int, last: int) -> dict[str, Any]:
    start, end = told.start + first * told.every, told.start + last * told.every
    return {"over": told.over, "value": series.value, "start": iso(start), "end": iso(end)}


def _figures(told: Trends, figures: Figures, stretches: int) -> dict[str, Any]:
    share = figures.error_share
    return present(
        {
            "records": figures.records, "errors": figures.errors,
            "rate": round(figures.records / (stretches * told.every / 1_000_000), 3),
            "transactions": figures.transactions, "failed": figures.failed,
            "error_share": None if share is None else round(share, 6), "detections": figures.detections,
        }
        | {f"{name}_ms": None if (span := getattr(figures, name)) is None else span / 1000 for name in ("p50", "p95", "p99")}
    )  # fmt: skip
