"""The correlation plan of a session: read from a file, or found in what is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation.keys import Key, given_key
from logscope.correlation.plan import Plan, from_toml
from logscope.datafile import read_small
from logscope.engine.linking.remembered import Remembered
from logscope.engine.viewing.sampling import light_sample
from logscope.engine.viewing.selection import Selection
from logscope.errors import PlanError
from logscope.records import schema
from logscope.records.owntimes import own_times

if TYPE_CHECKING:
    from logscope.engine.options import Options
    from logscope.engine.viewing.frames import Frames
    from logscope.records.store import Store

_SAMPLE_COLUMNS = ("time", "source_id", "source", "line", "level", "host", "service", "pid", "message", "raw")


class Planning:
    """Makes plans.

    Args:
        store: The records.
        frames: Their columns.
        options: With keys, plan file and limits.
    """

    def __init__(self, store: Store, frames: Frames, options: Options) -> None:
        """Nothing is looked at yet."""
        self._store = store
        self._frames = frames
        self._options = options
        self._selection = Selection(options)
        self.notices: list[str] = []

    def make(self, grain: str, *, keep: bool = True, seen: str | None = None) -> Plan:
        """A plan of what is in the store.

        Args:
            grain: A key's name, `none` or `auto`.
            keep: Whether what is found is remembered for the next time (not of a part of the records).
            seen: The grain that was shown so far: only a clearly better one takes its place.

        Raises:
            PlanError: A key, grain or plan file that cannot be used.
        """
        options = self._options
        given = []
        for text in options.key:
            key, notice = given_key(text)
            given.append(key)
            if notice is not None and notice not in self.notices:
                self.notices.append(notice)
        plan = (
            _read_plan(options.plan).with_keys(given)
            if options.plan
            else self._remembered(given, grain, seen, keep=keep)
        )
        if options.keys:
            plan = plan.only(options.keys)
        if options.plan and grain != "auto":
            plan = plan.with_grain(None if grain == "none" else grain)
        return plan

    def _remembered(self, given: Sequence[Key], grain: str, seen: str | None, *, keep: bool) -> Plan:
        """What was found in these sources before, where nothing asks for another look; else found now."""
        options = self._options
        asked = given or not options.auto_keys or grain != "auto" or options.since or options.until
        view = self._store.view
        names = [piece.binding.ref.name for piece in view.pieces]
        if asked or not options.remember or not names or any("://" in name or name == "-" for name in names):
            return self._found(given, grain, seen)
        firsts = view.index.with_row_index("at").group_by("source_id").agg(pl.col("at").min()).get_column("at").sort()
        heads = self._frames.rows(firsts.cast(pl.UInt32).alias(schema.ROW), view, ("source", "raw"))
        kept = Remembered(
            *(heads.get_column(name).cast(pl.String).fill_null("").to_list() for name in ("source", "raw"))
        )
        plan = kept.load(view.records)
        if plan is not None:
            return replace(plan, max_gap_us=options.max_gap, max_span_us=options.max_span, idle_us=options.idle)
        plan = self._found(given, grain, seen)
        if plan.grain is not None and keep:
            kept.save(plan, view.records)
        return plan

    def _found(self, given: Sequence[Key], grain: str, seen: str | None) -> Plan:
        view = self._store.view
        rows = light_sample(self._selection.rows_inside(_timed(self._store.ordered(view), view.index), view), view)
        frame = self._frames.rows(rows, view, _SAMPLE_COLUMNS)
        fed = self._options.auto_keys or any(key.fields for key in given)
        pairs = self._frames.pairs(rows if fed else rows.clear(), view)
        # Wanted once the records are read, not for the first screen.
        from logscope.correlation.discover import find_plan

        return find_plan(
            frame,
            pairs,
            given=given,
            auto=self._options.auto_keys,
            grain=grain,
            seen=seen,
            max_gap_us=self._options.max_gap,
            max_span_us=self._options.max_span,
            idle_us=self._options.idle,
        )


def _timed(rows: pl.Series, index: pl.DataFrame) -> pl.Series:
    """Rows with a time of the log's own, if there are any: a file without stamps would stretch every value's life."""
    own = own_times(index)
    return rows if own is None else rows.filter(own[rows])


def _read_plan(path: str) -> Plan:
    try:
        text = read_small(Path(path))
    except OSError as error:
        raise PlanError(f"cannot be read: {error.strerror}", path, mend="name a file made by `keys --save`") from error
    return from_toml(text, path)
