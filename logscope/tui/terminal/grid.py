"""The rows of a screen: as they are wanted, and as the terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from logscope.tui.terminal.cells import Cell, Chunk, Placed

_WILD_MOST = 16


@dataclass(slots=True)
class Row:
    """One row: its cells, and on top of them what only the terminal can lay out."""

    cells: list[Cell | None] = field(default_factory=list)
    """None where nothing was written yet."""
    wild: tuple[tuple[int, str, int], ...] = ()
    """(column, text as it came, columns), in the order written, since a chunk was not plain cells."""

    def key(self) -> tuple[object, ...]:
        """Equal for rows that look alike."""
        return (tuple(self.cells), self.wild)

    def copy(self) -> Row:
        """A row of its own that looks the same."""
        return Row(self.cells.copy(), self.wild)

    def covers(self, width: int) -> bool:
        """Whether something was written in each of the first `width` columns."""
        if not self.wild:
            return len(self.cells) >= width and None not in self.cells
        written = [cell is not None for cell in self.cells] + [False] * width
        for x, _, columns in self.wild:
            written[x : x + columns] = [True] * columns
        return all(written[:width])

    def put(self, x: int, chunk: Chunk) -> None:
        """Write a chunk."""
        if chunk.cells is not None and not self.wild:
            missing = x - len(self.cells)
            if missing > 0:
                self.cells += [None] * missing
            self.cells[x : x + chunk.width] = chunk.cells
            return
        wild = self.wild
        if len(wild) >= _WILD_MOST:
            # What is written again in the very same columns is no longer seen.
            wild = tuple(one for one in wild if (one[0], one[2]) != (x, chunk.width))
        self.wild = (*wild, (x, chunk.raw, chunk.width))


class Grid:
    """Rows from the top, as many as were written to."""

    def __init__(self) -> None:
        """Nothing is known."""
        self.rows: list[Row] = []

    def row(self, y: int) -> Row:
        """The row at a place, made if there is none yet."""
        while len(self.rows) <= y:
            self.rows.append(Row())
        return self.rows[y]

    def apply(self, chunks: Iterable[Placed]) -> set[int]:
        """Write a frame.

        Returns:
            The rows written to.
        """
        by_row: dict[int, list[Placed]] = {}
        for one in chunks:
            by_row.setdefault(one.y, []).append(one)
        for y, placed in by_row.items():
            row = self.row(y)
            wild = row.wild or any(one.chunk.cells is None for one in placed)
            if wild and _covers(placed, _extent(row)):
                row.cells, row.wild = [], ()
            for one in placed:
                row.put(one.x, one.chunk)
        return set(by_row)

    def clip(self, width: int, height: int) -> None:
        """Forget what is beyond a terminal of this size."""
        del self.rows[height:]
        for row in self.rows:
            del row.cells[width:]
            if any(x + columns > width for x, _, columns in row.wild):
                # What a cut makes of it only the terminal knows; it is painted again by Textual.
                row.cells, row.wild = [], ()


def _extent(row: Row) -> int:
    return max([len(row.cells), *(x + width for x, _, width in row.wild)])


def _covers(placed: list[Placed], extent: int) -> bool:
    """Whether chunks leave no column of a row as it was."""
    reached = 0
    for one in sorted(placed, key=lambda each: each.x):
        if one.x > reached:
            return False
        reached = max(reached, one.x + one.chunk.width)
    return reached >= extent
