"""How far the members of a compressed archive are looked for, on a terminal: nothing else can be shown meanwhile.

Ctrl-C ends the program; before the investigator opens, Esc ends the search alone, and what was found is opened.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from logscope.text import clean

_AFTER = 0.5
"""Seconds after which it is worth a word."""
_EVERY = 0.1


@contextmanager
def listing(*, keys: bool = False) -> Iterator[Callable[[str, int, int], bool] | None]:
    """Takes an archive's name, bytes read and bytes in all, and shows them on standard error; None where nobody looks.

    Args:
        keys: Whether Esc ends the search: `False` is answered from then on.
    """
    if not sys.stderr.isatty():
        yield None
        return
    shown = stopped = False
    begun = then = time.monotonic()
    keyboard = _Keyboard() if keys and sys.stdin is not None and sys.stdin.isatty() else None

    def told(name: str, read: int, size: int) -> bool:
        nonlocal shown, then, stopped
        now = time.monotonic()
        if not stopped and now - begun >= _AFTER and now - then >= _EVERY:
            shown, then = True, now
            share = f"{read / size:.0%}" if size else ""
            stops = "Esc" if keyboard is not None else "Ctrl-C"
            _write(f"logscope: looking for the members of {clean(name, cap=60)}  {share}  ({stops} stops)")
            stopped = keyboard is not None and keyboard.escaped()
        return not stopped

    try:
        yield told
    finally:
        if keyboard is not None:
            keyboard.close()
        if shown:
            _write("")


class _Keyboard:
    """Standard input, asked for single keys from the first question on."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._before: list[Any] | None = None

    def escaped(self) -> bool:
        """Whether Esc was pressed since; a key that only begins with it (an arrow) is none."""
        if self._before is None:
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd, termios.TCSANOW)
        return bool(select.select([self._fd], [], [], 0)[0]) and os.read(self._fd, 64).endswith(b"\x1b")

    def close(self) -> None:
        """The terminal as it was."""
        if self._before is not None:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._before)


def _write(text: str) -> None:
    """In place of the line before."""
    sys.stderr.write(f"\r{text}\x1b[K")
    sys.stderr.flush()
