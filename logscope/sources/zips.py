"""Zip archives by their central directory (APPNOTE.TXT 6.3): what they hold, and each member as a stream."""

from __future__ import annotations

import os
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from logscope.errors import SourceError
from logscope.sources.codecs import DEFLATE_MOST
from logscope.sources.files import SAMPLE, read_at
from logscope.sources.scratch import CopyLimits, check_ratio

_DIRECTORY_CAP = 200_000
_TAIL = (64 << 10) + 22 + 76
_PIECE = 1 << 20

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, KeyError, struct.error)
"""What the standard library raises on bad archives; NotImplementedError, a RuntimeError, on methods it lacks."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """An entry of the central directory."""

    name: str
    info: zipfile.ZipInfo

    @property
    def encrypted(self) -> bool:
        """Whether a password is needed."""
        return bool(self.info.flag_bits & 1)

    @property
    def special(self) -> bool:
        """Whether it is a link or a device."""
        kind = stat.S_IFMT(self.info.external_attr >> 16)
        return self.info.create_system == 3 and kind not in (0, stat.S_IFREG)

    @property
    def mtime_us(self) -> int | None:
        """When it was last written; local time, as zip has it."""
        try:
            return int(time.mktime((*self.info.date_time, 0, 0, -1))) * 1_000_000
        except (ValueError, OverflowError):
            return None


def is_zip(head: bytes) -> bool:
    """Whether a file's first bytes are a zip archive's, an empty one's included."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


class ZipEntries:
    """An open zip archive.

    Args:
        fd: The file; stays the caller's.
        name: The source as typed.
        limits: What unpacking may cost.
    """

    def __init__(self, fd: int, name: str, limits: CopyLimits) -> None:
        """Read the central directory.

        Raises:
            SourceError: There is none that could be read, or it is too large.
        """
        self._limits = limits
        self._size = os.fstat(fd).st_size
        self._made = 0
        self.nameless = 0
        """Members without a name, so far as `members` has come."""
        count = _stated_members(fd, self._size)
        if count > _DIRECTORY_CAP:
            raise SourceError(f"has {count} members, more than {_DIRECTORY_CAP}", where=name, mend="unpack it first")
        # All others read at places they name, so the place in the file is this one's.
        self._file = os.fdopen(os.dup(fd), "rb")
        try:
            self._zip = zipfile.ZipFile(self._file)
        except ZIP_ERRORS as error:
            self._file.close()
            raise SourceError(
                f"is a damaged zip archive: {error}", where=name, mend="repair it (zip -FF), or unpack it yourself"
            ) from error

    def members(self) -> Iterator[ZipMember]:
        """What it holds; folders are left out, and members without a name, which nobody could ask for."""
        for info in self._zip.infolist():
            if not info.filename:
                self.nameless += 1
            elif not info.is_dir():
                yield ZipMember(info.filename.encode("utf-8", "replace").decode("utf-8"), info)

    def head(self, member: ZipMember) -> bytes:
        """A member's first bytes; raises one of `ZIP_ERRORS` on damage."""
        with self._zip.open(member.info) as file:
            return file.read(SAMPLE)

    def reader(self, member: ZipMember) -> Callable[[], Iterator[bytes]]:
        """What makes a member's bytes; raises one of `ZIP_ERRORS` on damage, SourceError on a bomb."""
        # Deflate is gzip's way; bzip2 and xz find more to leave out.
        most = DEFLATE_MOST if member.info.compress_type == zipfile.ZIP_DEFLATED else None

        def pieces() -> Iterator[bytes]:
            made = 0
            with self._zip.open(member.info) as file:
                while piece := file.read(_PIECE):
                    made += len(piece)
                    self._made += len(piece)
                    check_ratio(self._limits, made, member.info.compress_size, most)
                    # Members may lie over one another, each small by itself.
                    check_ratio(self._limits, self._made, self._size)
                    yield piece

        return pieces

    def close(self) -> None:
        """Give the descriptor back; calling it twice is fine."""
        self._zip.close()
        self._file.close()


def _stated_members(fd: int, size: int) -> int:
    """How many members the end of the archive states; 0 if there is no such end."""
    tail = read_at(fd, _TAIL, max(0, size - _TAIL))
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 12:
        return 0
    count = int.from_bytes(tail[end + 10 : end + 12], "little")
    wide = tail.rfind(b"PK\x06\x06", 0, end)
    if count == 0xFFFF and wide >= 0:
        count = int.from_bytes(tail[wide + 32 : wide + 40], "little")
    return count
