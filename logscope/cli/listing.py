"""How far the members of a compressed archive are looked for, on a terminal: nothing else can be shown meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logscope.text import clean

_AFTER = 0.5
"""Seconds after which it is worth a word."""
_EVERY = 0.1


@contextmanager
def listing() -> Iterator[Callable[[str, int, int], None] | None]:
    """Takes an archive's name, bytes read and bytes in all, and shows them on standard error; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    shown = False
    begun = then = time.monotonic()

    def told(name: str, read: int, size: int) -> None:
        nonlocal shown, then
        now = time.monotonic()
        if now - begun >= _AFTER and now - then >= _EVERY:
            shown, then = True, now
            share = f"{read / size:.0%}" if size else ""
            _write(f"logscope: looking for the members of {clean(name, cap=60)}  {share}  (Ctrl-C stops)")

    try:
        yield told
    finally:
        if shown:
            _write("")


def _write(text: str) -> None:
    """In place of the line before."""
    sys.stderr.write(f"\r{text}\x1b[K")
    sys.stderr.flush()
