"""Plain files, as they stand when they are opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.codecs import unread_compression
from logscope.sources.remote import AWAY
from logscope.sources.trouble import source_error

UTF8_BOM = b"\xef\xbb\xbf"
SAMPLE = 8192
"""Bytes looked at to tell text from binary."""

_MAGIC = (
    b"\x7fELF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"%PDF-",
    b"SQLite format 3\0",
    b"PAR1",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xca\xfe\xba\xbe",
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def open_regular(path: Path, name: str) -> int:
    """A descriptor of a regular file or FIFO, opened without ever waiting.

    Args:
        path: What to open.
        name: The source as typed, for the error.

    Raises:
        SourceError: It is missing, may not be read, or is a folder, a device or a socket.
    """
    try:
        mode = path.stat().st_mode
        _refuse(mode, path, name)
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise source_error(error, name) from error
    try:
        _refuse(os.fstat(fd).st_mode, path, name)
    except SourceError:
        os.close(fd)
        raise
    return fd


def may_come(error: SourceError) -> bool:
    """Whether what `open_regular` could not open may be there, or be readable, later: a followed file is waited for."""
    cause = error.__cause__
    return isinstance(cause, FileNotFoundError | NotADirectoryError | PermissionError) or (
        isinstance(cause, OSError) and cause.errno in AWAY
    )


def _refuse(mode: int, path: Path, name: str) -> None:
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or str(path) == os.devnull:
        return
    if stat.S_ISDIR(mode):
        raise SourceError("is a folder", where=name, mend="name the files in it")
    what = "a socket" if stat.S_ISSOCK(mode) else "a device"
    mend = "listen with syslog+udp://127.0.0.1:PORT" if stat.S_ISSOCK(mode) else "name a file, a FIFO or - instead"
    raise SourceError(f"is {what}, not a log", where=name, mend=mend)


def pieces_of(fd: int) -> Iterator[bytes]:
    """The bytes of a file from its beginning, 1 MiB at a time."""
    offset = 0
    while chunk := read_at(fd, 1 << 20, offset):
        offset += len(chunk)
        yield chunk


def is_binary(head: bytes) -> bool:
    """Whether a file's first bytes are no text: a known signature, or one control character in twenty.

    A few NULs are text still: a crash leaves holes in good logs.
    """
    if head.startswith(_MAGIC) or unread_compression(head) is not None:
        return True
    if head.startswith(_WIDE_BOMS):
        return False
    return len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 20


class FileSource(OpenSource):
    """A file that is read as far as it reached when it was opened."""

    def __init__(self, spec: SourceSpec, fd: int) -> None:
        """A file behind an open descriptor, which is now the source's.

        Args:
            spec: Its name and path.
            fd: From `open_regular`.
        """
        super().__init__(spec)
        self._fd = fd
        about = os.fstat(fd)
        self._mtime_us = about.st_mtime_ns // 1000
        self._identity = (about.st_dev, about.st_ino) if stat.S_ISREG(about.st_mode) else None
        self.bom = len(UTF8_BOM) if os.pread(fd, 3, 0) == UTF8_BOM else 0
        """Bytes of a byte-order mark that logical offsets leave out."""
        self._size = about.st_size - self.bom
        self._shrunk = False

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes as they stand now; fewer where the file has shrunk."""
        wanted = min(size, self._size - offset)
        if wanted <= 0 or offset < 0:
            return b""
        return read_at(self._fd, wanted, offset + self.bom)

    def size(self) -> int:
        """Bytes when it was opened, less if it has shrunk since."""
        return self._size

    def finished(self) -> bool:
        """Always: growth is for `-f`."""
        return True

    def poll(self) -> bool:
        """Notice that the file has shrunk."""
        try:
            now = max(os.fstat(self._fd).st_size - self.bom, 0)
        except OSError:
            return False
        if now >= self._size:
            return False
        if not self._shrunk:
            self.say(f"shrank from {self._size} to {now} bytes while it was open; what is gone cannot be shown")
        self._shrunk = True
        self._size = now
        return True

    @property
    def mtime_us(self) -> int:
        """When it was last written as of opening, microseconds since 1970 UTC."""
        return self._mtime_us

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode."""
        return self._identity

    def close(self) -> None:
        """Give the descriptor back."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def read_at(fd: int, size: int, offset: int) -> bytes:
    """`pread` until `size` bytes or the end; what the system refuses is the end too."""
    try:
        return read_or_raise(fd, size, offset)
    except OSError:
        return b""


def read_or_raise(fd: int, size: int, offset: int) -> bytes:
    """`pread` until `size` bytes or the end.

    Raises:
        OSError: The system refuses it: of what is there nothing is known.
    """
    data = os.pread(fd, size, offset)
    while 0 < len(data) < size:
        more = os.pread(fd, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
