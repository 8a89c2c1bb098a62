"""Which fields there are, as far as a sample shows, and what is said of one that is none of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from logscope.engine.viewing.frames import Frames
from logscope.engine.viewing.sampling import sample_rows
from logscope.query.filters import Filter, check_fields
from logscope.records import schema
from logscope.records.store import Store

_NAMES = 5_000
_TYPES = 20_000


def sampled_fields(store: Store, frames: Frames) -> set[str]:
    """Columns `fields.NAME` of the fields that a sample of the records has."""
    view = store.view
    rows = sample_rows(store.ordered(view), _NAMES)
    return {schema.FIELD_PREFIX + name for name in frames.pairs(rows, view).get_column("name").unique()}


def field_types(store: Store, frames: Frames) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Fields of a sample with the type that holds all their values."""
    view = store.view
    pairs = frames.pairs(sample_rows(store.ordered(view), _TYPES), view)
    kinds = pairs.group_by("name").agg(
        text=(pl.col("kind") != 1).any(), whole=pl.col("value").str.contains(r"^-?\d+$").all()
    )
    return {
        schema.FIELD_PREFIX + name: pl.String if text else pl.Int64 if whole else pl.Float64
        for name, text, whole in kinds.sort("name").iter_rows()
    }


def require_fields(compiled: Filter, known: Collection[str], keys: Sequence[str]) -> None:
    """Refuse a filter over a field that nothing has.

    Args:
        compiled: The filter.
        known: Columns `fields.NAME` that exist.
        keys: Names of correlation keys.

    Raises:
        FilterError: With the nearest names.
    """
    errors = check_fields(compiled, {*known, *(schema.KEY_PREFIX + name for name in keys)})
    if errors:
        raise errors[0]
