"""What a window amounts to: how many records, how many values, their sum, mean or quantile."""

from __future__ import annotations

import polars as pl

from logscope.rules.model.windows import EVENT_COUNT, VALUE_AVG, VALUE_COUNT, VALUE_SUM, Windows
from logscope.rules.windows.matches import GROUP, Matches
from logscope.rules.windows.timeline import Timeline

_PLACES = 1e9


def metric(
    node: Windows, matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series, *, whole: bool
) -> pl.Series:
    """The number that a condition compares.

    Args:
        node: A correlation that counts or reads values.
        matches: Its matches.
        group: The windows' groups.
        low: Where they begin, microseconds.
        high: Where they end.
        whole: They are a timespan long; else a microsecond less: without the records of their end.

    Returns:
        Float64, null where there is no value.
    """
    if node.kind == EVENT_COUNT:
        return counted(matches, group, low, high).cast(pl.Float64)
    events = matches.frame.select(GROUP, "ts", "eid", "v").unique().filter(pl.col("v").is_not_null()).sort(GROUP, "ts")
    if node.kind == VALUE_COUNT:
        return _distinct(events, group, high, node.span_us - (not whole))
    if node.kind in (VALUE_SUM, VALUE_AVG):
        return _sum(events, group, low, high, mean=node.kind == VALUE_AVG)
    percent = 50.0 if node.threshold is None else node.threshold.percent
    return _quantile(events, group, high, node.span_us - (not whole), percent / 100)


def counted(matches: Matches, group: pl.Series, low: pl.Series, high: pl.Series, *, numbers: bool = False) -> pl.Series:
    """How many records, or alerts, each window holds (Int64); with `numbers` only those that have a value."""
    rows = matches.frame.filter(pl.col("v").is_not_null()) if numbers else matches.frame
    events = rows.select(GROUP, "ts", "eid").unique().sort(GROUP, "ts")
    return Timeline(events[GROUP], events["ts"]).count(group, low, high)


def _distinct(events: pl.DataFrame, group: pl.Series, time: pl.Series, span_us: int) -> pl.Series:
    """How many values each window [time - span, time] holds.

    A value is in all windows that end from one of its records to a timespan later; where two such
    runs touch they are one. So a count is the runs begun less the runs ended.
    """
    values = events.select(GROUP, "v", "ts").unique().sort(GROUP, "v", "ts")
    gap = pl.col("ts").diff() > span_us
    new = (
        gap | pl.col("v").ne_missing(pl.col("v").shift(1)) | pl.col(GROUP).ne_missing(pl.col(GROUP).shift(1))
    ).fill_null(True)
    values = values.with_columns(begins=new, ends=new.shift(-1).fill_null(True))
    begun = values.filter("begins").sort(GROUP, "ts")
    ended = values.filter("ends").with_columns(pl.col("ts") + span_us).sort(GROUP, "ts")
    first = pl.repeat(-(2**62), group.len(), dtype=pl.Int64, eager=True)
    begins = Timeline(begun[GROUP], begun["ts"]).count(group, first, time)
    return (begins - Timeline(ended[GROUP], ended["ts"]).count(group, first, time - 1)).cast(pl.Float64)


def _sum(events: pl.DataFrame, group: pl.Series, low: pl.Series, high: pl.Series, *, mean: bool) -> pl.Series:
    # Whole numbers of 1e-9: sums of floats would depend on what came long before the window.
    units = (events["v"] * _PLACES).round(0).cast(pl.Int128)
    running = pl.concat([pl.Series(units.name, [0], dtype=pl.Int128), units.cum_sum()])
    line = Timeline(events[GROUP], events["ts"])
    first, last = line.upto(group, low - 1), line.upto(group, high)
    count = (last - first).cast(pl.Float64)
    total = (running.gather(last) - running.gather(first)).cast(pl.Float64) / _PLACES
    total = total.zip_with(count > 0, pl.repeat(None, total.len(), dtype=pl.Float64, eager=True))
    return total / count if mean else total


def _quantile(events: pl.DataFrame, group: pl.Series, time: pl.Series, span_us: int, share: float) -> pl.Series:
    asked = pl.DataFrame({GROUP: group, "ts": time}).with_columns(pl.lit(None, dtype=pl.Float64).alias("v"))
    rows = pl.concat([events.select(GROUP, "ts", "v"), asked]).sort(GROUP, "ts")
    measured = (
        rows.rolling("ts", period=f"{span_us}i", closed="both", group_by=GROUP)
        .agg(pl.col("v").quantile(share, "linear"))
        .unique([GROUP, "ts"])
    )
    return asked.drop("v").join(measured, on=[GROUP, "ts"], how="left", maintain_order="left")["v"]
