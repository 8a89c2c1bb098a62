"""Tar archives as a stream of members: POSIX ustar and pax, GNU, and the old format before them.

Written anew rather than taken from the standard library, whose reader keeps every member in memory and reads a name
of a gigabyte whole. Nothing is ever extracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from logscope.sources.files import read_at

BLOCK = 512
_PIECE = 1 << 20
_HEADER_CAP = 1 << 20
"""Bytes of a long name or of pax records beyond which a header is taken for damage."""
_CHECKSUM = slice(148, 156)
_KINDS = {
    b"0": "file", b"\0": "file", b"7": "file", b"1": "link", b"2": "link", b"3": "device", b"4": "device",
    b"6": "device", b"5": "folder", b"S": "sparse",
}  # fmt: skip


class Damaged(ValueError):
    """What follows is no tar header, or the archive ends too early."""


@dataclass(frozen=True, slots=True)
class TarMember:
    """What a header tells."""

    name: str
    kind: str
    """file, link, device, folder, sparse, or other."""
    size: int
    mtime_us: int


class ByteStream(Protocol):
    """Bytes in their order."""

    position: int

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer at the end."""

    def skip(self, size: int) -> int:
        """Pass over the next `size` bytes; how many there were."""


class FileStream:
    """The bytes of a file that can be read anywhere."""

    def __init__(self, fd: int, size: int) -> None:
        """At its beginning."""
        self._fd = fd
        self._size = size
        self.position = 0

    def read(self, size: int) -> bytes:
        """See `ByteStream`."""
        data = read_at(self._fd, size, self.position)
        self.position += len(data)
        return data

    def skip(self, size: int) -> int:
        """See `ByteStream`."""
        gone = max(0, min(size, self._size - self.position))
        self.position += gone
        return gone


class PieceStream:
    """The bytes of a stream that comes in pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        """At its beginning."""
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")
        self.position = 0

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes as they come; fewer at the end."""
        while size:
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._rest = memoryview(piece)
            part, self._rest = self._rest[:size], self._rest[size:]
            size -= len(part)
            self.position += len(part)
            yield part

    def read(self, size: int) -> bytes:
        """See `ByteStream`."""
        return b"".join(self.pieces(size))

    def skip(self, size: int) -> int:
        """See `ByteStream`."""
        return sum(len(part) for part in self.pieces(size))


def is_header(block: bytes) -> bool:
    """Whether a block is a tar header: its checksum says so (POSIX.1-2017 pax, ustar interchange format)."""
    if len(block) < BLOCK or not block[0]:
        return False
    block = block[:BLOCK]
    try:
        stated = _number(block[_CHECKSUM])
    except Damaged:
        return False
    rest = block[: _CHECKSUM.start] + block[_CHECKSUM.stop :]
    total = sum(rest) + 8 * ord(" ")
    signed = total - 256 * sum(1 for byte in rest if byte > 127)
    return stated in (total, signed)


def tar_members(stream: ByteStream) -> Iterator[TarMember]:
    """The members of an archive, the stream standing at each one's content when it is given.

    Zero blocks between archives that were joined are passed over. What is left of a member's content when the next
    one is asked for is passed over too.

    Args:
        stream: At the archive's beginning.

    Raises:
        Damaged: At the place where nothing more can be read.
    """
    long_name, pax, everywhere, ended = "", dict[str, str](), dict[str, str](), False
    while block := stream.read(BLOCK):
        if not block.strip(b"\0"):
            ended = True
            continue
        if not is_header(block):
            if ended:
                return
            raise Damaged(f"no member begins at byte {stream.position - len(block)}")
        ended = False
        flag = block[156:157]
        size = _number(block[124:136])
        if flag in (b"L", b"K", b"x", b"g"):
            data = _header_data(stream, size)
            if flag == b"L":
                long_name = _text(data.split(b"\0", 1)[0])
            elif flag == b"x":
                pax = _pax(data)
            elif flag == b"g":
                everywhere |= _pax(data)
            continue
        told = everywhere | pax
        member = _member(block, flag, size, long_name, told)
        long_name, pax = "", {}
        behind = stream.position + (member.size if member.kind in ("file", "sparse", "other") else 0)
        yield member
        left = behind - stream.position
        if stream.skip(left + -behind % BLOCK) < left:
            raise Damaged(f"it ends within {member.name}")


def _member(block: bytes, flag: bytes, size: int, long_name: str, told: dict[str, str]) -> TarMember:
    name = told.get("path") or long_name or _name(block)
    kind = _KINDS.get(flag, "other")
    if kind == "file" and name.endswith("/"):
        kind = "folder"
    if any(key.startswith("GNU.sparse") for key in told):
        kind = "sparse"
    try:
        mtime = float(told["mtime"]) if "mtime" in told else _number(block[136:148])
        size = int(told.get("size", size))
        mtime_us = int(mtime * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise Damaged(f"{name}: {error}") from error
    if size < 0:
        raise Damaged(f"{name} has a size below zero")
    return TarMember(name, kind, size, mtime_us)


def _name(block: bytes) -> str:
    name = _text(block[:100].split(b"\0", 1)[0])
    prefix = _text(block[345:500].split(b"\0", 1)[0]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _number(data: bytes) -> int:
    """Octal digits, or from GNU tar bytes of a number too large for them."""
    if data[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(data[1:], "big", signed=False) - (1 << 8 * (len(data) - 1) if data[0] == 0xFF else 0)
    digits = data.split(b"\0", 1)[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise Damaged(f"{digits!r} is no number") from error


def _header_data(stream: ByteStream, size: int) -> bytes:
    if not 0 <= size <= _HEADER_CAP:
        raise Damaged(f"a name or a header of {size} bytes")
    data = stream.read(size)
    if len(data) < size:
        raise Damaged("it ends within a header")
    stream.skip(-size % BLOCK)
    return data


def _pax(data: bytes) -> dict[str, str]:
    """Pax records: `LENGTH KEY=VALUE` and LF each."""
    records: dict[str, str] = {}
    while data:
        digits, blank, _ = data[:12].partition(b" ")
        if not blank or not digits.isdigit() or not 0 < int(digits) <= len(data):
            raise Damaged("a pax header that is no such")
        record, data = data[len(digits) + 1 : int(digits) - 1], data[int(digits) :]
        key, _, value = record.partition(b"=")
        records[_text(key)] = _text(value)
    return records
