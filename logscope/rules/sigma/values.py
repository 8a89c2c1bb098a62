"""A Sigma rule's view of a record frame: its fields' texts, each read once per frame."""

from __future__ import annotations

import polars as pl

from logscope.rules.sigma.pipelines import FieldSource, Pipeline
from logscope.rules.values import candidates, value_of

RAW = FieldSource(("raw",))
"""The whole record as it was written."""


class SigmaValues:
    """The values of one frame.

    Args:
        frame: Record frame; columns it lacks count as null.
        pipeline: The rule's.
        rows: Positions of the records that are looked at; None: all.
    """

    def __init__(self, frame: pl.DataFrame, pipeline: Pipeline, rows: pl.Series | None = None) -> None:
        """Nothing is read yet."""
        self.frame = frame
        self.pipeline = pipeline
        self.height = frame.height if rows is None else rows.len()
        self._rows = rows
        self._texts: dict[FieldSource, pl.Series] = {}
        self._above: SigmaValues | None = None

    def at(self, rows: pl.Series) -> SigmaValues:
        """The values of some of the records that are looked at.

        Args:
            rows: Their positions among them.
        """
        below = SigmaValues(self.frame, self.pipeline, rows)
        below._above = self
        return below

    def text(self, name: str | None) -> pl.Series:
        """The text of a Sigma field, null where there is none.

        Args:
            name: The field; None: the whole record as it was written.
        """
        source = RAW if name is None else self.pipeline.source(name)
        if source not in self._texts:
            text = self._read(source) if self._above is None else self._above.text(name)
            self._texts[source] = text if self._rows is None else text.gather(self._rows)
        return self._texts[source]

    def takes_part(self) -> pl.Series | None:
        """Which records the logsource means; None: all."""
        if not self.pipeline.known:
            return pl.repeat(False, self.frame.height, dtype=pl.Boolean, eager=True)
        masks = []
        if self.pipeline.services:
            service = value_of(self.frame, "service")[0].str.to_lowercase()
            masks.append(service.is_in(list(self.pipeline.services)).fill_null(False))
        if self.pipeline.formats:
            masks.append(value_of(self.frame, "format")[0].is_in(list(self.pipeline.formats)).fill_null(False))
        if self.pipeline.present:
            found = value_of(self.frame, self.pipeline.present[0])[0].is_not_null()
            for name in self.pipeline.present[1:]:
                found = found | value_of(self.frame, name)[0].is_not_null()
            masks.append(found)
        if not masks:
            return None
        found = masks[0]
        for mask in masks[1:]:
            found = found & mask
        return found

    def _read(self, source: FieldSource) -> pl.Series:
        text = value_of(self.frame, source.names[0])[0]
        for name in source.names[1:]:
            if not text.null_count():
                break
            text = text.zip_with(text.is_not_null(), value_of(self.frame, name)[0])
        return text if source.extract is None else text.str.extract(source.extract, 1)


class SigmaFields:
    """How a correlation reads the fields of a rule that it names.

    Args:
        pipeline: The rule's.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Nothing is read yet."""
        self._pipeline = pipeline

    def columns(self, name: str) -> frozenset[str]:
        """Columns that the frame must be asked for to read a field."""
        return frozenset(column for ours in self._pipeline.source(name).names for column in candidates(ours))

    def text(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """A field's text in every record, null where there is none."""
        return SigmaValues(frame, self._pipeline).text(name)
