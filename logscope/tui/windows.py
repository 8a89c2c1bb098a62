"""Records paged in windows: only what is near the screen is ever held."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from logscope.engine.answers import Line, Mark

SIZE = 256
"""Records of a window: the engine reads as many in little more time than a screenful."""
KEPT = 32
NEAR = 96
"""Records before a window's end at which the next one is asked for: two to three screens, more time than it takes."""


Marks = Callable[[Sequence[int]], Mapping[int, Mark]]
"""Which of some rows are steps of a detection; cheap."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of a view's records, with what is marked in it."""

    start: int
    lines: tuple[Line, ...]
    before: Line | None
    """The record before the first, for the time since."""
    version: int = 0
    context: frozenset[int] = frozenset()
    """Rows that only stand near what the filter keeps."""
    cells: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """row -> values of the fields that have columns."""
    marks: Mapping[int, Mark] = field(default_factory=dict)
    """Of its rows those that are steps of a detection."""

    def line(self, position: int) -> Line | None:
        """The record at a position of the view."""
        place = position - self.start
        return self.lines[place] if 0 <= place < len(self.lines) else None

    def previous(self, position: int) -> Line | None:
        """The record before the one at a position."""
        place = position - self.start
        return self.before if place == 0 else self.lines[place - 1] if 0 < place <= len(self.lines) else None


class Windows:
    """The windows of one view. A stale one is shown until its successor is there."""

    def __init__(self, request: Callable[[int, int, int], None], marks: Marks) -> None:
        """`request(start, stop, version)` is to fetch a window and hand it to `put`."""
        self._request = request
        self._marks = marks
        self._held: OrderedDict[int, Window] = OrderedDict()
        self._asked: set[int] = set()
        self._version = 0
        self.height = 0

    def reset(self, height: int, *, keep: bool) -> None:
        """The view has changed.

        Args:
            height: Records in it now.
            keep: It has only grown: what is held may be shown until the new is there.
        """
        self.height = height
        self._version += 1
        self._asked.clear()
        if not keep:
            self._held.clear()

    def put(self, window: Window) -> bool:
        """Take a fetched window; False if it has been overtaken."""
        if window.version != self._version:
            return False
        index = window.start // SIZE
        self._asked.discard(index)
        # Marked now and not where it was read: meanwhile more may have been found.
        self._held[index] = self._marked(window)
        self._held.move_to_end(index)
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        return True

    def mark_again(self) -> bool:
        """Look for the marks of what is at hand; whether some are others now."""
        changed = False
        for index, window in self._held.items():
            marked = self._marked(window)
            if marked.marks != window.marks:
                self._held[index] = marked
                changed = True
        return changed

    def _marked(self, window: Window) -> Window:
        return replace(window, marks=self._marks([line.row for line in window.lines]))

    def at(self, position: int) -> Window | None:
        """The window of a position; asks for it where it is missing or stale, then for the one that comes near."""
        index = position // SIZE
        self._want(index)
        held = self._held.get(index)
        if held is not None and held.version == self._version:
            # Not before it is there itself: they would make it wait.
            self._ahead(index, position)
        return held

    def _ahead(self, index: int, position: int) -> None:
        """Ask for the window whose records are near; one at a time, since a jump elsewhere would wait for all."""
        inside = position - index * SIZE
        if not self._asked and inside >= SIZE - NEAR:
            self._want(index + 1)
        if not self._asked and inside < NEAR:
            self._want(index - 1)

    def line(self, position: int) -> Line | None:
        """The record at a position, if it is at hand."""
        window = self._held.get(position // SIZE)
        return window.line(position) if window else None

    def _want(self, index: int) -> None:
        start = index * SIZE
        if not 0 <= start < self.height or index in self._asked:
            return
        held = self._held.get(index)
        if held is not None and held.version == self._version:
            return
        self._asked.add(index)
        self._request(start, min(start + SIZE, self.height), self._version)
