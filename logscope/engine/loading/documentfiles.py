"""JSON documents of many records as sources: a record becomes a line of a private copy."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

from logscope.formats.documents import DOCUMENT, records_apart
from logscope.sources.base import SourceSpec
from logscope.sources.codecs import codec_of
from logscope.sources.copied import CopiedSource
from logscope.sources.files import SAMPLE, open_regular, pieces_of, read_at
from logscope.sources.plain import plain_text

_MARKS = (b"{", b"\xef\xbb\xbf", b" ", b"\n", b"\r", b"\t")


class _Deaf:
    """Is told nothing: a beginning is cut off on purpose."""

    def say(self, text: str) -> None:
        """See `compressed.Told`."""

    def fail(self, text: str, mend: str | None = None) -> None:
        """See `compressed.Told`."""

    def check_ratio(self, made: int, taken: int) -> None:
        """See `compressed.Told`."""


def document_source(spec: SourceSpec, *, encoding: str | None) -> CopiedSource | None:
    """The document behind a spec, compressed or not, being taken apart; None if it is none.

    Args:
        spec: A file's; of others None is returned.
        encoding: The text's, if the user gave it.

    Raises:
        SourceError: It cannot be opened.
    """
    path = spec.path
    if path is None or spec.url is not None or spec.archive is not None or not path.is_file():
        return None
    fd = open_regular(path, spec.name)
    if not _begins(fd):
        os.close(fd)
        return None
    mtime_us = os.fstat(fd).st_mtime_ns // 1000

    def apart(source: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
        return records_apart(plain_text(source, stop, pieces_of(fd), encoding))

    return CopiedSource(spec, apart, mtime_us=mtime_us, on_close=lambda: os.close(fd))


def _begins(fd: int) -> bool:
    """Whether a file's text begins as such a document does."""
    head = read_at(fd, SAMPLE, 0)
    if codec_of(head) is not None:
        head = next(plain_text(_Deaf(), threading.Event(), [head], None), b"")
    elif not head.startswith(_MARKS):
        return False
    return DOCUMENT.match(head.removeprefix(b"\xef\xbb\xbf")) is not None
