"""Sequences as a shift per stage: EQL's state machine without a loop over records.

Per key at most one unfinished match waits before each stage; the newest replaces an older one. On
one record `until` acts first, then advancing, then starting. So what a record of stage k finds is
told by the last thing that happened before it in its group: a match that came to wait there, one
that was taken, or an `until`. Adjacency is the whole machine, and a match's fate depends only on
records from its own first step on (an older match never replaces a newer one), which is why a part
of a group can be matched again by itself.

Absences are looked up after pairing, in windows closed by time.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from logscope.rules.model.rule import Sequence, Step
from logscope.rules.values import constant

GROUP, UNTIL = "group", "until"
DETECTION = "detection"
"""The hits' column with the id of another rule's detection, null of a record: it stands right behind its record."""

_FEW = 20_000
"""Hits of which to look whether they are in order takes longer than to order them."""

WHY_MATCHED, WHY_TRAILING, WHY_LEADING = range(3)
"""Column `why` of matches: decided; a window's end is not reached; a window begins before the data."""


def hit_column(step: int) -> str:
    """The hits' Boolean column of a step, by its place among all steps."""
    return f"s{step}"


def place_column(step: int) -> str:
    """The matches' column of a positive step, by its place among the positive ones: a position in the hits."""
    return f"at{step}"


def in_order(hits: pl.DataFrame) -> pl.DataFrame:
    """Hits by group, and within it by (time, source_id, line)."""
    if DETECTION in hits.columns:
        return hits.sort(GROUP, "time", "source_id", "line", DETECTION, nulls_last=False)
    if hits.height < _FEW:
        return hits.sort(GROUP, "time", "source_id", "line")
    if _ascending(hits, GROUP, "time", "source_id", "line"):
        return hits
    # One key sorts several times faster than four, and a scan's records come in order of time, or by source and line.
    if _ascending(hits, "time", "source_id", "line"):
        return hits.sort(GROUP, maintain_order=True)
    if _ascending(hits, "source_id", "line"):
        return hits.sort(GROUP, "time", maintain_order=True)
    return hits.sort(GROUP, "time", "source_id", "line")


def _ascending(hits: pl.DataFrame, *names: str) -> bool:
    """Whether rows stand in the order of these columns, repeats allowed."""
    behind = pl.lit(False)
    for name in reversed(names):
        now, before = pl.col(name), pl.col(name).shift(1)
        behind = (now < before) | ((now == before) & behind)
    return not hits.select(behind.fill_null(False).any()).item()


def match_sequence(
    sequence: Sequence, hits: pl.DataFrame, *, watermark_us: int, begin_us: int, decide: bool = False
) -> pl.DataFrame:
    """All matches among the hits of some groups.

    Args:
        sequence: The rule's sequence; `having` is not tested here.
        hits: In the order of `in_order`, with `group`, `time`, Boolean `s0`, `s1`, ... (one per
            step, absent ones too) and, with an `until`, Boolean `until`.
        watermark_us: No record before it is still to come.
        begin_us: Where the data begins.
        decide: Take what is still pending as matched.

    Returns:
        One row per match: `group`, `at0`, `at1`, ... (positions of the positive steps in `hits`),
        `start`, `last` (times of first and last step, microseconds), `due` (when it is decided),
        `pending` (Boolean), `why` (UInt8).
    """
    stream = _Stream(hits)
    matches = _pair(sequence, stream)
    positive = [place for place, step in enumerate(sequence.steps) if not step.absent]
    first, last = positive[0], positive[-1]
    start, end = stream.time[matches["at0"]], stream.time[matches[place_column(len(positive) - 1)]]
    matches = matches.hstack(
        [
            stream.group[matches["at0"]].alias(GROUP), start.alias("start"), end.alias("last"), end.alias("due"),
            start.alias("lead"),
        ]
    )  # fmt: skip
    for place, step in enumerate(sequence.steps):
        if not step.absent:
            continue
        gap = sum(1 for earlier in positive if earlier < place)
        if place < first:
            matches = _without_leading(matches, stream, place, step, sequence.maxspan_us)
        elif place > last:
            matches = _without_trailing(matches, stream, place, step, sequence.maxspan_us, len(positive) - 1)
        else:
            matches = _without_middle(matches, stream, place, gap - 1)
    if positive[-1] != len(sequence.steps) - 1 and UNTIL in hits.columns:
        matches = _not_ended(matches, stream, place_column(len(positive) - 1))
    nothing = constant(False, matches.height)
    trailing = matches["due"] >= watermark_us if last != len(sequence.steps) - 1 else nothing
    leading = matches["lead"] < begin_us if first else nothing
    why = constant(WHY_LEADING, matches.height, pl.UInt8).zip_with(
        leading, constant(WHY_MATCHED, matches.height, pl.UInt8)
    )
    why = constant(WHY_TRAILING, matches.height, pl.UInt8).zip_with(trailing, why)
    pending = nothing if decide else trailing | leading
    wanted = [name for name in matches.columns if name != "lead"]
    return matches[wanted].hstack([pending.alias("pending"), why.alias("why")])


class _Near(NamedTuple):
    """For every position the nearest marked positions strictly before and after it; null where there is none."""

    before: pl.Series
    after: pl.Series


# Twenty rules look at a block of live records many times a second, and a query costs Polars more than such a block does:
# where a Series can be asked for the same it is, which takes a twentieth of the time.


def _true(mask: pl.Series) -> pl.Series:
    """A mask in which what is not known is false."""
    return mask.zip_with(mask, constant(False, mask.len()))


