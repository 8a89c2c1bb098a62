"""Formats whose header line names the columns (W3C, Zeek, flow logs), made into patterns of the file at hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from logscope.formats.model import Format

_MOST = 4
"""Different headers of one file that are followed; a server that is set up anew writes a new one."""


def fitted(form: Format, lines: Sequence[str]) -> Format:
    """The format with a pattern for each header among some lines; without one as it is.

    Args:
        form: Of kind `columns`.
        lines: A source's first lines.
    """
    header = form.header.replace("(?P<names>", "(")
    named = pl.Series(list(lines), dtype=pl.String).str.extract(header, 1).drop_nulls().unique(maintain_order=True)
    patterns = [_pattern(form, names) for names in named.head(_MOST)]
    return replace(form, patterns=(*reversed(patterns), *form.patterns))


def _pattern(form: Format, names: str) -> str:
    columns = names.split(form.separator) if form.separator != " " else names.split()
    parts: list[str] = []
    used: set[str] = set()
    for name in columns:
        told = form.renames.get(name.strip(), name)
        group = re.sub(r"[^A-Za-z0-9_.]+", "_", told).strip("_.") or "column"
        group = group if group[0].isalpha() else "c_" + group
        while group in used:
            group += "_"
        used.add(group)
        parts.append(f"(?P<{group}>{_value(form.separator)})")
    between = r"[ \t]+" if form.separator == " " else _escaped(form.separator)
    return "^" + between.join(parts) + r"[ \t]*\r?$"


def _value(separator: str) -> str:
    if separator == "\t":
        return r"[^\t\r\n]*"
    apart = r" \t" if separator == " " else _escaped(separator)
    return rf'(?:"(?:[^"\\]|\\.|"")*"|[^{apart}\r\n]*)'


def _escaped(separator: str) -> str:
    return r"\t" if separator == "\t" else re.escape(separator)
