"""Records that nearly made a match, and what they failed by: bounds are lifted one kind at a time.

The machine is run without bounds and absences; what it pairs then and the rule does not is measured
against each bound, each absence and `having`. Pairing without bounds may differ from pairing with
them, so this explains, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl

from logscope.rules.detector import Detector
from logscope.rules.model.rule import Sequence, Step
from logscope.rules.sequence import GROUP, UNTIL, hit_column, in_order, match_sequence, place_column
from logscope.text import human_duration

NEAR = 0.5
"""A miss is near if it failed by at most this share of the bound."""

_FOREVER = 2**62
_MISS = {
    "match": pl.UInt32, "step": pl.String, "offender": pl.UInt32, "by": pl.Int64, "far": pl.Float64, "text": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Miss:
    """One near miss."""

    group: int
    step: str
    time: int
    steps: tuple[tuple[str, int], ...]
    """(step, row) of those that were there."""
    row: int | None
    by: int | None
    text: str


def find_misses(detector: Detector, *, group: int | None = None, limit: int = 200) -> list[Miss]:
    """The near misses among the hits that a detector keeps, nearest first.

    Args:
        detector: After its steps.
        group: Only this group, and however far.
        limit: How many at most.
    """
    hits = detector.state.hits.frame()
    if hits is None:
        return []
    hits = hits.filter(pl.col(GROUP).is_not_null() if group is None else pl.col(GROUP) == group)
    return _Explained(detector, hits).misses(limit, near=group is None) if hits.height else []


class _Explained:
    def __init__(self, detector: Detector, hits: pl.DataFrame) -> None:
        self.detector = detector
        self.sequence = detector.sequence
        self.hits = in_order(hits)
        self.time = self.hits["time"].to_physical()
        self.names = [step.name for step in self.sequence.positive]
        self.matches = self._matched(_loose(self.sequence)).with_row_index("match")

    def misses(self, limit: int, *, near: bool) -> list[Miss]:
        failed = pl.concat([frame.select(pl.col(n).cast(t) for n, t in _MISS.items()) for frame in self._failures()])
        # What failed by two things at once was not near.
        alone = failed.filter(~pl.col("match").is_duplicated()) if near else failed
        if near:
            alone = alone.filter(pl.col("far") <= NEAR)
        found = [self._miss(row, len(self.names)) for row in self._with_places(alone, limit)]
        for count in range(len(self.names) - 1, 0, -1):
            if len(found) >= limit or (near and (count < 2 or count < len(self.names) - 1)):
                break
            found += self._unfinished(count, limit - len(found))
        return found

    def _with_places(self, failed: pl.DataFrame, limit: int) -> list[dict[str, object]]:
        best = failed.sort("far", "match").head(limit)
        return best.join(self.matches, on="match", how="left", maintain_order="left").to_dicts()

    def _matched(self, sequence: Sequence, columns: Several[int] | None = None) -> pl.DataFrame:
        """Matches of a part of the sequence; `columns` are the places of its steps among all steps."""
        places = [place for place, step in enumerate(self.sequence.steps) if not step.absent]
        wanted = places if columns is None else columns
        frame = self.hits.select(
            GROUP, "time", "source_id", "line",
            *(pl.col(hit_column(place)).alias(f"m{number}") for number, place in enumerate(wanted)),
            *([UNTIL] if sequence.until is not None else []),
        ).rename({f"m{number}": hit_column(number) for number in range(len(wanted))})  # fmt: skip
        return match_sequence(sequence, frame, watermark_us=_FOREVER, begin_us=-_FOREVER, decide=True)

    def _failures(self) -> list[pl.DataFrame]:
        found = [pl.DataFrame(schema=_MISS)]
        matches, sequence = self.matches, self.sequence
        if not matches.height:
            return found
        times = [self.time.gather(matches[place_column(stage)]) for stage in range(len(self.names))]
        for stage, step in enumerate(sequence.positive):
            if step.maxpause_us is not None:
                pause = times[stage] - times[stage - 1]
                found.append(self._over(pause, step.maxpause_us, step.name, "maxpause", stage))
        if sequence.maxspan_us is not None and len(times) > 1:
            found.append(
                self._over(times[-1] - times[0], sequence.maxspan_us, self.names[-1], "maxspan", len(times) - 1)
            )
        for place, step in enumerate(sequence.steps):
            if step.absent:
                found.append(self._present(place, step))
        if sequence.having is not None:
            values = self.detector.having_values(self.hits, matches)
            wrong = matches.filter(~sequence.having.mask(values))
            found.append(
                wrong.select(
                    "match", step=pl.lit(self.names[-1]), offender=pl.lit(None), by=pl.lit(None), far=pl.lit(NEAR),
                    text=pl.lit(f"having is false: {sequence.having.text}"),
                )
            )  # fmt: skip
        return found

    def _over(self, taken: pl.Series, bound: int, step: str, name: str, stage: int) -> pl.DataFrame:
        over = self.matches.select("match", offender=place_column(stage)).with_columns(by=taken - bound)
        over = over.filter(pl.col("by") > 0)
        texts = [f"{step}: {name} exceeded by {human_duration(by)}" for by in over["by"].to_list()]
        return over.with_columns(
            step=pl.lit(step), far=pl.col("by") / max(bound, 1), text=pl.Series(texts, dtype=pl.String)
        )

    def _present(self, place: int, step: Step) -> pl.DataFrame:
        """The matches that an absent step, being there, prevented."""
        happening = [number for number, each in enumerate(self.sequence.steps) if not each.absent]
        columns = sorted([*happening, place])
        steps = tuple(
            step if number == place else replace(self.sequence.steps[number], maxpause_us=None) for number in columns
        )
        part = Sequence(self.sequence.by, steps, self.sequence.maxspan_us)
        ats = [place_column(stage) for stage in range(len(self.names))]
        kept = self._matched(part, columns)
        gone = self.matches.join(kept.select(ats), on=ats, how="anti")
        span = self.sequence.maxspan_us
        if span is not None:
            # Too long as a whole is told as such.
            gone = gone.filter(pl.col("last") - pl.col("start") <= span)
        before = place > happening[-1] or happening[0] < place
        anchor = ats[sum(1 for number in happening if number < place) - 1] if before else ats[0]
        at = pl.DataFrame({"match": gone["match"], GROUP: gone[GROUP], "t": self.time.gather(gone[anchor])})
        hits = self.hits.with_row_index("offender").filter(hit_column(place))
        seen = hits.select("offender", GROUP, t=pl.col("time").to_physical()).sort("t")
        near = at.sort("t").join_asof(
            seen.with_columns(seen=pl.col("t")),
            on="t",
            by=GROUP,
            strategy="forward" if before else "backward",
            check_sortedness=False,
        )
        near = near.with_columns(off=(pl.col("seen") - pl.col("t")).abs()).drop_nulls("off").sort("match")
        between = happening[0] < place < happening[-1]
        bound = None if between else step.within_us or span or 0
        words = [_words(step.name, off, bound, before=before) for off in near["off"].to_list()]
        by = pl.lit(None, dtype=pl.Int64) if bound is None else bound - pl.col("off")
        far = pl.lit(NEAR) if bound is None else (bound - pl.col("off")) / max(bound, 1)
        return near.select(
            "match", "offender", step=pl.lit(step.name), by=by, far=far, text=pl.Series(words, dtype=pl.String)
        )

    def _unfinished(self, count: int, limit: int) -> list[Miss]:
        """Matches of the first `count` steps that never went on, in order of time."""
        positive = self.sequence.positive[:count]
        places = [place for place, step in enumerate(self.sequence.steps) if not step.absent][:count]
        part = Sequence(self.sequence.by, positive, self.sequence.maxspan_us, self.sequence.until)
        ats = [place_column(stage) for stage in range(count)]
        found = self._matched(part, places).join(self.matches.select(ats), on=ats, how="anti")
        step, following = self.names[count - 1], self.names[count]
        rows = found.sort("start").head(limit).with_columns(
            step=pl.lit(following), offender=pl.lit(None, dtype=pl.UInt32), by=pl.lit(None, dtype=pl.Int64),
            text=pl.lit(f"{following}: never came after {step}"),
        )  # fmt: skip
        return [self._miss(row, count) for row in rows.to_dicts()]

    def _miss(self, row: dict[str, object], count: int) -> Miss:
        def number(name: str) -> int:
            value = row[name]
            assert isinstance(value, int)
            return value

        rows = self.hits["row"]
        steps = tuple((self.names[stage], int(rows[number(place_column(stage))])) for stage in range(count))
        offender = row["offender"]
        by = row["by"]
        return Miss(
            group=number(GROUP),
            step=str(row["step"]),
            time=number("last"),
            steps=steps,
            row=int(rows[offender]) if isinstance(offender, int) else None,
            by=by if isinstance(by, int) else None,
            text=str(row["text"]),
        )


def shown_number(value: object) -> str:
    """What a comparison was made with, for people."""
    if isinstance(value, timedelta):
        return human_duration(value // timedelta(microseconds=1))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _loose(sequence: Sequence) -> Sequence:
    """The steps that happen, without bounds."""
    steps = tuple(replace(step, maxpause_us=None) for step in sequence.positive)
    return Sequence(sequence.by, steps, None, sequence.until)


def _words(step: str, off: int, bound: int | None, *, before: bool) -> str:
    if bound is None:
        return f"{step} came in between"
    when = f"after {human_duration(off)}" if before else f"{human_duration(off)} before"
    return f"{step} {when}, within is {human_duration(bound)}"
