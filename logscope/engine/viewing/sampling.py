"""Which records are looked at to find keys: whole stretches of time, never single ones.

Ids repeat locally: of single random records hardly two share one (anchored in measurements on HDFS,
where 2,000 random records hold 1,976 ids).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from logscope.records.pieces import StoreView

LIMIT = 200_000
BYTES = 16 << 20
"""Text that is looked at to find keys, at most."""
_STRETCHES = 10


def sample_rows(ordered: pl.Series, limit: int = LIMIT) -> pl.Series:
    """Up to `limit` rows in ten stretches spread over the whole time.

    Args:
        ordered: All rows in order of time.
        limit: How many at most.
    """
    return ordered if len(ordered) <= limit else pl.concat(_stretches(ordered, limit))


def light_sample(ordered: pl.Series, view: StoreView, most: int = BYTES) -> pl.Series:
    """Up to `LIMIT` rows with `most` bytes of text, in stretches likewise.

    Args:
        ordered: All rows in order of time.
        view: The store they are of.
        most: Bytes; each stretch has at least one record, however long.
    """
    rows = sample_rows(ordered)
    size = float(_sizes(rows, view).sum() or 0)
    if size <= most:
        return rows
    parts = _stretches(ordered, max(_STRETCHES, int(len(rows) * most / size)))
    # Where long records stand together, their stretch ends earlier.
    before = [_sizes(part, view).cum_sum().shift(1, fill_value=0.0) for part in parts]
    return pl.concat([part.filter(size < most / _STRETCHES) for part, size in zip(parts, before, strict=True)])


def _stretches(ordered: pl.Series, limit: int) -> list[pl.Series]:
    size = limit // _STRETCHES
    step = (len(ordered) - size) // (_STRETCHES - 1)
    return [ordered.slice(place * step, size) for place in range(_STRETCHES)]


def _sizes(rows: pl.Series, view: StoreView) -> pl.Series:
    """About how many bytes each record has: the mean of the piece it stands in."""
    pieces = [piece for piece in view.pieces if piece.records]
    first = pl.Series([piece.row for piece in pieces], dtype=pl.UInt32)
    means = pl.Series([(piece.end - piece.base) / piece.records for piece in pieces], dtype=pl.Float64)
    return means.gather(first.search_sorted(rows, side="right") - 1)
