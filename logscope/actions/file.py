"""The action `file`: appends each event as a line of JSON to one file."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from logscope.actions.base import Failed
from logscope.actions.event import Event
from logscope.actions.settings import Reader

_TAIL = 1 << 20


class FileSender:
    """Appends to a file; what stands at its end already is not appended again.

    Args:
        path: Opened anew for each batch, so that it may be rotated; a symbolic link is not followed.
    """

    TRIES = 1_000_000
    FLOOD = "none"

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self.path = path
        self.target = str(path)
        self.batch = 256
        self.patient = True
        self._fresh = True

    @classmethod
    def read(cls, table: Reader) -> FileSender:
        """From its settings: `path`.

        Raises:
            ConfigError: A setting that cannot be used.
        """
        return cls(table.path("path"))

    def open(self, origin: str) -> None:
        """A kill may have come between a line and the outbox's note of it: the next lines are compared with the end."""
        self._fresh = True

    def send(self, events: Sequence[Event]) -> None:
        """Append and wait for the disk.

        Raises:
            Failed: The file cannot be written; it is as it was.
        """
        try:
            fd = os.open(
                self.path,
                os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
                0o600,
            )
        except OSError as error:
            link = " (a symbolic link is not followed)" if self.path.is_symlink() else ""
            raise Failed(f"cannot be opened: {error.strerror}{link}") from error
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Failed("is no regular file")
            self._append(fd, events)
        except OSError as error:
            raise Failed(f"cannot be written: {error.strerror}") from error
        finally:
            os.close(fd)

    def _append(self, fd: int, events: Sequence[Event]) -> None:
        size = os.fstat(fd).st_size
        tail = os.pread(fd, _TAIL, max(0, size - _TAIL)) if size else b""
        there = _keys(tail) if self._fresh else set()
        lines = b"".join(event.body + b"\n" for event in events if event.key not in there)
        if lines:
            if tail and not tail.endswith(b"\n"):
                # Somebody's last line is torn; ours shall be whole.
                lines = b"\n" + lines
            written = os.write(fd, lines)
            if written < len(lines):
                os.ftruncate(fd, size)
                raise Failed("cannot be written: no space")
            os.fsync(fd)
        self._fresh = False

    def close(self) -> None:
        """Nothing stays open."""


def _keys(tail: bytes) -> set[str]:
    """The events in the last lines of a file."""
    found = set()
    for line in tail.split(b"\n"):
        try:
            entry = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if isinstance(entry, dict) and "detection" in entry:
            found.add(f"{entry['detection']}-{entry.get('state')}")
    return found
