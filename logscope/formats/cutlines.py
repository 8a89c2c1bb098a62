"""Parts of lines that containers' logs were cut into, where none stands among a file's first lines.

How lines are joined is told from a sample. A container may write its first long line much later, so more of the file is looked
through for one, by its bytes alone. Sources: the CRI log format (tag P), moby's daemon/logger/copier.go (16 KiB).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

LOOKED_AT = 16 << 20
"""Bytes of a file's beginning that are looked through."""
_BLOCK = 4 << 20
_CRI = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ std(?:out|err) [FP] ", re.ASCII)
_CRI_PARTS = (b" stdout P ", b" stderr P ")
_CRI_PART = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ std(?:out|err) P ")
_DOCKER = '{"log":"'
_PART_ROOM = 16 << 10
_STREAM, _ENDED = b'","stream":"', b'\\n","stream":"'
_TAIL = 200
"""Bytes at the end of Docker's line in which its stream stands."""


def further_part(first: str, read: Callable[[int, int], bytes], size: int) -> str | None:
    """A part of a line, if the source is a container's log and has one near its beginning.

    Args:
        first: Its first line.
        read: Up to so many bytes from an offset.
        size: Bytes there are.
    """
    if _CRI.match(first):
        parts = _cri_parts
    elif first.startswith(_DOCKER):
        parts = _docker_parts
    else:
        return None
    for base in range(0, min(size, LOOKED_AT), _BLOCK):
        found = next(parts(read(_BLOCK, base)), None)
        if found is not None:
            return found.decode("utf-8", "replace")
    return None


def _cri_parts(block: bytes) -> Iterator[bytes]:
    for literal in _CRI_PARTS:
        place = block.find(literal)
        while place >= 0:
            line = block[block.rfind(b"\n", 0, place) + 1 : place + len(literal)]
            if _CRI_PART.fullmatch(line):
                yield line
            place = block.find(literal, place + 1)


def _docker_parts(block: bytes) -> Iterator[bytes]:
    if block.count(_STREAM) == block.count(_ENDED):
        return
    for line in block.split(b"\n"):
        if len(line) >= _PART_ROOM and _STREAM in line[-_TAIL:] and _ENDED not in line[-_TAIL:]:
            yield line
