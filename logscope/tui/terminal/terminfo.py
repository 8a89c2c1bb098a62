"""What the terminal's entry in terminfo says of it."""

from __future__ import annotations

import curses
import os


def erases_in_background(terminal: int) -> bool:
    """Whether what this terminal erases takes the background in force, as its terminfo entry says.

    Args:
        terminal: Its file descriptor.
    """
    # GNU screen does not, and passes for what TERM is set to within it.
    if "STY" in os.environ:
        return False
    try:
        curses.setupterm(fd=terminal)
    except curses.error:
        return False
    return curses.tigetflag("bce") == 1 and curses.tigetstr("ech") == b"\x1b[%p1%dX"
