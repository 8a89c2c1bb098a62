"""How a rule reads a record's values: by name, whatever dtype a batch happens to have.

A field may be Int64 in one batch and String or Float64 in the next. What a rule keeps is therefore
each value's text and its kind, made the same way from every dtype, so that cutting the records
elsewhere changes no result.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from logscope.records.schema import FIELD_PREFIX, KEY_PREFIX, TIME_FROM, USER_COLUMNS
from logscope.records.severity import LEVELS

TEXT, NUMBER, BOOLEAN, MOMENT = range(4)
"""Kinds of value: text; a number's shortest spelling; `true` or `false`; microseconds since 1970 UTC."""

Value = str | int | float | bool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALWAYS = {"time", "time_from", "source", "line", "raw"}
_WHOLE = 2.0**53
_LEVEL_NAMES = dict(enumerate(LEVELS, start=1))
_TIME_NAMES = dict(enumerate(TIME_FROM))


def candidates(name: str) -> tuple[str, ...]:
    """The frame columns a name may come from, the first that has a value wins.

    Args:
        name: A record column, a field, a correlation key, or `fields.NAME`, `keys.NAME`.
    """
    if name.startswith((FIELD_PREFIX, KEY_PREFIX)):
        return (name,)
    if name in _ALWAYS:
        return (name,)
    own = (name,) if name in USER_COLUMNS else ()
    return (*own, FIELD_PREFIX + name, KEY_PREFIX + name)


def value_of(frame: pl.DataFrame, name: str) -> tuple[pl.Series, pl.Series]:
    """A name's value in every record.

    Args:
        frame: Record frame; columns it lacks count as null.
        name: As in `candidates`.

    Returns:
        (text String, kind UInt8) of the frame's height; text is null where there is no value.
    """
    found = [_canonical(frame, column) for column in candidates(name) if column in frame.columns]
    if not found:
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True), _kinds(frame.height, TEXT)
    text, kind = found[0]
    for other_text, other_kind in found[1:]:
        if not text.null_count():
            break
        missing = text.is_null()
        text = text.zip_with(~missing, other_text)
        kind = kind.zip_with(~missing, other_kind)
    return text, kind


def to_python(text: str | None, kind: int) -> Value | None:
    """A value as output has it: numbers are numbers, times are ISO 8601 in UTC."""
    if text is None or kind == TEXT:
        return text
    if kind == BOOLEAN:
        return text == "true"
    if kind == MOMENT:
        return iso_time(int(text))
    try:
        return int(text)
    except ValueError:
        return float(text)


def iso_time(microseconds: int) -> str:
    """ISO 8601 in UTC with microseconds and `Z`."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}Z"


def constant(value: object, height: int, dtype: type[pl.DataType] | pl.DataType | None = None) -> pl.Series:
    """One value so many times: what `pl.repeat` gives, without the cost of a query."""
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


def _kinds(height: int, kind: int) -> pl.Series:
    return constant(kind, height, pl.UInt8)


def _canonical(frame: pl.DataFrame, column: str) -> tuple[pl.Series, pl.Series]:
    values = frame.get_column(column)
    height = values.len()
    if column == "level":
        return values.cast(pl.UInt8).replace_strict(_LEVEL_NAMES, default=None, return_dtype=pl.String), _kinds(
            height, TEXT
        )
    if column == "time_from":
        return values.replace_strict(_TIME_NAMES, default=None, return_dtype=pl.String), _kinds(height, TEXT)
    dtype = values.dtype
    if dtype == pl.String:
        return values, _kinds(height, TEXT)
    if dtype.is_float():
        return _float_text(values), _kinds(height, NUMBER)
    if dtype.is_integer():
        return values.cast(pl.String), _kinds(height, NUMBER)
    if dtype == pl.Boolean:
        return values.cast(pl.String), _kinds(height, BOOLEAN)
    if isinstance(dtype, pl.Datetime):
        return values.dt.timestamp("us").cast(pl.String), _kinds(height, MOMENT)
    return values.cast(pl.String, strict=False), _kinds(height, TEXT)


def _float_text(values: pl.Series) -> pl.Series:
    # 5 beside 5.5 in one batch is Float64, alone it is Int64: both must give "5".
    value = pl.col("value")
    return (
        values.cast(pl.Float64)
        .to_frame("value")
        .select(
            pl.when(value.is_finite() & (value == value.floor()) & (value.abs() < _WHOLE))
            .then(value.cast(pl.Int64, strict=False).cast(pl.String))
            .when(value.is_finite())
            .then(value.cast(pl.String))
        )
        .to_series()
    )
