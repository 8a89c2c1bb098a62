"""Gzip as a stream: whatever can be read of it, and a word about the rest (RFC 1952)."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterator

from logscope.errors import SourceError
from logscope.sources.copied import CopiedSource
from logscope.sources.files import read_at

GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 64 << 10
_CHUNK = 1 << 20
_GZIP = 31  # zlib's window bits for "gzip header and check"


def gunzip(source: CopiedSource, stop: threading.Event, fd: int) -> Iterator[bytes]:
    """The bytes inside a gzip file of one or more members, in pieces of 1 MiB at most.

    A truncated or damaged file gives what comes before the damage to the byte, and a notice; so
    does anything but a member after the last one.

    Args:
        source: Is told what is wrong; its limits stop a bomb.
        stop: Ends it early.
        fd: The compressed file.

    Raises:
        SourceError: It expands beyond `source.limits.ratio`.
    """
    member = zlib.decompressobj(_GZIP)
    members, inside, taken, made = 0, False, 0, 0
    rest = b""
    while not stop.is_set():
        if len(rest) < len(GZIP_MAGIC):
            piece = read_at(fd, _PIECE, taken)
            taken += len(piece)
            if not piece and not rest:
                if inside:
                    source.say(f"is truncated: its gzip data ends after {taken} bytes; what comes before is read")
                return
            rest += piece
        if not inside:
            if members:
                # Tape blocks pad members with zeros; that is no damage.
                rest = rest.lstrip(b"\0")
                if len(rest) < len(GZIP_MAGIC) and taken < os.fstat(fd).st_size:
                    continue
                if not rest:
                    continue
            if not rest.startswith(GZIP_MAGIC):
                source.say(f"has no gzip data from byte {taken - len(rest)} on; what comes after is passed over")
                return
            member, inside = zlib.decompressobj(_GZIP), True
        before, given = member.copy(), 0
        try:
            for chunk in _inflate(member, rest):
                made += len(chunk)
                given += len(chunk)
                _check_ratio(source, made, taken)
                yield chunk
        except zlib.error as error:
            yield _to_the_damage(before, rest)[given:]
            source.say(f"is damaged near byte {taken - len(rest)} ({error}); what comes before is read")
            return
        rest = b""
        if member.eof:
            rest = member.unused_data
            members, inside = members + 1, False


def _inflate(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while True:
        chunk = member.decompress(data, _CHUNK)
        if chunk:
            yield chunk
        data = member.unconsumed_tail
        if member.eof or (not data and len(chunk) < _CHUNK):
            return


def _to_the_damage(member: zlib._Decompress, data: bytes) -> bytes:
    """The decompressor gives nothing of the piece in which it finds damage: so in single bytes, from before it."""
    sound = bytearray()
    try:
        for at in range(len(data)):
            sound += member.decompress(data[at : at + 1])
    except zlib.error:
        pass
    return bytes(sound)


def _check_ratio(source: CopiedSource, made: int, taken: int) -> None:
    if made >= source.limits.ratio_from and made > source.limits.ratio * taken:
        raise SourceError(
            f"expands more than {source.limits.ratio} times (stopped at {made >> 20} MiB)",
            mend="decompress it yourself if it is no bomb",
        )
