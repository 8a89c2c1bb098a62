"""From what a rule found to what is told of it, and to what other rules take it for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import Detection
from logscope.records import schema
from logscope.records.renumbering import Kept
from logscope.rules.model.filters import DETECTION_COLUMN, RULE_COLUMN
from logscope.rules.model.rule import Detection as Found

if TYPE_CHECKING:
    from logscope.engine.linking.correlating import Correlating
    from logscope.records.pieces import StoreView


Places = Mapping[int, tuple[str, int]]
"""Rows to their sources' names and lines."""


def places_of(found: Sequence[Found], view: StoreView, source_name: Callable[[int], str]) -> Places:
    """Where the steps of detections stand: of all at once, since a rule may find a million.

    Args:
        found: What rules found.
        view: The records.
        source_name: A source's name by its place.
    """
    rows = list({step.row for one in found for step in one.steps.values()})
    index = view.index.select("source_id", "line")[rows]
    names = {place: source_name(place) for place in index["source_id"].unique().to_list()}
    sources = map(names.__getitem__, index["source_id"].to_list())
    return dict(zip(rows, zip(sources, index["line"].to_list(), strict=True), strict=True))


def shown(found: Found, linked: Correlating | None, own: Correlating, places: Places) -> Detection:
    """A detection with sources and lines.

    Args:
        found: What the rule found.
        linked: The transactions it runs over.
        own: The session's, whose numbers are told.
        places: Of its steps, at least.
    """
    steps = {
        name: {"time": step.time, "source": places[step.row][0], "line": places[step.row][1], "row": step.row}
        for name, step in found.steps.items()
    }
    keys = {name: list(values) if isinstance(values, tuple | list) else [values] for name, values in found.keys.items()}
    number = found.number
    if number is not None and linked is not None:
        keys |= linked.keys_of(number)
        if linked is not own:
            # Numbers are those of the session's own transactions, whatever grain the rule runs at.
            rows = [step.row for step in found.steps.values()]
            rows = rows or linked.members_of([number]).get_column(schema.ROW).head(1).to_list()
            groups = own.groups_of(pl.Series(rows, dtype=pl.UInt32)).get_column("transaction")
            number = int(groups[0]) if len(groups) else None
    return Detection(
        detection=found.id,
        rule=found.rule,
        title=found.title,
        level=found.level,
        time=found.time,
        start=found.start,
        end=found.end,
        transaction=found.transaction,
        keys=keys,
        output=dict(found.output),
        message=found.message,
        steps=steps,
        state=found.state,
        reason=found.reason,
        number=number,
        rows=found.members,
    )


def renumbered(told: Sequence[Detection], rows: Kept, transactions: Kept) -> Iterator[Detection]:
    """Detections whose records have other numbers; those of records that were let go are left out.

    Args:
        told: As they were shown.
        rows: Records that stay.
        transactions: The session's own that stay.
    """
    numbers = transactions.by_number({one.number for one in told if one.number is not None})
    held = [{*(step["row"] for step in one.steps.values()), *one.rows} for one in told]
    new = rows.by_number(set[int]().union(*held))
    for one, own in zip(told, held, strict=True):
        if own <= new.keys():
            steps = {name: step | {"row": new[step["row"]]} for name, step in one.steps.items()}
            number = None if one.number is None else numbers.get(one.number)
            yield replace(one, steps=steps, number=number, rows=tuple(new[row] for row in one.rows))


def place_of(found: Found) -> int:
    """The record at which a detection stands: its last step's."""
    if found.row is not None:
        return found.row
    return list(found.steps.values())[-1].row


def derived(
    detections: Sequence[Found], records: pl.DataFrame, with_keys: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Detections as a frame that rules take like records.

    Args:
        detections: Of other rules.
        records: The record of each, as `place_of` gives it, with the columns that are wanted.
        with_keys: Adds columns of correlation keys.

    Returns:
        The records with the detections' times, ids and rules; output and keys of a detection stand
        where a record has its fields.
    """
    frame = records.with_columns(
        pl.Series("time", [found.time for found in detections], dtype=pl.Int64).cast(schema.TIME),
        pl.Series(RULE_COLUMN, [found.rule for found in detections], dtype=pl.String),
        pl.Series(DETECTION_COLUMN, [found.id for found in detections], dtype=pl.String),
    )
    own = [
        {name: str(value) for name, value in found.output.items()}
        | {name: values[0] for name, values in found.keys.items() if len(values)}
        for found in detections
    ]
    for name in sorted({name for values in own for name in values}):
        column = schema.FIELD_PREFIX + name
        given = pl.Series(column, [values.get(name) for values in own], dtype=pl.String)
        there = frame[column].cast(pl.String, strict=False) if column in frame.columns else None
        frame = frame.with_columns(given if there is None else given.zip_with(given.is_not_null(), there))
    return with_keys(frame)
