"""Columns of records from their stored text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import polars as pl

from logscope.records.messages import split_messages
from logscope.records.pieces import Binding

FROM_ENVELOPE = {"fields.peer": "peer", "fields.received": "received"}
"""Fields that are received with a message, by their names in its envelope."""


def envelope_of(binding: Binding, texts: pl.Series) -> pl.DataFrame:
    """Stored texts as `raw`; of messages with what was received beside them (`records.messages`)."""
    if binding.ref.kind == "messages":
        return split_messages(texts)
    return texts.rename("raw").to_frame()


def columns_of(
    bindings: Sequence[tuple[Binding, int]], texts: pl.Series, names: Sequence[str], codes: pl.Series
) -> pl.DataFrame:
    """Columns of the records of sources that are read alike.

    Args:
        bindings: The sources, with the number of texts each has.
        texts: Stored text, one a record.
        names: What is wanted, in the order of the result.
        codes: Format codes of the records.
    """
    binding = bindings[0][0]
    envelope = envelope_of(binding, texts)
    raw = envelope.get_column("raw")
    return made_of(bindings, envelope, names, codes, lambda wanted: binding.parser.stated(raw, wanted))


def made_of(
    bindings: Sequence[tuple[Binding, int]],
    envelope: pl.DataFrame,
    names: Sequence[str],
    codes: pl.Series,
    stated: Callable[[Sequence[str]], pl.DataFrame],
) -> pl.DataFrame:
    """The same, where the text is apart from what came with it.

    Args:
        bindings: As for `columns_of`.
        envelope: From `envelope_of`.
        names: As for `columns_of`.
        codes: As for `columns_of`.
        stated: Gives what `RecordParser.stated` gives for these texts.
    """
    binding = bindings[0][0]
    columns = _from_envelope(envelope, names)
    if "source" in names:
        columns["source"] = _each(bindings, "source", lambda one: one.ref.name)
    if "format" in names:
        columns["format"] = _format_names(binding, codes)
    parsed = [name for name in names if name not in columns]
    if parsed:
        columns |= {column.name: column for column in stated(parsed)}
    if "service" in names and columns["service"].null_count():
        own = _each(bindings, "service", lambda one: one.parser.service)
        columns["service"] = columns["service"].zip_with(columns["service"].is_not_null(), own)
    return pl.DataFrame([columns[name].rename(name) for name in names])


def _each(bindings: Sequence[tuple[Binding, int]], name: str, of: Callable[[Binding], str | None]) -> pl.Series:
    """A column of what each text's source has."""
    parts = [pl.repeat(of(one), count, dtype=pl.String, eager=True) for one, count in bindings]
    return pl.concat(parts).rename(name)


def _from_envelope(envelope: pl.DataFrame, names: Collection[str]) -> dict[str, pl.Series]:
    """The raw text, and what came with it."""
    columns = {"raw": envelope.get_column("raw")}
    for name, column in FROM_ENVELOPE.items():
        if name in names and column in envelope.columns:
            columns[name] = envelope.get_column(column).rename(name)
    return columns


def _format_names(binding: Binding, codes: pl.Series) -> pl.Series:
    return codes.replace_strict(
        list(range(len(binding.formats))), list(binding.formats), return_dtype=pl.String, default=None
    ).rename("format")
