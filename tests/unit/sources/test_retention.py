"""What a spool lets go of: whole segments, said and counted, with every line keeping its number."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.errors import SourceError
from logscope.sources import retention, spool_writer
from logscope.sources.base import SourceSpec
from logscope.sources.opening import open_source
from logscope.sources.receiver import start_receiver
from logscope.sources.replay import replay
from logscope.sources.retention import Retention
from logscope.sources.spool import LetGo, SpoolSource, let_go, segment_numbers, segment_path, write_let_go
from logscope.sources.spool_lines import spool_line, stamp
from logscope.sources.spool_writer import SpoolWriter
from tests.unit.sources.conftest import content, until

URL = "syslog+tcp://127.0.0.1:5514"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_LEAST_SEGMENT", 1000)
    monkeypatch.setattr(spool_writer, "_LET_GO_SECONDS", 0.0)


def write(writer: SpoolWriter, numbers: range) -> None:
    for number in numbers:
        writer.add(spool_line(stamp("127.0.0.1"), b"<13>number %06d" % number, ""), 1)
        if number % 10 == 9:
            writer.flush()


def numbers(data: bytes) -> list[int]:
    return [int(line[-6:]) for line in data.splitlines()]


def opened(*, follow: bool = False) -> SpoolSource:
    source = open_source(SourceSpec("s", "messages", url=f"spool://{URL}"), follow=follow)
    assert isinstance(source, SpoolSource)
    return source


def test_the_oldest_segments_go_and_lines_keep_their_numbers() -> None:
    writer = SpoolWriter(URL, retention=Retention(size=8000))
    write(writer, range(1000))
    counters = writer.counters()
    assert counters["received"] == counters["stored"] == 1000
    writer.close()
    with opened() as source:
        left = numbers(content(source))
        assert left == list(range(1000 - len(left), 1000))
        assert counters["let_go"] == 1000 - len(left) == source.first_line - 1
        assert 6000 <= source.size() <= 10_000
        assert f"{counters['let_go']} messages" in source.notices()[0]
    session = Session(Options(sources=(f"spool://{URL}",)))
    session.open()
    try:
        session.read_all()
        view = session.store.view
        frame = session.frames.rows(session.store.ordered(view), view, ("line", "message"))
        assert all(message == f"number {line - 1:06d}" for line, message in frame.select("line", "message").iter_rows())
        assert frame.height == len(left)
    finally:
        session.close()
    again = SpoolWriter(URL, retention=Retention(size=8000))
    write(again, range(1000, 1010))
    again.close()
    with opened() as source:
        assert numbers(content(source))[-1] == 1009
        assert numbers(content(source))[0] == source.first_line - 1


def test_a_reader_that_lags_behind_still_gets_what_was_let_go() -> None:
    writer = SpoolWriter(URL, retention=Retention(size=8000))
    write(writer, range(10))
    with opened(follow=True) as source:
        for start in range(10, 1000, 10):
            write(writer, range(start, start + 10))
            source.poll()
        assert writer.counters()["let_go"] > 500
        assert source.first_line == 1
        assert numbers(content(source)) == list(range(1000))
        before = len(list(Path("/proc/self/fd").iterdir()))
        source.release(source.size())
        assert len(list(Path("/proc/self/fd").iterdir())) < before - 10
    writer.close()


def test_by_age() -> None:
    writer = SpoolWriter(URL, retention=Retention(seconds=0.8))
    write(writer, range(10))
    time.sleep(0.15)
    write(writer, range(10, 20))
    time.sleep(1.0)
    write(writer, range(20, 30))
    writer.close()
    with opened() as source:
        assert numbers(content(source)) == list(range(20, 30))
        assert source.first_line == 21


def test_a_kill_between_note_and_removal_counts_nothing_twice() -> None:
    writer = SpoolWriter(URL, segment_size=1000)
    write(writer, range(100))
    writer.close()
    first = segment_path(writer.folder, 1).read_bytes()
    write_let_go(writer.folder, LetGo(2, first.count(b"\n"), len(first)))
    with opened() as source:
        assert numbers(content(source))[0] == source.first_line - 1 == first.count(b"\n")
    assert segment_numbers(writer.folder)[0] == 1


def test_a_damaged_note_is_none(tmp_path: Path) -> None:
    for text in ("", "[]", '{"first": "x"}', '{"first": 2, "lines": null, "bytes": 1}'):
        (tmp_path / "letgo.json").write_text(text)
        assert let_go(tmp_path) == LetGo()


def test_the_receiver_keeps_what_it_is_told_to() -> None:
    receiver = start_receiver("syslog+tcp://127.0.0.1:0", retention=Retention(size=4 << 20))
    lines = [(None, b"<13>%06d " % number + b"x" * 1000) for number in range(10_000)]
    replay(lines, receiver.url, speed=None)
    until(lambda: receiver.counters().get("let_go", 0) > 4000)
    assert any("let go of the oldest" in text for text in receiver.notices())
    counters = receiver.stop()
    assert counters["stored"] == counters["received"] == 10_000
    held = sum(segment_path(receiver.folder, number).stat().st_size for number in segment_numbers(receiver.folder))
    assert held <= 6 << 20


def test_a_foreign_lock_and_a_full_disk_are_said_in_words() -> None:
    writer = SpoolWriter(URL)
    with pytest.raises(SourceError, match="written by another process") as caught:
        SpoolWriter(URL)
    assert "stop the other" in (caught.value.mend or "")
    os.close(writer._fd)
    writer._fd = os.open("/dev/full", os.O_WRONLY)
    write(writer, range(10))
    counters = writer.counters()
    assert (counters["stored"], counters["dropped"], counters["received"]) == (0, 10, 10)
    assert any("No space left" in text for text in writer.state()["notices"])  # type: ignore[attr-defined]
    writer.close()


def test_a_slow_disk_holds_connections_up_and_drops_datagrams_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = os.pwrite

    def pwrite(fd: int, data: memoryview, place: int) -> int:
        time.sleep(0.02)
        return slow(fd, data[:20_000], place)  # and a little at a time

    monkeypatch.setattr(spool_writer.os, "pwrite", pwrite)
    monkeypatch.setattr(spool_writer, "PENDING_LIMIT", 50_000)
    monkeypatch.setattr(spool_writer, "FLUSH_BYTES", 10_000)
    writer = SpoolWriter(URL)
    ended = threading.Event()

    def flushing() -> None:
        while not ended.wait(0.01):
            writer.flush()

    flusher = threading.Thread(target=flushing)
    flusher.start()
    try:
        for number in range(2_000):  # as datagrams come: nobody waits
            writer.add(spool_line(stamp("127.0.0.1"), b"<13>number %06d " % number + b"x" * 100, ""), 1, wait=False)
        loose = writer.counters()["dropped"]
        began = time.monotonic()
        for number in range(500):  # as connections send: they wait
            writer.add(spool_line(stamp("127.0.0.1"), b"<13>number %06d " % number + b"x" * 100, ""), 1)
        assert time.monotonic() - began > 0.02
    finally:
        ended.set()
        flusher.join()
    writer.close()
    counters = writer.counters()
    assert counters["received"] == counters["stored"] + counters["dropped"] == 2_500
    assert counters["dropped"] == loose > 0
    with opened() as source:
        assert content(source).count(b"\n") == counters["stored"]
