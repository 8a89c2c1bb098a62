"""Members of archives as open sources: read where they lie, or copied one after another by a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from logscope.errors import LogscopeError
from logscope.sources.base import OpenSource, SourceSpec, TakesApart
from logscope.sources.plain import plain_text
from logscope.sources.scratch import CopyLimits, Scratch, check_ratio
from logscope.sources.zips import ZIP_ERRORS

_PIECE = 1 << 20


@dataclass(slots=True)
class Window:
    """A stretch of bytes that can be read anywhere."""

    read: Callable[[int, int], bytes]
    """Size and offset to bytes."""
    base: int
    size: int

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset` within the window."""
        wanted = min(size, self.size - offset)
        return self.read(wanted, self.base + offset) if wanted > 0 else b""

    def pieces(self) -> Iterator[bytes]:
        """All its bytes."""
        offset = 0
        while piece := self.pread(_PIECE, offset):
            offset += len(piece)
            yield piece


@dataclass(frozen=True, slots=True)
class Entry:
    """A member that is read."""

    name: str
    mtime_us: int
    pieces: Callable[[], Iterator[bytes]]
    """Makes its bytes as the archive holds them."""
    window: Window | None
    """Where they lie, if they lie anywhere."""


class WindowSource(OpenSource):
    """A member that is read where it lies."""

    def __init__(self, spec: SourceSpec, window: Window, mtime_us: int, on_close: Callable[[], None]) -> None:
        """All of it is there."""
        super().__init__(spec)
        self._window = window
        self._mtime_us = mtime_us
        self._on_close: Callable[[], None] | None = on_close

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes of the member."""
        return self._window.pread(size, offset)

    def size(self) -> int:
        """The member's size."""
        return self._window.size

    def finished(self) -> bool:
        """True."""
        return True

    @property
    def mtime_us(self) -> int:
        """What the archive says."""
        return self._mtime_us

    def close(self) -> None:
        """Let go of the archive."""
        done, self._on_close = self._on_close, None
        if done is not None:
            done()


class MemberSource(OpenSource):
    """A member that is copied to the archive's scratch space when its turn comes."""

    def __init__(
        self,
        spec: SourceSpec,
        scratch: Scratch,
        mtime_us: int,
        limits: CopyLimits,
        on_close: Callable[[], None],
        packed: int,
        apart: TakesApart | None = None,
    ) -> None:
        """Nothing of it is there yet; `packed` is how large the whole archive is."""
        super().__init__(spec)
        self._packed = packed
        self._scratch = scratch
        self._mtime_us = mtime_us
        self._limits = limits
        self._on_close: Callable[[], None] | None = on_close
        self._apart = apart
        self._base = 0
        self._size = 0
        self._done = False
        self._stop = threading.Event()
        self._seen: tuple[int, bool] = (0, False)

    def take(self, entry: Entry, forced: str | None) -> None:
        """Copy it, on the archive's thread; what is wrong is in `failures`."""
        self._base = self._scratch.size
        try:
            text = plain_text(self, self._stop, entry.pieces(), forced)
            for chunk in text if self._apart is None else self._apart.lines(text):
                # Thousands of members may be bombs together, each small by itself.
                check_ratio(self._limits, self._scratch.size + len(chunk), self._packed)
                self._scratch.append(chunk)
                self._size += len(chunk)
                if self._stop.is_set():
                    break
        except LogscopeError as error:
            self.fail(f"{error.message}; what was read stays", error.mend)
        except ZIP_ERRORS as error:
            if not self._stop.is_set():
                self.fail(f"is damaged ({error}); what comes before is read")
        finally:
            self._done = True

    def check_ratio(self, made: int, taken: int, most: int | None = None) -> None:
        """See `scratch.check_ratio`."""
        check_ratio(self._limits, made, taken, most)

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes that have been copied."""
        wanted = min(size, self._size - offset)
        return self._scratch.pread(wanted, self._base + offset) if wanted > 0 else b""

    def size(self) -> int:
        """Bytes copied so far."""
        return self._size

    def finished(self) -> bool:
        """Whether all of it is copied, or nothing more can be."""
        return self._done

    def poll(self) -> bool:
        """Whether more has been copied since the last call."""
        seen, self._seen = self._seen, (self._size, self._done)
        return seen != self._seen

    @property
    def mtime_us(self) -> int:
        """What the archive says."""
        return self._mtime_us

    def close(self) -> None:
        """Stop copying, and let go of the archive."""
        self._stop.set()
        done, self._on_close = self._on_close, None
        if done is not None:
            done()


class Unpacking:
    """Copies members one after another on a thread that lives while there are any."""

    def __init__(self) -> None:
        """Nothing is to be done."""
        self._lock = threading.Lock()
        self._queue: deque[tuple[MemberSource, Entry, str | None]] = deque()
        self._thread: threading.Thread | None = None

    def add(self, source: MemberSource, entry: Entry, forced: str | None) -> None:
        """Copy a member when those before it are done."""
        with self._lock:
            self._queue.append((source, entry, forced))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"unpack {source.name}", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._thread = None
                    return
                source, entry, forced = self._queue.popleft()
            source.take(entry, forced)

    def close(self) -> None:
        """Stop; every source's own `close` has been called."""
        with self._lock:
            self._queue.clear()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(2)
