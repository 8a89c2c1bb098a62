"""Durations, sizes and times as users type them.

Units of time are `ns us ms s m h d w`; of size `k M G T` (1000) and `KiB MiB ...` (1024; also
`Ki`), each with or without `B`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

from dateutil import parser as dateutil_parser

from logscope.errors import FilterError

DURATION, SIZE = "duration", "size"

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([A-Za-zµμ]+)\s*", re.ASCII)
_PARTS = re.compile(r"(?:\d+(?:\.\d+)?\s*[a-zµμ]+\s*)+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zµμ]+)", re.ASCII)

_SECOND = 1_000_000
DURATIONS: dict[str, Fraction] = {
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), Fraction(1, 1000)),
    **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microseconds"), Fraction(1)),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "milliseconds"), Fraction(1000)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Fraction(_SECOND)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Fraction(60 * _SECOND)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), Fraction(3600 * _SECOND)),
    **dict.fromkeys(("d", "day", "days"), Fraction(86400 * _SECOND)),
    **dict.fromkeys(("w", "week", "weeks"), Fraction(7 * 86400 * _SECOND)),
}
"""Microseconds of each unit."""


def _sizes() -> dict[str, Fraction]:
    sizes = dict.fromkeys(("b", "B", "byte", "bytes"), Fraction(1))
    for power, letter in enumerate("KMGTP", start=1):
        thousand, binary = Fraction(1000**power), Fraction(1024**power)
        sizes |= dict.fromkeys((letter, letter + "B", letter + "b"), thousand)
        sizes |= dict.fromkeys((letter + "i", letter + "iB", letter.lower() + "ib"), binary)
        sizes[letter.lower() + "b"] = thousand
    # A lone m is a minute and t, p are nobody's; k and g are sizes in either case.
    sizes["k"] = Fraction(1000)
    sizes["g"] = Fraction(1000**3)
    sizes |= dict.fromkeys(("kiB", "ki"), Fraction(1024))
    sizes["kB"] = Fraction(1000)
    return sizes


SIZES: dict[str, Fraction] = _sizes()
"""Bytes of each unit."""

_NAMED: dict[str, tuple[str, Fraction]] = {
    **{
        name: (DURATION, DURATIONS[name])
        for name in DURATIONS
        if name not in ("m", "d", "h", "w", "min", "day", "days")
    },
    **{name: (SIZE, SIZES[name]) for name in ("bytes", "byte", "kb", "mb", "gb", "kib", "mib", "gib")},
}
_NAMED["min"] = _NAMED["minutes"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit: microseconds of a duration or bytes of a size."""

    kind: str
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """What one of a field's numbers stands for."""

    kind: str
    factor: Fraction
    """Microseconds or bytes."""


def unit_named(text: str) -> Unit | None:
    """The unit of that name (`ms`, `MiB`); None if it is none."""
    if text in DURATIONS:
        return Unit(DURATION, DURATIONS[text])
    if text in SIZES:
        return Unit(SIZE, SIZES[text])
    return None


def unit_of_field(name: str) -> Unit | None:
    """The unit that a field's name tells by its last part: `took_ms`, `elapsedMs`, `http.bytes`.

    Args:
        name: A field's name.
    """
    last = re.split(r"[_.\-]", name)[-1]
    camel = re.search(r"(?<=[a-z0-9])([A-Z][A-Za-z]*)$", last)
    found = _NAMED.get(last.lower()) if last != name or len(last) > 2 else None
    if found is None and camel:
        found = _NAMED.get(camel.group(1).lower())
    return Unit(*found) if found else None


def parse_quantity(text: str) -> Quantity | None:
    """`250ms`, `-2s`, `10k`, `2MiB`, `1h30m`: a number with its unit; None if it is none.

    Args:
        text: A value; a bare number has no unit and is None.
    """
    found = _QUANTITY.fullmatch(text)
    if found:
        unit = unit_named(found[2])
        return Quantity(unit.kind, Fraction(found[1]) * unit.factor) if unit else None
    sign = -1 if text.startswith("-") else 1
    body = text.strip().lstrip("+-")
    if not _PARTS.fullmatch(body):
        return None
    amount = Fraction(0)
    for number, name in _PART.findall(body):
        if name not in DURATIONS:
            return None
        amount += Fraction(number) * DURATIONS[name]
    return Quantity(DURATION, sign * amount)


def parse_duration(text: str) -> int:
    """`250ms`, `2s`, `5m`, `1h30m`, `1 d` in microseconds.

    Raises:
        FilterError: It is no duration.
    """
    found = parse_quantity(text)
    if found is None or found.kind != DURATION:
        raise FilterError(f"`{text}` is no duration", mend="write a number and ns, us, ms, s, m, h, d or w: 250ms, 5m")
    return round(found.amount)


def parse_size(text: str) -> int:
    """`10k`, `2MiB`, `4096` in bytes.

    Raises:
        FilterError: It is no size.
    """
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 20:
        return int(stripped)
    found = parse_quantity(text)
    if found is None or found.kind != SIZE:
        raise FilterError(f"`{text}` is no size", mend="write a number and k, M, G, KiB, MiB or GiB: 10k, 2MiB")
    return round(found.amount)


def parse_time(text: str, now_us: int, zone: str = "UTC") -> int:
    """A time in microseconds since 1970 UTC.

    Args:
        text: Relative (`-15m`, `now`), ISO 8601, seconds to nanoseconds since 1970, or what
            python-dateutil reads; what is left out comes from today's midnight.
        now_us: What relative times count from, microseconds since 1970 UTC.
        zone: Zone of times that name none.

    Raises:
        FilterError: It is no time.
    """
    stripped = text.strip()
    if stripped == "now":
        return now_us
    if stripped[:1] in ("-", "+") and stripped[1:2]:
        quantity = parse_quantity(stripped)
        if quantity is not None and quantity.kind == DURATION:
            return now_us + round(quantity.amount)
    if re.fullmatch(r"\d{10}(\.\d+)?|\d{13}|\d{16}|\d{19}", stripped, re.ASCII):
        digits = len(stripped.split(".")[0])
        return round(Fraction(stripped) * Fraction(10) ** (16 - digits))
    return _calendar_time(stripped, now_us, zone)


def _calendar_time(text: str, now_us: int, zone: str) -> int:
    mend = "write 2026-11-01T10:17:41Z, 10:17 or -15m"
    if not re.search(r"\d{2}|\d[:/.-]", text):
        raise FilterError(f"`{text}` is no time", mend=mend)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    try:
        place = ZoneInfo(zone)
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            today = (epoch + dt.timedelta(microseconds=now_us)).astimezone(place)
            midnight = today.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            moment = dateutil_parser.parse(text, default=midnight)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=place)
        return (moment - epoch) // dt.timedelta(microseconds=1)
    except (ValueError, OverflowError, TypeError, LookupError) as error:
        raise FilterError(f"`{text}` is no time", mend=mend) from error
