"""An open session: what both faces stand on.

Composes the stages: sources are read into the store (loading), filters run over it (searching),
keys are found and records linked (correlating), rules decide (detecting).
"""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.api import (
    Bucket,
    Cancel,
    Detection,
    FieldValue,
    Line,
    Snapshot,
    TransactionDetail,
    View,
)
from logscope.engine.correlating import Correlating
from logscope.engine.detail import transaction_detail
from logscope.engine.detecting import Detecting
from logscope.engine.frames import Frames
from logscope.engine.loading import Loading
from logscope.engine.memory import budget
from logscope.engine.searching import Searching
from logscope.engine.selection import Selection
from logscope.query.filters import Filter, compile_filter
from logscope.query.histogram import histogram
from logscope.query.transactions import compile_transaction_filter
from logscope.records import schema
from logscope.records.store import Store

if TYPE_CHECKING:
    from logscope.engine.options import Options

_PUBLISH_SECONDS = 0.1
_LINE_COLUMNS = ("time", "time_from", "level", "source", "line", "service", "host", "message", "raw")


class Session:
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
        self.store = Store()
        self.frames = Frames(budget(options.memory))
        self.loading = Loading(options, self.store, self._changed)
        self.searching = Searching(self.store, self.frames)
        self.correlating = Correlating(self.store, self.frames, options)
        self.detecting = Detecting(self.store, self.frames, self.correlating, options, self.source_name)
        self.selection = Selection(options)
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._published = 0.0
        self._made_lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._rate: tuple[float, int, float] = (clock.monotonic(), 0, 0.0)
        self._timer: threading.Timer | None = None

    # --- opening and reading

    def open(self) -> None:
        """Open the sources; what cannot be opened is in `loading.errors`.

        Raises:
            LogscopeError: Wrong usage.
        """
        self.loading.open()

    def start(self) -> None:
        """Read on a thread of its own."""
        self.loading.start()

    def read_all(self) -> None:
        """Read everything there is, in this thread."""
        self.loading.read_all()

    def close(self) -> None:
        """Stop everything."""
        if self._timer is not None:
            self._timer.cancel()
        self.loading.close()

    def source_name(self, source_id: int) -> str:
        """The name of a source by its place."""
        return self.loading.sources[source_id].name

    # --- what a face sees

    @property
    def snapshot(self) -> Snapshot:
        """The newest state."""
        view = self.store.view
        if self._snapshot is None or self._snapshot.generation != self._generation():
            self._snapshot = self._make_snapshot(view.records)
        return self._snapshot

    def _generation(self) -> int:
        return self.store.view.generation * 4 + 2 * self.loading.loaded + self.correlating.generation % 2

    def _make_snapshot(self, records: int) -> Snapshot:
        sources = self.loading.status()
        starts = [source.start for source in sources if source.start is not None]
        ends = [source.end for source in sources if source.end is not None]
        then, before, rate = self._rate
        now = clock.monotonic()
        if now - then >= 1.0:
            rate = (records - before) / (now - then)
            self._rate = (now, records, rate)
        counters: dict[str, int] = {"late": self.detecting.late}
        for source in self.loading.sources:
            for name, count in source.counters().items():
                counters[name] = counters.get(name, 0) + count
        return Snapshot(
            generation=self._generation(),
            records=records,
            sources=sources,
            start=min(starts, default=None),
            end=max(ends, default=None),
            loading=not self.loading.loaded,
            live=self.loading.live,
            progress=self.loading.progress,
            counters=counters,
            rate=rate,
            transactions=self.correlating.count,
            detections=len(self.detecting.told),
            rules=len(self.detecting.rules),
            messages=(*map(str, self.loading.errors), *self.loading.notices, *self.detecting.notices),
        )

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` after changes; returns how to stop."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def _changed(self) -> None:
        """Publish, at most ten times a second; the last change is never left out."""
        now = clock.monotonic()
        wait = self._published + _PUBLISH_SECONDS - now
        if wait <= 0:
            self._published = now
            self._publish()
        elif self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(wait, self._changed)
            self._timer.daemon = True
            self._timer.start()

    def _publish(self) -> None:
        if self._subscribers:
            snapshot = self.snapshot
            for callback in list(self._subscribers):
                callback(snapshot)

    # --- records

    def compile(self, text: str) -> Filter:
        """A filter over records.

        Raises:
            FilterError: Where it does not compile.
        """
        return compile_filter(text, now_us=self.selection.now(self.store.view), units=self.units())

    def units(self) -> dict[str, str]:
        """Units of numeric fields that formats declare: field -> unit."""
        return self.loading.formats.units()

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
        return self.searching.view(compiled, cancel=cancel, base=base, partial=partial, seen=seen)

    def lines(self, view: View, start: int, stop: int) -> Sequence[Line]:
        """Positions `start` to `stop` of a view."""
        rows = view.rows.slice(max(0, start), max(0, stop - start))
        return self.lines_of(rows)

    def lines_of(self, rows: pl.Series) -> Sequence[Line]:
        """Records by row, in the order given."""
        if not len(rows):
            return ()
        frame = self.frames.rows(rows, self.store.view, _LINE_COLUMNS)
        frame = frame.with_columns(pl.col("time").to_physical())
        return [
            Line(
                row=entry["row"],
                time=entry["time"],
                time_from=entry["time_from"],
                level=entry["level"],
                source=entry["source"],
                line=entry["line"],
                service=entry["service"],
                host=entry["host"],
                message=entry["message"] or "",
                raw=entry["raw"] or "",
            )
            for entry in frame.iter_rows(named=True)
        ]

    def position(self, view: View, row: int) -> int:
        """Where a record stands in a view, or the place nearest to its time."""
        time = self.store.view.index.get_column("time").to_physical()[row]
        place = self.position_of_time(view, time)
        rows = view.rows
        times = self.store.view.index.get_column("time").to_physical()
        near = place
        while near < len(rows) and times[int(rows[near])] == time:
            if rows[near] == row:
                return near
            near += 1
        return max(0, min(place, len(rows) - 1))

    def position_of_time(self, view: View, time: int) -> int:
        """The first position at or after a time (microseconds)."""
        times = self.store.view.index.get_column("time").to_physical()
        low, high = 0, len(view.rows)
        while low < high:
            middle = (low + high) // 2
            if times[int(view.rows[middle])] < time:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, view: View, filter_text: str, start: int, *, backwards: bool, cancel: Cancel) -> int | None:
        """The next position that matches."""
        return self.searching.find(self.compile(filter_text), view, start, backwards=backwards, cancel=cancel)

    def next_level(self, view: View, start: int, level: int, *, backwards: bool) -> int | None:
        """The next position whose level is at least `level`."""
        levels = self.store.view.index.get_column("level")
        size, position = 4096, start
        while True:
            low, high = (
                (max(0, position - size), position)
                if backwards
                else (position + 1, min(len(view.rows), position + 1 + size))
            )
            if low >= high:
                return None
            hits = (levels[view.rows.slice(low, high - low)] >= level).arg_true()
            if len(hits):
                return low + int(hits[-1] if backwards else hits[0])
            position = low if backwards else high - 1
            size *= 4

    def histogram(self, view: View, buckets: int) -> Sequence[Bucket]:
        """The view over time, by level, with the detections that begin in each bar."""
        index = self.store.view.index
        whole = len(view.rows) == index.height
        times, levels = index.get_column("time"), index.get_column("level")
        frame = histogram(
            times if whole else times[view.rows], levels if whole else levels[view.rows], buckets
        ).with_columns(pl.col("start", "end").to_physical())
        starts = [detection.start for detection in self.detecting.told.values()]
        return [
            Bucket(start, end, tuple(counts), sum(start <= time < end for time in starts))
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
        return self.correlating.pivot_filter(key, name, value)

    # --- transactions and detections

    def prepare_transactions(self, *, cancel: Cancel, progress: Callable[[str, float], None] | None = None) -> None:
        """Find keys, link, decide, if not yet done for what is in the store."""
        with self._made_lock:
            self.correlating.update(cancel=cancel, progress=progress)
            self.detecting.update(cancel=cancel, progress=progress, final=not self.loading.live)
        self._changed()

    def transactions(
        self, where: str = "", *, sort: str = "start", descending: bool = False, cancel: Cancel
    ) -> pl.DataFrame:
        """The transaction frame, filtered and sorted."""
        self.prepare_transactions(cancel=cancel)
        frame = self.detecting.with_rules(self.correlating.transactions())
        if where.strip():
            compiled = compile_transaction_filter(
                where, now_us=self.selection.now(self.store.view), keys=self.correlating.key_names()
            )
            hits = [self._hits(record_filter, compiled.columns, cancel) for record_filter in compiled.record_filters]
            frame = frame.filter(compiled.mask(frame, hits))
        return frame.sort(sort, descending=descending, maintain_order=True, nulls_last=True)

    def _hits(self, record_filter: Filter, columns: Sequence[str], cancel: Cancel) -> pl.DataFrame:
        """Rows that match, with the transactions they stand in, in the order of records."""
        view = self.searching.view(record_filter, cancel=cancel)
        members = self.correlating.groups_of(view.rows).rename({"transaction": "number"})
        place = pl.DataFrame({schema.ROW: view.rows}).with_row_index("_place")
        hits = place.join(members, on=schema.ROW).sort("_place").drop("_place")
        wanted = [name for name in columns if name != schema.ROW]
        frame = self.frames.rows(hits.get_column(schema.ROW), self.store.view, ["time", *wanted])
        return hits.hstack(frame.drop(schema.ROW))

    def transaction(self, number: int) -> TransactionDetail:
        """One transaction with all its records."""
        return transaction_detail(self, number)

    def transactions_of(self, row: int) -> Sequence[int]:
        """Numbers of the transactions a record stands in."""
        groups = self.correlating.groups_of(pl.Series(schema.ROW, [row], dtype=pl.UInt32))
        return groups.get_column("transaction").sort().to_list()

    def explain(self, row: int, other: int) -> Sequence[str]:
        """The chain that ties two records together, in words."""
        return self.correlating.explain(row, other, self.lines_of)

    def keys(self) -> Sequence[dict[str, Any]]:
        """Correlation keys as interface section 3 lists them."""
        return self.correlating.key_objects()

    def grain(self) -> tuple[str, str]:
        """The chosen grain and why."""
        return self.correlating.grain()

    def set_grain(self, grain: str) -> None:
        """Another grain; transactions are made anew when next asked for."""
        with self._made_lock:
            self.correlating.set_grain(grain)
            self.detecting.reset()
        self._changed()

    def detections(self) -> Sequence[Detection]:
        """What the rules have found so far, in order of time."""
        return sorted(self.detecting.told.values(), key=lambda detection: (detection.time, detection.detection))

    def marks(self, rows: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Of these rows those that are matched steps."""
        return self.detecting.marks(rows)
