"""What a rule still needs of its hits, and letting go of the rest: of a watch that runs for long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from logscope.records.renumbering import Kept
from logscope.rules.retained import RetainedHits
from logscope.rules.sequence import DETECTION, GROUP
from logscope.rules.state import State

if TYPE_CHECKING:
    from logscope.rules.stepping import StepDetector


def needed(detector: StepDetector) -> list[pl.Series]:
    """Rows of the hits that can still be asked for; of a rule that looks back without end those that wait alone."""
    state, since = detector.state, detector.asked_since()
    if since is None:
        waiting = detector.waiting().select(GROUP, since=pl.lit(None, dtype=pl.Int64)).unique()
        found = state.hits.of_groups(waiting)
    else:
        found = state.hits.between(since, _EVER)
    return [frame["row"].cast(pl.UInt32) for frame in (state.unreleased, found) if frame is not None]


def keep_only(detector: StepDetector, rows: Kept, transactions: Kept | None, until: int) -> None:
    """Let go of hits that nobody can ask for any more, and of those whose records go; the others are renumbered.

    What could still have been asked for is counted as evicted.

    Args:
        detector: One that has been stepped.
        rows: Records that stay; with one record of a transaction all of it.
        transactions: Those that stay, of a rule over transactions.
        until: The newest time of a record that goes, microseconds.
    """
    state, asked = detector.state, detector.asked_since()
    whole = transactions is not None and asked is None
    since = None if whole else until + 1 if asked is None else min(asked, until + 1)
    lost, reached = _split(state, rows, since, asked)
    if lost:
        state.evicted += lost
        if transactions is None:
            since = max(reached + 1, reached if since is None else since)
    if since is not None and _older(state, since):
        state.frozen_us = max(since + detector.needs_us, -_EVER if state.frozen_us is None else state.frozen_us)
        state.told.forget_before(state.frozen_us)
        state.open = state.open.filter(pl.col("start") >= state.frozen_us)
        state.hits.change(lambda frame: frame.filter(_time(frame) >= since))
    state.hits.change(lambda frame: rows.rows_of(frame, "row"))
    if state.unreleased is not None:
        state.unreleased = rows.rows_of(state.unreleased, "row")
    groups = transactions if transactions is not None else _groups(state)
    if groups is not None:
        _renumber(state, groups)
    state.told.keep_only(rows, groups, by_transaction=transactions is not None)


def share_texts(kept: Iterable[RetainedHits], records: int) -> None:
    """Copy the texts of hits, once for all rules: as long as one text of a block is there, Polars keeps them all.

    Args:
        kept: Of all rules.
        records: How many there are.
    """
    hits = list(kept)
    plain = [frame.select("row", "text") for one in hits for frame in one.frames() if _is_plain(frame)]
    texts = pl.DataFrame(schema={"row": pl.UInt32, "text": pl.String})
    if plain:
        texts = pl.concat(plain).filter(pl.col("text").is_not_null()).unique("row")
    rows = pl.DataFrame({"row": pl.int_range(records, dtype=pl.UInt32, eager=True)})
    by_row = rows.join(_copied(texts), on="row", how="left", maintain_order="left")["text"]

    def shared(frame: pl.DataFrame) -> pl.DataFrame:
        if not _is_plain(frame):
            return _copied(frame)
        wanted = frame.select(pl.when(pl.col("text").is_not_null()).then("row"))["row"]
        return _copied(frame.drop("text")).with_columns(by_row.gather(wanted).alias("text")).select(frame.columns)

    for one in hits:
        one.change(shared)


def _is_plain(frame: pl.DataFrame) -> bool:
    """Whether the text of a hit is its record's."""
    return "text" in frame.columns and DETECTION not in frame.columns


def _copied(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame that holds no text but its own."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(pl.concat_str(name, pl.lit("")).alias(name) for name in texts)


_EVER = 2**62


def _time(frame: pl.DataFrame) -> pl.Series:
    return frame["time"].to_physical()


def _split(state: State, rows: Kept, since: int | None, asked: int | None) -> tuple[int, int]:
    """How many hits go that could still be asked for, and the newest time of one."""
    lost, reached = 0, -_EVER
    least = max(-_EVER if asked is None else asked, -_EVER if state.frozen_us is None else state.frozen_us)
    for frame in state.hits.frames():
        time = _time(frame)
        goes = ~rows.mask(frame["row"]) if since is None else ~rows.mask(frame["row"]) | (time < since)
        goes &= time >= least
        if goes.any():
            lost += int(goes.sum())
            reached = max(reached, int(time.filter(goes).max()))  # type: ignore[arg-type]  # of Int64 an int
    return lost, reached


def _older(state: State, since: int) -> bool:
    return any(bool((_time(frame) < since).any()) for frame in state.hits.frames())


def _groups(state: State) -> Kept | None:
    """The groups of a rule over keys of its own that are left; None if it has none."""
    if state.groups is None:
        return None
    held = [state.hits.groups()[GROUP], state.open[GROUP]]
    return Kept.among(held, state.next_group)


def _renumber(state: State, groups: Kept) -> None:
    """Groups have other numbers now, or are gone."""

    def renumbered(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(groups.new(frame[GROUP]))

    state.hits.change(renumbered)
    state.open = groups.rows_of(state.open, GROUP)
    if state.groups is not None:
        state.groups = _copied(groups.rows_of(state.groups, GROUP))
        state.next_group = len(groups)
