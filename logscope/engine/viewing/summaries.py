"""One line that says what a record is about, for lists: its message and what the message leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from logscope.records import schema

_TOLD = frozenset(
    {
        "time", "timestamp", "@timestamp", "ts", "t", "level", "lvl", "severity", "facility", "msgid", "msg",
        "message", "service", "app", "host", "hostname", "pid", "logger", "logger_name", "thread", "peer", "log",
        "stream", "version",
    }
)  # fmt: skip
"""Fields that other columns show, or that say little."""

_REQUEST = ("method", "path", "status")
REQUEST_COLUMNS = tuple(schema.FIELD_PREFIX + name for name in _REQUEST)
"""Columns that `request_or_message` asks for beside `message`."""
STATUS = schema.FIELD_PREFIX + "status"
"""The one that tells how a request ended."""
_REQUEST_TOLD = frozenset({"client_ip", "user", "ident", "bytes", "referer", "agent", "protocol", "vhost"})
STATELESS = tuple({*_TOLD, *_REQUEST_TOLD, *_REQUEST} - {"status"})
"""Fields that are no states: what other columns show, and what a request's text has."""
_LONGEST = 80


_IDS_FIRST = r"(?s)^((?:[A-Za-z0-9_.-]+[:=] ?[0-9A-Fa-f-]{16,},?[ \t]+)+)([!-~].*)$"
"""Named long ids before the first word: behind them nothing of the message is left on a narrow screen."""


def words_first(messages: pl.Series) -> pl.Series:
    """Messages with the ids that they begin with behind their words."""
    return messages.str.replace(_IDS_FIRST, "$2 $1").str.strip_chars_end(" ")


def summary(message: str, fields: Sequence[Mapping[str, Any]]) -> str:
    """A request as `GET /path 200`, any message followed by the fields that it does not hold.

    Args:
        message: The record's message.
        fields: `{"name", "value"}` each.
    """
    values: dict[str, str] = {}
    for entry in fields:
        values.setdefault(str(entry["name"]), str(entry["value"]))
    told = _TOLD
    if all(values.get(name) for name in _REQUEST) and values["path"] in message:
        message = " ".join(values.pop(name) for name in _REQUEST)
        told |= _REQUEST_TOLD
    rest = [
        f"{name}={value if len(value) <= _LONGEST else value[:_LONGEST] + '…'}"
        for name, value in values.items()
        if value and name not in told and value not in message
    ]
    return " ".join([message, *rest]) if message else " ".join(rest)


def request_or_message(frame: pl.DataFrame) -> pl.Series:
    """The message of every record, a request as `GET /path 200`.

    Args:
        frame: With `message` and those of `REQUEST_COLUMNS` that some record has.
    """
    frame = frame.with_columns(words_first(frame.get_column("message")))
    if any(name not in frame.columns for name in REQUEST_COLUMNS):
        return frame.get_column("message")
    method, path, status = (pl.col(name).cast(pl.String) for name in REQUEST_COLUMNS)
    known = status.is_not_null() & method.is_not_null() & pl.col("message").str.contains(path, literal=True)
    request = pl.concat_str(method, path, status, separator=" ")
    return frame.select(pl.when(known.fill_null(False)).then(request).otherwise("message").alias("text")).to_series()
