"""What rules ask of records and transactions: filters, which whoever loads rules compiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import Protocol

import polars as pl


class RecordFilter(Protocol):
    """A compiled filter over records; the engine gives it (rules do not know the query package)."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns that the frame must be asked for."""

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """Which records match: Boolean, never null, of the frame's height."""


CompileFilter = Callable[[str], RecordFilter]
"""Compiles filter text; raises FilterError with the column where it does not compile."""


class TransactionFilter(Protocol):
    """A compiled filter over transactions (see `query.transactions`; the engine gives it)."""

    @property
    def record_filters(self) -> Several[RecordFilter]:
        """What must be found among the records."""

    @property
    def hit_columns(self) -> Several[frozenset[str]]:
        """Per record filter the record columns that are asked of its hits."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns of the transaction frame it uses."""

    @property
    def needs(self) -> frozenset[str] | None:
        """Columns of the transaction frame that `mask` reads, by all their names; None: any of them."""

    def mask(self, transactions: pl.DataFrame, hits: Several[pl.DataFrame] = ()) -> pl.Series:
        """Which transactions match: Boolean, never null."""

    def failures(self, transactions: pl.DataFrame, hits: Several[pl.DataFrame] = ()) -> Mapping[str, pl.Series]:
        """What side by side must hold, as written, and of which transactions it does not."""

    def nearly(
        self, transactions: pl.DataFrame, hits: Several[pl.DataFrame] = (), *, share: float
    ) -> Mapping[str, tuple[pl.Series, pl.Series]]:
        """Of what compares a number: where it holds with its bound let down by that share, and what the number is."""


CompileTransactionFilter = Callable[[str], TransactionFilter]
"""Compiles filter text over transactions; raises FilterError."""

RULE_COLUMN, DETECTION_COLUMN = "detected.rule", "detected.id"
"""Columns of frames whose rows are detections of other rules: the rule's name, the detection's id."""


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """`rule: NAME` as a step: the detections of another rule, never a record."""

    rule: str
    columns: frozenset[str] = frozenset()

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """Which rows are detections of that rule."""
        if RULE_COLUMN not in frame.columns:
            return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
        return (frame[RULE_COLUMN] == self.rule).fill_null(False)
