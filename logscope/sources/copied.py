"""Sources without random access of their own, copied by a thread to memory or a private temporary file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from logscope.errors import LogscopeError
from logscope.sources.base import OpenSource, SourceSpec
from logscope.sources.files import UTF8_BOM
from logscope.sources.scratch import CopyLimits, Scratch, check_ratio

Chunks = Callable[["CopiedSource", threading.Event], Iterator[bytes]]
"""Makes the bytes of a source, in pieces; looks at the event often and ends when it is set."""


class CopiedSource(OpenSource):
    """Bytes of a pipe, a compressed or a recoded file, readable anywhere as far as they have come."""

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
        """
        super().__init__(spec, follow=follow)
        self.limits = limits or CopyLimits()
        self._mtime_us = mtime_us
        self._on_close = on_close
        self._scratch = Scratch(self.name, self.limits)
        self._seen: tuple[int, bool] = (0, False)
        self._done = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._copy, args=(chunks,), name=f"copy {self.name}", daemon=True)
        self._thread.start()

    def _copy(self, chunks: Chunks) -> None:
        try:
            for chunk in chunks(self, self._stop):
                self._scratch.append(chunk if self._scratch.size else chunk.removeprefix(UTF8_BOM))
                if self._stop.is_set():
                    break
        except LogscopeError as error:
            self.fail(f"{error.message}; what was read stays", error.mend)
        except OSError as error:
            if not self._stop.is_set():
                self.fail(f"{error.strerror or error}; what was read until then stays")
        finally:
            self._done = True
            self._give_back()

    def check_ratio(self, made: int, taken: int, most: int | None = None) -> None:
        """Raise a SourceError if so much was made of so little that it must be a bomb: `most` times, or fewer."""
        check_ratio(self.limits, made, taken, most)

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes that have been copied."""
        return self._scratch.pread(size, offset)

    def size(self) -> int:
        """Bytes copied so far."""
        return self._scratch.size

    def finished(self) -> bool:
        """Whether the end has come and everything is copied."""
        return self._done

    def poll(self) -> bool:
        """Whether more has been copied since the last call."""
        seen, self._seen = self._seen, (self._scratch.size, self._done)
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
        if not self._thread.is_alive():
            self._scratch.close()

    def _give_back(self) -> None:
        given, self._on_close = self._on_close, None
        if given is not None:
            given()
