"""Transactions whose records name their step and its parent (spans): depth, what waited for what, who calls whom."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

Span = tuple[str | None, str | None]
"""A record's step and that one's parent, as far as it names them."""


class Tree:
    """The steps of one transaction.

    Args:
        spans: Of its records, in order. A ring of parents is cut where it closes.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        """Read the parents."""
        self._of = [span for span, _ in spans]
        self._parent: dict[str, str] = {}
        self._records: dict[str, list[int]] = {}
        for place, (span, parent) in enumerate(spans):
            if span is None:
                continue
            self._records.setdefault(span, []).append(place)
            if parent is not None and span not in self._parent and not self._above(parent, span):
                self._parent[span] = parent
        self._children: dict[str, list[str]] = {}
        for span, parent in self._parent.items():
            self._children.setdefault(parent, []).append(span)
        self._ends: dict[str, int] = {}
        for span in self._records:
            end, step = self._records[span][-1], span
            while self._ends.get(step, -1) < end:
                self._ends[step] = end
                step = self._parent.get(step, step)

    def _above(self, step: str, wanted: str) -> bool:
        while step != wanted:
            if step not in self._parent:
                return False
            step = self._parent[step]
        return True

    @property
    def told(self) -> bool:
        """Whether any step has a parent that is there."""
        return any(parent in self._records for parent in self._parent.values())

    def depths(self) -> list[int]:
        """How deep each record's step lies; 0 for roots and for what names no step."""
        known: dict[str, int] = {}
        for span in self._records:
            way = []
            step = span
            while step not in known and self._parent.get(step) in self._records:
                way.append(step)
                step = self._parent[step]
            depth = known.setdefault(step, 0)
            for below in reversed(way):
                depth += 1
                known[below] = depth
        return [0 if span is None else known[span] for span in self._of]

    def before(self, place: int) -> int:
        """The record that another one waited for: of its step, of steps below or beside it that had ended.

        Args:
            place: Any but the first.
        """
        span = self._of[place]
        if span is None:
            return place - 1
        found = [at for at in self._records[span] if at < place][-1:]
        above = self._parent.get(span)
        if found:
            found += self._ended(span, place)
        elif above is not None:
            found += [at for at in self._records.get(above, ()) if at < place][-1:]
            found += self._ended(above, place)
        return max(found, default=place - 1)

    def _ended(self, above: str, place: int) -> list[int]:
        return [self._ends[step] for step in self._children.get(above, ()) if self._ends.get(step, place) < place]


def calls(rows: pl.DataFrame) -> pl.DataFrame:
    """Who calls whom, as the steps' parents say, one row per call.

    A step that two services log (Zipkin's shared spans) is a call from the first to the others.

    Args:
        rows: `number`, `rank`, `service`, `at` (microseconds), `error`, `span`, `parent` (null: none named).

    Returns:
        `number`, `caller`, `callee`, `span` (microseconds from the caller's last record before the call to the callee's
        first), `failed` (the callee logged an error in the transaction), of transactions whose steps have parents.
    """
    held = rows.drop_nulls("span")
    entered = held.group_by("number", "span", "service").agg(rank=pl.col("rank").min(), at=pl.col("at").min())
    entered = entered.sort("number", "span", "rank")
    first, last = entered.group_by("number", "span", maintain_order=True), entered.sort("rank")
    heads = first.agg(pl.col("service").first(), pl.col("rank").first(), pl.col("at").first())
    tails = last.group_by("number", "span", maintain_order=True).agg(caller=pl.col("service").last())
    edges = held.drop_nulls("parent").filter(pl.col("span") != pl.col("parent"))
    edges = edges.select("number", "span", "parent").unique(
        subset=["number", "span"], keep="first", maintain_order=True
    )
    down = edges.join(heads, on=["number", "span"]).join(
        tails, left_on=["number", "parent"], right_on=["number", "span"]
    )
    shared = entered.with_columns(caller=pl.col("service").first().over("number", "span")).filter(
        pl.col("rank") > pl.col("rank").min().over("number", "span")
    )
    shared = shared.join(edges.select("number").unique(), on="number", how="semi")
    names = ["number", "caller", "service", "rank", "at"]
    found = pl.concat([down.select(names), shared.select(names)])
    found = found.filter(pl.col("caller") != pl.col("service")).sort("rank")
    left = rows.select("number", "rank", caller="service", left="at").sort("rank")
    found = found.join_asof(left, on="rank", by=["number", "caller"], strategy="backward", check_sortedness=False)
    failed = rows.group_by("number", "service").agg(failed=pl.col("error").any())
    found = found.join(failed, on=["number", "service"], how="left")
    return found.select("number", "caller", callee="service", span=pl.col("at") - pl.col("left"), failed="failed")
