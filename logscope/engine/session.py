"""An open session: what both faces stand on.

Composes the stages: sources are read into the store (loading), filters run over it (searching),
keys are found and records linked (correlating), rules decide (detecting).
"""

from __future__ import annotations

import threading
import time as clock
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.analysis.analyses import Analyses
from logscope.engine.answers import (
    Bucket,
    FieldValue,
    Line,
    Snapshot,
    TransactionDetail,
    View,
)
from logscope.engine.api import Cancel
from logscope.engine.cases.casework import Casework
from logscope.engine.detection.detecting import Detecting
from logscope.engine.linking.correlating import Correlating
from logscope.engine.linking.detail import transaction_detail
from logscope.engine.linking.explaining import explained
from logscope.engine.linking.listing import listed
from logscope.engine.linking.pivots import pivot_filter
from logscope.engine.linking.renewing import Renewing
from logscope.engine.loading.loader import Loading
from logscope.engine.loading.memory import budget, index_budget, spill
from logscope.engine.loading.spools import kept_plan, reached_watermark
from logscope.engine.loading.zones import local_zone
from logscope.engine.publishing import Publishing, Snapshots
from logscope.engine.rulework.findings import Findings
from logscope.engine.service.deciding import Deciding
from logscope.engine.service.pacing import rest
from logscope.engine.turns import Turns
from logscope.engine.viewing.browsingpart import BrowsingPart
from logscope.engine.viewing.cold import read_matching
from logscope.engine.viewing.fieldnames import require_fields, sampled_fields
from logscope.engine.viewing.frames import Frames
from logscope.engine.viewing.fresh import Fresh
from logscope.engine.viewing.places import next_level, position_of_row, position_of_time, time_at
from logscope.engine.viewing.reading import Reading
from logscope.engine.viewing.searching import Searching
from logscope.engine.viewing.selection import Selection
from logscope.query.filters import Filter, compile_filter
from logscope.query.highlights import highlights
from logscope.query.histogram import histogram
from logscope.records import schema
from logscope.records.owntimes import with_own_times
from logscope.records.store import Store

if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.correlation.plan import Plan
    from logscope.engine.options import Options
    from logscope.errors import LogscopeError
    from logscope.rules.model.rule import Rule


