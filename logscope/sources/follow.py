"""Files that grow: appended, rotated, truncated, deleted and made again.

A followed source is a list of *extents*, each a run of bytes of one file (or a line end of our
own), laid end to end: so its byte space only grows and its lines keep counting, whatever happens to
the path. `stat` decides, and what a file is, is its inode, its first bytes and the bytes before the
place up to which it was read. Old files stay open: text is read again from where it lies.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.fileasread import FileAsRead, head_of, is_read, rotated_siblings
from logscope.sources.files import may_come, open_regular, read_at
from logscope.sources.holes import Run, told, written_runs
from logscope.sources.remote import is_remote

PARTIAL_GRACE = 2.0
"""Seconds that a rotated file's last line is waited for before the new file follows."""
ANEW = 2.0
"""Seconds after which a file of a network is opened again, for that asks its server."""


@dataclass(slots=True)
class _Extent:
    """A run of the logical byte space."""

    start: int
    length: int
    file: FileAsRead | None
    """None: a line end that no file holds."""
    offset: int


class FollowedFile(OpenSource):
    """A path read as `tail -F` reads it, from its beginning."""

    def __init__(self, spec: SourceSpec, *, newline: bytes = b"\n") -> None:
        """Follow a path, which need not exist yet.

        Args:
            spec: Its name and path.
            newline: LF in the file's encoding.

        Raises:
            SourceError: What is there cannot be followed (a folder, a device, no permission).
        """
        super().__init__(spec, follow=True)
        if spec.path is None:
            raise SourceError("is no file that can be followed", where=spec.name)
        self._path: Path = spec.path
        self._newline = newline
        self._lock = threading.RLock()
        self._extents: list[_Extent] = []
        self._starts: list[int] = []
        self._size = 0
        self._files: list[FileAsRead] = []
        self._current: FileAsRead | None = None
        self._siblings: dict[tuple[int, int], bytes] = {}
        """Rotated files that were there when the current one was begun, and how they begin: inodes are used again."""
        self._partial_since: float | None = None
        self._waiting = ""
        self._wrong = ""
        """Why what was read cannot be looked at just now."""
        self._looked = time.monotonic()
        self._closed = False
        try:
            self._begin(FileAsRead(open_regular(self._path, self.name)))
            self._consume(self._current)
        except SourceError as error:
            if not may_come(error):
                raise
            missing = isinstance(error.__cause__, FileNotFoundError)
            self._waiting = "is not there yet" if missing else error.message
            self.say(f"{self._waiting}; waiting for it")

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes of any time; where the text was lost by a truncation, blanks and one line end."""
        with self._lock:
            if self._closed or offset < 0:
                return b""
            parts: list[bytes] = []
            place = bisect_right(self._starts, offset) - 1
            while size > 0 and 0 <= place < len(self._extents):
                extent = self._extents[place]
                within = offset - extent.start
                wanted = min(size, extent.length - within)
                if wanted <= 0:
                    break
                part = self._read(extent, wanted, within)
                parts.append(part)
                if len(part) < wanted:
                    break
                size, offset, place = size - wanted, offset + wanted, place + 1
            return b"".join(parts)

    def _read(self, extent: _Extent, wanted: int, within: int) -> bytes:
        file = extent.file
        if file is None:
            return self._newline[within : within + wanted]
        if not file.replaced:
            try:
                if os.fstat(file.fd).st_size < file.seen:
                    self._restart(file)
            except OSError:
                return b""
        if file.replaced:
            offset = extent.offset + within
            lost = max(0, min(file.kept_from - offset, extent.length - within))
            # Ends with a line end where nothing of it is kept, so that it stays one record.
            ending = self._newline if lost == extent.length - within else b""
            blank = (b" " * lost + ending)[-lost:] if lost else b""
            return (blank + file.kept[max(0, offset - file.kept_from) :])[:wanted]
        return read_at(file.fd, wanted, extent.offset + within)

    def size(self) -> int:
        """Bytes of all files so far, the last line's beginning included."""
        return self._size

    def finished(self) -> bool:
        """Never: a followed file may always grow."""
        return False

    @property
    def mtime_us(self) -> int:
        """When the newest file was last written, microseconds since 1970 UTC."""
        return self._current.mtime_ns // 1000 if self._current else super().mtime_us

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode, while there is but one file and nothing of it was left out."""
        with self._lock:
            file = self._current
            plain = len(self._extents) == 1 and not self._extents[0].offset and self._newline == b"\n"
            return file.identity if file is not None and plain and not file.replaced else None

    def poll(self) -> bool:
        """Read on: growth, then what has become of the path, then late writes to rotated files."""
        with self._lock:
            if self._closed:
                return False
            before = self._size
            try:
                if self._current is not None:
                    self._look_anew(self._current)
                    self._consume(self._current)
                self._follow_path()
                self._late_writes()
            except OSError as error:
                text = error.strerror or str(error)
                if text != self._wrong:
                    self._wrong = text
                    self.say(f"cannot be read ({text}); waiting for it")
            for file in self._files:
                file.forget()
            return self._size != before

    def close(self) -> None:
        """Give all descriptors back."""
        with self._lock:
            self._closed = True
            for file in self._files:
                file.close()
            self._files.clear()

    def _begin(self, file: FileAsRead) -> None:
        self._files.append(file)
        self._current = file
        self._partial_since = None
        self._waiting = ""
        self._siblings = {identity: head_of(path) for path, identity, _ in rotated_siblings(self._path)}

    def _append(self, file: FileAsRead | None, offset: int, length: int) -> None:
        last = self._extents[-1] if self._extents else None
        if last is not None and file is not None and last.file is file and last.offset + last.length == offset:
            last.length += length
        else:
            self._extents.append(_Extent(self._size, length, file, offset))
            self._starts.append(self._size)
        self._size += length

    def _consume(self, file: FileAsRead | None) -> None:
        """Take what a file has gained."""
        if file is None:
            return
        about = os.fstat(file.fd)
        if about.st_size == file.seen and about.st_mtime_ns == file.mtime_ns:
            return
        if file.restarted(about.st_size):
            self._restart(file)
            return
        file.mtime_ns = about.st_mtime_ns
        self._take(file, about.st_size)

    def _take(self, file: FileAsRead, end: int) -> None:
        """Append what a file has gained, holes left out; one at its end may be filled yet, and is waited for."""
        start = file.seen
        runs = written_runs(file.fd, start, end) if self._newline == b"\n" else [Run(start, end - start)]
        if end <= start or not runs:
            return
        left_out = 0
        for run in runs:
            if run.offset > start:
                left_out += run.offset - start
                self._finish_line()
            start = run.offset + run.length
            file.remember(start)
            self._append(file, run.offset, run.length)
        if left_out:
            self.say(told(left_out))

    def _look_anew(self, file: FileAsRead) -> None:
        """Open the path again, where the descriptor may be stale or tell of what is no longer there."""
        now = time.monotonic()
        if not (self._wrong or is_remote(file.identity[0])) or now - self._looked < ANEW:
            return
        self._looked = now
        try:
            fd = open_regular(self._path, self.name)
        except SourceError:
            return
        try:
            about = os.fstat(fd)
            goes_on = about.st_size >= file.seen and file.goes_on_in(fd)
        except OSError:
            os.close(fd)
            return
        if goes_on:
            file.move_to(fd)
        elif self._wrong or (about.st_dev, about.st_ino) == file.identity:
            self._restart(file, fd)
        else:
            os.close(fd)
        if self._wrong:
            self._wrong = ""
            self.say("can be read again")

    def _restart(self, file: FileAsRead, fresh: int | None = None) -> None:
        """The file was truncated (copytruncate, `>`): keep its bytes by their copy if there is one, begin again.

        Args:
            file: Whose bytes are no longer there.
            fresh: Where those that are there now are read, if not in `file`; is ours.
        """
        if fresh is None and is_remote(file.identity[0]):
            # The descriptor may tell the size of what is at its path now, and read what was there before.
            if file is self._current:
                self._looked = 0.0
                self._look_anew(file)
            return
        # Where the descriptor is stale the rotated file may be the very one that was read.
        copy = self._copy_of(file, itself=fresh is not None)
        self._finish_line()
        if copy is None:
            file.replaced = True
            what = "was truncated" if fresh is None else "is another file now"
            self.say(f"{what}; its new content follows, the text before is lost unless it was copied elsewhere")
            again = FileAsRead(os.dup(file.fd) if fresh is None else fresh)
        else:
            what = (
                "was truncated after it was copied" if fresh is None else "is another file now, the one before is kept"
            )
            self.say(f"{what}; its new content follows")
            again = FileAsRead(os.dup(file.fd) if fresh is None else fresh)
            file.move_to(copy)
            # Written between our last look and the copy.
            self._take(file, os.fstat(file.fd).st_size)
            self._finish_line()
            if self._current is file:
                self._missed(again)
        if self._current is file:
            self._begin(again)
        else:
            self._files.append(again)
        self._consume_from_start(again)

    def _consume_from_start(self, file: FileAsRead) -> None:
        self._take(file, os.fstat(file.fd).st_size)

    def _copy_of(self, file: FileAsRead, *, itself: bool) -> int | None:
        """A descriptor of the sibling that holds the bytes which `file` held; may it be `file` itself?"""
        for path, identity, _ in rotated_siblings(self._path):
            if identity == file.identity and not itself:
                continue
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue
            tail = read_at(fd, len(file.tail), max(file.seen - len(file.tail), 0))
            if file.head and read_at(fd, len(file.head), 0) == file.head and tail == file.tail:
                return fd
            os.close(fd)
        return None

    def _follow_path(self) -> None:
        """Go on with the file that is now at the path, if it is another."""
        try:
            about = self._path.stat()
        except OSError:
            return
        identity = (about.st_dev, about.st_ino)
        if self._current is not None and identity == self._current.identity:
            return
        if self._current is not None and is_read(identity):
            # Another source reads that file: a glob names app.log and app.log.1, and app.log was renamed.
            return
        if self._current is not None and not self._line_finished():
            now = time.monotonic()
            self._partial_since = self._partial_since or now
            if now - self._partial_since < PARTIAL_GRACE:
                return
        try:
            fresh = FileAsRead(open_regular(self._path, self.name))
        except SourceError as error:
            if error.message != self._waiting:
                self._waiting = error.message
                self.say(f"{error.message}; waiting for it")
            return
        if self._current is not None:
            self._consume(self._current)
            self._missed(fresh)
        self._finish_line()
        self._begin(fresh)
        self._consume_from_start(fresh)

    def _missed(self, fresh: FileAsRead) -> None:
        """Files that came and were rotated away between two looks, in their order."""
        for path, identity, mtime_ns in rotated_siblings(self._path):
            before = self._siblings.get(identity)
            known = before is not None and head_of(path).startswith(before)
            known = known or identity == fresh.identity or is_read(identity)
            if known or (self._current is not None and mtime_ns < self._current.mtime_ns):
                continue
            try:
                file = FileAsRead(open_regular(path, self.name))
            except SourceError:
                continue
            if is_remote(identity[0]) and self._was_read(file):
                file.close()
                continue
            self._finish_line()
            self._files.append(file)
            self._consume_from_start(file)

    def _was_read(self, file: FileAsRead) -> bool:
        """Whether all of a file was read under another number: sshfs gives one to each path."""
        size = os.fstat(file.fd).st_size
        return any(one.head and one.seen == size and one.goes_on_in(file.fd) for one in self._files)

    def _late_writes(self) -> None:
        """Whole lines that a writer still appends to a rotated file, between two lines of the new one."""
        for file in self._files:
            if file is self._current or file.replaced:
                continue
            try:
                size = os.fstat(file.fd).st_size
            except OSError:  # its server has let go of it
                continue
            if size <= file.seen or not self._line_finished() or not written_runs(file.fd, file.seen, size):
                continue
            gained = read_at(file.fd, size - file.seen, file.seen)
            whole = gained.rfind(self._newline) + len(self._newline)
            if whole >= len(self._newline):
                start = file.seen
                file.remember(start + whole)
                self._append(file, start, whole)

    def _line_finished(self) -> bool:
        """Whether the byte space ends with a line end; looks at what was read, not at what is there now."""
        last = self._extents[-1] if self._extents else None
        return last is None or last.file is None or last.file.tail.endswith(self._newline)

    def _finish_line(self) -> None:
        """End a line that its file left open, so that the next file's first line stays its own."""
        if not self._line_finished():
            self._append(None, 0, len(self._newline))
