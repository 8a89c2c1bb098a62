"""Records, transactions and detections as the JSON objects of interface section 3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from logscope.records import schema
from logscope.records.severity import level_name
from logscope.text import HIDDEN

if TYPE_CHECKING:
    import polars as pl

    from logscope.engine.answers import Detection, NearMiss, SourceStatus

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - formatted as UTC below, without the cost of zones
_ESCAPED = {code: json.dumps(chr(code))[1:-1] for code in HIDDEN}

RECORD_COLUMNS = ("time", "time_from", "level", "source", "line", "format", "host", "service", "pid", "message", "raw")
"""Columns that a record's JSON object needs."""


def json_line(value: object) -> str:
    """One line of JSON; characters that act upon a terminal or are not seen are escaped.

    Args:
        value: What msgspec can encode.
    """
    text = msgspec.json.encode(value).decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return text.translate(_ESCAPED)


def iso(microseconds: int | None) -> str | None:
    """`2026-11-22T10:00:00.123456Z`.

    Args:
        microseconds: Since 1970 UTC.
    """
    if microseconds is None:
        return None
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds") + "Z"


def iso_of(stamp: datetime | None) -> str | None:
    """The same of a UTC datetime."""
    return None if stamp is None else stamp.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def present(pairs: dict[str, Any]) -> dict[str, Any]:
    """An object without the keys that have no value."""
    return {name: value for name, value in pairs.items() if value is not None}


def field_values(fields: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Fields by name, JSON numbers and booleans as such.

    Args:
        fields: `{"name", "value", "kind"}` each; the first of equal names wins.
    """
    values: dict[str, Any] = {}
    for entry in fields:
        if entry["name"] not in values:
            values[entry["name"]] = _typed(entry["value"], entry["kind"])
    return values


def _typed(value: str, kind: int) -> Any:
    if kind == 0:
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def record_json(
    record: dict[str, Any], fields: Sequence[dict[str, Any]], transactions: Sequence[str] | None = None
) -> dict[str, Any]:
    """A record's object.

    Args:
        record: A row of a record frame with `RECORD_COLUMNS`.
        fields: As `Frames.fields` gives them.
        transactions: Ids of the transactions it stands in.
    """
    time_from = schema.TIME_FROM[record["time_from"]]
    return present(
        {
            "time": iso_of(record["time"]),
            "time_from": None if time_from == "record" else time_from,
            "level": level_name(record["level"]),
            "source": record["source"],
            "line": record["line"],
            "format": record["format"],
            "host": record["host"],
            "service": record["service"],
            "pid": record["pid"],
            "message": record["message"],
            "raw": record["raw"],
            "fields": field_values(fields) or None,
            "transactions": list(transactions) if transactions else None,
        }
    )


def transactions_json(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Objects of a transaction frame's rows, in their order."""
    keys = [name for name in frame.columns if name.startswith(schema.KEY_PREFIX)]
    for row in frame.iter_rows(named=True):
        yield present(
            {
                "transaction": row["transaction"],
                "start": iso_of(row["start"]),
                "end": iso_of(row["end"]),
                "duration_ms": row["duration"] / timedelta(milliseconds=1),
                "records": row["records"],
                "errors": row["errors"],
                "level": level_name(row["level"]),
                "services": row["services"],
                "sources": row["sources"],
                "keys": {name[len(schema.KEY_PREFIX) :]: row[name] for name in keys if row[name]},
                "path": row.get("path"),
                "rules": row.get("rules") or None,
                "state": row["state"],
                "cut": row.get("cut"),
                "oversize": row.get("oversize"),
                "was": row.get("was") or None,
            }
        )


def detection_json(detection: Detection) -> dict[str, Any]:
    """A detection's object, without its members."""
    steps = {
        name: present({"time": iso(step["time"]), "source": step.get("source"), "line": step.get("line")})
        for name, step in detection.steps.items()
    }
    return present(
        {
            "detection": detection.detection,
            "rule": detection.rule,
            "title": detection.title,
            "level": detection.level,
            "time": iso(detection.time),
            "start": iso(detection.start),
            "end": iso(detection.end),
            "transaction": detection.transaction,
            "keys": detection.keys or None,
            "output": detection.output,
            "message": detection.message or None,
            "steps": steps,
            "state": detection.state,
            "reason": detection.reason,
            "suppressed": detection.suppressed or None,
        }
    )


def near_miss_json(miss: NearMiss) -> dict[str, Any]:
    """A near miss's object (`scan --near-misses`)."""
    return present(
        {
            "near_miss": miss.rule,
            "step": miss.step,
            "subject": miss.subject,
            "time": iso(miss.time),
            "by_ms": None if miss.by is None else miss.by / 1000,
            "text": miss.text,
        }
    )


def source_json(status: SourceStatus, levels: dict[str, int]) -> dict[str, Any]:
    """A source's object in `stats`."""
    seconds = (status.end - status.start) / 1e6 if status.start is not None and status.end is not None else None
    return present(
        {
            "source": status.name,
            "format": status.format or None,
            "records": status.records,
            "unparsed": status.unparsed,
            "bytes": status.size,
            "start": iso(status.start),
            "end": iso(status.end),
            "rate": round(status.records / seconds, 3) if seconds else None,
            "levels": levels,
            "error": status.error,
        }
    )
