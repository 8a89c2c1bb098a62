"""Sources without random access of their own, copied by a thread to a private temporary file."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from logscope.errors import LogscopeError, SourceError
from logscope.paths import private_folder, state_folder
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.files import UTF8_BOM, read_at

Chunks = Callable[["CopiedSource", threading.Event], Iterator[bytes]]
"""Makes the bytes of a source, in pieces; looks at the event often and ends when it is set."""


@dataclass(frozen=True, slots=True)
class CopyLimits:
    """What a copy may cost."""

    free_floor: int = 256 << 20
    """Bytes that stay free on the disk of the spool."""
    ratio: int = 1000
    """Expansion beyond which compressed input is taken for a bomb ..."""
    ratio_from: int = 1 << 30
    """... once it has come to so many bytes."""


def free_bytes(fd: int) -> int:
    """Bytes that may still be written where `fd` lies; plenty if the system does not say."""
    try:
        about = os.fstatvfs(fd)
    except OSError:
        return 1 << 62
    return about.f_bavail * about.f_frsize


class CopiedSource(OpenSource):
    """Bytes of a pipe, a compressed or a recoded file, readable anywhere as far as they have come."""

    _CHECK_EVERY = 16 << 20

    def __init__(
        self,
        spec: SourceSpec,
        chunks: Chunks,
        *,
        follow: bool = False,
        mtime_us: int | None = None,
        limits: CopyLimits | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        """Start to copy.

        Args:
            spec: Name and kind.
            chunks: Makes the bytes.
            follow: Whether more may always come.
            mtime_us: The original's time of writing; None: it is being written.
            limits: What the copy may cost.
            on_close: Called once the copying thread has ended.

        Raises:
            SourceError: There is no room, or no folder to copy to.
        """
        super().__init__(spec, follow=follow)
        self.limits = limits or CopyLimits()
        self._mtime_us = mtime_us
        self._on_close = on_close
        try:
            folder = private_folder(private_folder(state_folder() / "spool") / "tmp")
            # Has no name in the folder: nothing is left behind however this process ends.
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        except OSError as error:
            raise SourceError(
                f"cannot be copied to {state_folder() / 'spool'}: {error.strerror}",
                where=self.name,
                mend="point XDG_STATE_HOME at a folder that can be written",
            ) from error
        free = free_bytes(self._file.fileno())
        if free < self.limits.free_floor:
            self._file.close()
            raise self._no_room(free)
        self._size = 0
        self._seen: tuple[int, bool] = (0, False)
        self._done = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._copy, args=(chunks,), name=f"copy {self.name}", daemon=True)
        self._thread.start()

    def _no_room(self, free: int) -> SourceError:
        return SourceError(
            f"only {free >> 20} MiB are free where it is copied to ({state_folder() / 'spool'})",
            where=self.name,
            mend="free some space, or point XDG_STATE_HOME at a roomier disk",
        )

    def _copy(self, chunks: Chunks) -> None:
        unchecked = 0
        written = 0
        try:
            for chunk in chunks(self, self._stop):
                unchecked += len(chunk)
                if unchecked >= self._CHECK_EVERY:
                    unchecked = 0
                    free = free_bytes(self._file.fileno())
                    if free < self.limits.free_floor:
                        raise self._no_room(free)
                view = memoryview(chunk if written else chunk.removeprefix(UTF8_BOM))
                while view:
                    view = view[os.write(self._file.fileno(), view) :]
                written += len(chunk)
                self._size = os.lseek(self._file.fileno(), 0, os.SEEK_CUR)
                if self._stop.is_set():
                    break
        except LogscopeError as error:
            self.say(f"{error.message}; what was read stays" + (f"; {error.mend}" if error.mend else ""))
        except OSError as error:
            if not self._stop.is_set():
                self.say(f"{error.strerror or error}; what was read until then stays")
        finally:
            self._done = True

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes that have been copied."""
        wanted = min(size, self._size - offset)
        return read_at(self._file.fileno(), wanted, offset) if wanted > 0 and not self._file.closed else b""

    def size(self) -> int:
        """Bytes copied so far."""
        return self._size

    def finished(self) -> bool:
        """Whether the end has come and everything is copied."""
        return self._done

    def poll(self) -> bool:
        """Whether more has been copied since the last call."""
        seen, self._seen = self._seen, (self._size, self._done)
        return seen != self._seen

    @property
    def mtime_us(self) -> int:
        """The original's time of writing, or now."""
        return self._mtime_us if self._mtime_us is not None else super().mtime_us

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the copy; False if it has not come within `timeout` seconds."""
        self._thread.join(timeout)
        return self._done

    def close(self) -> None:
        """Stop copying and give the space back."""
        self._stop.set()
        self._thread.join(2)
        if self._on_close is not None:
            self._on_close()
            self._on_close = None
        if not self._thread.is_alive():
            self._file.close()
