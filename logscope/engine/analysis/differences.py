"""`stats --against`: what is new, gone, slower, failing in some sources beside others.

Both are read into one session, so that keys, templates and shapes are the same for both.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.engine.analysis.incomplete import incomplete
from logscope.engine.rendering import present
from logscope.errors import UsageError
from logscope.records import schema
from logscope.records.severity import ERROR, level_name
from logscope.sources.discover import expand

if TYPE_CHECKING:
    from logscope.engine.api import Cancel
    from logscope.engine.session import Session

Object = dict[str, Any]

_RATIO = 2.0
"""How many times as often, or as long, makes a difference."""
_SURE = 3.5
"""Standard deviations by which counts must differ."""
_LEAST_TIMES = 5
"""Pauses on either side below which nothing is said of their length."""
_SLIGHT = 1_000
"""Microseconds that keep ratios of slight pauses from counting."""
_LEAST_LONGER = 5_000
"""Microseconds that a pause must be longer."""


def apart(sources: Sequence[str], against: Sequence[str]) -> frozenset[str]:
    """Names of the sources that are compared with.

    Args:
        sources: What is looked at, as typed.
        against: What it is compared with.

    Raises:
        UsageError: Nothing to look at is named, or one source stands on both sides.
    """
    if not sources:
        raise UsageError("nothing to compare", "stats", mend="name sources before --against, and others after it")
    mine, others = map(_names, (sources, against))
    if mine & others:
        raise UsageError(f"{min(mine & others)} stands on both sides", "--against", mend="name different sources there")
    return others


def _names(arguments: Sequence[str]) -> frozenset[str]:
    expansion = expand(arguments, stdin_is_pipe=False)
    expansion.close()
    return frozenset(spec.name for spec in expansion.specs)


class Differences:
    """Compares one side of a session with the other.

    Args:
        session: With the records of both sides.
        against: Names of the sources that are compared with; all others are what is looked at.
        cancel: Looked at between segments.
    """

    def __init__(self, session: Session, against: Collection[str], cancel: Cancel) -> None:
        """Everything is worked out when it is asked for."""
        self._session = session
        self._cancel = cancel
        ids = [place for place, source in enumerate(session.loading.sources) if source.name in against]
        session.prepare_transactions(cancel=cancel, asked=True)
        index = session.selection.inside(
            session.store.view.index.select("time", "source_id", "level").with_row_index(schema.ROW), session.store.view
        )
        codes = session.analysing.stepping.update(cancel)
        steps = session.analysing.stepping.steps().sort("code")
        mine = codes[index.get_column(schema.ROW)]
        self._records = index.select(
            schema.ROW,
            "level",
            mine=~pl.col("source_id").is_in(ids),
            service=steps.get_column("service")[mine],
            template=steps.get_column("template")[mine],
        )
        placed = session.analysing.placed(cancel)
        placed = placed.join(self._records.select(schema.ROW, "mine", "service", "template"), on=schema.ROW)
        # Where ids recur on both sides, each side's part counts by itself.
        placed = placed.with_columns(whole="number", number=pl.col("number").cast(pl.Int64) * 2 + pl.col("mine"))
        self._placed = placed.sort("number", "rank").with_columns(
            pause=pl.col("at") - pl.col("at").shift(1).over("number"),
            before=pl.col("service").shift(1).over("number"),
            error=pl.col("level") >= ERROR,
        )

    def objects(self) -> Iterator[Object]:
        """One JSON object per difference: failing and slower services first, then steps, shapes, templates."""
        yield self._summary()
        yield from self._services()
        yield from self._incomplete()
        yield from self._slow_services()
        yield from self._pauses()
        yield from self._shapes()
        yield from self._templates()

    def _summary(self) -> Object:
        sides: Object = {}
        for side, mine in (("", True), ("against_", False)):
            part = self._placed.filter(pl.col("mine") == mine)
            spans = part.group_by("number").agg(span=pl.col("at").max() - pl.col("at").min()).get_column("span")
            sides |= {
                f"{side}records": int((self._records.get_column("mine") == mine).sum()),
                f"{side}transactions": len(spans),
                f"{side}errors": int(part.filter("error").get_column("number").n_unique()),
                f"{side}p50_ms": _ms(spans.quantile(0.5, "nearest")),
                f"{side}p95_ms": _ms(spans.quantile(0.95, "nearest")),
            }
        return present({"difference": "summary", **sides})

    @property
    def placed(self) -> pl.DataFrame:
        """Records by transaction and rank: `number`, `mine`, `service`, `template`, `at` (microseconds), `error`."""
        return self._placed

    # --- services

    def _services(self) -> Iterator[Object]:
        """Services that log errors in more of their transactions, or whose transactions they hold longer."""
        each = self._placed.group_by("service", "number", "mine").agg(error=pl.col("error").any())
        told = _sides(
            each.group_by("service", "mine").agg(n=pl.len(), errors=pl.col("error").sum()), ["service"], ["n", "errors"]
        )
        rows = []
        for service, n, errors, n_b, errors_b in told.iter_rows():
            if not n or not n_b:
                rows.append((0.0, present({
                    "difference": "new" if n else "gone", "of": "service", "service": service,
                    "transactions": n, "against": n_b,
                })))  # fmt: skip
                continue
            share, share_b = errors / n, errors_b / n_b
            sure = _sure(errors, errors_b, n, n_b)
            if abs(sure) >= _SURE or (errors >= 3 and not errors_b and sure >= 2):
                rows.append((sure * (share - share_b), present({
                    "difference": "failing" if share > share_b else "recovered", "of": "service", "service": service,
                    "errors": errors, "transactions": n, "share": round(share, 4), "share_against": round(share_b, 4),
                })))  # fmt: skip
        yield from (entry for _, entry in sorted(rows, key=lambda row: (-row[0], str(row[1]["service"]))))

    def _incomplete(self) -> Iterator[Object]:
        """Services that leave out a step which they take on the other side, though they log no error."""
        for row in incomplete(self._placed).iter_rows(named=True):
            yield present({
                "difference": "incomplete", "of": "service", "service": row["service"], "after": row["after"],
                "missing": row["missing"], "times": row["times"], "transactions": row["n"],
                "share": round(row["share"], 4), "share_against": round(row["share_b"], 4),
            })  # fmt: skip

    # --- pauses

    def _slow_services(self) -> Iterator[Object]:
        """Services whose records, and whose neighbours' before and after them, come later; the worst first.

        A delay shows on every way to and from the service that has it, on one way only at the others.
        The typical pause tells a delay of all, the longer ones a service that is short of time.
        """
        pauses = self._placed.drop_nulls("pause").select("mine", "pause", caller="before", service="service")
        names = ["caller", "service"]
        quantiles = {f"q{round(share * 100)}": share for share in (0.5, 0.75)}
        counted = pauses.group_by(*names, "mine").agg(
            n=pl.len(), **{name: pl.col("pause").quantile(share, "nearest") for name, share in quantiles.items()}
        )
        told = _sides(counted, names, ["n", *quantiles]).filter(
            (pl.col("n") >= _LEAST_TIMES) & (pl.col("n_b") >= _LEAST_TIMES)
        )
        ends = pl.concat(
            [
                told.with_columns(at="caller"),
                told.filter(pl.col("caller") != pl.col("service")).with_columns(at="service"),
            ]
        )
        totals = [(pl.col(name) * pl.col("n")).sum().alias(name) for name in quantiles]
        others = [(pl.col(f"{name}_b") * pl.col("n")).sum().alias(f"{name}_b") for name in quantiles]
        score = pl.sum_horizontal(
            [
                (pl.col(name) - pl.col(f"{name}_b")).clip(lower_bound=0)
                * ((pl.col(name) + _SLIGHT) / (pl.col(f"{name}_b") + _SLIGHT)).log().clip(lower_bound=0)
                for name in quantiles
            ]
        )
        found = (
            ends.group_by("at")
            .agg(*totals, *others)
            .with_columns(score=score, added=pl.max_horizontal(pl.col(n) - pl.col(f"{n}_b") for n in quantiles))
            .filter(pl.any_horizontal(pl.col(n) >= _RATIO * pl.col(f"{n}_b") + _LEAST_LONGER for n in quantiles))
            .sort("score", "at", descending=[True, False])
        )
        for row in found.iter_rows(named=True):
            yield present({
                "difference": "slower", "of": "service", "service": row["at"], "added_ms": _ms(row["added"]),
                **{f"times_as_long_{name}": round((row[name] + 1) / (row[f"{name}_b"] + 1), 2) for name in quantiles},
            })  # fmt: skip

    def _pauses(self) -> Iterator[Object]:
        """Where transactions wait longer: within a service, or from one to another; what adds most first."""
        pauses = self._placed.drop_nulls("pause").select(
            "mine", "pause", "number", caller="before", service="service", template="template"
        )
        for names, of in ((["caller", "service"], "hop"), (["caller", "service", "template"], "step")):
            counted = pauses.group_by(*names, "mine").agg(
                n=pl.len(),
                p50=pl.col("pause").quantile(0.5, "nearest"),
                p95=pl.col("pause").quantile(0.95, "nearest"),
                mean=pl.col("pause").mean(),
            )
            told = _sides(counted, names, ["n", "p50", "p95", "mean"]).filter(
                (pl.col("n") >= _LEAST_TIMES) & (pl.col("n_b") >= _LEAST_TIMES)
            )
            told = told.with_columns(added=(pl.col("mean") - pl.col("mean_b")) * pl.col("n"))
            slower = told.filter(
                (pl.col("mean") >= _RATIO * pl.col("mean_b"))
                & (pl.col("mean") - pl.col("mean_b") >= _LEAST_LONGER)
                & ((pl.col("p50") > pl.col("p50_b")) | (pl.col("p95") >= _RATIO * pl.col("p95_b")))
            )
            for row in slower.sort("added", *names, descending=[True, *([False] * len(names))]).iter_rows(named=True):
                within = row["caller"] == row["service"]
                yield present({
                    "difference": "slower", "of": "within" if of == "hop" and within else of,
                    "caller": None if within else row["caller"], "service": row["service"],
                    "template": row.get("template"), "times": row["n"], "times_against": row["n_b"],
                    "p50_ms": _ms(row["p50"]), "p95_ms": _ms(row["p95"]), "mean_ms": _ms(row["mean"]),
                    "p50_ms_against": _ms(row["p50_b"]), "p95_ms_against": _ms(row["p95_b"]),
                    "mean_ms_against": _ms(row["mean_b"]), "added_ms": _ms(row["added"]),
                })  # fmt: skip

    # --- shapes and templates

    def _shapes(self) -> Iterator[Object]:
        """Ways that transactions go on one side only, or much more often, or more slowly."""
        shapes = {shape.number: shape for shape in self._session.shapes(cancel=self._cancel)}
        numbers = self._session.analysing.shape_of(self._cancel)
        spans = self._placed.group_by("whole", "mine").agg(span=pl.col("at").max() - pl.col("at").min())
        counted = (
            spans.join(numbers, left_on="whole", right_on="number")
            .group_by("shape", "mine")
            .agg(n=pl.len(), p50=pl.col("span").quantile(0.5, "nearest"), p95=pl.col("span").quantile(0.95, "nearest"))
        )
        told = _sides(counted, ["shape"], ["n", "p50", "p95"])
        totals = int(told.get_column("n").sum()), int(told.get_column("n_b").sum())
        for row in told.sort(["n", "n_b", "shape"], descending=[True, True, False]).iter_rows(named=True):
            kind = _kind(row["n"], row["n_b"], *totals)
            slower = min(row["n"], row["n_b"]) >= _LEAST_TIMES and row["p50"] >= _RATIO * row["p50_b"] + _LEAST_LONGER
            if kind is None and not slower:
                continue
            shape = shapes[row["shape"]]
            yield present({
                "difference": kind or "slower", "of": "shape", "shape": row["shape"], "transactions": row["n"],
                "against": row["n_b"], "p50_ms": _ms(row["p50"]), "p50_ms_against": _ms(row["p50_b"]),
                "errors": shape.errors, "services": list(shape.services), "steps": len(shape.templates),
            })  # fmt: skip

    def _templates(self) -> Iterator[Object]:
        """Messages of one side only, or much more or less often; the worst level and the most first."""
        counted = self._records.group_by("service", "template", "level", "mine").agg(
            n=pl.len(), row=pl.col(schema.ROW).min()
        )
        told = _sides(counted, ["service", "template", "level"], ["n", "row"])
        totals = int(told.get_column("n").sum()), int(told.get_column("n_b").sum())
        rows = []
        for row in told.iter_rows(named=True):
            kind = _kind(row["n"], row["n_b"], *totals)
            if kind is not None:
                rows.append((kind, row))
        order = {"new": 0, "more": 1, "gone": 2, "less": 3}
        rows.sort(key=lambda entry: (
            order[entry[0]], -entry[1]["level"], -entry[1]["n"], -entry[1]["n_b"],
            entry[1]["service"], entry[1]["template"],
        ))  # fmt: skip
        for kind, row in rows:
            yield present({
                "difference": kind, "of": "template", "service": row["service"], "template": row["template"],
                "level": level_name(row["level"]), "records": row["n"], "against": row["n_b"],
            })  # fmt: skip


def _sides(counted: pl.DataFrame, names: list[str], values: list[str]) -> pl.DataFrame:
    """Both sides in one row: `values` of what is looked at, `values` with `_b` of the other; 0 where one has none."""
    mine = counted.filter("mine").select(*names, *values)
    other = counted.filter(~pl.col("mine")).select(*names, *(pl.col(name).alias(f"{name}_b") for name in values))
    both = mine.join(other, on=names, how="full", coalesce=True)
    return both.with_columns(pl.col(*values, *(f"{name}_b" for name in values)).fill_null(0)).sort(*names)


def _sure(n: int, n_b: int, total: int, total_b: int) -> float:
    """Standard deviations by which `n` of `total` is more than `n_b` of `total_b`."""
    expected = (n + n_b) * total / max(1, total + total_b)
    deviation = math.sqrt(max(expected * total_b / max(1, total + total_b), 1e-9))
    return (n - expected) / deviation


def _kind(n: int, n_b: int, total: int, total_b: int) -> str | None:
    """`new`, `gone`, `more`, `less`, or nothing to tell."""
    if not n_b:
        return "new"
    if not n:
        return "gone"
    sure = _sure(n, n_b, total, total_b)
    share, share_b = n / max(1, total), n_b / max(1, total_b)
    if sure >= _SURE and share >= _RATIO * share_b:
        return "more"
    if sure <= -_SURE and share_b >= _RATIO * share:
        return "less"
    return None


def _ms(microseconds: float | None) -> float | None:
    return None if microseconds is None else round(microseconds / 1000, 3)
