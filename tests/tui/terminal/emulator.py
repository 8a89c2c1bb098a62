"""A terminal that shows what it was sent, to compare two of them cell for cell."""

from __future__ import annotations

import re

import pyte

# pyte takes these for text or for an SGR; terminals do not.
_BESIDE = re.compile(r"\x1b\[[<>=][\d;]*[a-z]|\x1b\[\?[\d;]*\$p|\x1b\]22;[^\x07]*\x07")


class Terminal:
    """pyte at a size."""

    def __init__(self, width: int, height: int) -> None:
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.Stream(self._screen)
        self._stream.feed("\x1b[20l\x1b[?7l")

    def feed(self, text: str) -> None:
        # The line discipline of a terminal makes CR LF of LF.
        self._stream.feed(_BESIDE.sub("", text).replace("\n", "\r\n"))

    def resize(self, width: int, height: int) -> None:
        self._screen.resize(height, width)

    @property
    def size(self) -> tuple[int, int]:
        return self._screen.columns, self._screen.lines

    def cells(self) -> list[list[tuple[object, ...]]]:
        """Characters and all that is visible of their styles."""
        screen = self._screen
        return [[_visible(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]

    def text(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def cursor(self) -> tuple[int, int]:
        return self._screen.cursor.y, self._screen.cursor.x


def _visible(cell: pyte.screens.Char) -> tuple[object, ...]:
    if cell.data == " " and cell.reverse and cell.fg != "default" and not (cell.underscore or cell.strikethrough):
        return cell.data, cell.fg
    drawn = (cell.underscore, cell.strikethrough, cell.reverse, cell.blink)
    if cell.data == " " and not any(drawn):
        return cell.data, cell.bg
    return cell.data, cell.fg, cell.bg, cell.bold, cell.italics, *drawn