class Session(Analyses, Findings, Casework, BrowsingPart):
    """See `engine.api.Investigation`.

    Args:
        options: What the user asked for.
    """

    def __init__(self, options: Options) -> None:
        """Nothing is opened or read yet.

        Raises:
            LogscopeError: An option that cannot be used.
        """
        self.options = options
        self._publishing = Publishing(lambda: self.snapshot)
        self.store = Store(index_budget(options.memory), spill())
        fresh = Fresh(self._foreseen)
        self.frames = Frames(budget(options.memory), fresh)
        self.reading = Reading(self.store, self.frames)
        self.loading = Loading(options, self.store, self._publishing.changed, fresh)
        self.correlating = Correlating(self.store, self.frames, options)
        linked = self.correlating
        self.renewing = Renewing(self)
        self.searching = Searching(self.store, self.frames, linked.key_columns, linked.rows_by_keys)
        self.detecting = Detecting(self.store, self.frames, self.correlating, options, self.source_name)
        self.selection = Selection(options)
        self._snapshots = Snapshots(self.store, self.loading, self.correlating, self.detecting)
        self.turns = Turns()
        self._closed = threading.Event()
        self._live: threading.Thread | None = None
        super().__init__(self)

    def _foreseen(self, kind: str) -> frozenset[str]:
        """Columns that linking and rules will ask of what comes from a source of that kind."""
        return self.correlating.columns | self.detecting.columns(kind)

    # --- opening and reading

    def open(self, told: Callable[[str, int, int], bool] | None = None) -> None:
        """Open the sources; what cannot be opened is in `loading.errors`.

        Args:
            told: Gets a compressed archive's name, and the bytes that were read of how many, while its members are
                looked for.

        Raises:
            LogscopeError: Wrong usage.
        """
        self.loading.open(told)

    def start(self) -> None:
        """Read on a thread of its own; live sources are linked and decided on another."""
        self.loading.start()
        if self.loading.live and (not self.loading.sources or any(one.follow for one in self.loading.sources)):
            self._live = threading.Thread(target=self._decide_live, name="logscope-deciding", daemon=True)
            self._live.start()

    def _decide_live(self) -> None:
        deciding = Deciding(self, self.loading.notices.append)
        wait = 0.0
        while not self._closed.wait(wait):
            began, linked = clock.monotonic(), self.correlating.linked
            if self.loading.loaded:
                with self.turns.of(Cancel()):
                    deciding.turn(final=False)
                    self.detecting.provisional()
                self._publishing.changed()
            wait = rest(clock.monotonic() - began, moved=self.correlating.linked > linked, looked_at=True)

    def read_all(self) -> None:
        """Read everything there is, in this thread."""
        self.loading.read_all()

    def read_matching(self, filter_text: str) -> tuple[View, ...]:
        """What matches a filter on the text alone, with no more read than that needs: of a session for this one filter.

        Returns: The view; nothing where everything has to be read first (`read_all`).
        """
        return read_matching(self, filter_text)

    def close(self) -> None:
        """Stop everything."""
        self._closed.set()
        if self._live is not None:
            self._live.join(timeout=5)
        self._publishing.close()
        if "desk" in vars(self):
            self.desk.close()
        self.loading.close()

    def source_name(self, source_id: int) -> str:
        """The name of a source by its place."""
        return self.loading.sources[source_id].name

    # --- what a face sees

    @property
    def snapshot(self) -> Snapshot:
        """The newest state."""
        return self._snapshots.newest()

    def notices(self) -> tuple[str, ...]:
        """What the user should know: of sources, keys, and rules."""
        return self._snapshots.notices()

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` after changes; returns how to stop."""
        return self._publishing.subscribe(callback)

    # --- records

    def compile(self, text: str) -> Filter:
        """A filter over records.

        Raises:
            FilterError: Where it does not compile.
        """
        return compile_filter(text, now_us=self.selection.now(self.store.view), zone=local_zone())

    def check_fields(self, filter_text: str, seen: set[str]) -> None:
        """Refuse a field that nothing loaded has.

        Args:
            filter_text: The filter that was run over everything.
            seen: The field columns that some record has.

        Raises:
            FilterError: With the nearest names.
        """
        compiled = self.compile(filter_text)
        # A sample of millions of records means putting them in order: not for a filter that names no field.
        if compiled.field_terms and self.store.view.records:
            require_fields(compiled, seen | sampled_fields(self.store, self.frames), self.correlating.key_names())

    def counters(self) -> dict[str, int]:
        """What was received, stored and dropped; the numbers add up (interface: `watch`)."""
        return self._snapshots.counters()

    def view(
        self,
        filter_text: str,
        *,
        cancel: Cancel,
        base: View | None = None,
        partial: Callable[[View], None] | None = None,
        seen: set[str] | None = None,
    ) -> View:
        """Records that match, in order (see `Investigation.view`); `seen` receives the fields that exist."""
        compiled = self.compile(self.selection.narrowed(filter_text, self.store.view))
        found = self.searching.view(compiled, cancel=cancel, base=base, partial=partial, seen=seen)
        if not self.selection.hidden:
            return found
        return replace(found, rows=self.selection.shown(found.rows, self.store.view))

    def lines(self, view: View, start: int, stop: int) -> Sequence[Line]:
        """Positions `start` to `stop` of a view."""
        rows = view.rows.slice(max(0, start), max(0, stop - start))
        return self.lines_of(rows)

    def lines_of(self, rows: pl.Series) -> Sequence[Line]:
        """Records by row, in the order given."""
        with self.loading.courtesy:
            return self.reading.lines_of(rows)

    def time_at(self, view: View, position: int) -> int | None:
        """The time of the record at a position (microseconds), without reading it; None outside the view."""
        return time_at(view, self.store.view, position)

    def position(self, view: View, row: int) -> int:
        """Where a record stands in a view, or the place nearest to its time."""
        return position_of_row(view, self.store.view, row)

    def position_of_time(self, view: View, time: int) -> int:
        """The first position at or after a time (microseconds)."""
        return position_of_time(view, self.store.view, time)

    def find(self, view: View, filter_text: str, start: int, *, backwards: bool, cancel: Cancel) -> int | None:
        """The next position that matches."""
        return self.searching.find(self.compile(filter_text), view, start, backwards=backwards, cancel=cancel)

    def highlights(self, filter_text: str) -> Sequence[str]:
        """Rust regexes of what a filter looks for in the text, for painting hits."""
        return highlights(filter_text)

    def next_level(self, view: View, start: int, level: int, *, backwards: bool) -> int | None:
        """The next position whose level is at least `level`."""
        return next_level(view, self.store.view, start, level, backwards=backwards)

    def histogram(self, view: View, buckets: int) -> Sequence[Bucket]:
        """The view over time, by level, with the detections that begin in each bar."""
        index = self.store.view.index.select("time", "time_from", "level")
        index = with_own_times(index if len(view.rows) == index.height else index[view.rows])
        frame = histogram(index.get_column("time"), index.get_column("level"), buckets)
        frame = frame.with_columns(pl.col("start", "end").to_physical())
        begun = sorted(detection.start for detection in self.detecting.told.values())
        return [
            Bucket(start, end, tuple(counts), bisect_left(begun, end) - bisect_left(begun, start))
            for start, end, *counts in frame.iter_rows()
        ]

    def fields(self, row: int) -> Sequence[FieldValue]:
        """Columns and fields of a record with the keys they feed; keys first."""
        rows = pl.Series(schema.ROW, [row], dtype=pl.UInt32)
        record = self.frames.rows(rows, self.store.view, ("host", "service", "pid", "format", "source")).row(
            0, named=True
        )
        found = {name: str(record[name]) for name in ("service", "host", "pid", "format", "source") if record[name]}
        for entry in self.frames.fields(rows, self.store.view)[0]:
            found.setdefault(str(entry["name"]), str(entry["value"]))
        values = self.correlating.values_of(row)
        return self.correlating.field_values(found, values)

    def pivot_filter(self, key: str | None, name: str, value: str) -> str:
        """The filter that finds a value under every name of its key."""
        return pivot_filter(key, name, value)

    # --- transactions and detections

    def prepare_keys(self, *, cancel: Cancel) -> None:
        """Find the keys and link, if not yet done for what is in the store."""
        with self.turns.of(cancel):
            self._link(cancel)

    def find_keys(self, *, cancel: Cancel) -> None:
        """Find the keys, if not yet done; nothing is linked."""
        with self.turns.of(cancel):
            self._plan(cancel)

    def _link(self, cancel: Cancel) -> Delta | None:
        self._plan(cancel)
        return None if self.correlating.plan is None else self.correlating.update(cancel=cancel)

    def _plan(self, cancel: Cancel) -> None:
        if self.correlating.plan is None:
            if not self.store.view.records:
                return  # keys found in nothing would stay none
            kept = kept_plan(self.loading.sources) if self.options.plan is None else None
            standing = self.renewing.standing()
            self.correlating.prepare(cancel=cancel, plan=kept, keep=standing[1])
            if kept is None and self.options.plan is None:
                self.renewing.found(standing)
        elif self._live is None and self.renewing.due():
            self.renewing.renew(cancel)

    def prepare_transactions(self, *, cancel: Cancel, decide: bool = False, asked: bool = False) -> None:
        """Find keys, link, decide, if not yet done for what is in the store.

        Args:
            cancel: Looked at between segments.
            decide: What the end of the data leaves pending is decided too.
            asked: Of live sources too find the keys in what has come so far, however little.
        """
        if self._live is not None and self.loading.loaded and self.loading.live and self.correlating.linked:
            return  # the live thread links and decides; who asks sees what it has linked so far, and does not wait
        with self.turns.of(cancel):
            if self._live is not None and self.correlating.plan is None and not asked:
                return  # the live thread waits until it has seen enough to find the keys in
            delta = self._link(cancel)
            if self.correlating.plan is None:
                return
            self.detecting.update(
                delta,
                cancel=cancel,
                final=not self.loading.live,
                decide=decide,
                least=reached_watermark(self.loading.sources),
            )
        self._publishing.changed()

    def transactions(
        self,
        where: str = "",
        *,
        sort: str = "start",
        descending: bool = False,
        cancel: Cancel,
        columns: Collection[str] | None = None,
    ) -> pl.DataFrame:
        """The transaction frame, filtered and sorted.

        Args:
            where: A filter on transactions.
            sort: A column.
            descending: The greatest first.
            cancel: Looked at between segments.
            columns: Of texts, lists and ids only these, figures are there anyway; None: all. What is left out
                `with_columns` adds to the rows that are shown.
        """
        self.prepare_transactions(cancel=cancel, asked=True)
        return listed(self, where, sort=sort, descending=descending, cancel=cancel, columns=columns)

    def with_columns(self, transactions: pl.DataFrame, columns: Collection[str] | None = None) -> pl.DataFrame:
        """Rows of the transaction frame with texts, lists and ids (None: all) that it was asked for without."""
        with self.loading.courtesy:
            return self.correlating.completed(transactions, columns)

    def transaction(self, number: int) -> TransactionDetail:
        """One transaction with all its records."""
        with self.loading.courtesy:
            return transaction_detail(self, number)

    def transactions_of(self, row: int) -> Sequence[int]:
        """Numbers of the transactions a record stands in."""
        groups = self.correlating.groups_of(pl.Series(schema.ROW, [row], dtype=pl.UInt32))
        return groups.get_column("transaction").sort().to_list()

    def explain(self, row: int, other: int) -> Sequence[str]:
        """The chain that ties two records together, in words."""
        return explained(self.correlating, row, other, self.lines_of)

    def set_grain(self, grain: str) -> None:
        """Another grain; transactions are made anew when next asked for."""
        with self.turns.of(Cancel()):
            self.renewing.settle()
            self.correlating.set_grain(grain)
            self.detecting.reset()
        self._publishing.changed()

    def use_plan(self, plan: Plan) -> None:
        """Another plan, or the same one over records that have changed."""
        with self.turns.of(Cancel()):
            if plan is not self.correlating.plan:
                self.renewing.settle()
            self.correlating.use(plan)
            self.detecting.reset()
        self._publishing.changed()

    def replace_rules(self, rules: tuple[Rule, ...], errors: tuple[LogscopeError, ...]) -> None:
        """Other rules; what they find is found when next asked for."""
        with self.turns.of(Cancel()):
            self.detecting.replace_rules(rules, errors)
        self._publishing.changed()
