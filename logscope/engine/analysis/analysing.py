"""What is told about transactions as a whole: templates, shapes, the service map, clocks."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

import polars as pl

from logscope.analysis import services, shapes, skew
from logscope.engine.analysis.statefields import StateFields
from logscope.engine.insights import Hop, ServiceLoad, ServiceMap, Shape, Skew
from logscope.engine.linking.spanning import span_columns
from logscope.engine.linking.stepping import Stepping
from logscope.records import schema
from logscope.records.owntimes import own_times
from logscope.records.severity import ERROR
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session


class Analysing:
    """Answers about many transactions at once; kept until the transactions are others.

    Args:
        session: With the store and the transactions.
    """

    def __init__(self, session: Session) -> None:
        """Nothing is looked at yet."""
        self._session = session
        self._lock = threading.Lock()
        self.stepping = Stepping(session.store, session.frames, StateFields(session).names, session.loading.courtesy)
        self._shapes: tuple[tuple[int, int], pl.DataFrame] | None = None

    def _generation(self) -> tuple[int, int]:
        return (self._session.store.view.generation, self._session.correlating.generation)

    # --- templates

    def templates(self, filter_text: str, cancel: Cancel) -> pl.DataFrame:
        """`template`, `service`, `level`, `count`, `share`, `first`, `last`, `row` (an example), most frequent first."""
        session = self._session
        codes = self.stepping.update(cancel)
        rows = session.view(filter_text, cancel=cancel).rows
        rows = rows.filter(rows < len(codes))
        index = session.store.view.index.select("time", "level")[rows]
        frame = pl.DataFrame({schema.ROW: rows, "code": codes[rows]}).hstack(index)
        counted = frame.group_by("code", "level").agg(
            count=pl.len(), first=pl.col("time").min(), last=pl.col("time").max(), row=pl.col(schema.ROW).first()
        )
        told = counted.join(self.stepping.steps(), on="code").sort("first", schema.ROW)
        return (
            told.group_by("template", "service", "level", maintain_order=True)
            .agg(pl.col("count").sum(), pl.col("first").min(), pl.col("last").max(), pl.col("row").first())
            .with_columns(share=pl.col("count") / max(1, frame.height))
            .sort("count", "template", "service", "level", descending=[True, False, False, False])
            .select("template", "service", "level", "count", "share", "first", "last", "row")
        )

    # --- records of transactions as steps

    def placed(self, cancel: Cancel, numbers: pl.Series | None = None) -> pl.DataFrame:
        """Records of transactions in order: `number`, `row`, `rank`, `at`, `level`, `code`, `lane`, `step`.

        Args:
            cancel: Looked at between segments.
            numbers: Of these transactions only.
        """
        session = self._session
        codes = self.stepping.update(cancel)
        cancel.check()
        linked = session.correlating
        members = linked.members() if numbers is None else linked.members_of(numbers.to_list())
        members = members.rename({"transaction": "number"})
        members = members.filter(pl.col(schema.ROW) < len(codes))
        rows = members.get_column(schema.ROW)
        order = session.store.ordered()
        rank = order.arg_sort().cast(pl.UInt32)
        steps = self.stepping.steps().select("code", "lane", "step").sort("code")
        mine = codes[rows]
        index = session.store.view.index.select("time", "time_from", "level")[rows]
        frame = members.with_columns(
            rank[rows].alias("rank"),
            index.get_column("time").dt.epoch("us").alias("at"),
            index.get_column("level"),
            mine.alias("code"),
            steps.get_column("lane")[mine].alias("lane"),
            steps.get_column("step")[mine].alias("step"),
        )
        cancel.check()
        own = own_times(index)
        if own is None:
            return frame.sort("number", "rank")
        # One of a file without times stands where the one before it does, as in the view of a transaction.
        frame = frame.with_columns(own.alias("own")).sort("number", "rank")
        told = pl.when("own").then("at")
        at = pl.coalesce(told.forward_fill().over("number"), told.backward_fill().over("number"), "at")
        return frame.with_columns(at=at).drop("own")

    # --- shapes

    def shape_of(self, cancel: Cancel) -> pl.DataFrame:
        """`number`, `shape` of every transaction."""
        with self._lock:
            generation = self._generation()
            if self._shapes is None or self._shapes[0] != generation:
                correlating = self._session.correlating
                table = correlating.completed(correlating.transactions(figures=True), ["transaction"])
                signed = shapes.signatures(self.placed(cancel).select("number", "lane", "step", "rank"))
                self._shapes = (generation, shapes.numbered(table, signed))
            return self._shapes[1]

    def with_shapes(self, table: pl.DataFrame, cancel: Cancel, *, wanted: bool) -> pl.DataFrame:
        """A transaction frame with the column `shape`; null while shapes are neither wanted nor known."""
        if not wanted and (self._shapes is None or self._shapes[0] != self._generation()):
            return table.with_columns(shape=pl.lit(None, pl.UInt32))
        return table.join(self.shape_of(cancel), on="number", how="left", maintain_order="left")

    def shaped(self, where: str, cancel: Cancel, *, columns: Collection[str] = ()) -> pl.DataFrame:
        """The transactions that a filter keeps, all with their shapes; what came meanwhile is left out.

        Args:
            where: A filter on transactions.
            cancel: Looked at between segments.
            columns: Of texts, lists and ids these.
        """
        self._session.prepare_transactions(cancel=cancel, asked=True)
        known = self.shape_of(cancel)
        table = self._session.transactions(where, cancel=cancel, columns=columns)
        # While sources live the transactions may be others by now, and their column of shapes is empty.
        return table.drop("shape").join(known, on="number", maintain_order="left")

    def shapes(self, where: str, cancel: Cancel) -> list[Shape]:
        """Shapes of the transactions that a filter keeps, most first."""
        table = self.shaped(where, cancel, columns=("transaction",))
        told = shapes.summarised(table)
        examples = self.placed(cancel, told.get_column("example"))
        steps = {code: (service, template) for code, service, template in self._named()}
        ways: dict[int, list[tuple[str, str]]] = {}
        for number, code in examples.select("number", "code").iter_rows():
            way = ways.setdefault(number, [])
            if not way or way[-1] != steps[code]:
                way.append(steps[code])
        found = []
        for number, count, p50, p95, errors, example in told.iter_rows():
            way = ways.get(example, [])
            path = [service for place, (service, _) in enumerate(way) if not place or way[place - 1][0] != service]
            found.append(
                Shape(number, count, count / max(1, table.height), tuple(path), tuple(way), p50, p95, errors, example)
            )
        return found

    def _named(self) -> list[tuple[int, str, str]]:
        return self.stepping.steps().select("code", "service", "template").rows()

    # --- services

    def service_map(self, where: str, cancel: Cancel) -> ServiceMap:
        """Which service hands to which, within the transactions that a filter keeps."""
        rows = self._told(where, cancel)
        return ServiceMap(
            tuple(ServiceLoad(*entry) for entry in services.loads(rows).iter_rows()),
            tuple(Hop(*entry) for entry in services.hops(rows).iter_rows()),
        )

    def _told(self, where: str, cancel: Cancel) -> pl.DataFrame:
        session = self._session
        session.prepare_transactions(cancel=cancel, asked=True)
        numbers = session.transactions(where, cancel=cancel, columns=()).get_column("number") if where.strip() else None
        rows = self.placed(cancel, numbers)
        names = self.stepping.steps().sort("code").get_column("service")
        rows = rows.with_columns(names[rows.get_column("code")].alias("service"), error=pl.col("level") >= ERROR)
        steps = span_columns(session.correlating)
        return rows if steps is None else rows.join(steps, on=schema.ROW, how="left", maintain_order="left")

    # --- clocks

    def skews(self, cancel: Cancel) -> list[Skew]:
        """How far the clocks of hosts are off, where their transactions tell."""
        session = self._session
        session.prepare_transactions(cancel=cancel, asked=True)
        rows = self.placed(cancel)
        rows = rows.join(self._clocks(rows.get_column(schema.ROW).unique()), on=schema.ROW)
        names = rows.get_column("name").unique().sort()
        codes = {name: code for code, name in enumerate(names)}
        rows = rows.with_columns(clock=pl.col("name").replace_strict(codes, return_dtype=pl.UInt32))
        told = skew.offsets(skew.between(rows.select("number", "clock", "step", "at", "rank")))
        found = []
        for code, (ahead, spread, count) in sorted(told.items()):
            if ahead:
                word = "ahead" if ahead > 0 else "behind"
                text = f"{human_duration(abs(ahead))} {word}, ± {human_duration(spread)}, by {count} transactions"
            elif not spread:
                text = f"what the others are told against, by {count} transactions"
            else:
                text = f"agrees with the others within {human_duration(spread)}, by {count} transactions"
            found.append(Skew(names[code], -ahead, spread, count, text))
        return sorted(found, key=lambda entry: (-abs(entry.offset), entry.source))

    def _clocks(self, rows: pl.Series) -> pl.DataFrame:
        """`row`, `name`: the host whose clock a record's time is from, the source where none is logged."""
        session = self._session
        frame = session.frames.rows_bulk(rows.sort(), session.store.view, ["host", "source"])
        return frame.select(schema.ROW, name=pl.coalesce("host", "source"))
