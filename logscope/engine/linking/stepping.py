"""Every record's step: which service said which template, and in which state. Found once, extended as records come."""

from __future__ import annotations

import threading
from pathlib import PurePath
from typing import TYPE_CHECKING

import polars as pl

from logscope.analysis.masking import masked
from logscope.analysis.states import WORD
from logscope.analysis.templates import merged
from logscope.engine.loading.ahead import ahead, counted
from logscope.engine.viewing.summaries import REQUEST_COLUMNS, STATUS, request_or_message
from logscope.records import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logscope.engine.answers import Line
    from logscope.engine.api import Cancel
    from logscope.engine.loading.courtesy import Courtesy
    from logscope.engine.viewing.frames import Frames
    from logscope.records.pieces import Segment, StoreView
    from logscope.records.store import Store

_COLUMNS = ("service", "message", *REQUEST_COLUMNS)
_HELD_UP = 0.5
"""Seconds that a segment's turn is put off at most."""
_WHAT = ("service", "text", "state")
_STEPS = {**dict.fromkeys(_WHAT, pl.String), "code": pl.UInt32}


class Stepping:
    """Templates of all records.

    Args:
        store: The records.
        frames: Their columns.
        fields: Names the fields that belong to a step beside its message; where it names others than before, all
            records are looked at anew.
        courtesy: Who waits for a screen goes first.
    """

    def __init__(
        self, store: Store, frames: Frames, fields: Callable[[Cancel], tuple[str, ...]], courtesy: Courtesy
    ) -> None:
        """Nothing is looked at yet."""
        self._courtesy = courtesy
        self._store = store
        self._fields = fields
        self._names: tuple[str, ...] = ()
        self._frames = frames
        self._lock = threading.Lock()
        self._known = pl.DataFrame(schema=_STEPS)
        self._codes = pl.Series("code", dtype=pl.UInt32)
        self._steps: pl.DataFrame | None = None

    def update(self, cancel: Cancel) -> pl.Series:
        """The code of every record by row (UInt32), those that came since the last call looked at too.

        Args:
            cancel: Looked at between segments.
        """
        with self._lock:
            names = self._fields(cancel)
            if names != self._names:
                self._names, self._steps = names, None
                self._codes, self._known = self._codes.clear(), self._known.clear()
            view = self._store.view
            if view.records > len(self._codes):
                segments = list(view.since(len(self._codes)))
                found = ahead(lambda segment: self._masked(segment, view), segments)
                told = counted(found, segments, cancel, "templates of {} records")
                parts = [self._coded(part) for part in told]
                fresh = pl.concat(parts).sort(schema.ROW).get_column("code")
                self._codes = pl.concat([self._codes, fresh], rechunk=True)
            return self._codes

    def _masked(self, segment: Segment, view: StoreView) -> pl.DataFrame:
        self._courtesy.give_way(_HELD_UP)
        fields = [schema.FIELD_PREFIX + name for name in self._names]
        frame = self._frames.segment(segment, view, list(dict.fromkeys((*_COLUMNS, *fields))), keep=False)
        name = PurePath(segment.binding.ref.name).name
        state = _state(frame, self._names)
        return frame.select(schema.ROW, pl.col("service").fill_null(name), text=_texts(frame), state=state)

    def _coded(self, part: pl.DataFrame) -> pl.DataFrame:
        fresh = part.select(_WHAT).unique(maintain_order=True).join(self._known, on=_WHAT, how="anti")
        if fresh.height:
            start = self._known.height
            codes = pl.int_range(start, start + fresh.height, dtype=pl.UInt32, eager=True).alias("code")
            self._known = pl.concat([self._known, fresh.with_columns(codes)])
            self._steps = None
        return part.join(self._known, on=_WHAT, how="left", maintain_order="left").select(schema.ROW, "code")

    def steps(self) -> pl.DataFrame:
        """`code`, `service`, `template`, `lane` (UInt32, one per service), `step` (UInt32, one per service and template)."""
        with self._lock:
            if self._steps is None:
                templates = merged(self._known.get_column("text").unique().to_list())
                told = pl.DataFrame(
                    {"text": list(templates), "template": list(templates.values())},
                    schema={"text": pl.String, "template": pl.String},
                )
                frame = self._known.join(told, on="text", how="left", maintain_order="left").with_columns(
                    template=pl.concat_str("template", "state")
                )
                self._steps = frame.select(
                    "code",
                    "service",
                    "template",
                    lane=pl.col("service").rank("dense").cast(pl.UInt32),
                    step=pl.struct("service", "template").rank("dense").cast(pl.UInt32),
                )
            return self._steps


def _texts(frame: pl.DataFrame) -> pl.Series:
    """Masked messages; of a request the status stays, since it tells whether it went well."""
    told = request_or_message(frame).fill_null("").rename("text")
    if STATUS not in frame.columns:
        return masked(told)
    parts = pl.DataFrame({"text": told, "status": frame.get_column(STATUS).cast(pl.String)}).with_columns(
        request=pl.col("text").str.ends_with(pl.concat_str(pl.lit(" "), "status"))
        & pl.col("status").str.contains("^[1-5][0-9]{2}$")
    )
    request = pl.col("request").fill_null(value=False)
    bare = parts.select(pl.when(request).then(pl.col("text").str.head(-4)).otherwise("text").alias("text"))
    parts = parts.with_columns(masked(bare.to_series()).alias("text"))
    return parts.select(pl.when(request).then(pl.format("{} {}", "text", "status")).otherwise("text")).to_series()


def _state(frame: pl.DataFrame, names: Sequence[str]) -> pl.Expr:
    """Fields of a step behind its message: ` from=NEW to=PAID`; what the message holds already is left out."""
    message = pl.col("message").fill_null("")
    parts = []
    for name in names:
        value = pl.col(schema.FIELD_PREFIX + name).cast(pl.String)
        told = value.str.contains(WORD) & ~message.str.contains(value, literal=True)
        parts.append(
            pl.when(told.fill_null(False)).then(pl.concat_str(pl.lit(f" {name}="), value)).otherwise(pl.lit(""))
        )
    return pl.concat_str(parts) if parts else pl.lit("")


def template_of(lines: Sequence[Line]) -> list[str]:
    """The masked messages of a few records."""
    return masked(pl.Series("text", [line.message for line in lines], dtype=pl.String)).to_list()
