"""Parts of a time (`hour`, `day`, ...) as a Sigma rule compares them: as they are written, in no other zone."""

from __future__ import annotations

import polars as pl
from sigma.types import TimestampPart

_WRITTEN = r"^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2}))?"
_MICROSECONDS = r"^-?[0-9]{10,17}$"


def part_of(text: pl.Series, part: TimestampPart) -> pl.Series:
    """A part of each time.

    Args:
        text: ISO 8601, or a record's own time (microseconds since 1970, told in UTC).
        part: Which one; `day` is of the month, `week` ISO 8601's.

    Returns:
        Int64, null where the text is no time.
    """
    column = pl.col("text")
    groups = column.str.extract_groups(_WRITTEN)
    names = ("1", "2", "3", "4", "5")
    year, month, day, hour, minute = (groups.struct.field(name).cast(pl.Int32, strict=False) for name in names)
    day_of = groups.struct.field("1") + "-" + groups.struct.field("2") + "-" + groups.struct.field("3")
    date = day_of.str.to_date("%Y-%m-%d", strict=False)
    own = pl.from_epoch(
        pl.when(column.str.contains(_MICROSECONDS)).then(column).cast(pl.Int64, strict=False), time_unit="us"
    )
    found = {
        TimestampPart.MINUTE: pl.coalesce(minute, own.dt.minute()),
        TimestampPart.HOUR: pl.coalesce(hour, own.dt.hour()),
        TimestampPart.DAY: pl.coalesce(day, own.dt.day()),
        TimestampPart.WEEK: pl.coalesce(date.dt.week(), own.dt.week()),
        TimestampPart.MONTH: pl.coalesce(month, own.dt.month()),
        TimestampPart.YEAR: pl.coalesce(year, own.dt.year()),
    }
    valid = date.is_not_null() | own.is_not_null()
    return text.rename("text").to_frame().select(pl.when(valid).then(found[part].cast(pl.Int64))).to_series()
