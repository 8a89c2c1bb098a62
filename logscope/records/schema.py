"""Column names and dtypes that the stages agree on: the one place where they are named.

The stages (formats, query, correlation, rules) never import one another; they hand over Polars
frames whose columns are named here.
"""

from __future__ import annotations

import polars as pl

TIME = pl.Datetime("us", "UTC")
"""All times inside are UTC with microseconds."""

ROW = "row"
"""UInt32, a record's number within the session: stable, never reused, not an order."""

FIELD_PREFIX = "fields."
"""`fields.NAME` is the extracted field NAME (flat, dotted where nested)."""

KEY_PREFIX = "keys."
"""`keys.NAME` is the record's first value of the correlation key NAME."""

LINE = pl.UInt64
"""Lines are counted over restarts and whatever was let go: ten thousand a second reach 2**32 within five days."""

RECORD: dict[str, pl.DataType | type[pl.DataType]] = {
    ROW: pl.UInt32,
    "source_id": pl.UInt16,
    "line": LINE,
    "time": TIME,
    "time_from": pl.UInt8,
    "level": pl.UInt8,
    "source": pl.String,
    "format": pl.String,
    "host": pl.String,
    "service": pl.String,
    "pid": pl.String,
    "message": pl.String,
    "raw": pl.String,
}
"""Columns of a record frame. A frame holds those that were asked for, plus `fields.NAME`s."""

INDEX_COLUMNS = (ROW, "source_id", "line", "time", "time_from", "level")
"""What is known of every record without reading its text."""

USER_COLUMNS = ("time", "time_from", "level", "source", "line", "format", "host", "service", "pid", "message", "raw")
"""Columns that a filter or a rule may name (interface section 3)."""

TIME_FROM = ("record", "previous", "next", "file", "received")
"""Where a record's time comes from; the number in column `time_from` is the place here."""

FROM_RECORD, FROM_PREVIOUS, FROM_NEXT, FROM_FILE, FROM_RECEIVED = range(5)

KEY_VALUES: dict[str, pl.DataType | type[pl.DataType]] = {
    ROW: pl.UInt32,
    "time": TIME,
    "key": pl.UInt16,
    "value": pl.String,
    "scope": pl.String,
}
"""What correlation extracts from records: one row per (record, key value); `key` is the key's place in the plan."""

MEMBERS: dict[str, pl.DataType | type[pl.DataType]] = {"transaction": pl.UInt32, ROW: pl.UInt32}
"""Which record stands in which transaction (by the transaction's number); a record may stand in several."""

TRANSACTIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "number": pl.UInt32,
    "transaction": pl.String,
    "start": TIME,
    "end": TIME,
    "duration": pl.Duration("us"),
    "records": pl.UInt32,
    "errors": pl.UInt32,
    "level": pl.UInt8,
    "services": pl.List(pl.String),
    "sources": pl.List(pl.String),
    "first": pl.String,
    "last": pl.String,
    "oversize": pl.String,
    "cut": pl.String,
    "state": pl.String,
}
"""Columns of the transaction frame; plus `keys.NAME` (List of String) per key and `rules` (List of String)."""
