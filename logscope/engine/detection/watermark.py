"""How far time has come: the watermark of interface section 6.

Per stream (a file; a listener's peer and host) the newest time less the lateness; the watermark is
the least over active streams. A stream without a record for `idle` is inactive; when all are, the
watermark is the newest record's time and the time that has passed since it came, less the lateness:
an absence is told as late as it would be among traffic, but for what is left of `idle`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from logscope.records.saving import Saved, numbers

_MANY_STREAMS = 100_000
_LATE = {"source_id": pl.UInt16, "records": pl.Int64}
_STREAMS = {"source_id": pl.UInt16, "peer": pl.String, "host": pl.String, "time": pl.Int64}
_NAMES = 3
"""Of a stream: its source, peer and host."""


@dataclass
class Watermark:
    """Tracks streams; all times are microseconds.

    Args:
        lateness: How much out of order a stream may be.
        max_skew: A record further ahead of its receipt does not move it.
        idle: After so long without a record a stream no longer holds the others back.
    """

    lateness: int = 2_000_000
    max_skew: int = 3_600_000_000
    idle: int = 10_000_000
    newest: int | None = None
    """The newest trusted time."""
    value: int | None = None
    """The watermark; it never goes back."""
    late: Counter[int] = field(default_factory=Counter)
    """Records that came behind it, by source."""
    _streams: dict[tuple[object, ...], list[int]] = field(default_factory=dict)
    _arrived: int | None = None

    def fresh(self) -> Watermark:
        """One of the same bounds that has seen nothing."""
        return Watermark(self.lateness, self.max_skew, self.idle)

    def observe(self, batch: pl.DataFrame, now: int) -> None:
        """Records have come.

        Args:
            batch: `time`, `source_id`, optionally `peer`, `host`, `received`; without `file` times.
            now: The monotonic clock.
        """
        if self.value is not None:
            behind = batch.filter(pl.col("time").to_physical() < self.value).get_column("source_id")
            for source, count in behind.value_counts().iter_rows() if len(behind) else ():
                self.late[source] += count
        if "received" in batch.columns:
            ahead = pl.col("time") > pl.col("received") + pl.duration(microseconds=self.max_skew)
            batch = batch.filter(~ahead.fill_null(value=False))
        if batch.is_empty():
            return
        by = [name for name in ("source_id", "peer", "host") if name in batch.columns]
        newest = batch.group_by(by).agg(pl.col("time").max().to_physical())
        for *stream, time in newest.iter_rows():
            entry = self._streams.setdefault(tuple(stream), [time, now])
            entry[0], entry[1] = max(entry[0], time), now
            self.newest = time if self.newest is None else max(self.newest, time)
        self._arrived = now
        if len(self._streams) > _MANY_STREAMS:
            self._forget(now)

    def advance(self, now: int) -> int | None:
        """The watermark at `now` (the monotonic clock), None before the first record."""
        if self.newest is None or self._arrived is None:
            return None
        active = [time for time, seen in self._streams.values() if now - seen < self.idle]
        # Counted from the arrival, not from when all are idle: the log's clock did not stand still meanwhile.
        passed = max(0, now - self._arrived)
        candidate = (min(active) if active else self.newest + passed) - self.lateness
        if self.value is None or candidate > self.value:
            self.value = candidate
        return self.value

    def saved(self) -> Saved:
        """Times and streams; when they were heard, no other process can know."""
        streams = [(*(stream + (None,) * _NAMES)[:_NAMES], entry[0]) for stream, entry in self._streams.items()]
        return {
            "times": numbers(newest=self.newest, value=self.value),
            "late": pl.DataFrame(list(self.late.items()), schema=_LATE, orient="row"),
            "streams": pl.DataFrame(streams, schema=_STREAMS, orient="row"),
        }

    def restore(self, frames: Saved, now: int) -> None:
        """Know what `saved` told of listeners; all streams count as heard just now.

        Args:
            frames: As `saved` gave them.
            now: The monotonic clock, microseconds.
        """
        self.newest, self.value = frames["times"].row(0)
        self.late = Counter(dict(frames["late"].iter_rows()))
        self._streams = {tuple(stream): [time, now] for *stream, time in frames["streams"].iter_rows()}
        self._arrived = now

    def _forget(self, now: int) -> None:
        self._streams = {key: entry for key, entry in self._streams.items() if now - entry[1] < self.idle}
