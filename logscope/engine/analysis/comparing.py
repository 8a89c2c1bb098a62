"""A transaction beside its nearest normal peer: what is missing, what is extra, what took longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.analysis.alignment import Step, alignment, likeness
from logscope.engine.insights import ComparedStep, Comparison
from logscope.errors import UsageError

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

_MOST_PEERS = 500
_MOST_SHAPES = 40
_MOST_STEPS = 2_000
_ALIKE = 0.6
"""Likeness of ways that are compared with one another."""
_COMMON = 0.1
"""Of the transactions of the commonest alike way so many make another one common; beside one of a rare way, of which all
may be slow, nothing is."""
_UNLIKE = 0.3
"""Likeness below which one that went well tells less than one of the same way, whatever became of it."""
_USUAL = 0.75
"""Share of alike transactions that take a step which is missed where it is not taken."""
_UNUSUAL = 0.05
_FEW = 20
"""Peers below which a percentile says nothing: then a step must take three times as long."""
_SLIGHT = 0.02
"""Share of the shorter transaction that a step must be later to count,"""
_SLIGHT_BOUNDS = (2_000, 1_000_000)
"""within these bounds (microseconds): a few milliseconds are nothing, a second is something in any."""


def compare(session: Session, number: int, peer: int | None, cancel: Cancel) -> Comparison:
    """A transaction beside another.

    Args:
        session: With transactions made.
        number: The transaction.
        peer: The other; None: the nearest normal one.
        cancel: Looked at now and then.

    Raises:
        KeyError: There is no transaction of that number.
        UsageError: There is nothing to compare it with.
    """
    return _Comparing(session, cancel).compare(number, peer)


class _Comparing:
    def __init__(self, session: Session, cancel: Cancel) -> None:
        self._cancel = cancel
        self._analysing = session.analysing
        self._table = self._analysing.shaped("", cancel)
        self._names = dict(
            zip(*self._analysing.stepping.steps().select("code", names=pl.struct("service", "template")), strict=True)
        )

    def compare(self, number: int, peer: int | None) -> Comparison:
        mine = self._table.filter(pl.col("number") == number)
        if mine.is_empty():
            raise KeyError(number)
        shape = mine.item(0, "shape")
        if peer is None:
            peer, why = self._nearest(number, shape)
        else:
            why = "chosen by you"
        of_peer = self._table.filter(pl.col("number") == peer)
        if of_peer.is_empty():
            raise KeyError(peer)
        return self._beside(number, peer, why, of_peer.item(0, "shape"))

    def _normal(self, number: int) -> pl.DataFrame:
        found = self._table.filter(
            (pl.col("number") != number) & (pl.col("errors") == 0) & pl.col("oversize").is_null()
        )
        return found if found.height else self._table.filter(pl.col("number") != number)

    def _nearest(self, number: int, shape: int) -> tuple[int, str]:
        """The peer and why it.

        A way is normal if it has what nearly all alike ones have: a failure that nobody logs goes
        its own way without an error, now and then in dozens.
        """
        normal = self._normal(number)
        if normal.is_empty():
            raise UsageError("nothing to compare with", f"transaction {number}", mend="it is the only one")
        ways = (
            normal.group_by("shape")
            .agg(
                n=pl.len(),
                example=pl.col("number")
                .sort_by((pl.col("duration") - pl.col("duration").median()).abs(), "start", "number")
                .first(),
            )
            .sort("n", "shape", descending=[True, False])
        )
        own = ways.filter(pl.col("shape") == shape)
        ways = pl.concat([ways.head(_MOST_SHAPES), own]).unique("shape", maintain_order=True)
        examples = dict(ways.select("shape", "example").iter_rows())
        counts = dict(ways.select("shape", "n").iter_rows())
        steps = self._steps([number, *examples.values()])
        alike = {way: likeness(steps[number], steps[examples[way]]) for way in examples}
        family = [way for way in alike if alike[way] >= _ALIKE]
        if not family:
            return self._unlike(number, shape, alike, examples)
        odd = _oddity({way: set(steps[examples[way]]) for way in family}, counts)
        often = max(counts[way] for way in family)
        best = max(
            family,
            key=lambda way: (-odd[way], counts[way] >= often * _COMMON, round(alike[way], 3), counts[way], -way),
        )
        total = sum(counts[way] for way in family)
        if best == shape:
            why = f"the typical one of {counts[best]:,} without errors that went the same way (shape {best})"
        else:
            why = (
                f"of shape {best}, which {counts[best]:,} of {total:,} alike ones went without errors: "
                f"{alike[best]:.0%} of the steps are the same"
            )
        return int(examples[best]), why

    def _unlike(self, number: int, shape: int, alike: dict[int, float], examples: dict[int, int]) -> tuple[int, str]:
        """The peer and why it, where none that went well is much like the transaction."""
        best = max(alike, key=lambda way: (round(alike[way], 3), -way))
        same = self._table.filter((pl.col("number") != number) & (pl.col("shape") == shape))
        if alike[best] < _UNLIKE and same.height:
            typical = (pl.col("duration") - pl.col("duration").median()).abs()
            peer = same.sort(typical, "start", "number").item(0, "number")
            return int(peer), (
                f"none without errors is like it: the typical one of the {same.height:,} others that went the same way"
            )
        return examples[best], (
            f"none without errors is much like it: of shape {best}, the nearest, {alike[best]:.0%} of the steps are the same"
        )

    def _records(self, numbers: list[int]) -> pl.DataFrame:
        frame = self._analysing.placed(self._cancel, pl.Series(numbers, dtype=pl.UInt32))
        return frame.with_columns(
            pause=pl.col("at") - pl.col("at").shift(1).over("number"),
            turn=pl.int_range(pl.len()).over("number", "step"),
        )

    def _steps(self, numbers: list[int]) -> dict[int, list[Step]]:
        found: dict[int, list[Step]] = {number: [] for number in numbers}
        for number, lane, step in self._records(numbers).select("number", "lane", "step").iter_rows():
            if len(found[number]) < _MOST_STEPS:
                found[number].append((lane, step))
        return found

    def _usual(self, shape: int, number: int) -> dict[tuple[int, int], tuple[int, int, int, int]]:
        """(step, turn) -> p5, p50, p95 of the pause before it, and of how many peers; the transaction itself is none."""
        of_shape = pl.col("shape") == shape
        peers = self._normal(number).filter(of_shape)
        if peers.is_empty():
            peers = self._table.filter((pl.col("number") != number) & of_shape)
        peers = peers.sort("start", "number").head(_MOST_PEERS)
        told = (
            self._records(peers.get_column("number").to_list())
            .drop_nulls("pause")
            .group_by("step", "turn")
            .agg(
                p5=pl.col("pause").quantile(0.05, "nearest").cast(pl.Int64),
                p50=pl.col("pause").quantile(0.5, "nearest").cast(pl.Int64),
                p95=pl.col("pause").quantile(0.95, "nearest").cast(pl.Int64),
                n=pl.len(),
            )
        )
        return {(step, turn): (p5, p50, p95, n) for step, turn, p5, p50, p95, n in told.iter_rows()}

    def _beside(self, number: int, peer: int, why: str, shape: int) -> Comparison:
        usual = self._usual(shape, number)
        spans = self._table.filter(pl.col("number").is_in([number, peer])).get_column("duration")
        least, most = _SLIGHT_BOUNDS
        slight = min(max(int(_SLIGHT * min(spans.to_physical().to_list(), default=0)), least), most)
        frame = self._records([number, peer])
        sides = [frame.filter(pl.col("number") == each).head(_MOST_STEPS).rows(named=True) for each in (number, peer)]
        steps = [[(row["lane"], row["step"]) for row in side] for side in sides]
        told = []
        for here, there in alignment(steps[0], steps[1]):
            mine = None if here is None else sides[0][here]
            other = None if there is None else sides[1][there]
            told.append(self._step(mine, other, usual, slight))
        counts = {kind: sum(step.kind == kind for step in told) for kind in ("missing", "extra", "slower")}
        return Comparison(number, peer, why, tuple(told), **counts)

    def _step(
        self,
        mine: dict[str, int] | None,
        other: dict[str, int] | None,
        usual: dict[tuple[int, int], tuple[int, int, int, int]],
        slight: int,
    ) -> ComparedStep:
        row = mine or other
        assert row is not None
        name = self._names[row["code"]]
        figures = usual.get(((other or row)["step"], (other or row)["turn"]))
        kind = (
            "missing"
            if mine is None
            else "extra"
            if other is None
            else _pace(mine["pause"], other["pause"], figures, slight)
        )
        return ComparedStep(
            kind=kind,
            service=name["service"],
            template=name["template"],
            row=None if mine is None else mine["row"],
            peer_row=None if other is None else other["row"],
            since_previous=None if mine is None else mine["pause"],
            peer_since_previous=None if other is None else other["pause"],
            usual=None if figures is None else figures[1],
            usual_p95=None if figures is None else figures[2],
        )


def _oddity(ways: dict[int, set[Step]], counts: dict[int, int]) -> dict[int, int]:
    """Per way how many steps it lacks that nearly all take, and takes that hardly one does."""
    total = sum(counts[way] for way in ways)
    shares: dict[Step, float] = {}
    for way, steps in ways.items():
        for step in steps:
            shares[step] = shares.get(step, 0.0) + counts[way] / total
    usual = {step for step, share in shares.items() if share >= _USUAL}
    return {way: len(usual - steps) + sum(shares[step] < _UNUSUAL for step in steps) for way, steps in ways.items()}


def _pace(pause: int | None, other: int | None, figures: tuple[int, int, int, int] | None, slight: int) -> str:
    """Whether a step that both have came late or early, against the peers or, if they are few, against the one."""
    if pause is None or other is None:
        return "same"
    low, middle, high = other // 3, other, other * 3
    if figures is not None and figures[3] >= _FEW:
        low, middle, high = figures[:3]
    if pause > high and pause > middle + slight and pause > other + slight:
        return "slower"
    if pause < low and pause < middle - slight and pause < other - slight:
        return "faster"
    return "same"
