"""A file as far as it was read: what tells that its bytes are still the same ones."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import time
from pathlib import Path
from weakref import WeakSet

from logscope.sources.files import UTF8_BOM, read_at, read_or_raise

HEAD = 1024
"""Bytes from its beginning by which a file is known."""

_TAIL = 64
_KEPT = 256 << 10
_KEPT_SECONDS = 10.0
_ROTATED = re.compile(r"[-._]?[0-9][-._0-9TZ]*")
_COMPRESSED = re.compile(r"\.(?:gz|bz2|xz|zst|lz4)$")
_open_files: dict[tuple[int, int], int] = {}
_open_files_lock = threading.Lock()
_files: WeakSet[FileAsRead] = WeakSet()


def files_as_read() -> list[FileAsRead]:
    """All that followed sources read right now."""
    with _open_files_lock:
        return list(_files)


def is_rotated_suffix(rest: str) -> bool:
    """Whether what follows a log's name is what rotation appends (`.1`, `-20261101`)."""
    return _ROTATED.fullmatch(rest) is not None


def is_rotated_name(path: Path, followed: Path) -> bool:
    """Whether a name is that of a rotated `followed`, compressed or not: `app.log.1`, `app.log-20261101.gz`."""
    rest = _COMPRESSED.sub("", path.name).removeprefix(followed.name)
    if path.parent != followed.parent or not path.name.startswith(followed.name) or path.name == followed.name:
        return False
    return not rest or is_rotated_suffix(rest)


def rotated_siblings(path: Path) -> list[tuple[Path, tuple[int, int], int]]:
    """Files beside a log that are named as its rotated ones are, with identity and time of writing, oldest first."""
    try:
        names = [other.name for other in path.parent.iterdir()]
    except OSError:
        names = []
    listed = [name for name in names if name.startswith(path.name) and is_rotated_suffix(name.removeprefix(path.name))]
    found = []
    # What a server lists may be known from some seconds ago; asked for by name, it tells.
    for name in dict.fromkeys([*listed, f"{path.name}.1", f"{path.name}.0"]):
        other = path.with_name(name)
        try:
            about = other.stat()
        except OSError:
            continue
        if stat.S_ISREG(about.st_mode):
            found.append((other, (about.st_dev, about.st_ino), about.st_mtime_ns))
    return sorted(found, key=lambda item: item[2])


def head_of(path: Path) -> bytes:
    """A file's first bytes, as far as they can be read."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def is_read(identity: tuple[int, int]) -> bool:
    """Whether a followed source reads the file of this device and inode."""
    with _open_files_lock:
        return identity in _open_files


class FileAsRead:
    """One inode as far as it was read.

    Its newest bytes are kept for some seconds: a record may be held back for a continuation while the
    file is truncated, and would be lost with its text.
    """

    def __init__(self, fd: int) -> None:
        """A file behind an open descriptor, of which nothing is read yet.

        Args:
            fd: Is now ours.
        """
        about = os.fstat(fd)
        self.fd = fd
        self.identity = (about.st_dev, about.st_ino)
        self.seen = len(UTF8_BOM) if read_at(fd, 3, 0) == UTF8_BOM else 0
        self.head = b""
        self.tail = b""
        self.mtime_ns = about.st_mtime_ns
        self.replaced = False
        """Its bytes are gone: it was truncated, and no copy of them was found."""
        self.kept = b""
        """Its newest bytes, for as long as somebody may not have taken them yet."""
        self.kept_from = self.seen
        self._kept_at = 0.0
        self._register()

    def _register(self) -> None:
        with _open_files_lock:
            _open_files[self.identity] = _open_files.get(self.identity, 0) + 1
            _files.add(self)

    def _unregister(self) -> None:
        with _open_files_lock:
            left = _open_files.get(self.identity, 1) - 1
            if left:
                _open_files[self.identity] = left
            else:
                _open_files.pop(self.identity, None)

    def move_to(self, fd: int) -> None:
        """Read the same bytes from another file from now on."""
        self._unregister()
        os.dup2(fd, self.fd, inheritable=False)
        os.close(fd)
        about = os.fstat(self.fd)
        self.identity = (about.st_dev, about.st_ino)
        self._register()

    def remember(self, size: int) -> None:
        """Keep what tells that the bytes before `size` are still the same.

        Raises:
            OSError: They cannot be read, and nothing has changed.
        """
        head = self.head if len(self.head) >= HEAD else read_or_raise(self.fd, min(HEAD, size), 0)
        tail = read_or_raise(self.fd, min(_TAIL, size), max(size - _TAIL, 0))
        begin = max(self.seen, size - _KEPT)
        gained = read_or_raise(self.fd, size - begin, begin)
        self.head, self.tail = head, tail
        whole = self.kept + gained if begin == self.seen and self.kept else gained
        self.kept = whole[-_KEPT:]
        self.kept_from = size - len(self.kept)
        self._kept_at = time.monotonic()
        self.seen = size

    def is_copied_in(self, fd: int, size: int) -> bool:
        """Whether another file begins with the bytes that were read here, a kilobyte at least.

        Args:
            fd: The other's.
            size: Its bytes.
        """
        if len(self.head) < HEAD or size < HEAD or read_at(fd, HEAD, 0) != self.head:
            return False
        if size >= self.seen:
            return read_at(fd, len(self.tail), self.seen - len(self.tail)) == self.tail
        return read_at(fd, _TAIL, size - _TAIL) == read_at(self.fd, _TAIL, size - _TAIL)

    def forget(self) -> None:
        """Let go of the newest bytes once everybody has had the time to take them."""
        if self.kept and not self.replaced and time.monotonic() - self._kept_at > _KEPT_SECONDS:
            self.kept, self.kept_from = b"", self.seen

    def restarted(self, size: int) -> bool:
        """Whether the bytes already read are no longer there.

        Raises:
            OSError: They cannot be looked at.
        """
        return size < self.seen or not self.goes_on_in(self.fd)

    def goes_on_in(self, fd: int) -> bool:
        """Whether a file holds the bytes that were read here, where they were.

        Raises:
            OSError: It cannot be looked at.
        """
        if self.head != read_or_raise(fd, len(self.head), 0):
            return False
        return self.tail == read_or_raise(fd, len(self.tail), max(self.seen - len(self.tail), 0))

    def close(self) -> None:
        """Give the descriptor back; what a server that is away says of it concerns nobody any more."""
        with contextlib.suppress(OSError):
            os.close(self.fd)
        self._unregister()
