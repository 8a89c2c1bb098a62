"""Which compression bytes are in, told by how they begin, and what takes it off.

All decoders have the shape of the standard library's `BZ2Decompressor`; gzip's and zstd's are fitted to it. Codecs
that are packages of their own are imported when a file needs them.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from logscope.errors import SourceError

_GZIP_BITS = 31  # zlib's window bits for "gzip header and check"
_XZ_MEMORY = 256 << 20
_SKIPPABLE_HEADER = 8
DEFLATE_MOST = 200
"""Times that no log expands where it is compressed by looking back over a few KiB (the most possible is 1032).

Of 126 logs of other people's that are larger than 200 kB none comes to 56.
"""
_MOST = 1000
"""The same where much more is looked back over: of the same logs one comes to 317 by xz."""


class Decoder(Protocol):
    """Takes the compression off one member (gzip), stream (bzip2, xz) or frame (zstd, lz4)."""

    @property
    def eof(self) -> bool:
        """Whether the member's end has been reached."""

    @property
    def unused_data(self) -> bytes:
        """What comes behind the member's end."""

    @property
    def needs_input(self) -> bool:
        """Whether `decompress(b"")` would give nothing more."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` bytes of what `data` and what came before hold."""


class GzipDecoder:
    """One member of a gzip file (RFC 1952)."""

    def __init__(self, inner: zlib._Decompress | None = None) -> None:
        """At the member's beginning, or where `inner` stands."""
        self._inner = inner or zlib.decompressobj(_GZIP_BITS)
        self._more = False

    @property
    def eof(self) -> bool:
        """See `Decoder`."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """See `Decoder`."""
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        """See `Decoder`."""
        return not self._more

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """See `Decoder`."""
        length = max(0, max_length)
        chunk = self._inner.decompress(self._inner.unconsumed_tail + data, length)
        # zlib may hold more than it gave without any input being left.
        self._more = not self._inner.eof and (
            bool(self._inner.unconsumed_tail) or bool(length and len(chunk) == length)
        )
        return chunk

    def copy(self) -> GzipDecoder:
        """One that stands where this one stands."""
        return GzipDecoder(self._inner.copy())


@dataclass(frozen=True, slots=True)
class Codec:
    """A compression."""

    name: str
    endings: tuple[str, ...]
    """What names of such files end in, and no others'."""
    begins: Callable[[bytes], bool]
    """Whether bytes are the beginning of a member."""
    head: int
    """How many bytes `begins` looks at."""
    decoder: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]
    """What the decoder raises on damage."""
    most: int
    """How many times no log expands: gzip and lz4 look back over a few KiB, the others over all of a file."""
    piece: int
    """Bytes given to the decoder at once: in the piece that is damaged, what is sound may be lost."""
    skippable: bool = False
    """Whether frames that hold no data may stand between others (RFC 8878 3.1.2)."""


def _bzip2(head: bytes) -> bool:
    # The first block's mark, or that of a file without any, tells it from text that begins with BZh.
    return head[:3] == b"BZh" and head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


def _zstd() -> Decoder:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor()


def _lz4() -> Decoder:
    try:
        from lz4.frame import LZ4FrameDecompressor
    except ImportError as error:
        raise SourceError(
            "the lz4 package is missing", mend="pip install lz4, or decompress it with `lz4 -d`"
        ) from error
    decoder: Decoder = LZ4FrameDecompressor()
    return decoder


GZIP = Codec(
    "gzip", (".gz", ".tgz"), lambda head: head[:2] == b"\x1f\x8b", 2, GzipDecoder, (zlib.error,), DEFLATE_MOST, 64 << 10
)

CODECS = (
    GZIP,
    Codec(
        "bzip2",
        (".bz2", ".tbz", ".tbz2"),
        _bzip2,
        10,
        bz2.BZ2Decompressor,
        (OSError, ValueError, EOFError),
        _MOST,
        4096,
    ),
    Codec(
        "xz",
        (".xz", ".txz"),
        lambda head: head[:6] == b"\xfd7zXZ\0",
        6,
        lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY),
        (lzma.LZMAError, EOFError),
        _MOST,
        4096,
    ),
    Codec(
        "zstd",
        (".zst", ".zstd", ".tzst"),
        lambda head: head[:4] == b"\x28\xb5\x2f\xfd",
        4,
        _zstd,
        (Exception,),
        _MOST,
        4096,
        skippable=True,
    ),
    Codec(
        "lz4",
        (".lz4",),
        lambda head: head[:4] == b"\x04\x22\x4d\x18",
        4,
        _lz4,
        (RuntimeError, EOFError),
        DEFLATE_MOST,
        4096,
        skippable=True,
    ),
)
"""What is read; tried in this order."""

_UNREAD = {b"\x1f\x9d": "compress (.Z)", b"\x02\x21\x4c\x18": "lz4's legacy format", b"7z\xbc\xaf\x27\x1c": "7z"}
_RAR = b"Rar!\x1a\x07"


def skippable(head: bytes) -> int | None:
    """The length of the skippable frame that bytes begin with; None if they do not."""
    if len(head) < _SKIPPABLE_HEADER or head[1:4] != b"\x2a\x4d\x18" or head[0] & 0xF0 != 0x50:
        return None
    return _SKIPPABLE_HEADER + int.from_bytes(head[4:8], "little")


def codec_of(head: bytes) -> Codec | None:
    """The compression that a file's first bytes show; None if they show none that is read."""
    place = 0
    while (length := skippable(head[place : place + _SKIPPABLE_HEADER])) is not None:
        place += length
        if place >= len(head):
            return next(codec for codec in CODECS if codec.skippable)
    return next((codec for codec in CODECS if codec.begins(head[place : place + codec.head])), None)


def codec_by_name(name: str) -> Codec | None:
    """The compression that a file's name promises."""
    lowered = name.lower()
    return next((codec for codec in CODECS if lowered.endswith(codec.endings)), None)


def unread_compression(head: bytes) -> str | None:
    """The name of a compression or archive that is not read; None for anything else."""
    if head.startswith(_RAR):
        return "rar"
    return next((name for magic, name in _UNREAD.items() if head.startswith(magic)), None)
