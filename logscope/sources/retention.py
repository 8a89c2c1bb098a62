"""Letting go of a spool's oldest segments, whole ones, so that lines keep their numbers.

What went is written beside the segments before they are removed: whoever opens the spool next
counts lines from there.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from logscope.sources.spool import LetGo, let_go, segment_numbers, segment_path, write_let_go

_LEAST_SEGMENT = 1 << 20
_SHARE = 8
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a spool is kept; nothing is let go without either."""

    size: int | None = None
    """Bytes."""
    seconds: float | None = None
    """Age of the newest line of a segment."""

    def segment_size(self, usual: int) -> int:
        """Bytes of a segment: an eighth of what is kept, so that it is let go in small parts."""
        return usual if self.size is None else min(usual, max(_LEAST_SEGMENT, self.size // _SHARE))

    @property
    def segment_seconds(self) -> float | None:
        """How long a segment is written to before the next one begins, however little came."""
        return None if self.seconds is None else self.seconds / _SHARE

    def expired(self, folder: Path) -> list[int]:
        """The segments to let go, oldest first; never the one that is written."""
        if self.size is None and self.seconds is None:
            return []
        numbers = segment_numbers(folder)
        abouts = [segment_path(folder, number).stat() for number in numbers]
        total = sum(about.st_size for about in abouts)
        oldest = time.time() - self.seconds if self.seconds is not None else 0.0
        gone = []
        for number, about in list(zip(numbers, abouts, strict=True))[:-1]:
            if (self.size is None or total <= self.size) and about.st_mtime >= oldest:
                break
            gone.append(number)
            total -= about.st_size
        return gone

    def let_go(self, folder: Path) -> tuple[int, int]:
        """Remove what is expired.

        Returns:
            Messages and bytes that went.
        """
        messages = size = 0
        for number in self.expired(folder):
            path = segment_path(folder, number)
            lines, length = _count(path)
            before = let_go(folder)
            write_let_go(folder, LetGo(number + 1, before.lines + lines, before.bytes + length))
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            messages += lines
            size += length
        return messages, size


def _count(path: Path) -> tuple[int, int]:
    lines = size = 0
    with path.open("rb", buffering=0) as segment:
        while chunk := segment.read(_CHUNK):
            lines += chunk.count(b"\n")
            size += len(chunk)
    return lines, size
