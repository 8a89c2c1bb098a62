"""What all Sigma rules of one pipeline read of a frame: its records, their texts, and who may match where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from logscope.rules.seeking import search
from logscope.rules.sigma.needles import Needles
from logscope.rules.sigma.pipelines import FieldSource, Pipeline
from logscope.rules.sigma.predicates import Mask
from logscope.rules.sigma.values import SigmaValues


class Asked(Protocol):
    """What a view asks of a rule's detection (`detection.SigmaFilter` is one)."""

    @property
    def condition(self) -> Mask:
        """Which records of some values match."""

    @property
    def needles(self) -> Needles | None:
        """Texts of which a record that matches has one; None: it may have none."""


class PipelineView:
    """The records of a frame that a pipeline means.

    Args:
        frame: Record frame; columns it lacks count as null.
        pipeline: The pipeline.
        filters: All rules of the pipeline that are applied to the frame.
    """

    def __init__(self, frame: pl.DataFrame, pipeline: Pipeline, filters: Sequence[Asked]) -> None:
        """Only which records take part is read yet."""
        part = SigmaValues(frame, pipeline).takes_part()
        self._height = frame.height
        self._rows = None if part is None or part.all() else part.arg_true()
        self._values = SigmaValues(frame, pipeline, self._rows)
        self._nobody = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
        self._filters = filters
        self._candidates: dict[int, pl.Series] | None = None

    def mask(self, asked: Asked) -> pl.Series:
        """Which records of the frame a rule matches."""
        if self._values.height == 0:
            return self._nobody
        if asked.needles is None:
            return self._spread(asked.condition(self._values), self._rows)
        rows = self._may_match().get(id(asked))
        if rows is None:
            return self._nobody
        found = asked.condition(self._values.at(rows))
        return self._spread(found, rows if self._rows is None else self._rows.gather(rows))

    def _spread(self, found: pl.Series, rows: pl.Series | None) -> pl.Series:
        if rows is None:
            return found
        hits = rows.filter(found)
        return self._nobody.clone().scatter(hits, True) if hits.len() else self._nobody

    def _may_match(self) -> dict[int, pl.Series]:
        """By rule the records in which one of its needles stands: one search per text for all rules."""
        if self._candidates is None:
            sought: dict[FieldSource | None, dict[str, set[int]]] = {}
            names: dict[FieldSource | None, str | None] = {}
            for place, each in enumerate(self._filters):
                for needle in each.needles or ():
                    source = None if needle.field is None else self._values.pipeline.source(needle.field)
                    names[source] = needle.field
                    sought.setdefault(source, {}).setdefault(needle.text, set()).add(place)
            found = [search(self._values.text(names[source]), owners) for source, owners in sought.items()]
            together = pl.concat(found).unique().sort("filter", "at") if found else pl.DataFrame()
            self._candidates = {
                id(self._filters[rule[0]]): rows["at"]
                for rule, rows in together.partition_by("filter", as_dict=True, include_key=False).items()
            }
        return self._candidates
