"""A stream of bytes made into UTF-8 text: its compression and its encoding taken off."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from logscope.sources.codecs import codec_of
from logscope.sources.compressed import Told, decompressed
from logscope.sources.encodings import encoding_of, recoded
from logscope.sources.sifting import PARQUET
from logscope.sources.tar import is_header
from logscope.sources.zips import is_zip

_SIGNATURE = 16
"""Bytes that tell a compression."""
_MARK = 64
"""Bytes that tell an encoding."""


def plain_text(told: Told, stop: threading.Event, pieces: Iterable[bytes], forced: str | None) -> Iterator[bytes]:
    """What is in pieces of bytes, decompressed if they are compressed, as UTF-8.

    Args:
        told: See `compressed.decompressed`.
        stop: Ends it early.
        pieces: A stream, cut anywhere.
        forced: The text's encoding; None: UTF-8, or UTF-16 or 32 by its mark.
    """
    head, rest = _begun(_unpacked(told, stop, pieces), _MARK)
    if is_header(head) or is_zip(head):
        told.fail("is an archive, whose members cannot be told apart in a stream", "name the archive's file")
        return
    if head.startswith(PARQUET):
        told.fail("is a Parquet table, which cannot be read as a stream", "name the table's file")
        return
    encoding = forced or encoding_of(head)
    yield from rest if encoding is None else recoded(rest, encoding)


def _unpacked(told: Told, stop: threading.Event, pieces: Iterable[bytes]) -> Iterator[bytes]:
    head, rest = _begun(iter(pieces), _SIGNATURE)
    codec = codec_of(head)
    return rest if codec is None else decompressed(told, stop, rest, codec)


def _begun(pieces: Iterator[bytes], least: int) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, as many as tell what it is, and the whole stream."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= least or b"\n" in head:
            break
    return head, _prepended(head, pieces)


def _prepended(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from pieces
