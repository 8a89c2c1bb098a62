"""Which records are looked at to find keys: whole stretches of time, never single ones.

Ids repeat locally: of single random records hardly two share one (anchored in measurements on HDFS,
where 2,000 random records hold 1,976 ids).
"""

from __future__ import annotations

import polars as pl

LIMIT = 200_000
_STRETCHES = 10


def sample_rows(ordered: pl.Series, limit: int = LIMIT) -> pl.Series:
    """Up to `limit` rows in ten stretches spread over the whole time.

    Args:
        ordered: All rows in order of time.
        limit: How many at most.
    """
    if len(ordered) <= limit:
        return ordered
    size = limit // _STRETCHES
    step = (len(ordered) - size) // (_STRETCHES - 1)
    return pl.concat([ordered.slice(place * step, size) for place in range(_STRETCHES)])
