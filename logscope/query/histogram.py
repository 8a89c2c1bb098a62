"""Records over time, by level."""

from __future__ import annotations

import polars as pl

from logscope.records.schema import TIME
from logscope.records.severity import LEVELS

_LEVELS = len(LEVELS) + 1


def histogram(times: pl.Series, levels: pl.Series, buckets: int) -> pl.DataFrame:
    """Counts in bars of equal width from the first to the last time.

    Args:
        times: Datetime us UTC, in any order; null times are left out.
        levels: UInt8 of the same height; null is no level.
        buckets: How many bars, at least 1.

    Returns:
        `buckets` rows of `start`, `end` (exclusive) and `level_0` to `level_6`; none if there is no time.
    """
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"start": TIME, "end": TIME}
    schema |= {f"level_{level}": pl.UInt32 for level in range(_LEVELS)}
    physical = times.cast(pl.Int64)
    first, last = physical.min(), physical.max()
    if not isinstance(first, int) or not isinstance(last, int) or buckets < 1:
        return pl.DataFrame(schema=schema)
    width = (last - first) // buckets + 1
    cells = (
        pl.DataFrame({"time": physical, "level": levels})
        .lazy()
        .filter(pl.col("time").is_not_null())
        .select(
            (
                ((pl.col("time") - first) // width) * _LEVELS
                + pl.col("level").cast(pl.Int64).fill_null(0).clip(0, _LEVELS - 1)
            )
            .cast(pl.UInt32)
            .alias("cell")
        )
        .group_by("cell")
        .agg(pl.len().alias("records"))
        .collect()
    )
    counts = pl.repeat(0, buckets * _LEVELS, dtype=pl.UInt32, eager=True).scatter(
        cells["cell"], cells["records"].cast(pl.UInt32)
    )
    starts = first + pl.int_range(buckets, dtype=pl.Int64, eager=True) * width
    frame = {"start": starts.cast(TIME), "end": (starts + width).cast(TIME)}
    frame |= {f"level_{level}": counts.gather_every(_LEVELS, level) for level in range(_LEVELS)}
    return pl.DataFrame(frame, schema=schema)
