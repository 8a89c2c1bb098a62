"""Holes in files: what lies between two runs of bytes that were really written.

A writer that does not append goes on at its old place after its file was truncated (copytruncate), a
crash leaves blocks that were never written, a logger allocates beforehand: all of it reads as NULs, a
gigabyte of them as one line. They are left out, by what the file system says of them.
"""

from __future__ import annotations

import errno
import os
from bisect import bisect_right
from typing import NamedTuple

from logscope.sources.base import SourceSpec
from logscope.sources.files import SAMPLE, FileSource, read_at

LEAST = 4096
"""Bytes of the shortest hole that is looked for: a block of a file system."""

_EDGE = 64 << 10


class Run(NamedTuple):
    """Bytes of a file that were written."""

    offset: int
    length: int


def written_runs(fd: int, start: int, end: int) -> list[Run]:
    """What of a stretch of a file was written.

    Args:
        fd: The file's.
        start: Where the stretch begins.
        end: Where it ends; not beyond the file's end.

    Returns:
        The runs in order, without the NULs that fill up a block beside a hole; all of the stretch if it has no hole,
        or the file system tells none.
    """
    whole = [Run(start, end - start)] if end > start else []
    if end - start < LEAST or not hasattr(os, "SEEK_DATA"):
        return whole
    runs = []
    place = start
    try:
        while place < end:
            begin = min(_data_from(fd, place, end), end)
            if begin - place < LEAST or not _is_empty(fd, place, begin):
                begin = place
            if begin >= end:
                break
            hole = begin
            while hole < end:
                hole = min(os.lseek(fd, hole, os.SEEK_HOLE), end)
                after = _data_from(fd, hole, end)
                if hole < end and after - hole >= LEAST and _is_empty(fd, hole, after):
                    break
                hole = after
            runs.append(Run(begin, hole - begin))
            place = hole
    except OSError:
        return whole
    if runs == whole:
        return whole
    return [run for each in runs if (run := _trimmed(fd, each, start, end)).length]


def written_head(fd: int) -> bytes:
    """The first bytes of a file that tell what it is; those behind a hole if it begins with one."""
    head = read_at(fd, SAMPLE, 0)
    if len(head) < LEAST or head.strip(b"\0"):
        return head
    runs = written_runs(fd, 0, os.fstat(fd).st_size)
    return read_at(fd, min(SAMPLE, runs[0].length), runs[0].offset) if runs else b""


def _data_from(fd: int, place: int, end: int) -> int:
    """Where data is next; `end` if there is none before it."""
    if place >= end:
        return end
    try:
        return min(os.lseek(fd, place, os.SEEK_DATA), end)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return end
        raise


def _is_empty(fd: int, start: int, end: int) -> bool:
    """Whether a hole's ends are NULs indeed: some file systems call a hole what is not on the disk yet."""
    edges = (read_at(fd, min(_EDGE, end - start), start), read_at(fd, min(_EDGE, end - start), max(start, end - _EDGE)))
    return not any(edge.strip(b"\0") for edge in edges)


def _trimmed(fd: int, run: Run, start: int, end: int) -> Run:
    """A run without the NULs of its first and last block, where a hole is beside them."""
    offset, length = run
    if offset > start:
        head = read_at(fd, min(_EDGE, length), offset)
        skipped = len(head) - len(head.lstrip(b"\0"))
        offset, length = offset + skipped, length - skipped
    if offset + length < end:
        size = min(_EDGE, length)
        tail = read_at(fd, size, offset + length - size)
        length -= len(tail) - len(tail.rstrip(b"\0"))
    return Run(offset, length)


def told(left_out: int) -> str:
    """What is said of holes."""
    return f"has holes: {left_out} bytes that nobody wrote (they read as NULs) are left out"


class HoledFile(FileSource):
    """A file with holes, read as far as it reached when it was opened, without them.

    A line that a hole cuts off ends there.
    """

    def __init__(self, spec: SourceSpec, fd: int, runs: list[Run]) -> None:
        """A file behind an open descriptor, which is now the source's.

        Args:
            spec: Its name and path.
            fd: From `open_regular`.
            runs: Of the whole file, from `written_runs`.
        """
        super().__init__(spec, fd)
        self._starts: list[int] = []
        self._runs: list[Run] = []
        physical, self._size = self._size + self.bom, 0
        for run in runs:
            skipped = max(0, self.bom - run.offset)
            offset, length = run.offset + skipped, run.length - skipped
            if self._runs and read_at(fd, 1, sum(self._runs[-1]) - 1) != b"\n":
                self._add(Run(-1, 1))
            self._add(Run(offset, length))
        self._physical = physical
        self.say(told(physical - sum(run.length for run in runs)))

    def _add(self, run: Run) -> None:
        self._starts.append(self._size)
        self._runs.append(run)
        self._size += run.length

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes as they stand now; fewer where the file has shrunk."""
        parts = []
        place = bisect_right(self._starts, offset) - 1
        while size > 0 and 0 <= place < len(self._runs) and 0 <= offset < self._size:
            run = self._runs[place]
            within = offset - self._starts[place]
            wanted = min(size, run.length - within)
            part = b"\n" if run.offset < 0 else read_at(self._fd, wanted, run.offset + within)
            parts.append(part)
            if len(part) < wanted:
                break
            size, offset, place = size - wanted, offset + wanted, place + 1
        return b"".join(parts)

    def poll(self) -> bool:
        """Notice that the file has shrunk."""
        try:
            now = os.fstat(self._fd).st_size
        except OSError:
            return False
        if now >= self._physical:
            return False
        self.say(f"shrank from {self._physical} to {now} bytes while it was open; what is gone cannot be shown")
        self._physical = now
        while self._runs and (self._runs[-1].offset < 0 or sum(self._runs[-1]) > now):
            run, start = self._runs.pop(), self._starts.pop()
            self._size = start
            if 0 <= run.offset < now:
                self._add(Run(run.offset, now - run.offset))
                break
        return True

    @property
    def identity(self) -> None:
        """None: what is read are not the file's bytes as they stand."""
        return None
