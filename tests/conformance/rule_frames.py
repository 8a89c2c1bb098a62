"""Lines of others' test cases as record frames, read by our formats, and filters over them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from logscope.formats.assignment import FormatSet
from logscope.formats.loader import load_formats
from logscope.formats.parser import make_parser
from logscope.query.filters import Filter

REFERENCE_US = 1_798_675_200_000_000
"""When the files were last written, for stamps without a year: the end of 2026."""

formats: Any = cache(load_formats)


def frame_of(lines: Sequence[str], names: frozenset[str]) -> pl.DataFrame:
    """Records of lines, one a line and each by whatever format it has, with the columns that a filter asks for.

    Args:
        lines: As a listener gets them.
        names: Columns.
    """
    known: FormatSet = formats()
    parser = make_parser(known.for_messages(), zone="UTC", reference_us=REFERENCE_US, source_name="syslog+tcp://x:1")
    raw = pl.Series("raw", list(lines), dtype=pl.String)
    asked = [name for name in names if name not in ("raw", "time", "level", "format")]
    found = parser.columns(raw, asked)
    index = parser.index(raw)
    return pl.DataFrame([raw, *found.get_columns(), index["time"], index["level"]])


def matches(compiled: Filter, lines: Sequence[str]) -> list[bool]:
    """Which lines a filter matches."""
    return compiled.mask(frame_of(lines, compiled.columns)).to_list()


def rules_of(name: str) -> dict[str, Any]:
    """The transcribed rules that lie beside this file."""
    table: dict[str, Any] = tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return table
