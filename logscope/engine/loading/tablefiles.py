"""Parquet files as sources: rows become lines of JSON in a private copy, while the first are shown already."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from logscope.formats.parquet import parquet_columns, parquet_lines
from logscope.sources.base import SourceSpec
from logscope.sources.copied import CopiedSource
from logscope.sources.files import open_regular, read_at
from logscope.sources.sifting import PARQUET


class TableSource(CopiedSource):
    """Rows of a table, a JSON object a line."""

    columns: tuple[str, ...] = ()


def table_source(spec: SourceSpec) -> TableSource | None:
    """The table behind a spec, being read; None if it is no Parquet file.

    Raises:
        SourceError: It cannot be opened, or is damaged.
    """
    path = spec.path
    if path is None or spec.url is not None or spec.archive is not None or not path.is_file():
        return None
    fd = open_regular(path, spec.name)
    try:
        magic = read_at(fd, len(PARQUET), 0)
    finally:
        os.close(fd)
    return _opened(spec, path) if magic == PARQUET else None


def _opened(spec: SourceSpec, path: Path) -> TableSource:
    columns = parquet_columns(path, spec.name)

    def rows(source: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
        return parquet_lines(path, spec.name)

    source = TableSource(spec, rows, mtime_us=path.stat().st_mtime_ns // 1000)
    source.columns = columns
    return source
