"""Key values of all records: those that link as they are linked, others when first asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation.extract import columns_needed, extract
from logscope.engine.ahead import ahead
from logscope.engine.selection import Selection
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.correlation.plan import Plan
    from logscope.engine.frames import Frames
    from logscope.engine.options import Options
    from logscope.records.store import Segment, Store, StoreView


class KeyValues:
    """What `correlation.extract` finds, kept.

    Args:
        store: The records.
        frames: Their columns.
        options: With what limits the records.
    """

    def __init__(self, store: Store, frames: Frames, options: Options) -> None:
        """Nothing is extracted yet."""
        self._store = store
        self._frames = frames
        self._selection = Selection(options)
        self._linked: list[pl.DataFrame] = []
        self._newest: tuple[int, pl.DataFrame] = (0, pl.DataFrame(schema=schema.KEY_VALUES))
        self._counts: pl.DataFrame | None = None
        self._others: dict[str, pl.DataFrame] = {}

    def reset(self) -> None:
        """Forget all: another plan may name other fields."""
        self._linked, self._counts, self._others = [], None, {}
        self._newest = (0, pl.DataFrame(schema=schema.KEY_VALUES))

    def add(self, values: pl.DataFrame, first: int) -> None:
        """Keep values of new records that link.

        Args:
            values: Of these records.
            first: The first of their rows.
        """
        self._linked.append(values)
        self._newest = (first, values)
        self._counts = None
        self._others = {}

    def linked(self) -> pl.DataFrame:
        """All key values that link (KEY_VALUES)."""
        if not self._linked:
            return pl.DataFrame(schema=schema.KEY_VALUES)
        if len(self._linked) > 1:
            self._linked = [pl.concat(self._linked)]
        return self._linked[0]

    def since(self, row: int) -> pl.DataFrame:
        """The key values that link of a row and all later ones."""
        first, newest = self._newest
        if row == first:
            return newest
        return self.linked() if row == 0 else self.linked().filter(pl.col(schema.ROW) >= row)

    def extracted(
        self, segments: Sequence[Segment], view: StoreView, plan: Plan, names: Collection[str]
    ) -> Iterator[pl.DataFrame]:
        """Key values of segments, one by one (KEY_VALUES).

        Args:
            segments: What to read.
            view: The store they are of.
            plan: The keys.
            names: Which of them.
        """
        columns = columns_needed(plan, names)
        for part in ahead(lambda segment: extract(self._frames.segment(segment, view, columns), plan, names), segments):
            yield self._selection.inside(part, view)

    def of_key(self, plan: Plan, name: str, *, linked: bool) -> pl.DataFrame:
        """All values of one key; those that do not link are extracted when first asked for.

        Args:
            plan: The keys.
            name: One of them.
            linked: Whether anything was linked yet.
        """
        if linked and name in plan.linking:
            return self.linked().filter(pl.col("key") == plan.place(name))
        if name not in self._others:
            self._extract_others(plan, plan.linking if linked else ())
        return self._others[name]

    def _extract_others(self, plan: Plan, linked: Collection[str]) -> None:
        """Values of all keys that do not link, in one pass over the records."""
        names = [key.name for key in plan.keys if key.name not in linked]
        view = self._store.view
        parts = list(self.extracted(list(view.segments()), view, plan, names))
        values = pl.concat(parts) if parts else pl.DataFrame(schema=schema.KEY_VALUES)
        self._others = {name: values.filter(pl.col("key") == plan.place(name)) for name in names}

    def count(self, place: int, value: str) -> int:
        """How many records hold a value of a linking key."""
        if self._counts is None:
            self._counts = self.linked().group_by("key", "value").len()
        hit = self._counts.filter((pl.col("key") == place) & (pl.col("value") == value))
        return int(hit.item(0, "len")) if hit.height else 0
