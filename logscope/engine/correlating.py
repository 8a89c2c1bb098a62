"""Keys, linking and transactions over the store: found once, linked as records come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.correlation.explain import chain
from logscope.correlation.extract import columns_needed, extract
from logscope.correlation.keys import Key, given_key
from logscope.correlation.linker import Delta, Linker
from logscope.correlation.plan import Plan, from_toml, to_toml
from logscope.correlation.transactions import summarise
from logscope.engine.ahead import ahead
from logscope.engine.answers import FieldValue, Line
from logscope.engine.api import Cancel
from logscope.engine.sampling import sample_rows
from logscope.engine.selection import Selection
from logscope.engine.summaries import REQUEST_COLUMNS, request_or_message
from logscope.errors import PlanError
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.frames import Frames
    from logscope.engine.options import Options
    from logscope.records.store import Store

Progress = Callable[[str, float], None]

_SAMPLE_COLUMNS = ("time", "source_id", "source", "line", "level", "host", "service", "pid", "message", "raw")
_RECORD_COLUMNS = ["time", "source_id", "line", "level"]


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
        self._options = options
        self._selection = Selection(options)
        self._grain = options.grain
        self._lock = threading.RLock()
        self.plan: Plan | None = None
        self._linker: Linker | None = None
        self._values: list[pl.DataFrame] = []
        self._by_value: pl.DataFrame | None = None
        self._next_row = 0
        self._table: pl.DataFrame | None = None
        self._extra: dict[str, pl.DataFrame] = {}
        self.generation = 0
        self.notices: list[str] = []

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
                self.plan = plan or self._make_plan()
                self._linker = Linker(self.plan)
            return self.plan

    def _make_plan(self) -> Plan:
        options = self._options
        given = []
        for text in options.key:
            key, notice = given_key(text)
            given.append(key)
            if notice is not None:
                self.notices.append(notice)
        plan = _read_plan(options.plan).with_keys(given) if options.plan else self._found(given)
        if options.keys:
            plan = plan.only(options.keys)
        if options.plan and self._grain != "auto":
            plan = plan.with_grain(None if self._grain == "none" else self._grain)
        return plan

    def _found(self, given: Sequence[Key]) -> Plan:
        view = self._store.view
        rows = sample_rows(self._selection.rows_inside(_timed(self._store.ordered(view), view.index), view))
        frame = self._frames.rows(rows, view, _SAMPLE_COLUMNS)
        fed = self._options.auto_keys or any(key.fields for key in given)
        pairs = self._frames.pairs(rows if fed else rows.clear(), view)
        # Wanted once the records are read, not for the first screen.
        from logscope.correlation.discover import find_plan

        return find_plan(
            frame,
            pairs,
            given=given,
            auto=self._options.auto_keys,
            grain=self._grain,
            max_gap_us=self._options.max_gap,
            max_span_us=self._options.max_span,
            idle_us=self._options.idle,
        )

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
                self.plan = self._make_plan()
            else:
                self.plan = plan.with_grain(None if grain == "none" else grain)
            self._linker = Linker(self.plan)
            self._values, self._next_row, self._table, self._by_value = [], 0, None, None
            self.generation += 1

    # --- linking

    def update(self, *, cancel: Cancel, progress: Progress | None = None) -> Delta | None:
        """Link what came since the last call; None if nothing did."""
        with self._lock:
            plan = self.prepare(cancel=cancel, progress=progress)
            view = self._store.view
            if view.records == self._next_row:
                return None
            columns = columns_needed(plan, plan.linking)
            parts = []
            segments = list(view.since(self._next_row))
            found = ahead(
                lambda segment: extract(self._frames.segment(segment, view, columns), plan, plan.linking), segments
            )
            for number, part in enumerate(found):
                cancel.check()
                if progress:
                    progress("linking", number / len(segments))
                parts.append(part)
            values = pl.concat(parts) if parts else pl.DataFrame(schema=schema.KEY_VALUES)
            values = self._selection.inside(values, view)
            rows = values.get_column(schema.ROW).unique()
            records = view.index.select("time", "source_id", "line")[rows].with_columns(rows)
            assert self._linker is not None
            delta = self._linker.add(values, records)
            self._values.append(values)
            self._next_row = view.records
            self._table = None
            self._by_value = None
            self._extra = {}
            self.generation += 1
            return delta

    @property
    def count(self) -> int | None:
        """How many transactions there are; None while none were made."""
        linker = self._linker
        if linker is None or not self._next_row:
            return None
        return int(linker.members().get_column("transaction").n_unique()) if self._table is None else self._table.height

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
            if self._table is None:
                members = self._linker.members()
                view = self._store.view
                rows = members.get_column(schema.ROW).unique().sort()
                records = self._frames.rows_bulk(rows, view, [*_RECORD_COLUMNS, "service", "source"])
                self._table = self._with_texts(
                    summarise(
                        members,
                        records,
                        self.values(),
                        self.plan,
                        identities=self._linker.identities(),
                        now_us=self._now(view.index),
                    ),
                    members.join(records.select(schema.ROW, "time", "source_id", "line"), on=schema.ROW),
                )
            return self._table

    def _now(self, index: pl.DataFrame) -> int:
        newest = index.get_column("time").to_physical().max()
        return int(newest) if isinstance(newest, int) else 0

    def _with_texts(self, table: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
        """First and last message of every transaction: of these alone the text is read."""
        ends = (
            members.sort("time", "source_id", "line")
            .group_by(pl.col("transaction").alias("number"))
            .agg(first=pl.col(schema.ROW).first(), last=pl.col(schema.ROW).last())
        )
        rows = pl.concat([ends.get_column("first"), ends.get_column("last")]).unique().sort()
        texts = self._frames.rows_bulk(rows, self._store.view, ["message", *REQUEST_COLUMNS])
        told = pl.DataFrame({schema.ROW: rows, "text": request_or_message(texts)})
        for name in ("first", "last"):
            ends = ends.join(told, left_on=name, right_on=schema.ROW, how="left", maintain_order="left")
            ends = ends.with_columns(pl.col("text").alias(name)).drop("text")
        return table.drop("first", "last").join(ends, on="number", how="left", maintain_order="left")

    # --- values and pivots

    def values(self) -> pl.DataFrame:
        """All key values that link (KEY_VALUES)."""
        if not self._values:
            return pl.DataFrame(schema=schema.KEY_VALUES)
        if len(self._values) > 1:
            self._values = [pl.concat(self._values)]
        return self._values[0]

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
            values = self._values_of_key(key).select(schema.ROW, pl.col("value").alias(name))
            frame = frame.join(values, on=schema.ROW, how="left", maintain_order="left")
        return frame

    def _values_of_key(self, name: str) -> pl.DataFrame:
        """All values of one key; a weak key's are extracted when first asked for."""
        assert self.plan is not None
        place = self.plan.place(name)
        if name in self.plan.linking and self._next_row:
            return self.values().filter(pl.col("key") == place)
        if not self._extra:
            self._extract_others()
        return self._extra[name]

    def _extract_others(self) -> None:
        """Values of all keys that do not link, in one pass over the records."""
        assert self.plan is not None
        linked = self.plan.linking if self._next_row else ()
        names = [key.name for key in self.plan.keys if key.name not in linked]
        view = self._store.view
        columns = columns_needed(self.plan, names)
        plan = self.plan
        parts = list(
            ahead(lambda segment: extract(self._frames.segment(segment, view, columns), plan, names), view.segments())
        )
        values = pl.concat(parts) if parts else pl.DataFrame(schema=schema.KEY_VALUES)
        values = self._selection.inside(values, view)
        self._extra = {name: values.filter(pl.col("key") == self.plan.place(name)) for name in names}

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
        plan = self.plan
        rows: list[FieldValue] = []
        left = dict(found)
        for name, value in values:
            assert plan is not None
            key = plan.key(name)
            field = next((field for field in left if field in key.fields and left[field] == value), None)
            if field is not None:
                del left[field]
            rows.append(FieldValue(field or name, value, name, key.klass, self._count(name, value)))
        order = {"strong": 0, "scoped": 1, "weak": 2, "hub": 3}
        rows.sort(key=lambda entry: order.get(entry.key_class or "", 4))
        rows.extend(FieldValue(name, value, None, None, None) for name, value in left.items())
        return rows

    def _count(self, name: str, value: str) -> int | None:
        """How many records hold a value of a linking key."""
        assert self.plan is not None
        if name not in self.plan.linking or not self._next_row:
            return None
        if self._by_value is None:
            self._by_value = self.values().group_by("key", "value").len()
        place = self.plan.place(name)
        hit = self._by_value.filter((pl.col("key") == place) & (pl.col("value") == value))
        return int(hit.item(0, "len")) if hit.height else 0

    def pivot_filter(self, key: str | None, name: str, value: str) -> str:
        """The filter that finds a value under every name of its key, or anywhere if it feeds none."""
        quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if key is not None:
            return f"{schema.KEY_PREFIX}{key}={quoted}"
        if name in ("host", "service", "pid", "format", "source"):
            return f"{name}={quoted}"
        return quoted

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
        view = self._store.view
        objects = []
        for key in self.plan.keys:
            values = self._values_of_key(key.name)
            counts = values.group_by("value").len().get_column("len")
            where = view.index.get_column("source_id")[values.get_column(schema.ROW)].unique().sort().to_list()
            names = {piece.binding.ref.source_id: piece.binding.ref.name for piece in view.pieces}
            services = (
                self._frames.rows_bulk(values.get_column(schema.ROW).unique(), view, ["service"])
                .get_column("service").drop_nulls().unique().sort().to_list()
            )  # fmt: skip
            entry = {
                "key": key.name,
                "class": key.klass,
                "pattern": key.pattern,
                "origin": key.origin,
                "records": values.get_column(schema.ROW).n_unique(),
                "values": len(counts),
                "sources": [names[source_id] for source_id in where],
                "services": services,
                "records_per_value_p50": int(counts.median() or 0) if len(counts) else None,  # type: ignore[arg-type]
                "records_per_value_max": counts.max(),
                "active": key.name in self.plan.linking,
                "grain": key.name == self.plan.grain,
                "parents": list(key.parents),
                "aliases": [name for name in (key.aliases or key.fields) if name != key.name],
                "why": key.why,
            }
            objects.append({name: value for name, value in entry.items() if value is not None})
        return objects

    def grain(self) -> tuple[str, str]:
        """The grain and why; `none` for plain components."""
        if self.plan is None:
            return ("auto", "not looked at yet")
        return (self.plan.grain or "none", self.plan.grain_why)

    def said(self) -> tuple[str, ...]:
        """What the user should know about the keys."""
        return (*self.notices, *(self.plan.notices if self.plan is not None else ()))

    def plan_text(self) -> str:
        """The plan as a file."""
        assert self.plan is not None
        return to_toml(self.plan)


def _timed(rows: pl.Series, index: pl.DataFrame) -> pl.Series:
    """Rows with a time of the log's own, if there are any: a file without stamps would stretch every value's life."""
    stamped = index.get_column("time_from") != schema.FROM_FILE
    if stamped.all() or not stamped.any():
        return rows
    return rows.filter(stamped[rows])


def _read_plan(path: str) -> Plan:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(f"cannot be read: {error.strerror}", path, mend="name a file made by `keys --save`") from error
    return from_toml(text, path)
