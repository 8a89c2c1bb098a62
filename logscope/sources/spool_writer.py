"""The write side of a spool: one process, whole lines, counters that add up."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from logscope.errors import SourceError
from logscope.paths import private_folder
from logscope.sources.retention import Retention
from logscope.sources.scratch import free_bytes
from logscope.sources.spool import (
    VERSION,
    let_go,
    segment_numbers,
    segment_path,
    spool_folder,
    take_lock,
    write_private,
)

SEGMENT_SIZE = 64 << 20
FLUSH_BYTES = 1 << 20
PENDING_LIMIT = 64 << 20
FREE_FLOOR = 256 << 20
_CHECK_FREE_SECONDS = 1.0
_LET_GO_SECONDS = 1.0
_NOTICES = 50


class SpoolWriter:
    """Appends lines to a spool's segments. All methods may be called from any thread."""

    def __init__(
        self,
        url: str,
        root: Path | None = None,
        *,
        segment_size: int = SEGMENT_SIZE,
        free_floor: int = FREE_FLOOR,
        retention: Retention | None = None,
    ) -> None:
        """Open or make the spool of a listener, its torn last line cut off.

        Args:
            url: The listener's, with the bound port: the spool's name.
            root: Folder of all spools, if not the state folder's.
            segment_size: Bytes after which a new segment begins.
            free_floor: Bytes that stay free on the disk; below them messages are dropped and counted.
            retention: How much is kept; None: everything.

        Raises:
            SourceError: Another process writes it.
            OSError: The folder cannot be written.
        """
        self.folder = spool_folder(url, root)
        private_folder(self.folder.parent)
        private_folder(self.folder)
        self._held = take_lock(self.folder / "lock")
        if self._held is None:
            raise SourceError("its spool is written by another process", where=url, mend="stop the other one first")
        if not (self.folder / "meta.json").exists():
            meta = {"url": url, "version": VERSION, "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            write_private(self.folder / "meta.json", json.dumps(meta) + "\n")
        self._retention = retention or Retention()
        self._segment_size = self._retention.segment_size(segment_size)
        self._segment_began = time.monotonic()
        self._let_go_at = 0.0
        self._free_floor = free_floor
        self._lock = threading.RLock()
        """Guards what is waiting and the numbers; never held while writing, so that receiving goes on."""
        self._disk = threading.Lock()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._pending_count = 0
        self._free_checked = 0.0
        self._room = True
        self._failing: int | None = None
        """What the system said of the last write, if it failed: it is said once."""
        self._published = ""
        self._notices: list[str] = []
        self._noticed = 0
        self._counters = dict.fromkeys(
            ("stored", "dropped", "kernel_dropped", "truncated", "partial", "framing_errors", "connections",
             "refused", "torn", "bytes", "let_go"), 0,
        )  # fmt: skip
        numbers = segment_numbers(self.folder)
        self._number = max(numbers[-1] if numbers else 1, let_go(self.folder).first)
        self._open_segment()
        self._recover()

    def _open_segment(self) -> None:
        path = segment_path(self.folder, self._number)
        # Not O_APPEND: a write that failed half-way is taken back by its place.
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._size = os.lseek(self._fd, 0, os.SEEK_END)

    def _recover(self) -> None:
        """Cut off what a crash left of a line."""
        end = self._size
        while end:
            start = max(0, end - (1 << 20))
            found = os.pread(self._fd, end - start, start).rfind(b"\n")
            end = start + found + 1 if found >= 0 else start
            if found >= 0:
                break
        if end < self._size:
            os.ftruncate(self._fd, end)
            self._size = end
            self.count(torn=1)
            self.say("the last run ended in the middle of a line, which is cut off")

    def add(self, lines: bytes, count: int, *, wait: bool = True) -> None:
        """Take whole lines; they are on disk after the next flush.

        Args:
            lines: Spool lines, each with its LF.
            count: How many.
            wait: Write them at once if much is waiting, so that the sender waits. Without (UDP has
                nobody who waits) lines are dropped and counted beyond 64 MiB.
        """
        with self._lock:
            if not wait and self._pending_bytes >= PENDING_LIMIT:
                self._counters["dropped"] += count
                return
            self._pending.append(lines)
            self._pending_bytes += len(lines)
            self._pending_count += count
            much = self._pending_bytes >= FLUSH_BYTES
        if much and wait:
            self._write()

    def count(self, **by: int) -> None:
        """Add to counters by name; `dropped` counts as received too."""
        with self._lock:
            for name, number in by.items():
                self._counters[name] += number

    def say(self, text: str) -> None:
        """Keep a notice for the process that watches."""
        with self._lock:
            self._notices = [*self._notices, text][-_NOTICES:]
            self._noticed += 1

    def counters(self) -> dict[str, int]:
        """What has happened in this run; received = stored + dropped, always."""
        with self._lock:
            counters = dict(self._counters)
            counters["received"] = counters["stored"] + counters["dropped"]
            return counters

    def state(self) -> dict[str, object]:
        """The counters, the newest notices, and how many notices there were ever."""
        with self._lock:
            return {**self.counters(), "notices": self._notices, "noticed": self._noticed}

    def flush(self) -> None:
        """Write what is waiting, and publish the counters if they have changed."""
        self._write()
        self._let_go()
        text = json.dumps(self.state()) + "\n"
        if text != self._published:
            self._published = text
            try:
                write_private(self.folder / "counters.json", text)
            except OSError:
                # A full disk: the numbers still reach the parent by the control pipe at the end.
                self._published = ""

    def _write(self) -> None:
        with self._disk:
            with self._lock:
                waiting, count = self._pending, self._pending_count
                self._pending, self._pending_bytes, self._pending_count = [], 0, 0
            if not waiting:
                return
            data = b"".join(waiting)
            stored = self._has_room() and self._append(data)
        if stored:
            self.count(stored=count, bytes=len(data))
        else:
            self.count(dropped=count)

    def _let_go(self) -> None:
        now = time.monotonic()
        if now - self._let_go_at < _LET_GO_SECONDS:
            return
        self._let_go_at = now
        try:
            messages, size = self._retention.let_go(self.folder)
        except OSError as error:
            self.say(f"old segments cannot be removed: {error.strerror}")
            return
        if messages:
            self.count(let_go=messages)
            self.say(f"let go of the oldest {messages} messages ({size / 2**20:.1f} MiB)")

    def _is_full(self) -> bool:
        longest = self._retention.segment_seconds
        old = longest is not None and self._size > 0 and time.monotonic() - self._segment_began >= longest
        return old or self._size >= self._segment_size

    def _has_room(self) -> bool:
        now = time.monotonic()
        if now - self._free_checked >= _CHECK_FREE_SECONDS:
            self._free_checked = now
            free = free_bytes(self._fd)
            if (free >= self._free_floor) != self._room:
                self._room = not self._room
                state = "messages are stored again" if self._room else "messages are dropped and counted"
                self.say(f"{free >> 20} MiB are free on the spool's disk: {state}")
        return self._room

    def _append(self, data: bytes) -> bool:
        try:
            if self._is_full():
                full = self._fd
                self._segment_began = time.monotonic()
                self._number += 1
                try:
                    self._open_segment()
                except OSError:
                    self._number -= 1
                    raise
                os.close(full)
            view = memoryview(data)
            place = self._size
            while view:
                written = os.pwrite(self._fd, view, place)
                view, place = view[written:], place + written
        except OSError as error:
            if error.errno != self._failing:
                self._failing = error.errno
                self.say(f"the spool cannot be written ({error.strerror}); messages are dropped and counted")
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)
            return False
        if self._failing is not None:
            self._failing = None
            self.say("the spool can be written again: messages are stored")
        self._size = place
        return True

    def close(self) -> None:
        """Flush and let another process write."""
        self.flush()
        with self._disk:
            os.close(self._fd)
            if self._held is not None:
                os.close(self._held)
                self._held = None
