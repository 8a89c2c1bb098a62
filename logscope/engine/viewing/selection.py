"""`--since` and `--until`: which stretch of time is looked at; and which sources."""

from __future__ import annotations

import time as clock
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.rendering import iso
from logscope.language.units import parse_time
from logscope.records.owntimes import with_own_times

if TYPE_CHECKING:
    from logscope.engine.options import Options
    from logscope.records.pieces import StoreView


class Selection:
    """The stretch of time that the options choose.

    Args:
        options: With `since`, `until`, `follow`.
    """

    def __init__(self, options: Options) -> None:
        """Bounds are worked out when they are asked for, since relative ones depend on the records."""
        self._options = options
        self._frozen: tuple[int | None, int | None] | None = None
        self.hidden: frozenset[int] = frozenset()
        """Sources (by id) whose records no view has."""

    def now(self, view: StoreView) -> int:
        """What relative times count from: now when following, else the newest record's time."""
        if not self._options.follow and view.records:
            newest = with_own_times(view.index.select("time", "time_from")).get_column("time").to_physical().max()
            if isinstance(newest, int):
                return newest
        return clock.time_ns() // 1000

    def _bounds(self, view: StoreView) -> tuple[int | None, int | None]:
        now = self.now(view)
        since, until = (parse_time(text, now) if text else None for text in (self._options.since, self._options.until))
        return since, until

    def narrowed(self, filter_text: str, view: StoreView) -> str:
        """A filter within the stretch."""
        terms = [
            f"time{sign}{iso(bound)}"
            for bound, sign in zip(self._bounds(view), (">=", "<="), strict=True)
            if bound is not None
        ]
        if not terms:
            return filter_text
        return " ".join([*terms, f"({filter_text})"]) if filter_text.strip() else " ".join(terms)

    def inside(self, frame: pl.DataFrame, view: StoreView) -> pl.DataFrame:
        """The rows of a frame whose `time` is within the stretch.

        Relative bounds are those of the first call: what is linked and decided has one stretch.
        """
        if not self._options.since and not self._options.until:
            return frame
        if self._frozen is None:
            self._frozen = self._bounds(view)
        since, until = self._frozen
        time = frame.get_column("time").to_physical()
        kept = pl.repeat(value=True, n=len(time), eager=True)
        if since is not None:
            kept &= time >= since
        if until is not None:
            kept &= time <= until
        return frame.filter(kept)

    def rows_inside(self, rows: pl.Series, view: StoreView) -> pl.Series:
        """Of these rows those within the stretch."""
        if not self._options.since and not self._options.until:
            return rows
        return self.inside(view.index.select("time")[rows].with_columns(rows), view).get_column(rows.name)

    def shown(self, rows: pl.Series, view: StoreView) -> pl.Series:
        """Of these rows those of sources that are not hidden."""
        if not self.hidden:
            return rows
        return rows.filter(~view.index.get_column("source_id")[rows].is_in(list(self.hidden)))
