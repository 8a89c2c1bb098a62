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

from logscope.engine.absences import MOST_MEMBERS, absences
from logscope.engine.answers import Absence, Bucket, Detection, FieldValue, Line, Snapshot, TransactionDetail, View
from logscope.engine.api import Cancel
from logscope.engine.correlating import Correlating
from logscope.engine.deciding import Deciding
from logscope.engine.detail import transaction_detail
from logscope.engine.detecting import Detecting
from logscope.engine.fieldnames import require_fields, sampled_fields
from logscope.engine.frames import Frames
from logscope.engine.listing import matching
from logscope.engine.loading import Loading, local_zone
from logscope.engine.memory import budget
from logscope.engine.places import next_level, position_of_row, position_of_time
from logscope.engine.reading import Reading
from logscope.engine.searching import Searching
from logscope.engine.selection import Selection
from logscope.engine.spools import kept_plan, reached_watermark
from logscope.query.filters import Filter, compile_filter
from logscope.query.highlights import highlights
from logscope.query.histogram import histogram
from logscope.records import schema
from logscope.records.store import Store

if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.engine.options import Options

_PUBLISH_SECONDS = 0.1
_TURN_SECONDS = 0.5


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
        self.reading = Reading(self.store, self.frames)
        self.loading = Loading(options, self.store, self._changed)
        self.correlating = Correlating(self.store, self.frames, options)
        self.searching = Searching(self.store, self.frames, self.correlating.key_columns)
        self.detecting = Detecting(self.store, self.frames, self.correlating, options, self.source_name)
        self.selection = Selection(options)
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._published = 0.0
        self._made_lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._snapshot_of: tuple[int, ...] = ()
        self._rate: tuple[float, int, float] = (clock.monotonic(), 0, 0.0)
        self._timer: threading.Timer | None = None
        self._closed = threading.Event()
        self._live: threading.Thread | None = None
        self._provisional: list[Detection] = []

    # --- opening and reading

    def open(self) -> None:
        """Open the sources; what cannot be opened is in `loading.errors`.

        Raises:
            LogscopeError: Wrong usage.
        """
        self.loading.open()

    def start(self) -> None:
        """Read on a thread of its own; live sources are linked and decided on another."""
        self.loading.start()
        if self.loading.live and any(source.follow for source in self.loading.sources):
            self._live = threading.Thread(target=self._decide_live, name="logscope-deciding", daemon=True)
            self._live.start()

    def _decide_live(self) -> None:
        deciding = Deciding(self, self.loading.notices.append)
        while not self._closed.wait(_TURN_SECONDS):
            if self.loading.loaded:
                with self._made_lock:
                    deciding.turn(final=False)
                    self._provisional = self.detecting.provisional()
                self._changed()

    def read_all(self) -> None:
        """Read everything there is, in this thread."""
        self.loading.read_all()

    def close(self) -> None:
        """Stop everything."""
        self._closed.set()
        if self._live is not None:
            self._live.join(timeout=5)
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
        generation = self._generation()
        if self._snapshot is None or self._snapshot_of != generation:
            self._snapshot = self._make_snapshot(self.store.view.records)
            self._snapshot_of = generation
        return self._snapshot

    def _generation(self) -> tuple[int, ...]:
        """What a snapshot depends on; of live sources the second too, since rates fall by silence."""
        told = len(self.detecting.told), len(self._provisional)
        second = int(clock.monotonic()) if self.loading.live else 0
        return (self.store.view.generation, self.loading.loaded, self.correlating.generation, *told, second)

    def _make_snapshot(self, records: int) -> Snapshot:
        sources = self.loading.status()
        starts = [source.start for source in sources if source.start is not None]
        ends = [source.end for source in sources if source.end is not None]
        then, before, rate = self._rate
        now = clock.monotonic()
        if now - then >= 1.0:
            rate = (records - before) / (now - then)
            self._rate = (now, records, rate)
        return Snapshot(
            generation=self.store.view.generation,
            records=records,
            sources=sources,
            start=min(starts, default=None),
            end=max(ends, default=None),
            loading=not self.loading.loaded,
            live=self.loading.live,
            progress=self.loading.progress,
            counters=self.counters(),
            rate=rate,
            transactions=self.correlating.count,
            detections=len(self.detecting.told),
            rules=len(self.detecting.rules),
            messages=(*map(str, self.loading.errors), *self.notices()),
        )

    def notices(self) -> tuple[str, ...]:
        """What the user should know: of sources, keys, and rules."""
        return (*self.loading.notices, *self.correlating.said(), *self.detecting.notices)

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
        records = self.store.view.records
        counters = {"received": 0, "stored": 0, "dropped": 0}
        for source, ingest in zip(self.loading.sources, self.loading.ingests, strict=True):
            counted = self.loading.received(source)
            counters["received"] += counted.get("received", ingest.records)
            counters["stored"] += counted.get("stored", ingest.records)
            counters["dropped"] += counted.get("dropped", 0)
        unparsed = sum(ingest.unparsed for ingest in self.loading.ingests)
        return {
            "received": counters["received"],
            "stored": counters["stored"],
            "parsed": records - unparsed,
            "unparsed": unparsed,
            "truncated": sum(ingest.truncated for ingest in self.loading.ingests),
            "late": self.detecting.late,
            "dropped": counters["dropped"],
            "records": records,
        }

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
        return self.reading.lines_of(rows)

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

    def prepare_keys(self, *, cancel: Cancel) -> None:
        """Find the keys and link, if not yet done for what is in the store."""
        with self._made_lock:
            self._link(cancel, None)

    def _link(self, cancel: Cancel, progress: Callable[[str, float], None] | None) -> Delta | None:
        if self.correlating.plan is None:
            if not self.store.view.records:
                return None  # keys found in nothing would stay none
            kept = kept_plan(self.loading.sources) if self.options.plan is None else None
            self.correlating.prepare(cancel=cancel, progress=progress, plan=kept)
        return self.correlating.update(cancel=cancel, progress=progress)

    def prepare_transactions(
        self,
        *,
        cancel: Cancel,
        progress: Callable[[str, float], None] | None = None,
        decide: bool = False,
        asked: bool = False,
    ) -> None:
        """Find keys, link, decide, if not yet done for what is in the store.

        Args:
            cancel: Looked at between segments.
            progress: Told what is done and how far it is.
            decide: What the end of the data leaves pending is decided too.
            asked: Of live sources too find the keys in what has come so far, however little.
        """
        with self._made_lock:
            if self._live is not None and self.correlating.plan is None and not asked:
                return  # the live thread waits until it has seen enough to find the keys in
            delta = self._link(cancel, progress)
            if self.correlating.plan is None:
                return
            self.detecting.update(
                delta,
                cancel=cancel,
                progress=progress,
                final=not self.loading.live,
                decide=decide,
                least=reached_watermark(self.loading.sources),
            )
        self._changed()

    def transactions(
        self, where: str = "", *, sort: str = "start", descending: bool = False, cancel: Cancel
    ) -> pl.DataFrame:
        """The transaction frame, filtered and sorted."""
        self.prepare_transactions(cancel=cancel, asked=True)
        frame = self.detecting.with_rules(self.correlating.transactions())
        if where.strip():
            frame = matching(self, frame, where, cancel)
        return frame.sort(sort, descending=descending, maintain_order=True, nulls_last=True)

    def absences(self, *, cancel: Cancel) -> Sequence[Absence]:
        """Filters worth offering: what usually follows in a transaction, and is missing in a few."""
        self.prepare_transactions(cancel=cancel, asked=True)
        members = self.correlating.members().head(MOST_MEMBERS)
        rows = members.get_column(schema.ROW)
        texts = self.frames.rows_bulk(rows, self.store.view, ["time", "message"])
        cancel.check()
        return absences(members.select("transaction").hstack(texts.select("time", "message")))

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

    def key_name(self, name: str) -> str:
        """A key's own name, by any spelling or alias of it.

        Raises:
            PlanError: There is none.
        """
        plan = self.correlating.plan
        assert plan is not None
        return plan.key(name).name

    def plan_text(self) -> str:
        """Keys and grain as a file for `--plan`."""
        return self.correlating.plan_text()

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
        """What the rules have found so far, in order of time; `provisional` and `pending` ones too."""
        found = [*self.detecting.told.values(), *self._provisional, *self.detecting.pending()]
        return sorted(found, key=lambda detection: (detection.time, detection.detection))

    def marks(self, rows: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Of these rows those that are matched steps."""
        return self.detecting.marks(rows)
