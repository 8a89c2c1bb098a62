from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest

from logscope.errors import FilterError
from logscope.language.units import parse_duration, parse_quantity, parse_size, parse_time, unit_of_field

NOW = dt.datetime(2026, 11, 1, 12, 30, tzinfo=dt.UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000


def micros(text: str) -> int:
    return (dt.datetime.fromisoformat(text) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250ms", 250_000), ("2s", 2_000_000), ("5m", 300_000_000), ("1h", 3_600_000_000), ("1 d", 86_400_000_000),
     ("1.5s", 1_500_000), ("1h30m", 5_400_000_000), ("10us", 10), ("10µs", 10), ("2000ns", 2), ("0s", 0)],
)  # fmt: skip
def test_durations(text: str, expected: int) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10k", 10_000),
        ("2MiB", 2 * 2**20),
        ("4096", 4096),
        ("1.5kB", 1500),
        ("3 GB", 3 * 10**9),
        ("1GiB", 2**30),
        ("7B", 7),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "5", "s", "5 parsecs", "ms5", "2MiB"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(FilterError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [("-15m", "UTC", NOW_US - 900_000_000), ("now", "UTC", NOW_US), ("2026-11-01T10:17:41Z", "UTC", micros("2026-11-01T10:17:41+00:00")),
     ("2026-11-01", "Europe/Berlin", micros("2026-11-01T00:00:00+01:00")), ("10:17", "UTC", micros("2026-11-01T10:17:00+00:00")),
     ("1 Nov 2026 10:17:41.5", "UTC", micros("2026-11-01T10:17:41.500000+00:00")), ("1761991200", "UTC", 1_761_991_200_000_000),
     ("1761991200123", "UTC", 1_761_991_200_123_000), ("2026-11-01 10:17:41.000005", "UTC", micros("2026-11-01T10:17:41.000005+00:00"))],
)  # fmt: skip
def test_times(text: str, zone: str, expected: int) -> None:
    assert parse_time(text, NOW_US, zone) == expected


@pytest.mark.parametrize("text", ["", "soon", "5", "-", "2026-13-01", "99:99", "monday"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(FilterError):
        parse_time(text, NOW_US)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("took_ms", 1000), ("elapsedMs", 1000), ("wait_s", 10**6), ("t_us", 1), ("t_ns", Fraction(1, 1000)), ("http.bytes", 1),
     ("bytes", 1), ("size_kb", 1000), ("s", None), ("status", None), ("items", None), ("duration", None)],
)  # fmt: skip
def test_units_of_names(name: str, factor: Fraction | None) -> None:
    unit = unit_of_field(name)
    assert (unit.factor if unit else None) == factor


def test_quantities() -> None:
    assert parse_quantity("5xx") is None
    assert parse_quantity("200") is None
    negative = parse_quantity("-2s")
    assert negative is not None
    assert negative.amount == -2_000_000
