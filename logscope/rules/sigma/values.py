"""A Sigma rule's view of a record frame: its fields' texts, each read once per frame."""

from __future__ import annotations

import polars as pl

from logscope.rules.sigma.pipelines import FieldSource, Pipeline
from logscope.rules.values import candidates, value_of


class SigmaValues:
    """The values of one frame.

    Args:
        frame: Record frame; columns it lacks count as null.
        pipeline: The rule's.
    """

    def __init__(self, frame: pl.DataFrame, pipeline: Pipeline) -> None:
        """Nothing is read yet."""
        self.frame = frame
        self.pipeline = pipeline
        self._texts: dict[str | None, pl.Series] = {}

    def text(self, name: str | None) -> pl.Series:
        """The text of a Sigma field, null where there is none.

        Args:
            name: The field; None: the whole record as it was written.
        """
        if name not in self._texts:
            source = FieldSource(("raw",)) if name is None else self.pipeline.source(name)
            self._texts[name] = self._read(source)
        return self._texts[name]

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
