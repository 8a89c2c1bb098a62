"""Keys, linking and transactions over the store: found once, linked as records come.

Composes planning (the plan), keyvalues (what is extracted), the linker, transacting (their table) and
pivots (what is shown of keys).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.correlation.amend import without_hubs
from logscope.correlation.explain import chain
from logscope.correlation.extract import columns_needed, extract
from logscope.correlation.linker import Delta, Linker
from logscope.correlation.plan import Plan, to_toml
from logscope.engine.answers import FieldValue, Line
from logscope.engine.api import Cancel
from logscope.engine.keyvalues import KeyValues
from logscope.engine.pivots import field_values, key_objects
from logscope.engine.planning import Planning
from logscope.engine.transacting import TransactionTable
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.frames import Frames
    from logscope.engine.options import Options
    from logscope.records.store import Store

Progress = Callable[[str, float], None]


class Correlating:
    """Finds keys and links records.

    Args:
        store: The records.
        frames: Their columns.
        options: With keys, grain and limits.
    """

    def __init__(self, store: Store, frames: Frames, options: Options) -> None:
        """Nothing is found or linked yet."""
        self._store = store
        self._frames = frames
        self._grain = options.grain
        self._lock = threading.RLock()
        self._planning = Planning(store, frames, options)
        self._values = KeyValues(store, frames, options)
        self._table = TransactionTable(store, frames, self._values)
        self._linker: Linker | None = None
        self._next_row = 0
        self.plan: Plan | None = None
        self.generation = 0

    # --- the plan

    def prepare(self, *, cancel: Cancel, progress: Progress | None = None, plan: Plan | None = None) -> Plan:
        """The plan: given, or found in what is in the store.

        Raises:
            PlanError: A key, grain or plan file that cannot be used.
        """
        with self._lock:
            if self.plan is None:
                cancel.check()
                if progress:
                    progress("finding keys", 0.0)
                self.plan = plan or self._planning.make(self._grain)
                self._linker = Linker(self.plan)
            return self.plan

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
            self._linker = Linker(plan)
            self._next_row = 0
            self._values.reset()
            self._table.forget()
            self.generation += 1

    # --- linking

    def update(
        self, *, cancel: Cancel, progress: Progress | None = None, beside: Correlating | None = None
    ) -> Delta | None:
        """Link what came since the last call; None if nothing did.

        Args:
            cancel: Looked at between segments.
            progress: Told how far it is.
            beside: One of the same keys at another grain: what it extracted is not extracted again,
                and linked is what it has linked.
        """
        with self._lock:
            plan = self.prepare(cancel=cancel, progress=progress)
            view = self._store.view
            end = view.records if beside is None else beside._next_row
            if end == self._next_row:
                return None
            if beside is None or beside.plan is None:
                values = self._extract(plan, plan.linking, cancel, progress)
            else:
                values = beside._values.since(self._next_row)
                left = [name for name in plan.linking if name not in beside.plan.linking]
                if left:
                    more = self._extract(plan, left, cancel, progress).filter(pl.col(schema.ROW) < end)
                    values = pl.concat([values, more])
            values = without_hubs(values, plan)
            rows = values.get_column(schema.ROW).unique()
            records = view.index.select("time", "source_id", "line")[rows].with_columns(rows)
            assert self._linker is not None
            delta = self._linker.add(values, records)
            self._values.add(values, self._next_row)
            self._table.forget()
            self._next_row = end
            self.generation += 1
            return delta

    def _extract(self, plan: Plan, names: Sequence[str], cancel: Cancel, progress: Progress | None) -> pl.DataFrame:
        """Values of keys in the records that are not linked yet."""
        view = self._store.view
        segments = list(view.since(self._next_row))
        parts = []
        for number, part in enumerate(self._values.extracted(segments, view, plan, names)):
            cancel.check()
            if progress:
                progress("linking", number / len(segments))
            parts.append(part)
        return pl.concat(parts) if parts else pl.DataFrame(schema=schema.KEY_VALUES)

    @property
    def count(self) -> int | None:
        """How many transactions there are; None while none were made."""
        linker = self._linker
        return None if linker is None or not self._next_row else self._table.count(linker)

    def groups_of(self, rows: pl.Series) -> pl.DataFrame:
        """`row`, `transaction`: the transactions that records stand in."""
        if self._linker is None:
            return pl.DataFrame(schema={schema.ROW: pl.UInt32, "transaction": pl.UInt32})
        return self._linker.groups_of(rows)

    def identity(self, number: int) -> str:
        """A transaction's id."""
        assert self._linker is not None
        return self._linker.identity(number)

    def members(self) -> pl.DataFrame:
        """`transaction`, `row` of everything linked."""
        return self._linker.members() if self._linker is not None else pl.DataFrame(schema=schema.MEMBERS)

    def members_of(self, numbers: Collection[int]) -> pl.DataFrame:
        """`transaction`, `row` of some transactions, in the order of records."""
        assert self._linker is not None
        members = self._linker.members()
        wanted = members.filter(pl.col("transaction").is_in(pl.Series(list(numbers), dtype=pl.UInt32).implode()))
        index = self._store.view.index.select("time", "source_id", "line")[wanted.get_column(schema.ROW)]
        return wanted.hstack(index).sort("transaction", "time", "source_id", "line").select("transaction", schema.ROW)

    def transactions(self) -> pl.DataFrame:
        """The transaction frame of everything linked."""
        with self._lock:
            if self._linker is None or self.plan is None:
                return pl.DataFrame(schema=schema.TRANSACTIONS)
            return self._table.frame(self._linker)

    def summary(self, numbers: pl.Series) -> pl.DataFrame:
        """The transaction frame of some transactions alone."""
        with self._lock:
            assert self._linker is not None
            return self._table.some(self._linker, numbers)

    def ends(self, numbers: pl.Series | None = None) -> pl.DataFrame:
        """`number`, `end` (time of the last record, microseconds) of some transactions, or of all."""
        assert self._linker is not None
        members = self._linker.members() if numbers is None else self._linker.members_of(numbers)
        times = self._store.view.index.get_column("time")[members.get_column(schema.ROW)].to_physical()
        return members.select(number="transaction", end=times).group_by("number").agg(pl.col("end").max())

    # --- values and pivots

    def values(self) -> pl.DataFrame:
        """All key values that link (KEY_VALUES)."""
        return self._values.linked()

    def key_columns(self, frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
        """A record frame with `keys.NAME` columns; a record with several values stands there several times.

        Args:
            frame: With `row`.
            names: Columns; those that are no key's are left out.
        """
        plan = self.plan
        if plan is None:
            return frame
        known = {key.name for key in plan.keys}
        for name in names:
            key = name.removeprefix(schema.KEY_PREFIX)
            if not name.startswith(schema.KEY_PREFIX) or key not in known:
                continue
            values = self.key_values(key).select(schema.ROW, pl.col("value").alias(name))
            frame = frame.join(values, on=schema.ROW, how="left", maintain_order="left")
        return frame

    def key_values(self, name: str) -> pl.DataFrame:
        """All values of one key (KEY_VALUES); a weak key's are extracted when first asked for."""
        assert self.plan is not None
        return self._values.of_key(self.plan, name, linked=self._next_row > 0)

    def values_of(self, row: int) -> list[tuple[str, str]]:
        """Keys and values of one record."""
        plan = self.plan
        if plan is None:
            return []
        rows = pl.Series(schema.ROW, [row], dtype=pl.UInt32)
        names = columns_needed(plan) - {schema.ROW, "time"}
        frame = self._frames.rows(rows, self._store.view, ["time", *names])
        found = extract(frame, plan)
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
        return self._values.count(plan.place(name), value)

    def explain(self, row: int, other: int, lines_of: Callable[[pl.Series], Sequence[Line]]) -> list[str]:
        """The chain that ties two records together, in words."""
        assert self.plan is not None
        assert self._linker is not None
        mine, others = (
            set(self.groups_of(pl.Series([each], dtype=pl.UInt32)).get_column("transaction")) for each in (row, other)
        )
        texts = []
        for number in sorted(mine & others)[:1]:
            for first, key, value, second in chain(self._linker.evidence(number), self.plan, row, other):
                ends = lines_of(pl.Series(schema.ROW, [first, second], dtype=pl.UInt32))
                places = " ⇄ ".join(f"{line.source}:{line.line}" for line in ends)
                texts.append(f"{places} by {key}={value}")
        return texts or ["nothing ties these two records together"]

    def keys_of(self, number: int) -> dict[str, list[str]]:
        """Key values of one transaction, by key: keys as the plan has them, values as records name them."""
        assert self._linker is not None
        assert self.plan is not None
        evidence = self._linker.evidence(number)
        index = self._store.view.index.select("time", "source_id", "line")[evidence.get_column(schema.ROW)]
        ordered = evidence.select("key", "value").hstack(index).sort("key", "time", "source_id", "line", "value")
        found: dict[str, list[str]] = {}
        if self.plan.grain is not None:
            found[self.plan.grain] = []  # what a transaction is named by comes first
        for key, value in ordered.select("key", "value").unique(maintain_order=True).iter_rows():
            found.setdefault(self.plan.keys[key].name, []).append(value)
        return {name: values for name, values in found.items() if values}

    # --- what is said about keys

    def key_names(self) -> tuple[str, ...]:
        """Names of all keys of the plan."""
        return tuple(key.name for key in self.plan.keys) if self.plan else ()

    def key_objects(self) -> list[dict[str, Any]]:
        """JSON objects of interface section 3."""
        if self.plan is None:
            return []
        return key_objects(self.plan, self.key_values, self._store.view, self._frames)

    def grain(self) -> tuple[str, str]:
        """The grain and why; `none` for plain components."""
        if self.plan is None:
            return ("auto", "not looked at yet")
        return (self.plan.grain or "none", self.plan.grain_why)

    def said(self) -> tuple[str, ...]:
        """What the user should know about the keys."""
        return (*self._planning.notices, *(self.plan.notices if self.plan is not None else ()))

    def plan_text(self) -> str:
        """The plan as a file."""
        assert self.plan is not None
        return to_toml(self.plan)
