"""Rows between records: steps that did not happen, notes, unfolded and wrapped text. Rows of a list to positions and back."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from logscope.engine.answers import AbsentStep


@dataclass(frozen=True, slots=True)
class ExtraText:
    """A line of cleaned text under a record."""

    text: str
    role: str = "foreground"
    lead: str = "│ "


@dataclass(frozen=True, slots=True)
class WrapPart:
    """The part of a record's message that its row has no room for."""

    side: int
    """Characters of the message that stand before it."""


Extra = AbsentStep | ExtraText | WrapPart


class Extras:
    """Rows that stand behind positions of a view.

    Args:
        rows: (position of the record that it stands behind, row), those of a position in their order.
    """

    def __init__(self, rows: Iterable[tuple[int, Extra]] = ()) -> None:
        """Sorted by position."""
        self._rows = sorted(rows, key=lambda one: one[0])
        self._behind = [position for position, _ in self._rows]
        self._places = [position + 1 + before for before, position in enumerate(self._behind)]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def row_of(self, position: int) -> int:
        """The list's row of a position."""
        return position + bisect_left(self._behind, position)

    def position_of(self, row: int) -> int:
        """The position of a row; of a row between records that of the record before."""
        return row - bisect_right(self._places, row)

    def at(self, row: int) -> Extra | None:
        """What stands on a row, if it is no record."""
        place = bisect_left(self._places, row)
        return self._rows[place][1] if place < len(self._places) and self._places[place] == row else None
