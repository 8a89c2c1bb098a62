"""A source of bytes that come in steps, for tests below the session."""

from __future__ import annotations

from typing import Literal


class Growing:
    """Satisfies `engine.ingest.Bytes`; a test sets `data` and `ended`."""

    def __init__(self, name: str, mtime_us: int) -> None:
        self.name = name
        self.kind: Literal["file", "stream", "messages"] = "file"
        self.data = b""
        self.ended = False
        self.follow = True
        self.mtime_us = mtime_us

    def pread(self, size: int, offset: int) -> bytes:
        return self.data[offset : offset + size]

    def size(self) -> int:
        return len(self.data)

    def finished(self) -> bool:
        return self.ended

    @property
    def identity(self) -> None:
        return None

    def poll(self) -> bool:
        return False

    def notices(self) -> list[str]:
        return []
