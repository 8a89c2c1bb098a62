"""The filters that a list was narrowed by, with back and forward."""

from __future__ import annotations


class Wheres:
    """Filters in the order they were tried, and at which one stands."""

    def __init__(self, first: str = "") -> None:
        """Begins with all, then `first` if there is one."""
        self._tried = ["", first] if first else [""]
        self._place = len(self._tried) - 1

    @property
    def now(self) -> str:
        """The filter in force; empty: all."""
        return self._tried[self._place]

    def go(self, where: str) -> None:
        """Another filter; what was ahead is forgotten."""
        if where != self.now:
            del self._tried[self._place + 1 :]
            self._tried.append(where)
            self._place += 1

    def failed(self) -> None:
        """The last filter does not compile: it was never in force."""
        if self._place:
            del self._tried[self._place :]
            self._place -= 1

    def back(self) -> bool:
        """To the filter before; False at the first."""
        if not self._place:
            return False
        self._place -= 1
        return True

    def forward(self) -> bool:
        """To the filter after; False at the last."""
        if self._place + 1 == len(self._tried):
            return False
        self._place += 1
        return True


def both(one: str, other: str) -> str:
    """A filter that asks for both of two."""
    if not one or not other:
        return one or other
    return f"({one}) ({other})" if " or " in f"{one} {other}" else f"{one} {other}"
