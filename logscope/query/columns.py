"""What a name in a filter reaches: a column of the record, an extracted field, a key."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from logscope.language.units import Unit, unit_of_field
from logscope.records.schema import FIELD_PREFIX, KEY_PREFIX, TIME_FROM, TRANSACTIONS, USER_COLUMNS
from logscope.records.severity import LEVELS

CODES: dict[str, tuple[str | None, ...]] = {"level": (None, *LEVELS), "time_from": TIME_FROM}
"""Columns that hold a number for a name; None: the record lacks it."""

_TRANSACTION_NAMES = frozenset((*TRANSACTIONS, "rules", "duration_ms", "path", "shape"))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose names a filter uses, and what its relative values count from."""

    now_us: int
    zone: str = "UTC"
    units: dict[str, Unit] = field(default_factory=dict)
    transactions: bool = False

    def column(self, name: str) -> str:
        """The frame's column that a user's name reaches."""
        if name.startswith((FIELD_PREFIX, KEY_PREFIX)):
            return name
        if self.transactions:
            return name if name in _TRANSACTION_NAMES else KEY_PREFIX + name
        return name if name in USER_COLUMNS else FIELD_PREFIX + name

    def unit(self, name: str) -> Unit | None:
        """The unit of a field's numbers, from its format or its name."""
        bare = name.removeprefix(FIELD_PREFIX)
        return self.units.get(name) or self.units.get(bare) or unit_of_field(bare)


def coded(column: str, dtype: pl.DataType) -> tuple[str | None, ...] | None:
    """The names behind a column's numbers, if it holds such."""
    return CODES.get(column) if dtype.is_integer() else None
