"""`--since` and `--until`: which stretch of time is looked at."""

from __future__ import annotations

import time as clock
from typing import TYPE_CHECKING

from logscope.engine.rendering import iso
from logscope.language.units import parse_time

if TYPE_CHECKING:
    from logscope.engine.options import Options
    from logscope.records.store import StoreView


class Selection:
    """The stretch of time that the options choose.

    Args:
        options: With `since`, `until`, `follow`.
    """

    def __init__(self, options: Options) -> None:
        """Bounds are worked out when they are asked for, since relative ones depend on the records."""
        self._options = options

    def now(self, view: StoreView) -> int:
        """What relative times count from: now when following, else the newest record's time."""
        if not self._options.follow and view.records:
            newest = view.index.get_column("time").to_physical().max()
            if isinstance(newest, int):
                return newest
        return clock.time_ns() // 1000

    def narrowed(self, filter_text: str, view: StoreView) -> str:
        """A filter within the stretch."""
        now = self.now(view)
        terms = []
        for text, sign in ((self._options.since, ">="), (self._options.until, "<=")):
            if text:
                terms.append(f"time{sign}{iso(parse_time(text, now))}")
        if not terms:
            return filter_text
        return " ".join([*terms, f"({filter_text})"]) if filter_text.strip() else " ".join(terms)
