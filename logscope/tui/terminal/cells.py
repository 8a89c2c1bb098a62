"""Textual's frames as cells: read, never guessed. What is not understood is said to be so."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

from logscope.tui.terminal import sgr

Cell = tuple[str, str]
"""A character of one column, and the SGR parameters it is written with ("" are the terminal's own).

A blank has only what shows on it.
"""

_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
_PIECE = re.compile(r"\x1b\[([\d;:]*)m|\x1b\](8;[^\x07\x1b]*)\x1b\\|([^\x00-\x1f\x7f-\x9f]+)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is written from one position on."""

    raw: str
    """As it came."""
    width: int
    """Columns it takes."""
    cells: tuple[Cell, ...] | None
    """A cell a column; None where terminals may not agree on the columns: wide, combining, links."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk at its place; rows and columns count from 0."""

    y: int
    x: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Frame:
    """Chunks in the order in which they were written, and where the cursor was left."""

    chunks: tuple[Placed, ...]
    cursor: tuple[int, int] | None


def read_frame(text: str) -> Frame | None:
    """A frame of Textual's, or None if it is anything else.

    Args:
        text: What was given to the driver in one write.
    """
    parts = _MOVE.split(text)
    if len(parts) == 1 or parts[0]:
        return None
    placed: list[Placed] = []
    cursor = None
    for place in range(1, len(parts), 3):
        y, x, body = int(parts[place]) - 1, int(parts[place + 1]) - 1, parts[place + 2]
        # Textual ends its lines; the next chunk begins with a position of its own.
        body = body.removesuffix("\n")
        cursor = None if body else (y, x)
        if not body:
            continue
        chunk = read_chunk(body)
        if chunk is None:
            return None
        placed.append(Placed(y, x, chunk))
    return Frame(tuple(placed), cursor)


@lru_cache(maxsize=4096)
def read_chunk(body: str) -> Chunk | None:
    """Text and its styles, or None if there is anything else in it, or it leaves a style behind.

    Args:
        body: What follows a position.
    """
    cells: list[Cell] = []
    style, place, width, plain = "", 0, 0, True
    for found in _PIECE.finditer(body):
        if found.start() != place:
            return None
        place = found.end()
        codes, link, text = found.groups()
        if text is not None:
            if plain and _narrow(text):
                blank = (" ", sgr.of_blank(style))
                cells += [blank if char == " " else (char, style) for char in text]
                width += len(text)
            else:
                plain = False
                width += cell_len(text)
        elif link is not None:
            plain = False
        else:
            style = _after(style, codes)
    if place != len(body) or style:
        return None
    return Chunk(body, width, tuple(cells) if plain else None)


def _after(style: str, codes: str) -> str:
    """The style in force after an SGR sequence."""
    if codes in ("", "0"):
        return ""
    if codes.startswith("0;"):
        return codes[2:]
    return f"{style};{codes}" if style else codes


@lru_cache(maxsize=8192)
def _narrow(text: str) -> bool:
    """Whether all terminals give each character one column."""
    return text.isascii() or all(char < "\x7f" or _one_column(char) for char in text)


@lru_cache(maxsize=8192)
def _one_column(char: str) -> bool:
    return (
        unicodedata.east_asian_width(char) not in "WF"
        and unicodedata.category(char)[0] not in "MC"
        and get_character_cell_size(char) == 1
    )
