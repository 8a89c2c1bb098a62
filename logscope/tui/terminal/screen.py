"""What was asked of the terminal, and what is left to be sent to it."""

from __future__ import annotations

import re
from collections.abc import Callable

from logscope.tui.terminal.cells import read_frame
from logscope.tui.terminal.delta import delta
from logscope.tui.terminal.grid import Grid
from logscope.tui.terminal.pen import Pen

SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
_HARMLESS = re.compile(
    r"(?:\x1b\[\?(?!1049|1047|47[hl])[\d;]*(?:\$p|[hl])"  # modes, but those that swap the screen
    r"|\x1b\[[<>=]?\d*u"  # keyboard protocol
    r"|\x1b\](?:52|22|0|2|9);[^\x07\x1b]*(?:\x07|\x1b\\)"  # clipboard, pointer, title, notification
    r"|\x07)+"
)
"""What changes no cell."""


class TerminalScreen:
    """Takes what Textual writes; gives what the terminal needs.

    Args:
        size: Columns and rows of the terminal now, for when it has changed.
        erases: Whether what the terminal erases takes the background in force.
    """

    def __init__(self, size: Callable[[], tuple[int, int]], *, erases: bool = False) -> None:
        """Nothing is known of what the terminal shows."""
        self._size = size
        self._wanted, self._shown = Grid(), Grid()
        self._touched: set[int] = set()
        self._out: list[str] = []
        self._after: list[str] = []
        self._cursor: tuple[int, int] | None = None
        self._told_cursor: tuple[int, int] | None = None
        self._sync = False
        self._forgotten = False
        self._style: str | None = None
        self._erases = erases

    def forget(self) -> None:
        """What the terminal shows is unknown from now on: the next frame is sent whole.

        Safe in a signal handler and from any thread.
        """
        self._forgotten = True

    def take(self, text: str) -> None:
        """One write of Textual's."""
        if text in (SYNC_START, SYNC_END):
            # Frames wait for one another here: they are wrapped anew when they are sent.
            self._sync = True
            return
        frame = read_frame(text)
        if frame is not None:
            self._touched |= self._wanted.apply(frame.chunks)
            self._cursor = frame.cursor or self._cursor
        elif _HARMLESS.fullmatch(text):
            self._after.append(text)
        else:
            self._flush()
            if self._style:
                self._out.append("\x1b[m")
            self._out.append(text)
            self._shown = Grid()
            if "\x1b[?1049" in text:
                self._wanted = Grid()
                self._cursor = None
            self._touched = set(range(len(self._wanted.rows)))
            self._told_cursor = None
            self._style = None

    def render(self) -> str:
        """What to send now for all that was taken since the last call."""
        self._flush()
        text = "".join(self._out)
        self._out.clear()
        return text

    def _flush(self) -> None:
        if self._forgotten:
            self._forgotten = False
            self._wanted.clip(*self._size())
            self._shown = Grid()
            self._touched = set(range(len(self._wanted.rows)))
            self._told_cursor = None
            self._style = None
        pen = Pen(self._style, erases=self._erases)
        delta(pen, self._shown, self._wanted, self._touched)
        changes, self._style = "".join(pen.out), pen.style
        self._touched = set()
        if self._cursor is not None and (changes or self._cursor != self._told_cursor):
            changes += f"\x1b[{self._cursor[0] + 1};{self._cursor[1] + 1}H"
            self._told_cursor = self._cursor
        if changes:
            self._out.append(f"{SYNC_START}{changes}{SYNC_END}" if self._sync else changes)
        self._out += self._after
        self._after.clear()
