"""Snapshots are delivered, at most some a second, and the last change never goes untold."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import cast

from logscope.engine.answers import Snapshot, SourceStatus
from logscope.engine.publishing import Publishing, unfit


@dataclass
class Counted:
    """A state that counts its changes, and hears what is published of it."""

    state: int = 0
    heard: list[int] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        return cast("Snapshot", self.state)

    def until(self, state: int) -> None:
        end = time.monotonic() + 5
        while (not self.heard or self.heard[-1] != state) and time.monotonic() < end:
            time.sleep(0.005)
        assert self.heard[-1] == state


def test_a_change_while_a_snapshot_is_delivered_is_told_afterwards() -> None:
    counted = Counted()
    publishing = Publishing(counted.snapshot)
    delivering, go_on = threading.Event(), threading.Event()

    def slow(snapshot: Snapshot) -> None:
        counted.heard.append(cast("int", snapshot))
        delivering.set()
        go_on.wait(5)

    publishing.subscribe(slow)
    go_on.set()
    publishing.changed()
    counted.state = 1
    # The next one, which is held up, is delivered on a thread of its own, a moment later.
    delivering.clear()
    go_on.clear()
    publishing.changed()
    assert delivering.wait(5)
    counted.state = 2
    publishing.changed()
    go_on.set()
    counted.until(2)
    publishing.close()


def test_many_changes_are_few_snapshots_and_the_last_of_them_is_told() -> None:
    counted = Counted()
    publishing = Publishing(counted.snapshot)
    publishing.subscribe(lambda snapshot: counted.heard.append(cast("int", snapshot)))

    def change() -> None:
        for _ in range(500):
            counted.state += 1
            publishing.changed()

    threads = [threading.Thread(target=change) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    counted.until(counted.state)
    assert len(counted.heard) < 50
    publishing.close()
    publishing.changed()


def test_of_a_stream_of_several_logs_it_is_said_that_most_fits_no_format() -> None:
    def source(formats: str, unparsed: int, records: int = 200, *, live: bool = False) -> SourceStatus:
        return SourceStatus("-", formats, records, unparsed, 0, 0, None, None, live=live)

    assert "150 of 200 records fit no format" in unfit([source("text+rfc5424", 150)])[0]
    for quiet in (source("text", 200), source("rfc5424+text", 80), source("text+json", 20, 30), source("", 0, 0)):
        assert unfit([quiet]) == []
    assert unfit([source("text+rfc5424", 150, live=True)]) == []
