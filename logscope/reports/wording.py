"""Times and spans as reports tell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from logscope.text import human_duration

REDACTED_COMMANDS = "The commands are masked too, and may not run as they stand."


def left_out(records: int, told: int) -> str:
    """That a report does not hold all.

    Args:
        records: How many it does not.
        told: How many it does.
    """
    return f"Only the first {told:,} records are told, {records:,} more are not: `logscope transactions --members` has all."


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
