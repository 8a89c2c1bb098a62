"""What the linker has found of each node: its component, the part of it that it belongs to, its first record."""

from __future__ import annotations

import polars as pl

from logscope.correlation.growing import NONE, GrowingArray
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved


class Labels:
    """Arrays over all nodes; each is written by the linker."""

    def __init__(self) -> None:
        """No node is known."""
        self.label = GrowingArray(pl.UInt32, NONE)
        self.unit = GrowingArray(pl.UInt32, NONE)
        self.born = GrowingArray(pl.UInt32, NONE)

    def resize(self, total: int) -> None:
        """There are so many nodes now."""
        for array in (self.label, self.unit, self.born):
            array.resize(total)

    def named_by(self, nodes: pl.Series) -> list[pl.Series]:
        """The nodes after which the components and parts of some nodes are named."""
        return [self.label.take(nodes), self.unit.take(nodes)]

    def keep_only(self, pos: Kept, nodes: Kept) -> None:
        """Let go of all other nodes."""
        for array, numbers in ((self.label, nodes), (self.unit, nodes), (self.born, pos)):
            array.keep_only(nodes)
            array.restore(numbers.new(array.view()))

    def saved(self) -> Saved:
        """All of it."""
        arrays = {"label": self.label.view(), "unit": self.unit.view(), "born": self.born.view()}
        return {"nodes": pl.DataFrame(arrays)}

    def restore(self, frames: Saved) -> None:
        """Hold what `saved` told."""
        for array, name in ((self.label, "label"), (self.unit, "unit"), (self.born, "born")):
            array.restore(frames["nodes"][name])
