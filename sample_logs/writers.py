"""The six formats: how each service writes an entry, and how far its clock is off."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping

from sample_logs.model import Entry, Value
from sample_logs.shop import HOSTS

CLOCK_AHEAD = {"store-1": 3_100_000}
"""Hosts whose clock is off, in microseconds; no step of a payment is written there."""

_SEVERITIES = {"error": 3, "warn": 4, "info": 6, "debug": 7}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PIDS = {"LOGIN": 912, "TOKEN": 912}


def stamp(entry: Entry) -> int:
    """The time that the writer's clock shows, in microseconds since 1970."""
    return entry.time + CLOCK_AHEAD.get(HOSTS.get(entry.source, ""), 0)


def iso(time: int, digits: int, *, joint: str = "T", point: str = ".", zone: str = "Z") -> str:
    """A time in ISO 8601, in UTC.

    Args:
        time: Microseconds since 1970.
        digits: Of the fraction: 3 or 6.
        joint: Between date and time of day.
        point: Before the fraction.
        zone: How UTC is written.
    """
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=time)  # noqa: DTZ001 (zone is given)
    text = when.isoformat(joint, "milliseconds" if digits == 3 else "microseconds")
    return f"{text[:19]}{point}{text[20:]}{zone}"


def render(entry: Entry) -> str:
    """The text of an entry as its service writes it; a stack trace makes it several lines."""
    service = entry.source.rstrip("-12")
    return _FORMATS[service](entry)


def _gateway(entry: Entry) -> str:
    """Nginx "combined", with the time the request took and its id at the end."""
    data = entry.data
    when = _EPOCH + datetime.timedelta(microseconds=stamp(entry))
    time = f"{when.day:02d}/{_MONTHS[when.month - 1]}/{when:%Y:%H:%M:%S} +0000"
    request = f"{data['method']} {data['path']} HTTP/1.1"
    return (
        f'{data["ip"]} - {data["user"]} [{time}] "{request}" {data["status"]} {data["bytes"]}'
        f' "-" "{data["agent"]}" rt={data["rt"]} req={data["req"]}'
    )


def _orders(entry: Entry) -> str:
    """JSON lines."""
    record: dict[str, Value] = {
        "ts": iso(stamp(entry), 3),
        "level": entry.level,
        "service": "orders",
        "host": HOSTS[entry.source],
        "logger": entry.logger,
        "msg": entry.message,
        **entry.data,
    }
    return json.dumps(record, separators=(",", ":"))


def _payments(entry: Entry) -> str:
    """Logback: `%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level [%thread] %logger - %msg%n%ex`."""
    words = " ".join((entry.message, *_pairs(entry.data)))
    head = f"{iso(stamp(entry), 3)} {entry.level.upper():<5} [{entry.thread}] {entry.logger} - {words}"
    return "\n".join((head, *entry.trace))


def _inventory(entry: Entry) -> str:
    """Logfmt."""
    head = f"ts={iso(stamp(entry), 3)} level={entry.level} service=inventory host={HOSTS[entry.source]}"
    return " ".join((head, f'component={entry.logger} msg="{entry.message}"', *_pairs(entry.data)))


def _auth(entry: Entry) -> str:
    """Syslog, RFC 5424: the login service with structured data (authpriv), sshd without (auth)."""
    severity = _SEVERITIES[entry.level]
    time, host = iso(stamp(entry), 6), HOSTS[entry.source]
    if entry.logger == "sshd":
        return f"<{4 * 8 + severity}>1 {time} {host} sshd {entry.data['pid']} - - {entry.message}"
    parameters = " ".join(f'{name}="{value}"' for name, value in entry.data.items())
    head = f"<{10 * 8 + severity}>1 {time} {host} auth {_PIDS[entry.logger]} {entry.logger}"
    return f"{head} [shop@32473 {parameters}] {entry.message}"


def _notifications(entry: Entry) -> str:
    """Plain text: Python's logging with the zone written after the milliseconds."""
    level = "WARNING" if entry.level == "warn" else entry.level.upper()
    head = f"{iso(stamp(entry), 3, joint=' ', point=',', zone='+00:00')} {level} [{entry.logger}] {entry.message}"
    return " ".join((head, *_pairs(entry.data)))


def _pairs(data: Mapping[str, Value]) -> list[str]:
    return [f"{name}={value}" for name, value in data.items()]


_FORMATS: dict[str, Callable[[Entry], str]] = {
    "gateway": _gateway,
    "orders": _orders,
    "payments": _payments,
    "inventory": _inventory,
    "auth": _auth,
    "notifications": _notifications,
}
