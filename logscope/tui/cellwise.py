"""Where a text is broken into lines of so many cells: wide characters take two, joined ones none."""

from __future__ import annotations

from rich.cells import cell_len


def breaks(text: str, room: int) -> list[int]:
    """The places at which further lines begin, the first line's left out.

    Args:
        text: Cleaned.
        room: Cells of a line, one at least.
    """
    if text.isascii():
        return list(range(room, len(text), room))
    found, start, used = [], 0, 0
    for place, sign in enumerate(text):
        wide = cell_len(sign)
        if used + wide > room and place > start:
            found.append(place)
            start, used = place, 0
        used += wide
    return found


def broken(text: str, room: int) -> list[str]:
    """The lines of a text that has no line ends; an empty one is a line."""
    places = [0, *breaks(text, room)]
    return [text[start:end] for start, end in zip(places, [*places[1:], len(text)], strict=True)]
