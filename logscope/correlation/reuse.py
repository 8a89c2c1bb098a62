"""After which silence a value that is handed out again (a pid) is a new one, as far as the log tells."""

from __future__ import annotations

import polars as pl

from logscope.records.schema import ROW

GAPS_S = (8, 15, 30, 60, 120, 240, 480)
"""Silences that are tried, seconds, the shortest first."""
_LEAST = 20
"""Silences of that length or longer that must be seen,"""
_ANEW = 0.9
"""and the share of them after which a value must begin anew."""
_AT_ONCE_S = 1
"""What comes so soon after another record of the value goes on with it."""
_ROUNDS = 30


def reuse_gap(values: pl.DataFrame, records: pl.DataFrame) -> int | None:
    """The silence, in microseconds, that tells a value handed out again from one that was idle.

    An idle session goes on with what sessions go on with, or with what none begins with; a new one begins with
    what values begin with. So the shortest silence is taken after which nearly all records come from the
    distribution of first records. None: the log does not tell.

    Args:
        values: Of one scoped key: `row`, `value`, `scope`.
        records: `row`, `time`, `template`, in order.
    """
    held = (
        records.select(ROW, "time", "template")
        .with_row_index("rank")
        .join(values.select(ROW, "value", "scope").unique(), on=ROW)
        .drop_nulls("time")
        .sort("value", "scope", "rank")
    )
    pause = pl.col("time").diff().over("value", "scope", mapping_strategy="group_to_rows")
    held = held.with_columns(pause=pause.dt.total_milliseconds() / 1000)
    kinds = held.group_by("template").agg(
        first=pl.col("pause").is_null().sum(), within=(pl.col("pause") <= _AT_ONCE_S).sum()
    )
    kinds = kinds.select(
        "template",
        first=pl.col("first") / pl.col("first").sum(),
        # What was never seen to begin goes on, however rarely it is seen.
        within=pl.max_horizontal(pl.col("within") / pl.col("within").sum().clip(lower_bound=1), 1 / pl.len()),
    )
    for gap in GAPS_S:
        after = held.filter(pl.col("pause") > gap)
        if after.height < _LEAST:
            return None
        if _share(after.select("template").join(kinds, on="template")) >= _ANEW:
            return gap * 1_000_000
    return None


def _share(after: pl.DataFrame) -> float:
    """The share of `first` in a mixture of both distributions that makes the records likeliest (EM)."""
    share = 0.5
    for _ in range(_ROUNDS):
        began = share * pl.col("first") / (share * pl.col("first") + (1 - share) * pl.col("within"))
        share = float(after.select(began.mean()).item())
    return share
