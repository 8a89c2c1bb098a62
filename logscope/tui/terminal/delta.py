"""The bytes that turn what the terminal shows into what is wanted."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection

from logscope.tui.terminal import sgr
from logscope.tui.terminal.cells import Cell
from logscope.tui.terminal.grid import Grid, Row

_GAP = 4
"""Equal cells that are cheaper written again than jumped over."""
_SCROLLED_LEAST = 3
"""Rows that must have moved together for a scroll to pay."""


class Pen:
    """Writes to a string, and knows where the cursor is and in which style it writes."""

    def __init__(self, style: str | None) -> None:
        """The position is unknown, and with None the style too."""
        self.out: list[str] = []
        self._at: tuple[int, int] | None = None
        self._style = style

    def move(self, y: int, x: int) -> None:
        """Put the cursor somewhere."""
        if self._at == (y, x):
            return
        if self._at is not None and self._at[0] == y:
            forward = x - self._at[1]
            self.out.append(f"\x1b[{x + 1}G" if forward < 0 else "\x1b[C" if forward == 1 else f"\x1b[{forward}C")
        else:
            self.out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H")
        self._at = (y, x)

    def cells(self, y: int, x: int, cells: list[Cell], width: int) -> None:
        """Write cells of a row that has `width` columns."""
        self.move(y, x)
        for char, style in cells:
            if style != self._style and not (
                char == " " and self._style is not None and sgr.blank_fits(self._style, style)
            ):
                self.out.append(sgr.change(self._style, style))
                self._style = style
            self.out.append(char)
        end = x + len(cells)
        # Past the last column terminals keep the cursor in places of their own.
        self._at = (y, end) if end < width else None

    def row(self, y: int, runs: list[tuple[int, list[Cell]]], width: int) -> None:
        """Write stretches of a row, from left to right or style by style, whichever takes fewer bytes.

        A colour takes 17 bytes and a move 5: a style that comes again further right is cheaper written at once.

        Args:
            y: The row.
            runs: The column that each begins at, and its cells.
            width: Columns of the row.
        """
        plain = Pen(self._style)
        plain._at = self._at
        for x, cells in runs:
            plain.cells(y, x, cells, width)
        pieces = _pieces(runs)
        chosen = plain
        if len({style for style, _, _ in pieces}) < len(pieces):
            grouped = Pen(self._style)
            grouped._at = self._at
            order = {style: place for place, (style, _, _) in reversed(list(enumerate(pieces)))}
            order[self._style or ""] = -1
            for _, x, cells in sorted(pieces, key=lambda piece: (order[piece[0]], piece[1])):
                grouped.cells(y, x, cells, width)
            chosen = min(plain, grouped, key=lambda pen: sum(map(len, pen.out)))
        self.out += chosen.out
        self._at, self._style = chosen._at, chosen._style

    def raw(self, y: int, x: int, text: str) -> None:
        """Write what was not understood, as it came."""
        self._at = None
        self.move(y, x)
        self.plain()
        self.out.append(text)
        self._at = None

    def plain(self) -> None:
        """The terminal's own style."""
        if self._style != "":
            self.out.append("\x1b[m")
            self._style = ""

    def scroll(self, top: int, bottom: int, by: int) -> None:
        """Move the rows from `top` to `bottom` up by `by`, down if it is negative."""
        # What comes in is blank in the present background on some terminals, not on others.
        self.plain()
        verb = f"\x1b[{abs(by)}{'M' if by > 0 else 'L'}"
        self.out.append(f"\x1b[{top + 1};{bottom + 1}r\x1b[{top + 1}H{verb}\x1b[r")
        self._at = None


def delta(shown: Grid, wanted: Grid, touched: Collection[int], style: str | None = None) -> str:
    """Make `shown` equal to `wanted`.

    Args:
        shown: What the terminal shows; changed.
        wanted: What it is to show.
        touched: The rows that may differ.
        style: The style in force; None if it is not known.

    Returns:
        What to write for it; empty if nothing differs.
    """
    pen = Pen(style)
    changed = [y for y in sorted(touched) if shown.row(y) != wanted.row(y)]
    if len(changed) > _SCROLLED_LEAST:
        moved = _moved(shown, wanted, changed)
        if moved is not None:
            top, bottom, by = moved
            pen.scroll(top, bottom, by)
            blank = [Row() for _ in range(abs(by))]
            rows = shown.rows[top : bottom + 1]
            shown.rows[top : bottom + 1] = [*rows[by:], *blank] if by > 0 else [*blank, *rows[:by]]
            changed = [y for y in range(top, bottom + 1) if shown.rows[y] != wanted.row(y)] + [
                y for y in changed if not top <= y <= bottom
            ]
    for y in changed:
        _row(pen, y, shown.row(y), wanted.row(y))
        shown.rows[y] = wanted.row(y).copy()
    if pen.out:
        pen.plain()
    return "".join(pen.out)


