"""Keys, linking and transactions over the store: found once, linked as records come.

Composes planning (the plan), keyvalues (what is extracted), the linker, transacting (their table) and
pivots (what is shown of keys).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.correlation.extract import columns_needed, extract
from logscope.correlation.linker import Delta, Linker
from logscope.correlation.plan import Plan
from logscope.engine.answers import FieldValue
from logscope.engine.api import Cancel
from logscope.engine.linking.keyvalues import KeyValues
from logscope.engine.linking.naming import Naming
from logscope.engine.linking.pivots import field_values, key_objects
from logscope.engine.linking.planning import Planning
from logscope.engine.linking.transacting import TransactionTable
from logscope.records import schema
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, below, numbers, under

if TYPE_CHECKING:
    from logscope.engine.options import Options
    from logscope.engine.viewing.frames import Frames
    from logscope.query.filters import Filter
    from logscope.records.store import Store


class Correlating:
    """Finds keys and links records.

    Args:
        store: The records.
        frames: Their columns.
        options: With keys, grain and limits.
        values: What another one has extracted by a plan of the same keys, to be shared.
    """

    def __init__(self, store: Store, frames: Frames, options: Options, values: KeyValues | None = None) -> None:
        """Nothing is found or linked yet."""
        self._store = store
        self._frames = frames
        self._grain = options.grain
        self._lock = threading.RLock()
        self._planning = Planning(store, frames, options)
        self._values = values or KeyValues(store, frames, options)
        self._table = TransactionTable(store, frames, self._values)
        self._linker: Linker | None = None
        self.naming: Naming
        self._next_row = 0
        self.plan: Plan | None = None
        self.generation = 0
        self._counted, self._count_of = -1, 0
        self._told_keys: tuple[Plan | None, int, list[dict[str, Any]]] = (None, -1, [])

    # --- the plan

    def prepare(self, *, cancel: Cancel, plan: Plan | None = None, keep: bool = True) -> Plan:
        """The plan: given, or found in what is in the store.

        Args:
            cancel: Looked at before.
            plan: If it is given.
            keep: Whether a found one is remembered for the next time.

        Raises:
            PlanError: A key, grain or plan file that cannot be used.
        """
        with self._lock:
            if self.plan is None:
                cancel.check()
                cancel.tell("finding keys")
                self.plan = plan or self._planning.make(self._grain, keep=keep)
                self._begin(self.plan)
            return self.plan

    def found_again(self, *, keep: bool) -> Plan:
        """A plan of what is in the store now; a grain that was shown gives way to what is clearly better only.

        Args:
            keep: Whether it is remembered for the next time.
        """
        with self._lock:
            seen = self.plan.grain if self.plan is not None else None
            return self._planning.make(self._grain, keep=keep, seen=seen)

    def say(self, plan: Plan) -> None:
        """The plan as it is, with other words about it."""
        self.plan = plan

    def _begin(self, plan: Plan) -> None:
        """Nothing is linked yet by a new plan."""
        self._values.use(plan)
        self._linker = Linker(plan, self._values.vocabulary)
        self.naming = Naming(self._linker, plan, self._store, lambda: self.generation)
        self._next_row = 0
        self._table.forget()

    def set_grain(self, grain: str) -> None:
        """Another grain; what is linked is forgotten, what was extracted is not.

        Raises:
            PlanError: No such key.
        """
        with self._lock:
            self._grain = grain
            plan = self.plan
            if plan is None:
                return
            if grain == "auto":
                self.plan = None
                self.use(self._planning.make(grain))
            else:
                self.use(plan.with_grain(None if grain == "none" else grain))

    def use(self, plan: Plan) -> None:
        """Another plan, or the same one anew: what is linked is forgotten."""
        with self._lock:
            self.plan = plan
            self._begin(plan)
            self.generation += 1

    # --- linking

    @property
    def columns(self) -> frozenset[str]:
        """Columns that linking asks of every record; none while there is no plan."""
        plan = self.plan
        return frozenset() if plan is None else columns_needed(plan, plan.linking)

    def update(self, *, cancel: Cancel, beside: Correlating | None = None) -> Delta | None:
        """Link what came since the last call; None if nothing did.

        Args:
            cancel: Looked at between segments.
            beside: One of the same keys at another grain: linked is what it has linked.
        """
        with self._lock:
            plan = self.prepare(cancel=cancel)
            view = self._store.view
            end = view.records if beside is None else beside._next_row
            if end == self._next_row:
                return None
            self._values.ensure(plan, plan.linking, view, cancel)
            cancel.tell("making transactions")
            values = self._values.since(plan, plan.linking, self._next_row, end)
            rows = values.get_column(schema.ROW).unique()
            records = view.index.select("time", "source_id", "line")[rows].with_columns(rows)
            assert self._linker is not None
            delta = self._linker.add(values, records)
            self._table.forget()
            self._next_row = end
            self.generation += 1
            return delta

    def saved(self) -> Saved:
        """All that is linked; what was extracted is saved by itself."""
        with self._lock:
            assert self._linker is not None
            return {"about": numbers(next_row=self._next_row), **under("linker", self._linker.saved())}

    def forget(self) -> None:
        """No plan is known, and nothing is linked."""
        with self._lock:
            self.plan, self._linker, self._next_row = None, None, 0
            self.generation += 1

    def restore(self, frames: Saved, plan: Plan) -> None:
        """Go on where `saved` was, by an equal plan; what was extracted is restored already."""
        with self._lock:
            self.use(plan)
            assert self._linker is not None
            self._linker.restore(below("linker", frames))
            self._next_row = frames["about"].item()

    @property
    def linker(self) -> Linker:
        """What is linked; there is a plan."""
        assert self._linker is not None
        return self._linker

    def keep_only(self, rows: Kept, nodes: Kept, codes: Kept) -> None:
        """Let go of all other records (see `Linker.keep_only`)."""
        with self._lock:
            self.linker.keep_only(rows, nodes, codes)
            self._next_row = len(rows)
            self._table.forget()
            self.generation += 1

    def unchanged(self) -> AbstractContextManager[object]:
        """While it is entered nothing is linked: numbers of transactions stay what they are."""
        return self._lock

    @property
    def linked(self) -> int:
        """How many records were looked at."""
        return self._next_row

    @property
    def count(self) -> int | None:
        """How many transactions there are; None while none were made."""
        linker = self._linker
        if linker is None or not self._next_row:
            return None
        if self._counted != self.generation:
            self._counted, self._count_of = self.generation, linker.count()
        return self._count_of

    def groups_of(self, rows: pl.Series) -> pl.DataFrame:
        """`row`, `transaction`: the transactions that records stand in."""
        with self._lock:
            none = pl.DataFrame(schema={schema.ROW: pl.UInt32, "transaction": pl.UInt32})
            return none if self._linker is None else self._linker.groups_of(rows)

    def members(self) -> pl.DataFrame:
        """`transaction`, `row` of everything linked."""
        with self._lock:
            return self._linker.members() if self._linker is not None else pl.DataFrame(schema=schema.MEMBERS)

    def members_of(self, numbers: Collection[int]) -> pl.DataFrame:
        """`transaction`, `row` of some transactions, in the order of records."""
        assert self._linker is not None
        with self._lock:
            wanted = self._linker.members_of(pl.Series(list(numbers), dtype=pl.UInt32))
        index = self._store.view.index.select("time", "source_id", "line")[wanted.get_column(schema.ROW)]
        return wanted.hstack(index).sort("transaction", "time", "source_id", "line").select("transaction", schema.ROW)

    def transactions(self, *, figures: bool = False) -> pl.DataFrame:
        """The transaction frame of everything linked.

        Args:
            figures: Only what is a number per transaction; `completed` adds the rest.
        """
        with self._lock:
            if self._linker is None or self.plan is None:
                return pl.DataFrame(schema=schema.TRANSACTIONS)
            return self._table.figures(self._linker) if figures else self._table.frame(self._linker)

    def completed(self, table: pl.DataFrame, names: Collection[str] | None = None) -> pl.DataFrame:
        """Some rows of the transaction frame with columns that `transactions(figures=True)` left out.

        Args:
            table: The rows.
            names: Wanted columns; None: all.
        """
        with self._lock:
            return table if self._linker is None else self._table.complete(table, self._linker, names)

    def list_columns(self) -> frozenset[str]:
        """Columns that `completed` can add without reading the messages of records."""
        return self._table.columns(self._linker) - {"first", "last"} if self._linker is not None else frozenset()

    def transaction(self, number: int) -> pl.DataFrame:
        """The one row of a transaction, without its first and last text; no row if there is none of that number."""
        with self._lock:
            if self._linker is None:
                return pl.DataFrame(schema=schema.TRANSACTIONS)
            return self._table.some(self._linker, pl.Series([number], dtype=pl.UInt32), self.list_columns())

    def summary(self, numbers: pl.Series, names: Collection[str] | None = None) -> pl.DataFrame:
        """The figures of some transactions alone, and of what is text or a list these columns, or all."""
        with self._lock:
            assert self._linker is not None
            known = self._table.columns(self._linker)
            return self._table.some(self._linker, numbers, known if names is None else known.intersection(names))

    def ends(self, numbers: pl.Series | None = None) -> pl.DataFrame:
        """`number`, `end` (time of the last record, microseconds) of some transactions, or of all."""
        assert self._linker is not None
        members = self._linker.members() if numbers is None else self._linker.members_of(numbers)
        times = self._store.view.index.get_column("time")[members.get_column(schema.ROW)].to_physical()
        return members.select(number="transaction", end=times).group_by("number").agg(pl.col("end").max())

    # --- values and pivots

    @property
    def extracted(self) -> KeyValues:
        """What was extracted, as codes."""
        return self._values

    def key_columns(self, frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
        """A record frame with `keys.NAME` columns; a record with several values stands there several times.

        Args:
            frame: With `row`.
            names: Columns; those that are no key's are left out.
        """
        plan = self.plan
        wanted = self._keys_among(names)
        if plan is None or not wanted or frame.is_empty():
            return frame
        self._values.ensure(plan, wanted, self._store.view, Cancel())
        rows = frame.get_column(schema.ROW)
        first, last = int(rows.min()), int(rows.max())  # type: ignore[arg-type]  # bounds of a UInt32 column are ints
        for name in wanted:
            values = self._values.texts(plan, name, first, last).rename({"value": schema.KEY_PREFIX + name})
            frame = frame.join(values, on=schema.ROW, how="left", maintain_order="left")
        return frame

    def rows_by_keys(self, wanted: Mapping[str, Filter]) -> pl.Series | None:
        """Distinct rows that hold the wanted values of all these keys, ascending.

        Args:
            wanted: By column (`keys.NAME`) what a value of the key must match.

        Returns:
            None where a column is no key's.
        """
        plan, names = self.plan, self._keys_among(wanted)
        if plan is None or len(names) < len(wanted):
            return None
        self._values.ensure(plan, names, self._store.view, Cancel())
        found = [self._values.rows_where(plan, name, wanted[schema.KEY_PREFIX + name]) for name in names]
        rows = min(found, key=len)
        for others in found:
            if others is not rows:
                rows = rows.filter(rows.is_in(others.implode()))
        return rows

    def _keys_among(self, columns: Collection[str]) -> list[str]:
        """Names of keys whose columns are among these."""
        return [name for name in self.key_names() if schema.KEY_PREFIX + name in columns]

    def key_values(self, name: str) -> pl.DataFrame:
        """`row`, `value` of all values of one key; a weak key's are extracted when first asked for."""
        codes = self._codes_of_key(name)
        texts = self._values.vocabulary.describe(codes.get_column("code")).get_column("value")
        return codes.select(schema.ROW).with_columns(texts)

    def _codes_of_key(self, name: str) -> pl.DataFrame:
        """`row`, `code` of one key; together with it those of all keys that do not link are extracted."""
        plan = self.plan
        assert plan is not None
        names = plan.linking if name in plan.linking else [k.name for k in plan.keys if k.name not in plan.linking]
        self._values.ensure(plan, names, self._store.view, Cancel())
        return self._values.of_key(plan, name)

    def values_of(self, row: int) -> list[tuple[str, str]]:
        """Keys and values of one record."""
        plan = self.plan
        if plan is None:
            return []
        rows = pl.Series(schema.ROW, [row], dtype=pl.UInt32)
        wanted = {"time", *columns_needed(plan)} - {schema.ROW}
        found = extract(self._frames.rows(rows, self._store.view, wanted), plan)
        return [(plan.keys[key].name, value) for key, value in found.select("key", "value").iter_rows()]

    def field_values(self, found: dict[str, str], values: Sequence[tuple[str, str]]) -> list[FieldValue]:
        """Fields of a record with the keys they feed, keys first.

        Args:
            found: Fields by name.
            values: The record's key values.
        """
        return field_values(self.plan, found, values, self._count)

    def _count(self, name: str, value: str) -> int | None:
        """How many records hold a value of a linking key."""
        plan = self.plan
        if plan is None or name not in plan.linking or not self._next_row:
            return None
        return self._values.count(plan, name, value)

    def keys_of(self, number: int) -> dict[str, list[str]]:
        """Key values of one transaction, by key: keys as the plan has them, values as records name them."""
        return dict(self.naming.keys([number])[number])

    # --- what is said about keys

    def key_names(self) -> tuple[str, ...]:
        """Names of all keys of the plan."""
        return tuple(key.name for key in self.plan.keys) if self.plan else ()

    def key_objects(self) -> list[dict[str, Any]]:
        """JSON objects of interface section 3."""
        if self.plan is None:
            return []
        view = self._store.view
        if self._told_keys[:2] != (self.plan, view.generation):
            told = key_objects(self.plan, self._codes_of_key, view, self._frames)
            self._told_keys = (self.plan, view.generation, told)
        return [dict(entry) for entry in self._told_keys[2]]

    def grain(self) -> tuple[str, str]:
        """The grain and why; `none` for plain components."""
        if self.plan is None:
            return ("auto", "not looked at yet")
        return (self.plan.grain or "none", self.plan.grain_why)

    def said(self) -> tuple[str, ...]:
        """What the user should know about the keys."""
        return (*self._planning.notices, *(self.plan.notices if self.plan is not None else ()))
