"""Key values of all records, as codes: extracted segment by segment when first asked for, and kept."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation.extract import columns_needed, extract_codes
from logscope.correlation.vocabulary import Vocabulary
from logscope.engine.loading.ahead import ahead, counted
from logscope.engine.viewing.selection import Selection
from logscope.records import schema
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, below, under

if TYPE_CHECKING:
    from logscope.correlation.keys import Key
    from logscope.correlation.plan import Plan
    from logscope.engine.api import Cancel
    from logscope.engine.options import Options
    from logscope.engine.viewing.frames import Frames
    from logscope.query.filters import Filter
    from logscope.records.pieces import Segment, StoreView
    from logscope.records.store import Store

CODED = {schema.ROW: pl.UInt32, "key": pl.UInt16, "code": pl.UInt32}
"""Which record holds which value: 10 bytes each."""


_TABLES = pl.Schema({"places": pl.List(pl.UInt16), "next_row": pl.Int64()})


@dataclass(slots=True)
class _Table:
    """The values of some keys, in the order of rows, keys and texts."""

    places: frozenset[int]
    frame: pl.DataFrame
    next_row: int = 0
    """The first row that was not looked at yet."""


class KeyValues:
    """What `correlation.extract_codes` finds, kept.

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
        self._lock = threading.RLock()
        self._keys: tuple[Key, ...] = ()
        self._tables: list[_Table] = []
        self.vocabulary = Vocabulary(())

    def use(self, plan: Plan) -> None:
        """Work for a plan; where it only has more keys than the one before, what is known stays."""
        with self._lock:
            known = [_spelling(key) for key in self._keys]
            if known and known == [_spelling(key) for key in plan.keys[: len(known)]]:
                self.vocabulary.extend(plan.keys[len(known) :])
            else:
                self._tables, self.vocabulary = [], Vocabulary(plan.keys)
            self._keys = plan.keys

    def saved(self) -> Saved:
        """All values, and which record holds which."""
        with self._lock:
            places = [sorted(table.places) for table in self._tables]
            tables = pl.DataFrame(
                {"places": places, "next_row": [table.next_row for table in self._tables]}, schema=_TABLES
            )
            frames = {"tables": tables, **under("vocabulary", self.vocabulary.saved())}
            return frames | {f"values {number}": table.frame for number, table in enumerate(self._tables)}

    def restore(self, frames: Saved, plan: Plan) -> None:
        """Know what `saved` told of a plan of the same keys."""
        with self._lock:
            self.use(plan)
            self.vocabulary.restore(below("vocabulary", frames))
            self._tables = [
                _Table(frozenset(places), frames[f"values {number}"], next_row)
                for number, (places, next_row) in enumerate(frames["tables"].iter_rows())
            ]

    def ensure(self, plan: Plan, names: Collection[str], view: StoreView, cancel: Cancel) -> None:
        """Extract what is not known yet of some keys.

        Args:
            plan: The one in use.
            names: Of keys.
            view: Up to where.
            cancel: Looked at between segments.
        """
        with self._lock:
            missing = {plan.place(name) for name in names}
            for table in self._tables:
                if table.places & missing:
                    missing -= table.places
                    self._extend(table, plan, view, cancel)
            if missing:
                table = _Table(frozenset(missing), pl.DataFrame(schema=CODED))
                self._extend(table, plan, view, cancel)
                self._tables.append(table)

    def _extend(self, table: _Table, plan: Plan, view: StoreView, cancel: Cancel) -> None:
        segments = list(view.since(table.next_row)) if view.records > table.next_row else []
        names = [plan.keys[place].name for place in sorted(table.places)]
        columns = columns_needed(plan, names)

        def work(segment: Segment) -> pl.DataFrame:
            frame = self._selection.inside(self._frames.segment(segment, view, columns), view)
            return extract_codes(frame, plan, names, self.vocabulary)

        found = counted(ahead(work, segments), segments, cancel, "linking {} records")
        coded = [part.select(schema.ROW, "key", self.vocabulary.codes(part)) for part in found]
        parts = [pl.DataFrame(schema=CODED), *coded]
        fresh = pl.concat(parts)
        if not fresh.get_column(schema.ROW).is_sorted():
            fresh = fresh.sort(schema.ROW, maintain_order=True)
        table.frame = pl.concat([table.frame, fresh])
        if table.frame.n_chunks() > 64 or len(parts) > 16:
            table.frame = table.frame.rechunk()
        table.next_row = max(table.next_row, view.records)

    def settle(self, plan: Plan, view: StoreView, cancel: Cancel) -> None:
        """Extract what is not known yet of any key that somebody has asked for."""
        with self._lock:
            for table in self._tables:
                self._extend(table, plan, view, cancel)

    def codes_in(self, rows: Kept) -> list[pl.Series]:
        """The codes that some records hold; `settle` first."""
        return [table.frame["code"].filter(rows.mask(table.frame[schema.ROW])) for table in self._tables]

    def keep_only(self, rows: Kept, codes: Kept) -> None:
        """Let go of all other records, and of all other values."""
        with self._lock:
            for table in self._tables:
                kept = rows.rows_of(table.frame, schema.ROW)
                table.frame = kept.with_columns(codes.new(kept["code"])).rechunk()
                table.next_row = len(rows)
            self.vocabulary.keep_only(codes)

    def since(self, plan: Plan, names: Collection[str], row: int, end: int) -> pl.DataFrame:
        """Values that link, of some keys, in the records from `row` to before `end` (CODED), in order.

        `ensure` the keys first. Values that the plan names as hubs are left out.
        """
        wanted = {plan.place(name) for name in names}
        parts = []
        for table in self._tables:
            shared = table.places & wanted
            if shared:
                part = _rows_from(table.frame, row, end - 1)
                parts.append(part if shared == table.places else part.filter(pl.col("key").is_in(list(shared))))
        if not parts:
            return pl.DataFrame(schema=CODED)
        values = parts[0] if len(parts) == 1 else pl.concat(parts).sort(schema.ROW, "key", maintain_order=True)
        hubs = [self.vocabulary.find(plan.place(key.name), value) for key in plan.keys for value in key.hubs]
        return values.filter(~pl.col("code").is_in(pl.concat(hubs).implode())) if hubs else values

    def of_key(self, plan: Plan, name: str) -> pl.DataFrame:
        """`row`, `code` of all values of one key; `ensure` it first."""
        place = plan.place(name)
        for table in self._tables:
            if place in table.places:
                return table.frame.filter(pl.col("key") == place).select(schema.ROW, "code")
        return pl.DataFrame(schema={schema.ROW: pl.UInt32, "code": pl.UInt32})

    def rows_where(self, plan: Plan, name: str, wanted: Filter) -> pl.Series:
        """Distinct rows that hold a value of a key, ascending; `ensure` it first.

        Args:
            plan: The one in use.
            name: The key.
            wanted: Tells of the key's values (column `keys.NAME`), each of which is looked at once.
        """
        place, text = plan.place(name), wanted.exactly()
        if text is not None:
            codes = self.vocabulary.find(place, text)
        else:
            table = self.vocabulary.of_key(place)
            column = table.get_column("value").alias(schema.KEY_PREFIX + name)
            codes = table.get_column("code").filter(wanted.mask(column.to_frame()))
        rows, mask = self._holding(place, codes)
        return rows.filter(mask).unique(maintain_order=True)

    def count(self, plan: Plan, name: str, value: str) -> int:
        """How many records hold a value of a key; `ensure` it first."""
        place = plan.place(name)
        return int(self._holding(place, self.vocabulary.find(place, value))[1].sum() or 0)

    def _holding(self, place: int, codes: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Rows with any value, and which of them hold one of these codes."""
        for table in self._tables:
            if place in table.places:
                held = table.frame.get_column("code")
                mask = held == codes[0] if len(codes) == 1 else held.is_in(codes.implode())
                return table.frame.get_column(schema.ROW), mask
        return pl.Series(schema.ROW, [], dtype=pl.UInt32), pl.Series([], dtype=pl.Boolean)

    def texts(self, plan: Plan, name: str, first: int, last: int) -> pl.DataFrame:
        """`row`, `value` of one key in the records from row `first` to `last`; `ensure` it first."""
        place = plan.place(name)
        for table in self._tables:
            if place in table.places:
                part = _rows_from(table.frame, first, last).filter(pl.col("key") == place)
                told = self.vocabulary.describe(part.get_column("code")).get_column("value")
                return part.select(schema.ROW).with_columns(told)
        return pl.DataFrame(schema={schema.ROW: pl.UInt32, "value": pl.String})


def _spelling(key: Key) -> tuple[object, ...]:
    """What decides which values a key has."""
    return key.name, key.klass, key.fields, key.patterns, key.shape


def _rows_from(frame: pl.DataFrame, first: int, last: int | None = None) -> pl.DataFrame:
    """The rows of a frame, ordered by row, from one on, up to and with another."""
    rows = frame.get_column(schema.ROW)
    begin = int(rows.search_sorted(first, side="left")) if first else 0
    end = len(rows) if last is None else int(rows.search_sorted(last, side="right"))
    return frame.slice(begin, end - begin)
