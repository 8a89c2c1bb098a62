from __future__ import annotations

import itertools

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from logscope.query.histogram import histogram
from logscope.records.schema import TIME


@given(
    st.lists(st.tuples(st.integers(0, 10**6) | st.none(), st.integers(0, 6) | st.none()), max_size=40),
    st.integers(1, 50),
)
def test_every_record_stands_in_the_bar_of_its_time(rows: list[tuple[int | None, int | None]], buckets: int) -> None:
    times = pl.Series("time", [row[0] for row in rows], dtype=pl.Int64).cast(TIME)
    found = histogram(times, pl.Series([row[1] for row in rows], dtype=pl.UInt8), buckets)
    known = [(time, level or 0) for time, level in rows if time is not None]
    assert found.height == (buckets if known else 0)
    bars = found.with_columns(pl.col("start", "end").cast(pl.Int64)).rows()
    for start, end, *levels in bars:
        for level, count in enumerate(levels):
            assert count == sum(1 for time, other in known if start <= time < end and other == level)
    assert sum(sum(bar[2:]) for bar in bars) == len(known)
    if known:
        assert bars[0][0] == min(time for time, _ in known)
        assert all(left[1] == right[0] for left, right in itertools.pairwise(bars))
