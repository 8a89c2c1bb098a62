"""How far time has come: among traffic, in silence, and never back."""

from __future__ import annotations

import polars as pl

from logscope.engine.detection.watermark import Watermark
from logscope.records import schema

SECOND = 1_000_000
NOON = 1_800_000_000 * SECOND


def records(*times: int, source: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        {"time": pl.Series(times, dtype=pl.Int64).cast(schema.TIME), "source_id": [source] * len(times)}
    )


def test_among_traffic_it_is_the_lateness_behind_the_slowest_stream() -> None:
    watermark = Watermark()
    watermark.observe(records(NOON), 0)
    watermark.observe(records(NOON + 5 * SECOND, source=1), 0)
    assert watermark.advance(9 * SECOND) == NOON - 2 * SECOND


def test_in_silence_it_is_the_lateness_behind_the_clock() -> None:
    watermark = Watermark()
    watermark.observe(records(NOON), 100 * SECOND)
    assert watermark.advance(109 * SECOND) == NOON - 2 * SECOND, "the stream may go on"
    assert watermark.advance(110 * SECOND) == NOON + 8 * SECOND
    assert watermark.advance(140 * SECOND) == NOON + 38 * SECOND


def test_history_read_at_once_is_not_decided_at_once() -> None:
    watermark = Watermark()
    watermark.observe(records(NOON - 86_400 * SECOND, NOON - 3_600 * SECOND), 0)
    assert watermark.advance(60 * SECOND) == NOON - 3_542 * SECOND, "its own time, not today's"


def test_a_record_after_silence_does_not_set_it_back_and_counts_as_late_behind_it() -> None:
    watermark = Watermark()
    watermark.observe(records(NOON), 0)
    reached = watermark.advance(30 * SECOND)
    assert reached == NOON + 28 * SECOND
    watermark.observe(records(NOON + 27 * SECOND, NOON + 29 * SECOND), 31 * SECOND)
    assert watermark.late.total() == 1
    assert watermark.advance(31 * SECOND) == reached
    watermark.observe(records(NOON + 40 * SECOND), 41 * SECOND)
    assert watermark.advance(41 * SECOND) == NOON + 38 * SECOND
