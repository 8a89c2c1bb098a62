"""From a frame of records to those that some rule of a correlation matches, with the fields it asks for."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from logscope.records.schema import FROM_FILE, LINE, TIME
from logscope.rules.hits import KEYLESS, TAKES_PART, UNTIMED, by_column
from logscope.rules.model.windows import Leaf, Slot, Windows
from logscope.rules.seeking import mask_of
from logscope.rules.values import value_of


def leaf_column(place: int) -> str:
    """The hits' Boolean column of a leaf."""
    return f"s{place}"


class WindowHits:
    """Finds a correlation's hits in record frames.

    Args:
        root: The correlation.
    """

    def __init__(self, root: Windows) -> None:
        """Collect what it needs of a record."""
        self.root = root
        self.leaves: list[Leaf] = []
        self._nothing: pl.DataFrame | None = None
        self._places: dict[int, int] = {}
        self._names: list[set[str]] = []
        self._keyed: list[tuple[int, tuple[str, ...]]] = []
        self._collect(root, frozenset())
        self.fields = tuple(sorted(set[str]().union(*self._names)))
        wanted = [
            leaf.fields.columns(name) for leaf, names in zip(self.leaves, self._names, strict=True) for name in names
        ]
        self.columns: frozenset[str] = frozenset(["row", "source_id", "line", "time", "time_from", "message"]).union(
            *wanted, *(leaf.filter.columns for leaf in self.leaves)
        )

    def _collect(self, node: Windows, wanted: frozenset[str]) -> None:
        threshold = node.threshold
        needed = (wanted - {*node.by, node.kind}) | set(node.by)
        if threshold is not None and threshold.field is not None:
            needed |= {threshold.field}
        for slot in node.slots:
            names = {slot.field(name) for name in needed}
            if isinstance(slot.source, Windows):
                self._collect(slot.source, frozenset(names))
            else:
                self._places[id(slot)] = len(self.leaves)
                self._keyed.append((len(self.leaves), tuple(slot.field(name) for name in node.by)))
                self.leaves.append(slot.source)
                self._names.append(names)

    def leaf(self, slot: Slot) -> str:
        """The Boolean column of a slot over records."""
        return leaf_column(self._places[id(slot)])

    def field(self, name: str) -> str:
        """The hits' column with a field's text."""
        return f"f{self.fields.index(name)}"

    def select(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The hits among records.

        Args:
            frame: Record frame; columns of `columns` that it lacks count as null.

        Returns:
            `row`, `time`, `source_id`, `line`, `part`, `text`, Boolean `s0`, ... per leaf, String
            `f0`, ... per field.
        """
        masks = self._masks(frame)
        chosen = masks[0]
        for mask in masks[1:]:
            chosen = chosen | mask
        chosen &= frame["time"].is_not_null()
        if not chosen.any():
            if self._nothing is None:
                self._nothing = self._hits(frame.clear(), [mask.clear() for mask in masks])
            return self._nothing
        return self._hits(frame.filter(chosen), [mask.filter(chosen) for mask in masks])

    def _hits(self, frame: pl.DataFrame, masks: list[pl.Series]) -> pl.DataFrame:
        """The hits' columns, of the records that are hits."""
        hits = frame.select(
            pl.col("row").cast(pl.UInt32),
            pl.col("time").cast(TIME),
            pl.col("source_id").cast(pl.UInt16),
            pl.col("line").cast(LINE),
            pl.lit(TAKES_PART, dtype=pl.UInt8).alias("part"),
            value_of(frame, "message")[0].alias("text"),
            *(mask.alias(leaf_column(place)) for place, mask in enumerate(masks)),
            *(self._text(frame, masks, name).alias(self.field(name)) for name in self.fields),
        )
        keyed = pl.any_horizontal(
            pl.all_horizontal(leaf_column(leaf), *(pl.col(self.field(name)).is_not_null() for name in names))
            for leaf, names in self._keyed
        )
        hits = hits.with_columns(part=pl.when(keyed).then("part").otherwise(KEYLESS).cast(pl.UInt8))
        if "time_from" in frame.columns:
            untimed = (frame["time_from"] == FROM_FILE).fill_null(False)
            hits = hits.with_columns(part=pl.when(untimed).then(UNTIMED).otherwise("part").cast(pl.UInt8))
        return hits

    def grouped(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Hits with their keys `by0`, ..., letter case folded; a record of several keys stands there several times.

        For a correlation over single records; of a chain every group is looked at.
        """
        parts = []
        for names, leaves in self._by_names():
            mine = [leaf_column(leaf) for leaf in leaves]
            others = [name for name in map(leaf_column, range(len(self.leaves))) if name not in mine]
            keys = [folded(pl.col(self.field(name))).alias(by_column(place)) for place, name in enumerate(names)]
            present = [pl.col(self.field(name)).is_not_null() for name in names]
            part = hits.filter(pl.all_horizontal(pl.any_horizontal(mine), *present))
            parts.append(part.with_columns(*keys, *(pl.lit(False).alias(name) for name in others)))
        return pl.concat(parts)

    def _by_names(self) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        found: dict[tuple[str, ...], list[int]] = {}
        for leaf, names in self._keyed:
            found.setdefault(names, []).append(leaf)
        yield from found.items()

    def _masks(self, frame: pl.DataFrame) -> list[pl.Series]:
        known: dict[int, pl.Series] = {}
        for leaf in self.leaves:
            if id(leaf.filter) not in known:
                known[id(leaf.filter)] = mask_of(leaf.filter, frame)
        return [known[id(leaf.filter)] for leaf in self.leaves]

    def _text(self, frame: pl.DataFrame, masks: list[pl.Series], name: str) -> pl.Series:
        """A field as the first rule that matches the record names it."""
        found: pl.Series | None = None
        for leaf, names, mask in zip(self.leaves, self._names, masks, strict=True):
            if name not in names or (found is not None and not mask.any()):
                continue
            text = leaf.fields.text(frame, name)
            text = text.zip_with(mask, pl.repeat(None, text.len(), dtype=pl.String, eager=True))
            found = text if found is None else found.zip_with(found.is_not_null(), text)
        assert found is not None
        return found


def folded(text: pl.Expr) -> pl.Expr:
    """Letter case folded, as Sigma compares texts."""
    return text.str.to_lowercase()
