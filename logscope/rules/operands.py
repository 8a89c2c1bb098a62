"""Operands of `having` as Polars expressions: coerced value by value, never raising on data."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from logscope.records.severity import NAMES

NUMBER, DURATION, MOMENT, TEXT, VALUE, BOOLEAN = "number", "duration", "time", "text", "value", "condition"
"""What an operand is known to be; `value` is a field, of which every record decides for itself."""

_NUMERIC = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
_WITH_UNIT = r"^([+-]?(?:\d+\.?\d*|\.\d+)) ?(ns|us|µs|ms|s|m|min|h|d)$"
_UNITS = {"ns": 0.001, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7, "min": 6e7, "h": 3.6e9, "d": 8.64e10}
_SUFFIXES = (
    ("_ns", 0.001), ("_us", 1.0), ("_ms", 1e3), ("_millis", 1e3), ("_s", 1e6), ("_sec", 1e6), ("_secs", 1e6),
    ("_seconds", 1e6), ("_min", 6e7), ("_minutes", 6e7),
)  # fmt: skip
_LEVELS = {name: float(number) for name, number in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Operand:
    """A part of a condition.

    Numbers, durations and times are Float64 (durations and times in microseconds), texts and
    values String, conditions Boolean.
    """

    kind: str
    expression: pl.Expr
    literal: str | None = None
    """As written, if it is a literal."""
    field: str | None = None
    """The field's name, if it is a value."""


def value_column(step: str, field: str) -> str:
    """The matches' column that holds a step's value."""
    return f"v:{step}.{field}"


def field_operand(step: str, field: str) -> Operand:
    """`STEP.FIELD`."""
    text = pl.col(value_column(step, field))
    if field == "time":
        return Operand(MOMENT, text.cast(pl.Float64, strict=False))
    return Operand(VALUE, text, field=field)


def add(left: Operand, sign: str, right: Operand) -> Operand:
    """The sum or difference.

    Raises:
        ValueError: Not of numbers, durations and times, or not of these two together.
    """
    kinds = {left.kind, right.kind}
    if kinds & {TEXT, BOOLEAN}:
        raise ValueError(f"{sign} is for numbers, durations and times")
    if MOMENT in kinds:
        if kinds == {MOMENT}:
            if sign == "+":
                raise ValueError("two times have no sum")
            return Operand(DURATION, left.expression - right.expression)
        if right.kind == MOMENT and sign == "-":
            raise ValueError("a time cannot be taken from something else")
        if NUMBER in kinds:
            raise ValueError("a time and a number without a unit, write 5s")
        result, as_kind = MOMENT, DURATION
    else:
        result = as_kind = DURATION if DURATION in kinds else NUMBER
        if kinds == {DURATION, NUMBER}:
            raise ValueError("a duration and a number without a unit, write 5s")
    first, second = (side.expression if side.kind == MOMENT else _as(side, as_kind) for side in (left, right))
    return Operand(result, first + second if sign == "+" else first - second)


def compare(left: Operand, operator: str, right: Operand) -> Operand:
    """A comparison, false where a side is missing or the two cannot be ordered.

    Raises:
        ValueError: The two can never be compared.
    """
    kinds = {left.kind, right.kind}
    if BOOLEAN in kinds:
        raise ValueError("a condition cannot be compared")
    for kind in (MOMENT, DURATION):
        if kind in kinds:
            if kinds - {kind, VALUE}:
                raise ValueError(f"a {kind} is compared with {(kinds - {kind}).pop()}")
            return _ordered(_as(left, kind), operator, _as(right, kind))
    if "level" in (left.field, right.field):
        return _ordered(_level(left), operator, _level(right))
    if NUMBER in kinds:
        compared = _ordered(_as(left, NUMBER), operator, _as(right, NUMBER))
        if operator == "!=":
            # Text that is no number differs from every number; a missing value differs from none.
            present = _present(left) & _present(right)
            unequal = ~_ordered(_as(left, NUMBER), "=", _as(right, NUMBER)).expression
            return Operand(BOOLEAN, present & unequal)
        return compared
    return _by_value(left, operator, right)


def _by_value(left: Operand, operator: str, right: Operand) -> Operand:
    """Two texts or fields: as numbers where both are, else as text."""
    numbers = [_as(side, NUMBER) for side in (left, right)]
    wholes = [side.expression.cast(pl.Int64, strict=False) for side in (left, right)]
    by_number = _apply(numbers[0], operator, numbers[1])
    # Float64 cannot tell long ids apart.
    by_whole = _apply(wholes[0], operator, wholes[1])
    by_text = _apply(left.expression, operator, right.expression)
    chosen = (
        pl.when(wholes[0].is_not_null() & wholes[1].is_not_null())
        .then(by_whole)
        .when(numbers[0].is_not_null() & numbers[1].is_not_null())
        .then(by_number)
        .otherwise(by_text)
    )
    return Operand(BOOLEAN, chosen.fill_null(False))


def _present(side: Operand) -> pl.Expr:
    return side.expression.is_not_null()


def _as(side: Operand, kind: str) -> pl.Expr:
    """The operand as Float64 of a kind; null where a value is none."""
    if side.kind == kind:
        return side.expression
    text = side.expression
    plain = pl.when(text.str.contains(_NUMERIC)).then(text).cast(pl.Float64, strict=False)
    if kind == NUMBER:
        return plain
    if kind == DURATION:
        unit = text.str.extract(_WITH_UNIT, 2).replace_strict(_UNITS, default=None, return_dtype=pl.Float64)
        own = text.str.extract(_WITH_UNIT, 1).cast(pl.Float64, strict=False) * unit
        factor = next((scale for suffix, scale in _SUFFIXES if (side.field or "").endswith(suffix)), None)
        return own if factor is None else pl.coalesce(own, plain * factor)
    stamp = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return stamp.dt.timestamp("us").cast(pl.Float64)


def _level(side: Operand) -> pl.Expr:
    return (
        side.expression.cast(pl.String)
        .str.to_lowercase()
        .replace_strict(_LEVELS, default=None, return_dtype=pl.Float64)
    )


def _ordered(left: pl.Expr, operator: str, right: pl.Expr) -> Operand:
    return Operand(BOOLEAN, _apply(left, operator, right).fill_null(False))


def _apply(left: pl.Expr, operator: str, right: pl.Expr) -> pl.Expr:
    compared = {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }
    return compared[operator]
