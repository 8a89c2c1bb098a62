"""Blocks of files parsed on several threads at once, for commands that do nothing else meanwhile.

Where a block ends is told by the lines at its end alone, so the next one can begin before this one is parsed.
Whatever is out of the ordinary (a stream, a table, no record in sight, a file that shrinks) ends it: what is
left is read block by block (`Ingest.step`), with the same records as result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from logscope.engine.loading.ingest import Ingest
from logscope.engine.loading.material import Whole
from logscope.errors import SourceError
from logscope.records.blocks import BLOCK, last_start

Block = tuple[Ingest, int, int]
"""A source, where in it the block begins, and its bytes; 0: none."""

_SIZE = BLOCK // 2
"""Two are parsed at a time, and a third waits."""
_TAIL = 256 << 10
"""Bytes at a block's end in which a record has to begin."""


def blocks_of(ingest: Ingest) -> Iterator[Block]:
    """The blocks of a source of which nothing was read yet that can be parsed ahead; the rest is left."""
    source = ingest.source
    size = source.size()
    if ingest.binding is not None or ingest.position or not source.finished() or not ingest.bind_ahead():
        return
    position: int = ingest.position
    while position < size:
        limit = position + _SIZE
        end: int | None = size if limit >= size else _end(ingest, position, limit)
        if end is None:
            return
        yield ingest, position, end - position
        position = end


def _end(ingest: Ingest, base: int, limit: int) -> int | None:
    """Where the last record begins that begins before `limit` and behind `base`; None if it is not near."""
    assert ingest.binding is not None
    first = max(base, limit - _TAIL)
    last = last_start(ingest.source.pread(limit - first, first), ingest.binding.parser.starts)
    return None if last is None else first + last


def parsed(block: Block) -> tuple[Ingest, int, Whole | None]:
    """What is in a block; None if it has to be read in order."""
    ingest, base, size = block
    with contextlib.suppress(SourceError):  # who reads in order is told
        text = ingest.source.pread(size, base) if size else b""
        return ingest, base, ingest.parse(text) if size and len(text) == size else None
    return ingest, base, None
