"""What a correlation rule is: a tree whose leaves find records and whose nodes look at windows of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import polars as pl

from logscope.rules.values import candidates, value_of

if TYPE_CHECKING:
    from logscope.rules.model.filters import RecordFilter

EVENT_COUNT, VALUE_COUNT = "event_count", "value_count"
VALUE_SUM, VALUE_AVG = "value_sum", "value_avg"
VALUE_MEDIAN, VALUE_PERCENTILE = "value_median", "value_percentile"
TEMPORAL, TEMPORAL_ORDERED = "temporal", "temporal_ordered"

NUMERIC = (VALUE_SUM, VALUE_AVG, VALUE_MEDIAN, VALUE_PERCENTILE)
"""Types that read a number; a record without one does not count."""


class Fields(Protocol):
    """How a referenced rule names a record's values."""

    def columns(self, name: str) -> frozenset[str]:
        """Columns that the frame must be asked for to read a field."""

    def text(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """A field's text in every record, null where there is none."""


class OwnFields:
    """Fields by logscope's own names."""

    def columns(self, name: str) -> frozenset[str]:
        """Columns that the frame must be asked for to read a field."""
        return frozenset(candidates(name))

    def text(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """A field's text in every record, null where there is none."""
        return value_of(frame, name)[0]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A referenced rule over single records."""

    name: str
    filter: RecordFilter
    fields: Fields


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a correlation's `rules`."""

    name: str
    """The rule's name."""
    source: Leaf | Windows
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Alias to the field that it stands for in this rule."""

    def field(self, name: str) -> str:
        """What a name of the correlation is called here."""
        return self.aliases.get(name, name)


@dataclass(frozen=True, slots=True)
class Threshold:
    """`condition: {gte: 5, field: x}`."""

    operator: str
    """`lt`, `lte`, `gt`, `gte`, `eq` or `neq`."""
    bound: float
    field: str | None = None
    percent: float = 50.0
    """Of `value_percentile`."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One alternative of a condition: slots that must be in the window, and slots that must not."""

    present: tuple[int, ...]
    absent: tuple[int, ...] = ()

    @property
    def forward(self) -> bool:
        """Whether the window is after what is present: an absence is known at its end."""
        return bool(self.absent)


@dataclass(frozen=True, slots=True)
class Windows:
    """A correlation."""

    name: str
    kind: str
    slots: tuple[Slot, ...]
    span_us: int
    by: tuple[str, ...] = ()
    threshold: Threshold | None = None
    """None: the clauses alone decide (an extended condition)."""
    clauses: tuple[Clause, ...] = ()
    """Alternatives; of a `temporal_ordered` one each is a chain in the order of the slots."""
    least: int = 0
    """Of types that read a number: in a window of fewer numbers the condition does not hold."""

    @property
    def extended(self) -> bool:
        """Whether the condition names rules instead of a number."""
        return self.threshold is None

    @property
    def back_us(self) -> int:
        """How long before the end of a window the records lie that decide it."""
        below = max((slot.source.back_us for slot in self.slots if isinstance(slot.source, Windows)), default=0)
        # Whether an absence, or what numbers amount to, is new is told by the anchor before, one window earlier.
        anchored = self.kind in NUMERIC or any(clause.forward for clause in self.clauses)
        own = 2 * self.span_us if anchored else self.span_us
        return own + below

    @property
    def flat(self) -> bool:
        """Whether all its rules are over single records."""
        return all(isinstance(slot.source, Leaf) for slot in self.slots)
