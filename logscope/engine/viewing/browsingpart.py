"""The part of a session that answers what panels and columns ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from logscope.engine.answers import View
    from logscope.engine.api import Cancel
    from logscope.engine.browsing import Facet, FieldShare
    from logscope.engine.session import Session
    from logscope.query.sql_origin import Origin


class BrowsingPart:
    """The part of a session that answers `Browsing`; the work is done in the modules named."""

    _session: Session

    def facet(self, view: View, name: str, *, cancel: Cancel, partial: Callable[[Facet], None] | None = None) -> Facet:
        """Top values, counts and distinct values of a field in a view."""
        from logscope.engine.viewing.facets import facet

        return facet(self._session, view, name, cancel, partial)

    def field_names(self, view: View, *, cancel: Cancel) -> Sequence[FieldShare]:
        """Columns and fields that a sample of a view has."""
        from logscope.engine.viewing.facets import field_shares

        return field_shares(self._session, view, cancel)

    def value_filter(self, name: str, value: str) -> str:
        """The filter that keeps one value of a column or field."""
        from logscope.engine.viewing.facets import value_filter

        return value_filter(name, value)

    def sql_origin(self, text: str) -> Origin:
        """Which records a row of a query's result stands for."""
        from logscope.query.sql_origin import origin_of

        return origin_of(text)

    def cells(self, rows: Sequence[int], names: Sequence[str]) -> dict[int, tuple[str, ...]]:
        """Values of columns or fields of some records."""
        from logscope.engine.viewing.facets import cells

        return cells(self._session, rows, names)

    def with_context(self, view: View, around: int) -> View:
        """A view with the records round its own."""
        from logscope.engine.viewing.contexts import with_context

        return with_context(self._session, view, around)

    def located(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Rows by (source, line)."""
        from logscope.engine.viewing.contexts import located

        return located(self._session, places)

    def fingerprint(self) -> str:
        """What tells these sources from others."""
        from logscope.engine.viewing.contexts import fingerprint

        return fingerprint(self._session)

    def hide_sources(self, names: Sequence[str]) -> None:
        """Views have no records of these sources from now on."""
        from logscope.engine.viewing.contexts import hide_sources

        hide_sources(self._session, names)

    def format_names(self) -> Sequence[str]:
        """Formats that a source can be read as."""
        return sorted(one.name for one in self._session.loading.formats.formats)

    def sql(self, text: str, *, cancel: Cancel) -> pl.DataFrame:
        """The result of one SELECT."""
        from logscope.engine.viewing.tables import query_sql

        return query_sql(self._session, text, cancel)
