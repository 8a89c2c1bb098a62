"""Times and spans as reports tell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from logscope.text import human_duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(microseconds: int) -> str:
    """`2026-11-22 10:00:00.123456 UTC`, exact.

    Args:
        microseconds: Since 1970 UTC.
    """
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def clock(microseconds: int) -> str:
    """`10:00:00.123`."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%H:%M:%S.%f")[:-3]


def span(microseconds: int | None) -> str:
    """`+412 ms`; empty for none."""
    return "" if microseconds is None else f"+{human_duration(microseconds)}"
