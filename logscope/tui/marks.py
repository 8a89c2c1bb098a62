"""Records marked as steps of a rule to be, wherever one is: in the records view, a transaction, a comparison."""

from __future__ import annotations

HAPPENS, ABSENT = "■", "□"
"""Gutter signs of a marked step that happens, and of one that must not."""


class StepMarks:
    """Rows and whether the step they stand for is to be absent."""

    def __init__(self) -> None:
        """None is marked."""
        self._rows: dict[int, bool] = {}

    def __len__(self) -> int:
        """How many are marked."""
        return len(self._rows)

    @property
    def rows(self) -> tuple[tuple[int, bool], ...]:
        """(row, absent) each, in the order they were marked."""
        return tuple(self._rows.items())

    def turn(self, row: int, *, absent: bool = False) -> bool:
        """Mark a record, or take its mark away; whether it is marked now."""
        if row in self._rows:
            del self._rows[row]
            return False
        self._rows[row] = absent
        return True

    def clear(self) -> None:
        """No marks any more."""
        self._rows = {}

    def sign(self, row: int) -> str:
        """The gutter sign of a record; empty if it is not marked."""
        absent = self._rows.get(row)
        return "" if absent is None else ABSENT if absent else HAPPENS

    @property
    def signs(self) -> dict[int, str]:
        """All gutter signs by row."""
        return {row: self.sign(row) for row in self._rows}