def _moved(shown: Grid, wanted: Grid, changed: list[int]) -> tuple[int, int, int] | None:
    """The stretch of rows that has moved: top, bottom, and by how many rows up (down if negative)."""
    first, last = changed[0], changed[-1]
    before: dict[object, list[int]] = {}
    for y in range(first, last + 1):
        before.setdefault(shown.row(y).key(), []).append(y)
    votes: Counter[int] = Counter()
    for y in changed:
        olds = before.get(wanted.row(y).key(), ())
        # Rows that are all over the screen, blank ones above all, tell nothing.
        if 0 < len(olds) <= 2 and any(wanted.row(y).cells):
            votes.update(old - y for old in olds if old != y)
    if not votes:
        return None
    by, count = votes.most_common(1)[0]
    if count < _SCROLLED_LEAST:
        return None
    matched = [y for y in changed if first <= y + by <= last and shown.row(y + by) == wanted.row(y)]
    low, high = matched[0], matched[-1]
    # At the ends rows have moved that changed on the way: the cursor's, those beside a scroll bar's thumb.
    while first <= low - 1 and first <= low - 1 + by and _came(shown, wanted, low - 1, by):
        low -= 1
    while high + 1 <= last and high + 1 + by <= last and _came(shown, wanted, high + 1, by):
        high += 1
    top, bottom = min(low, low + by), max(high, high + by)
    kept = sum(shown.row(y) == wanted.row(y) for y in range(top, bottom + 1))
    return (top, bottom, by) if len(matched) > kept + 1 else None


def _came(shown: Grid, wanted: Grid, y: int, by: int) -> bool:
    """Whether a row looks more like the one `by` below it did than like itself before."""
    cells = wanted.row(y).cells
    return _alike(shown.row(y + by).cells, cells) > _alike(shown.row(y).cells, cells)


def _alike(old: list[Cell | None], new: list[Cell | None]) -> int:
    return sum(map(operator.eq, old, new))


def _row(pen: Pen, y: int, old: Row, new: Row) -> None:
    """Write what differs in a row."""
    width = max(len(new.cells), len(old.cells))
    cells: list[Cell | None] = old.cells
    if old.wild:
        if new.cells == old.cells and new.wild[: len(old.wild)] == old.wild:
            for x, text, _ in new.wild[len(old.wild) :]:
                pen.raw(y, x, text)
            return
        cells = []
    runs = [
        (start, [cell for cell in new.cells[start:end] if cell is not None]) for start, end in _runs(cells, new.cells)
    ]
    pen.row(y, runs, width)
    for x, text, _ in new.wild:
        pen.raw(y, x, text)


def _pieces(runs: list[tuple[int, list[Cell]]]) -> list[tuple[str, int, list[Cell]]]:
    """Stretches of one style each: the style, the column, the cells; a blank goes with what stands before it."""
    pieces: list[tuple[str, int, list[Cell]]] = []
    for start, cells in runs:
        first = len(pieces)
        for x, cell in enumerate(cells, start):
            char, style = cell
            last = pieces[-1][0] if len(pieces) > first else None
            if last is not None and (style == last or (char == " " and sgr.blank_fits(last, style))):
                pieces[-1][2].append(cell)
            else:
                pieces.append((style, x, [cell]))
    return pieces


def _runs(old: list[Cell | None], new: list[Cell | None]) -> list[tuple[int, int]]:
    """Stretches of cells to write again, none of them unknown."""
    runs: list[tuple[int, int]] = []
    known = len(old)
    for x, cell in enumerate(new):
        if cell is None or (x < known and old[x] == cell):
            continue
        if runs and x - runs[-1][1] <= _GAP and None not in new[runs[-1][1] : x]:
            runs[-1] = (runs[-1][0], x + 1)
        else:
            runs.append((x, x + 1))
    return runs
