"""How much memory a session may keep: for text and columns, and for the index."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import subprocess
import time as clock
from pathlib import Path

from logscope.paths import cache_folder
from logscope.records.spilling import Spill

_SHARE = 4
_LEAST = 64 << 20
_LOOK_SECONDS = 1.0
_WORKING = 384 << 20
"""Bytes of the program, and of blocks with their columns while a filter looks at them on several threads."""


def session_budget(asked: int | None) -> int:
    """Bytes that the process may keep in all.

    Args:
        asked: `--memory`; a quarter of the machine's memory by default.
    """
    return _allowed(asked)


def anonymous() -> int:
    """Bytes of memory that are resident and ours alone: pages of files the system can take back."""
    try:
        _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
        return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        pass
    try:
        told = subprocess.run(["/bin/ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, check=True).stdout
        return int(told) << 10
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


class Room:
    """Whether there is memory for more of what comes to a session that shows it all.

    Args:
        asked: `--memory`; a quarter of the machine's memory by default.
    """

    def __init__(self, asked: int | None) -> None:
        """Nothing was measured."""
        self._budget = session_budget(asked)
        self._looked = 0.0
        self._full = False

    def full(self) -> bool:
        """Whether the process has outgrown its memory: measured once a second at most."""
        now = clock.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._full = anonymous() > self._budget
        return self._full

    def said(self) -> tuple[str, ...]:
        """What people should know."""
        if not self._full:
            return ()
        words = (
            f"--memory: {self._budget >> 20} MiB are used up, and no more is read (listeners receive on to their spools): "
            "open it anew with --since, or with more --memory"
        )
        return (words,)


def give_back() -> None:
    """What was freed goes back to the system."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def budget(asked: int | None) -> int:
    """Bytes for the block and column cache: a third of what is allowed beyond what program and query take themselves.

    The other thirds are for the index and its order, and for the rows of views, which grow with the records.

    Args:
        asked: `--memory`; a quarter of the machine's memory by default.
    """
    return max(_LEAST, (_allowed(asked) - _WORKING) // 3)


def index_budget(asked: int | None) -> int:
    """Bytes of index columns that are held in memory before they are spilled: an eighth of what is allowed.

    Args:
        asked: `--memory`.
    """
    return max(_LEAST // 4, _allowed(asked) // 8)


def spill() -> Spill:
    """Where index columns beyond that go."""
    return Spill(cache_folder() / "spill")


def _allowed(asked: int | None) -> int:
    # What a running query and the linker need comes out of the same sum, so no share takes all.
    if asked is not None:
        return asked
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _SHARE
    except (ValueError, OSError):
        return 1 << 30
