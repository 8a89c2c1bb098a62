"""What the records view asks beside its records: facets, field columns, context rows, places, SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

    from logscope.engine.answers import View
    from logscope.engine.api import Cancel
    from logscope.query.sql_origin import Origin


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the numbers of a field are spread."""

    least: float
    p50: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one field in a view."""

    name: str
    values: tuple[tuple[str, int], ...]
    """The most frequent ones with their records, most first."""
    distinct: int
    present: int
    """Records that have the field."""
    records: int
    """Records looked at so far."""
    numbers: Numbers | None
    """Only where all values are numbers."""
    complete: bool


@dataclass(frozen=True, slots=True)
class FieldShare:
    """A field that records of a view have."""

    name: str
    share: float
    """Of a sample of them, 0 to 1."""
    example: str


class Browsing(Protocol):
    """The part of an `Investigation` that the records view's panels and columns use."""

    def facet(self, view: View, name: str, *, cancel: Cancel, partial: Callable[[Facet], None] | None = None) -> Facet:
        """Top values, counts and distinct values of a column or field in a view; newest records first.

        Args:
            view: Which records.
            name: A column (`service`, `level`, ...) or the name of a field.
            cancel: Looked at between segments.
            partial: Gets what is counted so far, now and then.
        """

    def field_names(self, view: View, *, cancel: Cancel) -> Sequence[FieldShare]:
        """Columns and fields that a sample of a view has, most common first."""

    def value_filter(self, name: str, value: str) -> str:
        """The filter that keeps records whose column or field has exactly this value."""

    def sql_origin(self, text: str) -> Origin:
        """Which records a row of a query's result stands for, as a filter."""

    def cells(self, rows: Sequence[int], names: Sequence[str]) -> dict[int, tuple[str, ...]]:
        """Values of columns or fields of some records, as text; empty where there is none."""

    def with_context(self, view: View, around: int) -> View:
        """A view with so many records of all before and after each; `View.context` says which."""

    def located(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Rows of records by (source, line); those that are not there are left out."""

    def fingerprint(self) -> str:
        """What tells these sources from others: their paths, of a pipe its first records; empty while unknown."""

    def hide_sources(self, names: Sequence[str]) -> None:
        """Views have no records of these sources from now on; all others again."""

    def format_names(self) -> Sequence[str]:
        """Formats that a source can be read as."""

    def sql(self, text: str, *, cancel: Cancel) -> pl.DataFrame:
        """The result of one SELECT over `records`, `transactions`, `detections`.

        Raises:
            FilterError: It is no single SELECT over known tables, or fails.
        """
