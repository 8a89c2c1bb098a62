"""What is read from each line, and of a line that no format takes how far the likeliest ones go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from logscope.formats.assignment import Assignment
from logscope.formats.explain import near_miss
from logscope.formats.parser import make_parser
from logscope.records.severity import level_name

_TOLD = 3
"""Formats of which it is told how far they go, at most."""


def readings(assignment: Assignment, lines: Sequence[str], *, name: str) -> Iterator[dict[str, Any]]:
    """Per line its record's columns and fields, or `continues` with the number of the record's first line.

    Args:
        assignment: The source's formats.
        lines: Its first lines.
        name: The source, for the service of records that name none.
    """
    parser = make_parser(assignment, zone="UTC", reference_us=1_798_675_200_000_000, source_name=name)
    raw = pl.Series(list(lines), dtype=pl.String)
    starts = parser.starts(raw)
    starts[0] = True
    frame = pl.DataFrame({"line": raw, "number": range(1, len(raw) + 1), "record": starts.cum_sum()})
    records = frame.group_by("record", maintain_order=True).agg(
        pl.col("line").str.join("\n"), pl.col("number").first(), pl.len().alias("lines")
    )
    texts = records["line"]
    index = parser.index(texts)
    columns = parser.columns(texts, ["host", "service", "pid", "message"])
    fields = parser.fields(texts)
    for row, number in enumerate(records["number"]):
        entry: dict[str, Any] = {"line": number, "format": parser.formats[index["format"][row]]}
        if index["time"][row] is not None:
            entry["time"] = index["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")[row]
        if index["level"][row]:
            entry["level"] = level_name(index["level"][row])
        entry |= {each: columns[each][row] for each in columns.columns if columns[each][row] is not None}
        entry["fields"] = {pair["name"]: pair["value"] for pair in fields[row]}
        if entry["format"] == "text":
            entry["why"] = _why(assignment, texts[row].split("\n")[0])
        yield entry
        for later in range(1, records["lines"][row]):
            yield {"line": number + later, "continues": number}


def _why(assignment: Assignment, line: str) -> list[str]:
    """How far the source's own formats go, else those of all that go farthest."""
    chosen = [form for form in assignment.formats if form.patterns]
    missed = [near_miss(form, line) for form in chosen or assignment.known.formats]
    found = sorted((miss for miss in missed if miss is not None), key=lambda miss: -len(miss.matched))
    return [str(miss) for miss in found[:_TOLD]]
