"""What faces are told: snapshots of a session, at most some a second, and its counters."""

from __future__ import annotations

import threading
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from logscope.engine.answers import Snapshot, SourceStatus
from logscope.engine.loading.rates import Rates

if TYPE_CHECKING:
    from logscope.engine.detection.detecting import Detecting
    from logscope.engine.linking.correlating import Correlating
    from logscope.engine.loading.loader import Loading
    from logscope.records.store import Store

_PUBLISH_SECONDS = 0.1
_TEXT = "text"
"""The format of what fits none."""
_MANY = 100
"""Records from which it is worth saying that most of a source fit no format."""


def untimed(sources: Sequence[SourceStatus]) -> list[str]:
    """What to say of sources without any time, among others that have times."""
    names = [source.name for source in sources if source.records and source.start is None]
    if not names or len(names) == sum(1 for source in sources if source.records):
        return []
    which = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    return [f"no times in {which}: listed at the file's own time, left out of the span and the histogram"]


def unfit(sources: Sequence[SourceStatus]) -> list[str]:
    """What to say of sources most of whose records are of none of the formats that were found at their beginning."""
    return [
        f"{source.name}: {source.unparsed:,} of {source.records:,} records fit no format found at its beginning: "
        "several logs in one? Open each by itself, or name the format (--format)"
        for source in sources
        if not source.live
        and source.unparsed * 2 > source.records >= _MANY
        and set(source.format.split("+")) != {_TEXT}
    ]


class Publishing:
    """One subscription that delivers frozen snapshots; the last change is never left out.

    Args:
        snapshot: Makes the newest one.
    """

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        """Nobody listens yet."""
        self._snapshot = snapshot
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._published = 0.0
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        """Waits to publish."""
        self._publishing = self._ended = False
        self._changed_since = False
        """Something has changed since the snapshot that is being published was made."""

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` after changes; returns how to stop."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def changed(self) -> None:
        """Publish, at most ten times a second."""
        with self._lock:
            self._changed_since = True
            if self._publishing or self._timer is not None:
                return
            wait = self._published + _PUBLISH_SECONDS - clock.monotonic()
            if wait > 0:
                self._wait(wait)
                return
            self._publishing = True
        self._publish_now()

    def _due(self) -> None:
        with self._lock:
            self._timer = None
            if self._publishing or self._ended:
                return
            self._publishing = True
        self._publish_now()

    def _publish_now(self) -> None:
        with self._lock:
            self._changed_since = False
            self._published = clock.monotonic()
        try:
            self._publish()
        finally:
            with self._lock:
                self._publishing = False
                # While one snapshot is delivered, the last change may come: nobody else would tell it.
                if self._changed_since and self._timer is None:
                    self._wait(_PUBLISH_SECONDS)

    def _wait(self, seconds: float) -> None:
        """Publish later; the lock is held."""
        if not self._ended:
            self._timer = threading.Timer(seconds, self._due)
            self._timer.daemon = True
            self._timer.start()

    def _publish(self) -> None:
        if self._subscribers:
            snapshot = self._snapshot()
            for callback in list(self._subscribers):
                callback(snapshot)

    def close(self) -> None:
        """Publish no more."""
        with self._lock:
            self._ended = True
            if self._timer is not None:
                self._timer.cancel()


class Snapshots:
    """Makes snapshots, anew only where something has changed.

    Args:
        store: The records.
        loading: The sources.
        correlating: The transactions.
        detecting: The rules.
    """

    def __init__(self, store: Store, loading: Loading, correlating: Correlating, detecting: Detecting) -> None:
        """None is made yet."""
        self._store = store
        self._loading = loading
        self._correlating = correlating
        self._detecting = detecting
        self._rates = Rates()
        self._rate: tuple[float, int, float] = (clock.monotonic(), 0, 0.0)
        self._newest: tuple[tuple[int, ...], Snapshot] | None = None
        """What it was made of, and it: in one, for several threads ask."""

    def newest(self) -> Snapshot:
        """The newest state."""
        generation = self._generation()
        newest = self._newest
        if newest is None or newest[0] != generation:
            newest = self._newest = generation, self._make(self._store.view.records)
        return newest[1]

    def _generation(self) -> tuple[int, ...]:
        """What a snapshot depends on; of live sources the second too, since rates fall by silence."""
        found = self._detecting.found.changes
        second = int(clock.monotonic()) if self._loading.live else 0
        return (self._store.view.generation, self._loading.loaded, self._correlating.generation, found, second)

    def _make(self, records: int) -> Snapshot:
        loading = self._loading
        sources = self._with_rates(loading.status())
        starts = [source.start for source in sources if source.start is not None]
        ends = [source.end for source in sources if source.end is not None]
        then, before, rate = self._rate
        now = clock.monotonic()
        if now - then >= 1.0:
            rate = (records - before) / (now - then)
            self._rate = (now, records, rate)
        return Snapshot(
            generation=self._store.view.generation,
            records=records,
            sources=sources,
            start=min(starts, default=None),
            end=max(ends, default=None),
            loading=not loading.loaded,
            live=loading.live,
            progress=loading.progress,
            counters=self.counters(),
            rate=rate,
            held_back=bool(loading.room.said()),
            transactions=self._correlating.count,
            linked=self._correlating.linked,
            detections=len(self._detecting.told),
            findings=self._detecting.found.changes,
            rules=len(self._detecting.rules),
            messages=(*map(str, loading.errors), *loading.notices, *loading.room.said(), *self._detecting.said()),
            remarks=(*self._correlating.said(), *([] if not loading.loaded else [*untimed(sources), *unfit(sources)])),
        )

    def _with_rates(self, sources: tuple[SourceStatus, ...]) -> tuple[SourceStatus, ...]:
        self._rates.observe([ingest.records for ingest in self._loading.ingests])
        return tuple(
            replace(source, rates=self._rates.of(place), late=self._detecting.watermark.late[place])
            if source.live
            else source
            for place, source in enumerate(sources)
        )

    def notices(self) -> tuple[str, ...]:
        """What the user should know: of sources, keys, and rules."""
        return (
            *self._loading.notices,
            *unfit(self._loading.status()),
            *self._correlating.said(),
            *self._detecting.said(),
        )

    def counters(self) -> dict[str, int]:
        """What was received, stored and dropped; the numbers add up (interface: `watch`)."""
        records, gone = self._store.ever, self._store.gone
        counters = {"received": 0, "stored": 0, "dropped": 0}
        for source, ingest in zip(self._loading.sources, self._loading.ingests, strict=False):
            counted = self._loading.received(source)
            counters["received"] += counted.get("received", ingest.records)
            counters["stored"] += counted.get("stored", ingest.records)
            counters["dropped"] += counted.get("dropped", 0)
        unparsed = sum(ingest.unparsed for ingest in self._loading.ingests)
        return {
            "received": counters["received"],
            "stored": counters["stored"],
            "parsed": records - unparsed,
            "unparsed": unparsed,
            "truncated": sum(ingest.truncated for ingest in self._loading.ingests),
            "late": self._detecting.late,
            "dropped": counters["dropped"],
            "records": records,
            **({"let_go": gone} if gone else {}),
        }
