"""Writes to a terminal: where the cursor is, in which style it writes, and the shortest way on from there."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from logscope.tui.terminal import sgr

_BLANKS = re.compile(r" {6,}")
_JUMPED_LEAST = 10
"""Blanks within a text that are cheaper erased and jumped over, at 4 to 5 bytes each, than written."""


class Piece(NamedTuple):
    """Text of one style within a row."""

    y: int
    x: int
    style: str
    """Of blanks alone what shows on them, as from `sgr.of_blank`."""
    text: str
    blank: bool
    """Whether it is blanks alone, so that any colour of writing will do."""


class Pen:
    """Writes to a string, and knows where the cursor is and in which style it writes.

    Args:
        style: The style in force; None if it is not known.
        erases: Whether what the terminal erases takes the background in force.
    """

    __slots__ = ("_at", "_erases", "out", "style")

    def __init__(self, style: str | None, *, erases: bool) -> None:
        """The position is unknown."""
        self.out: list[str] = []
        self.style = style
        self._at: tuple[int, int] | None = None
        self._erases = erases

    def twin(self) -> Pen:
        """Another pen in the same state, with nothing written."""
        twin = Pen(self.style, erases=self._erases)
        twin._at = self._at
        return twin

    def take(self, other: Pen) -> None:
        """What a twin has written, as if it had been written by this one."""
        self.out += other.out
        self.style, self._at = other.style, other._at

    def move(self, y: int, x: int) -> None:
        """Put the cursor somewhere."""
        if self._at != (y, x):
            self.out.append(_way(self._at, y, x))
            self._at = (y, x)

    def write(self, piece: Piece, width: int) -> None:
        """Write a piece of a row that has `width` columns."""
        y, x, style, text, blank = piece
        if self._at != (y, x):
            self.out.append(_way(self._at, y, x))
        if blank:
            codes, self.style = sgr.for_blank(self.style, style)
        else:
            codes, self.style = sgr.change(self.style, style), style
        if codes:
            self.out.append(codes)
        if self._erases and "      " in text and sgr.erases_to(self.style, sgr.of_blank(self.style)):
            self._write_erasing(y, x, text, width)
            return
        self.out.append(text)
        end = x + len(text)
        # Past the last column terminals keep the cursor in places of their own.
        self._at = (y, end) if end < width else None

    def _write_erasing(self, y: int, x: int, text: str, width: int) -> None:
        """Write text whose runs of blanks are erased where that is shorter."""
        done, wide = 0, x + len(text)
        for found in _BLANKS.finditer(text):
            start, end = found.span()
            if end < len(text) and end - start < _JUMPED_LEAST:
                continue
            self.out.append(text[done:start])
            self.out.append(f"\x1b[{end - start}X")
            if end == len(text):
                self._at = (y, x + start)
                return
            self.out.append(f"\x1b[{end - start}C")
            done = end
        self.out.append(text[done:])
        self._at = (y, wide) if wide < width else None

    def raw(self, y: int, x: int, text: str) -> None:
        """Write what was not understood, as it came."""
        self._at = None
        self.move(y, x)
        self.plain()
        self.out.append(text)
        self._at = None

    def plain(self) -> None:
        """The terminal's own style."""
        if self.style != "":
            self.out.append("\x1b[m")
            self.style = ""

    def scroll(self, top: int, bottom: int, by: int) -> None:
        """Move the rows from `top` to `bottom` up by `by`, down if it is negative."""
        verb = f"\x1b[{'' if abs(by) == 1 else abs(by)}{'M' if by > 0 else 'L'}"
        self.out.append(f"\x1b[{top + 1};{bottom + 1}r\x1b[{top + 1}H{verb}\x1b[r")
        self._at = None


@lru_cache(maxsize=16384)
def _way(at: tuple[int, int] | None, y: int, x: int) -> str:
    """The shortest way to a place, from one or from anywhere."""
    ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
    if at is not None:
        down, right = y - at[0], x - at[1]
        vertical = "" if not down else _by(down, "B", "A")
        ways.append(vertical + ("" if not right else _by(right, "C", "D")))
        ways.append(vertical + "\r" + ("" if not x else _by(x, "C", "D")))
    return min(ways, key=len)


def _by(count: int, onward: str, back: str) -> str:
    return f"\x1b[{'' if abs(count) == 1 else abs(count)}{onward if count > 0 else back}"


def write_all(pen: Pen, pieces: list[Piece], width: int) -> None:
    """Write pieces in the order that takes the fewest bytes.

    A colour takes 17 bytes and a move 4 to 7: a style that comes again, in this row or another, is mostly cheaper written
    at once.

    Args:
        pen: Writes.
        pieces: Of some rows, by row and column; few rows, for on a slow line one sees the order.
        width: Columns of the rows.
    """
    if not pieces:
        return
    pens = []
    if pieces[0].y != pieces[-1].y:
        pens.append(pen.twin())
        for _, row in groupby(pieces, key=attrgetter("y")):
            write_all(pens[0], list(row), width)
    else:
        pens.append(_written(pen, pieces, width))
    pens += [_written(pen, order, width) for order in _orders(pen.style or "", pieces)]
    pen.take(min(pens, key=lambda one: sum(map(len, one.out))))


def _written(pen: Pen, pieces: list[Piece], width: int) -> Pen:
    twin = pen.twin()
    for piece in pieces:
        twin.write(piece, width)
    return twin


def _orders(present: str, pieces: list[Piece]) -> list[list[Piece]]:
    """Orders that may be the shortest: by backgrounds, by colours of writing."""
    looks = _looks(pieces)
    if len(set(looks)) == len(pieces):
        return []
    fronts, behinds = {sgr.front(present): 0}, {sgr.of_blank(present): 0}
    placed = []
    for piece, look in zip(pieces, looks, strict=True):
        front, behind = sgr.front(look), sgr.of_blank(look)
        placed.append((fronts.setdefault(front, len(fronts)), behinds.setdefault(behind, len(behinds)), piece))
    # Of the second what was the last of the first goes first, since it is in force.
    return [
        [piece for _, _, piece in sorted(placed, key=lambda one: (one[1], one[0] * _turn(one[1]), one[2]))],
        [piece for _, _, piece in sorted(placed, key=lambda one: (one[0], one[1] * _turn(one[0]), one[2]))],
    ]


def _turn(round_: int) -> int:
    return -1 if round_ % 2 else 1


def _looks(pieces: list[Piece]) -> list[str]:
    """The style that each is to be written in: blanks in one that is written on their background anyway."""
    writing = {sgr.of_blank(piece.style): piece.style for piece in reversed(pieces) if not piece.blank}
    return [writing.get(piece.style, piece.style) if piece.blank else piece.style for piece in pieces]
