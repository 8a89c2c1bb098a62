"""Times and distances as the screens show them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser as dates

from logscope.errors import UsageError
from logscope.text import human_duration

SECOND = 1_000_000
DAY = 86_400 * SECOND
_UNITS = {"ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": DAY}
_RELATIVE = re.compile(r"([+-])(\d+)\s*(ms|s|m|h|d)")


def zone_of(name: str | None) -> tzinfo:
    """A time zone by name; without one the machine's.

    Raises:
        UsageError: There is no such zone.
    """
    if name is None:
        return datetime.now(UTC).astimezone().tzinfo or UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"no time zone {name!r}", mend="use a name like Europe/Berlin or UTC") from error


class Clock:
    """Microseconds since 1970 to text in one zone."""

    def __init__(self, zone: tzinfo) -> None:
        """Shows times in `zone`."""
        self.zone = zone

    def _at(self, time: int) -> datetime | None:
        try:
            return datetime.fromtimestamp(time // SECOND, self.zone).replace(microsecond=time % SECOND)
        except (OverflowError, ValueError, OSError):
            return None

    def time(self, time: int | None) -> str:
        """`10:17:41.388`; as many blanks where there is none."""
        at = None if time is None else self._at(time)
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}" if at else " " * 12

    def stretch(self, start: int | None, end: int | None, *, days: bool) -> str:
        """A stretch of time to the millisecond, open where an end is None; with days where asked, as `span` over years."""
        first, last = (None if time is None else self._at(time) for time in (start, end))
        if first is not None and last is not None and first.year != last.year:
            return self.span(start, end)
        moments = (
            "" if time is None else f"{self.day(time)} {self.time(time)}" if days else self.time(time)
            for time in (start, end)
        )
        return " – ".join(moments).strip()

    def full(self, time: int | None) -> str:
        """`2026-11-01 10:17:41.388204`."""
        at = None if time is None else self._at(time)
        return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond:06d}" if at else "no time"

    def day(self, time: int | None) -> str:
        """`11-01`, the month and day."""
        at = None if time is None else self._at(time)
        return f"{at:%m-%d}" if at else "     "

    def span(self, start: int | None, end: int | None) -> str:
        """`10:00:00 – 11:42:17`, with days, and with years, where it reaches over some."""
        first = None if start is None else self._at(start)
        last = None if end is None else self._at(end)
        if first is None or last is None:
            return ""
        if first.date() == last.date():
            return f"{first:%H:%M:%S} – {last:%H:%M:%S}"
        if first.year != last.year:
            return f"{first:%Y-%m-%d} – {last:%Y-%m-%d}"
        return f"{first:%m-%d %H:%M} – {last:%m-%d %H:%M}"

    def parse(self, text: str, near: int | None) -> int:
        """A time that someone typed.

        Args:
            text: `10:17`, `2026-11-01 10:17:41`, or a distance like `+5m`, `-30s`.
            near: Gives the day where it is left out, and the start of a distance.

        Raises:
            UsageError: It is no time.
        """
        base = near if near is not None else int(datetime.now(UTC).timestamp() * SECOND)
        if match := _RELATIVE.fullmatch(text.strip()):
            sign, number, unit = match.groups()
            return base + (1 if sign == "+" else -1) * int(number) * _UNITS[unit]
        day = self._at(base) or datetime.now(self.zone)
        try:
            at = dates.parse(text, default=day.replace(hour=0, minute=0, second=0, microsecond=0))
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{text!r} is no time", mend="try 10:17, 2026-11-01 10:17:41 or +5m") from error
        return round(at.timestamp() * SECOND)


def iso(time: int) -> str:
    """Microseconds as the filter language reads a time."""
    return datetime.fromtimestamp(time / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def distance(microseconds: int | None) -> str:
    """`+6 ms`, `+1 m 21 s`, for the time column; empty for None."""
    if microseconds is None:
        return ""
    if microseconds < 0:
        return "−" + human_duration(-microseconds)
    return "+" + human_duration(microseconds)