class _Stream:
    """The hits' columns, and positions as a column."""

    def __init__(self, hits: pl.DataFrame) -> None:
        self.hits = hits
        self.group = hits.get_column(GROUP)
        self.time = hits.get_column("time").cast(pl.Int64)
        self.place = pl.int_range(0, hits.height, dtype=pl.UInt32, eager=True)
        self.until = hits.get_column(UNTIL) if UNTIL in hits.columns else None

    def near(self, marked: pl.Series) -> _Near:
        found = self.place.zip_with(marked, constant(None, marked.len(), pl.UInt32)).alias("found")
        at = pl.col("found")
        table = found.to_frame().select(before=at.shift(1).forward_fill(), after=at.shift(-1).backward_fill())
        return _Near(table["before"], table["after"])

    def time_if_same_group(self, places: pl.Series, groups: pl.Series) -> pl.Series:
        """Times at `places` (may be null), null where that is another group."""
        return self.time[places].zip_with(self.group[places] == groups, constant(None, groups.len(), pl.Int64))


def _pair(sequence: Sequence, stream: _Stream) -> pl.DataFrame:
    """The positive steps alone: positions `at0`, `at1`, ... of every complete match."""
    stages = [(place, step) for place, step in enumerate(sequence.steps) if not step.absent]
    waits = stream.hits.get_column(hit_column(stages[0][0]))
    waiting = pl.DataFrame({"at0": stream.place.filter(waits)})
    for stage, (place, step) in enumerate(stages[1:], start=1):
        hit = stream.hits.get_column(hit_column(place))
        taken = _advance(waiting, waits, hit, stream, step, sequence.maxspan_us, stage)
        waits = constant(False, stream.place.len())
        if taken.height:
            waits = waits.scatter(taken[place_column(stage)], True)
        waiting = taken
    return waiting


def _advance(
    waiting: pl.DataFrame,
    waits: pl.Series,
    hit: pl.Series,
    stream: _Stream,
    step: Step,
    maxspan_us: int | None,
    stage: int,
) -> pl.DataFrame:
    """The matches that a stage's hits take from those waiting before it."""
    # What a record leaves behind, the last of `until`, taking, coming to wait: the waiting match's
    # number, or -1. A record sees what the one before it left.
    clears = hit if stream.until is None else hit | stream.until
    number = pl.col("waits").cum_sum().cast(pl.Int64) - 1
    left = pl.when("waits").then(number).when("clears").then(-1)
    table = pl.DataFrame({"waits": waits, "clears": clears}).select(seen=left.shift(1).forward_fill())
    takes = hit & _true(table["seen"] >= 0)
    if stream.until is not None:
        takes &= ~stream.until
    places = stream.place.filter(takes)
    taken = waiting[table["seen"].filter(takes)].hstack([places.alias(place_column(stage))])
    times = stream.time[places]
    before = taken[place_column(stage - 1)]
    keep = stream.group[before] == stream.group[places]
    if maxspan_us is not None:
        keep &= times - stream.time[taken["at0"]] <= maxspan_us
    if step.maxpause_us is not None:
        keep &= times - stream.time[before] <= step.maxpause_us
    return _kept(taken, keep)


def _kept(matches: pl.DataFrame, keep: pl.Series) -> pl.DataFrame:
    return matches if keep.null_count() == 0 and keep.all() else matches.filter(keep)


def _without_leading(
    matches: pl.DataFrame, stream: _Stream, place: int, step: Step, maxspan_us: int | None
) -> pl.DataFrame:
    near = stream.near(stream.hits.get_column(hit_column(place)))
    begin = matches["start"] - step.within_us if step.within_us is not None else matches["last"] - (maxspan_us or 0)
    before = stream.time_if_same_group(near.before[matches["at0"]], matches[GROUP])
    after = stream.time_if_same_group(near.after[matches["at0"]], matches[GROUP])
    present = _true(before >= begin) | _true(after == matches["start"])
    lead = matches["lead"].zip_with(matches["lead"] <= begin, begin)
    return _kept(matches.with_columns(lead.alias("lead")), ~present)


def _without_trailing(
    matches: pl.DataFrame, stream: _Stream, place: int, step: Step, maxspan_us: int | None, last: int
) -> pl.DataFrame:
    near = stream.near(stream.hits.get_column(hit_column(place)))
    end = matches["last"] + step.within_us if step.within_us is not None else matches["start"] + (maxspan_us or 0)
    at = matches[place_column(last)]
    before = stream.time_if_same_group(near.before[at], matches[GROUP])
    after = stream.time_if_same_group(near.after[at], matches[GROUP])
    present = _true(before == matches["last"]) | _true(after <= end)
    due = matches["due"].zip_with(matches["due"] >= end, end)
    return _kept(matches.with_columns(due.alias("due")), ~present)


def _without_middle(matches: pl.DataFrame, stream: _Stream, place: int, stage: int) -> pl.DataFrame:
    near = stream.near(stream.hits.get_column(hit_column(place)))
    previous, following = matches[place_column(stage)], matches[place_column(stage + 1)]
    groups = matches[GROUP]
    between = _true(near.after[previous] < following)
    before = stream.time_if_same_group(near.before[previous], groups) == stream.time[previous]
    after = stream.time_if_same_group(near.after[following], groups) == stream.time[following]
    return _kept(matches, ~(between | _true(before) | _true(after)))


def _not_ended(matches: pl.DataFrame, stream: _Stream, last: str) -> pl.DataFrame:
    """Without those that an `until` ends while they wait for their trailing absence."""
    if stream.until is None:
        return matches
    after = stream.time_if_same_group(stream.near(stream.until).after[matches[last]], matches[GROUP])
    return _kept(matches, ~_true(after <= matches["due"]))
