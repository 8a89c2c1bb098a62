"""Text that is not UTF-8, recoded on its way in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from logscope.errors import UsageError

_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LEAST = 32
_MANY = 0.8
_FEW = 0.02
_LETTERS = re.compile(rb"[A-Za-z ][\xc0-\xff]{1,2}[A-Za-z ,.;:\n]")
_SOME = 2
_AS_IS = {"utf-8", "ascii", "utf-8-sig"}


def encoding_of(head: bytes) -> str | None:
    """UTF-16 or UTF-32 by the byte-order mark at a file's start (Unicode standard 23.8), else UTF-16 by its zeros.

    Text of mostly Latin letters has a zero in nearly every second byte and nearly none between. None for anything else.
    """
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if marked is not None or len(head) < _LEAST:
        return marked
    even, odd = head[::2].count(0) * 2 / len(head), head[1::2].count(0) * 2 / len(head)
    if max(even, odd) < _MANY or min(even, odd) > _FEW:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def letters_of_another(head: bytes) -> bool:
    """Whether a file's first bytes are no UTF-8, and what does not decode stands where one of Latin-1's letters might."""
    if len(_LETTERS.findall(head)) < _SOME:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        return True
    return False


def checked_encoding(name: str | None) -> str | None:
    """The encoding's own name; None for UTF-8, which needs no recoding.

    Raises:
        UsageError: There is no such encoding of text.
    """
    if name is None:
        return None
    try:
        codec = codecs.lookup(name)
        "a\n".encode(codec.name)
    except (LookupError, UnicodeError) as error:
        raise UsageError(
            f"no encoding {name!r}", where="--encoding", mend="for example utf-16, latin-1, cp1252, shift_jis"
        ) from error
    return None if codec.name in _AS_IS else codec.name


def newline_of(encoding: str | None, head: bytes = b"") -> bytes:
    """The bytes of LF in an encoding, given the file's first bytes (for the order of UTF-16's)."""
    if encoding in ("utf-16", "utf-32"):
        big = head.startswith((b"\xfe\xff", b"\0\0\xfe\xff"))
        encoding = f"{encoding}-{'be' if big else 'le'}"
    return "\n".encode(encoding or "utf-8")


def recoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8; what does not decode becomes U+FFFD.

    Args:
        chunks: Bytes in `encoding`, cut anywhere.
        encoding: A Python codec's name.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")
