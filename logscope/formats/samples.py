"""Runs a format's samples: what its own definition promises of lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from logscope.errors import FormatError
from logscope.formats.assignment import FormatSet
from logscope.formats.definition import with_samples
from logscope.formats.detect import detect
from logscope.formats.model import Format, Sample
from logscope.formats.parser import make_parser
from logscope.records.severity import level_name

Value = str | int | float | bool | None


def read_sample(known: FormatSet, form: Format, line: str) -> Mapping[str, Value]:
    """What a record gives when read by one format: columns by name and `fields.NAME`s.

    Times are ISO 8601 in UTC (a year left out: as if last written on 2026-12-31), levels names.
    """
    source = known.for_messages() if form.inner_only else detect(known, [line], name="sample", forced=form.name)
    parser = make_parser(source, zone="UTC", reference_us=1_798_675_200_000_000, source_name="")
    raw = pl.Series([line])
    index = parser.index(raw)
    out: dict[str, Value] = {"format": parser.formats[index["format"][0]], "level": level_name(index["level"][0])}
    time = index["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")[0]
    out["time"] = time
    for name in ("host", "service", "pid", "message"):
        out[name] = parser.columns(raw, [name])[name][0]
    for pair in parser.fields(raw)[0]:
        column = "fields." + pair["name"]
        out[column] = parser.columns(raw, [column])[column][0]
    return out


def check_samples(known: FormatSet, names: Collection[str] | None = None) -> int:
    """Run the samples of the named formats (default: of all).

    Returns:
        How many samples there were.

    Raises:
        FormatError: Naming file, format, sample and the first value that differs.
    """
    count = 0
    for form in known.formats:
        if names is None or form.name in names:
            for number, sample in enumerate(with_samples(form).samples, start=1):
                _check(known, form, sample, number)
                count += 1
    return count


def _check(known: FormatSet, form: Format, sample: Sample, number: int) -> None:
    found = read_sample(known, form, sample.line)
    expect = {"format": form.name, **sample.expect} if not form.inner_only else dict(sample.expect)
    for column, value in expect.items():
        if found.get(column) != value and not (value == "" and found.get(column) is None):
            raise FormatError(
                f"format '{form.name}', sample {number}: {column} is {found.get(column)!r}, expected {value!r}",
                where=form.where,
                mend="mend the pattern or the sample",
            )
