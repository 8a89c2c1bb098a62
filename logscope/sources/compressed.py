"""Compressed bytes as a stream: whatever can be read of them, and a word about the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Protocol

from logscope.errors import SourceError
from logscope.sources.codecs import GZIP, Codec, Decoder, GzipDecoder, skippable

_CHUNK = 1 << 20


class Told(Protocol):
    """Who is told what is wrong with the bytes, and says how far they may expand."""

    def say(self, text: str) -> None:
        """Take a notice."""

    def fail(self, text: str, mend: str | None = None) -> None:
        """Take the reason why not everything could be read."""

    def check_ratio(self, made: int, taken: int, most: int | None = None) -> None:
        """Raise a SourceError if so much was made of so little that it must be a bomb: `most` times, or fewer."""


def decompressed(told: Told, stop: threading.Event, pieces: Iterable[bytes], codec: Codec) -> Iterator[bytes]:
    """The bytes inside a compressed file of one or more members, in pieces of 1 MiB at most.

    A truncated or damaged file gives what comes before the damage, and a word about it; anything but a
    member after the last one is passed over.

    Args:
        told: Is told what is wrong; its limits stop a bomb.
        stop: Ends it early.
        pieces: The compressed bytes, cut anywhere.
        codec: Their compression.

    Raises:
        SourceError: It expands beyond what `told` allows, or its codec is not installed.
    """
    reading = _Members(told, codec)
    for piece in pieces:
        for start in range(0, len(piece), codec.piece):
            yield from reading.take(piece[start : start + codec.piece])
            if reading.over or stop.is_set():
                return
    reading.end()


class _Members:
    """Where the reading of a compressed file stands."""

    def __init__(self, told: Told, codec: Codec) -> None:
        self.over = False
        """Nothing more is read: the file is damaged, or something else follows."""
        self._told = told
        self._codec = codec
        self._decoder: Decoder | None = None
        self._members = 0
        self._rest = b""
        self._skip = 0
        self._taken = 0
        self._made = 0

    def take(self, piece: bytes) -> Iterator[bytes]:
        self._taken += len(piece)
        self._rest += piece
        while self._rest and not self.over:
            if self._decoder is None and not self._begun():
                return
            if self._decoder is not None:
                yield from self._decoded(self._decoder)

    def end(self) -> None:
        """The file ends here."""
        if self._decoder is not None or self._skip:
            self._told.fail(
                f"is truncated: its {self._codec.name} data ends after {self._taken} bytes; what comes before is read"
            )
        elif self._rest:
            self._foreign()

    def _foreign(self) -> None:
        at = self._taken - len(self._rest)
        self._told.say(f"has no {self._codec.name} data from byte {at} on; what comes after is passed over")
        self.over = True

    def _begun(self) -> bool:
        """Whether a member begins, and has a decoder now; False if more must come first, or nothing will."""
        if self._skip:
            gone = min(self._skip, len(self._rest))
            self._skip -= gone
            self._rest = self._rest[gone:]
            return bool(self._rest)
        if self._members:
            # Tape blocks pad members with zeros; that is no damage.
            self._rest = self._rest.lstrip(b"\0")
        if len(self._rest) < max(self._codec.head, 8 if self._codec.skippable else 0):
            return False
        if self._codec.skippable and (length := skippable(self._rest)) is not None:
            self._skip = length
            return True
        if not self._codec.begins(self._rest):
            self._foreign()
            return False
        self._decoder = self._codec.decoder()
        return True

    def _decoded(self, decoder: Decoder) -> Iterator[bytes]:
        before = decoder.copy() if isinstance(decoder, GzipDecoder) else None
        data, self._rest, given = self._rest, b"", 0
        try:
            chunk = decoder.decompress(data, _CHUNK)
            while True:
                self._made += len(chunk)
                given += len(chunk)
                self._told.check_ratio(self._made, self._taken, self._codec.most)
                if chunk:
                    yield chunk
                if decoder.eof or decoder.needs_input:
                    break
                chunk = decoder.decompress(b"", _CHUNK)
        except SourceError:
            raise
        except self._codec.errors as error:
            if before is not None:
                yield _to_the_damage(before, data)[given:]
            self._told.fail(f"is damaged near byte {self._taken - len(data)} ({error}); what comes before is read")
            self.over = True
            return
        if decoder.eof:
            self._rest = decoder.unused_data or b""  # lz4 has None there
            self._decoder, self._members = None, self._members + 1


def _to_the_damage(member: GzipDecoder, data: bytes) -> bytes:
    """Zlib gives nothing of the piece in which it finds damage: so in single bytes, from before it."""
    sound = bytearray()
    try:
        for at in range(len(data)):
            sound += member.decompress(data[at : at + 1])
    except GZIP.errors:
        pass
    return bytes(sound)
