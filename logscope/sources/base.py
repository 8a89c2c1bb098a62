"""What a source is to the engine: a name, a kind, and a byte space that only grows.

Owns the two types that every kind of source shares. Knows no format and no record: where lines
become records is the store's business.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from logscope.errors import SourceError

Kind = Literal["file", "stream", "messages"]

POLL_INTERVAL = 0.25
"""Seconds between two `poll()`s of a followed source: what the engine should keep to."""


class TakesApart(Protocol):
    """Makes lines of texts that hold many records each, as some JSON documents do."""

    def begins(self, head: bytes) -> bool:
        """Whether a text (UTF-8) that begins so is such a one."""

    def lines(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text in lines of one record; any other text as it is."""


class OpensMembers(Protocol):
    """An archive."""

    def open(self, spec: SourceSpec, forced: str | None, apart: TakesApart | None = None) -> OpenSource:
        """Open a member, its text in the encoding `forced` or by its mark, taken apart."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as the command line names it, not yet opened."""

    name: str
    """As typed (per file of a glob or folder); a listener's URL."""
    kind: Kind
    path: Path | None = None
    """Where it lies; None for standard input and URLs."""
    url: str | None = None
    """`syslog+tcp://...`, `syslog+udp://...`, `spool://...`."""
    member: str | None = None
    """The member of an archive."""
    archive: OpensMembers | None = field(default=None, compare=False, repr=False)
    """The archive that holds the member, opened."""


class OpenSource(ABC):
    """A source that is open: one logical byte space that grows and never moves.

    Offsets are logical: a byte-order mark is not counted, and where a followed file is rotated the
    new file's bytes come after the old one's. Satisfies `records.model.ByteReader`. `pread` may be
    called from any thread, `poll` from one at a time.
    """

    def __init__(self, spec: SourceSpec, *, follow: bool = False) -> None:
        """An open source named and kinded as its spec says."""
        self.spec = spec
        self.name = spec.name
        self.kind: Kind = spec.kind
        self.follow = follow
        self.first_line = 1
        """The number of its first line; a spool's is greater once its oldest messages were let go."""
        self._said: list[str] = []
        self._failed: list[SourceError] = []

    @abstractmethod
    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from logical `offset`; fewer at the end or where a file shrank. Never raises OSError."""

    @abstractmethod
    def size(self) -> int:
        """Bytes that can be read now, as of the last `poll`."""

    @abstractmethod
    def finished(self) -> bool:
        """Whether `size()` is final: nothing more will come."""

    def poll(self) -> bool:
        """Look for growth, rotation and truncation; True if `size()` or `finished()` may have changed."""
        return False

    @property
    def mtime_us(self) -> int:
        """When it was last written, microseconds since 1970 UTC; now for what is still coming."""
        return time.time_ns() // 1000

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode, where what is read are the bytes of one plain file as it stands; else None."""
        return None

    def notices(self) -> list[str]:
        """What the user should be told since the last call, each naming the source."""
        said, self._said = self._said, []
        return said

    def say(self, text: str) -> None:
        """Keep a notice for `notices()`."""
        self._said.append(f"{self.name}: {text}")

    def fail(self, text: str, mend: str | None = None) -> None:
        """Keep the reason why not everything of the source could be read, for `failures()`."""
        self._failed.append(SourceError(text, where=self.name, mend=mend))

    def failures(self) -> list[SourceError]:
        """Why not everything could be read, as found since the last call; what was read stays."""
        failed, self._failed = self._failed, []
        return failed

    def close(self) -> None:  # noqa: B027 - a source may have nothing to give back
        """Give up descriptors, threads and children; calling it twice is fine."""

    def __enter__(self) -> OpenSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
