"""Parquet files as lines of JSON, a row each, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from logscope.errors import SourceError

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

_ROWS = 20_000
_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


def parquet_columns(path: Path, name: str) -> tuple[str, ...]:
    """The columns of a Parquet file.

    Args:
        path: The file.
        name: The source as typed, for the error.

    Raises:
        SourceError: It is none, or damaged.
    """
    try:
        return tuple(pl.read_parquet_schema(path))
    except _ERRORS as error:
        raise _unreadable(error, name) from error


def parquet_lines(path: Path, name: str) -> Iterator[bytes]:
    """The rows of a Parquet file as JSON objects, a line each; columns without a value are null.

    Times are ISO 8601, in UTC with a Z where the column has a zone; bytes are text.

    Args:
        path: The file.
        name: The source as typed, for the error.

    Raises:
        SourceError: It is damaged; what came before was given.
    """
    try:
        rows = pl.scan_parquet(path, glob=False)
        plain = rows.select(_plain(column, dtype) for column, dtype in rows.collect_schema().items())
        for batch in plain.collect_batches(chunk_size=_ROWS, maintain_order=True, engine="streaming"):
            for part in batch.iter_slices(_ROWS):
                yield part.write_ndjson().encode("utf-8", "replace")
    except _ERRORS as error:
        raise _unreadable(error, name) from error


def _unreadable(error: BaseException, name: str) -> SourceError:
    text = (str(error).splitlines() or ["damaged"])[0]
    return SourceError(f"cannot be read as Parquet: {text}", where=name, mend="write it anew")


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as what JSON can hold."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
        return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if dtype == pl.Binary:
        return column.map_batches(_decoded, return_dtype=pl.String)
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if _holds_bytes(dtype):
        return column.map_batches(_encoded, return_dtype=pl.String)
    return column


def _decoded(values: pl.Series) -> pl.Series:
    texts = [None if value is None else value.decode("utf-8", "replace") for value in values]
    return pl.Series(values.name, texts, dtype=pl.String)


def _encoded(values: pl.Series) -> pl.Series:
    """Nested values as JSON text, bytes in them in base 64: Polars writes no bytes."""
    texts = [None if value is None else msgspec.json.encode(value).decode() for value in values.to_list()]
    return pl.Series(values.name, texts, dtype=pl.String)


def _holds_bytes(dtype: PolarsDataType) -> bool:
    if isinstance(dtype, pl.List | pl.Array):
        return _holds_bytes(dtype.inner)
    if isinstance(dtype, pl.Struct):
        return any(_holds_bytes(field.dtype) for field in dtype.fields)
    return dtype == pl.Binary
