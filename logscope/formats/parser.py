"""A source's parser: its assignment made into readers, behind `records.model.RecordParser`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import PurePosixPath

import polars as pl

from logscope.formats import frames
from logscope.formats.assignment import Assignment
from logscope.formats.colours import without_colours
from logscope.formats.csvreader import CsvReader, ObjectsReader
from logscope.formats.docker import DockerReader
from logscope.formats.lines import Lines
from logscope.formats.model import Format
from logscope.formats.named import JsonReader, LogfmtReader, PrettyReader
from logscope.formats.patterns import compile_pattern
from logscope.formats.readers import INDEXED, Reader, RegexReader, TextReader
from logscope.formats.timestamps import Clock
from logscope.formats.wrappers import RELAYED, RFC3164, RFC3164_BARE, RFC5424, SyslogReader
from logscope.records.schema import FIELD_PREFIX

WRAPPERS = {"docker", "rfc5424", "rfc3164", "wrapper", "csv"}
_LOG_ENDINGS = {
    "log",
    "txt",
    "out",
    "err",
    "json",
    "jsonl",
    "ndjson",
    "gz",
    "bz2",
    "xz",
    "zst",
    "lz4",
    "logs",
    "current",
    "csv",
    "tsv",
    "parquet",
}
_NAMING = {"docker", "k8s", "ssh"}
"""Schemes whose URLs name what logs there."""
_NO_SERVICE = {"", "-", "log", "logs", "messages", "syslog", "stdin", "access", "error", "out", "output"}


def make_parser(assignment: Assignment, *, zone: str, reference_us: int, source_name: str) -> SourceParser:
    """The parser of one source.

    Args:
        assignment: Its formats in order.
        zone: IANA zone of times that name none.
        reference_us: When it was last written, microseconds since 1970 UTC: for years left out.
        source_name: As typed; a file's stem is the service of records that name none.
    """
    return SourceParser(assignment, zone=zone, reference_us=reference_us, source_name=source_name)


class SourceParser:
    """The `RecordParser` of one source."""

    def __init__(self, assignment: Assignment, *, zone: str, reference_us: int, source_name: str) -> None:
        """See `make_parser`."""
        self._messages = assignment.messages
        self._coloured = assignment.coloured
        self._joined = assignment.joined
        self._clock = Clock(zone, reference_us, assignment.layouts)
        self.service = None if assignment.messages else service_of(source_name)
        """The service of records that name none."""
        self.family: object = self if assignment.table else _family(assignment)
        """Equal for parsers whose `stated` and `fields` are the same."""
        self._assignment = assignment  # the family is told by identity: its formats stay
        self.head_lines = assignment.table.head if assignment.table else 0
        """Lines at the beginning that are no records."""
        self._goes_on = assignment.goes_on
        self.cuts = (assignment.table is None or assignment.table.objects) and not assignment.goes_on
        """Whether lines can be told apart without those before them, so that a source can be cut anywhere."""
        self._csv = self._csv_reader(assignment)
        readers = [reader for form in assignment.formats for reader in self._readers(form)]
        self._lines = Lines(readers if self._csv is None else [self._csv, *readers])
        self.readers = self._lines.readers
        """One a pattern of the source's formats, in the order in which they are tried."""
        self.formats: tuple[str, ...] = tuple(form.name for form in assignment.formats)
        """Names by the code in column `format`; the last is `text`."""

    # What wrappers hold: of most sources nothing, so that it is made when it is asked for.

    @cached_property
    def _inner(self) -> Lines:
        """Readers of bodies."""
        return Lines([reader for form in self._inside() for reader in self._readers(form)])

    @cached_property
    def _bodies(self) -> Lines:
        """Readers of bodies, and of what Docker wraps."""
        holders = [form for form in self._assignment.known.formats if form.kind == "docker"]
        return Lines([reader for form in (*holders, *self._inside()) for reader in self._readers(form)])

    @cached_property
    def _relayed(self) -> Lines:
        """The same, and of what syslog relays as it stood in a file."""
        relayed = [
            SyslogReader(form, self._clock, regex, self._inner)
            for form in self._assignment.known.formats
            if form.kind == "rfc3164"
            for regex in RELAYED
        ]
        return Lines([*relayed, *self._bodies.readers])

    def _inside(self) -> list[Format]:
        known, inner = self._assignment.known.formats, self._assignment.inner
        chosen = [form for form in known if form.inside] if inner is None else inner
        return [
            *(form for form in chosen if form.kind not in WRAPPERS | {"text"}),
            *(form for form in known if form.kind == "text"),
        ]

    def _csv_reader(self, assignment: Assignment) -> CsvReader | None:
        if assignment.table is None:
            return None
        reader = ObjectsReader if assignment.table.objects else CsvReader
        return reader(assignment.formats[0], self._clock, assignment.table, self._bodies, assignment.sample)

    def _readers(self, form: Format) -> list[Reader]:
        if form.kind == "csv":
            return []
        clock = Clock(form.zone or self._clock.zone, self._clock.reference_us, (*form.layouts, *self._clock.layouts))
        if form.kind == "json":
            reader = PrettyReader if form.multiline else JsonReader
            return [reader(form, clock, TextReader(_text_format(form), clock))]
        if form.kind == "logfmt":
            return [LogfmtReader(form, clock)]
        if form.kind == "text":
            return [TextReader(form, clock)]
        if form.kind in {"regex", "columns"}:
            return [RegexReader(form, clock, compile_pattern(pattern, form.quick)) for pattern in form.patterns]
        if form.kind == "docker":
            return [DockerReader(form, clock, self._inner, joined=self._joined)]
        if form.kind == "wrapper":
            return [SyslogReader(form, clock, regex, self._bodies, joined=self._joined) for regex in form.patterns]
        if form.kind == "rfc5424":
            return [SyslogReader(form, clock, RFC5424, self._relayed)]
        return [SyslogReader(form, clock, regex, self._bodies) for regex in (*RFC3164, *RFC3164_BARE)]

    def bodies(self, lines: pl.Series) -> pl.Series:
        """What the wrappers among the source's formats hold, in no order."""
        lines = self._plain(lines)
        parts = []
        for reader, where in self._lines.partition(lines):
            texts = lines if where is None else lines.gather(where)
            body = reader.body(texts)
            if body is not None:
                parts.append(body)
        return pl.concat(parts) if parts else lines.head(0)

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin a record (Boolean)."""
        if self._messages:
            return pl.Series([True]).new_from_index(0, len(lines))
        lines = self._plain(lines)
        starts = (self._lines if self._csv is None else self._csv).starts(lines).alias("starts")
        return starts & ~self._lines.behind(lines) if self._goes_on else starts

    def scan(self, lines: pl.Series, names: Sequence[str] = ()) -> pl.DataFrame:
        """`starts` of each line with what `index` tells of those that start: see `RecordParser.scan`."""
        lines = self._plain(lines)
        if (
            self._messages
            or self._csv is not None
            or self._goes_on
            or not len(lines)
            or lines.str.starts_with("\ufeff").fill_null(False).any()
        ):
            starts = self.starts(lines)
            index = self.index(lines.filter(starts), names=names)
        else:
            starts, found = self._lines.scan(lines, INDEXED.union(names))
            index = self._indexed(found, int(starts.sum()), names)
        if index.height == len(lines):
            return index.with_columns(starts.alias("starts"))
        frame = pl.DataFrame({"starts": starts, "row": starts.cum_sum() - 1})
        places = frame.get_column("row").set(~starts, None)
        return index.select(pl.all().gather(places)).with_columns(starts.alias("starts"))

    def index(self, raw: pl.Series, received: pl.Series | None = None, names: Sequence[str] = ()) -> pl.DataFrame:
        """`time`, `level`, `format` of each record: see `RecordParser.index`."""
        return self._indexed(self._extract(raw, INDEXED.union(names), received), len(raw), names)

    def _indexed(self, found: dict[str, pl.Series], height: int, names: Sequence[str]) -> pl.DataFrame:
        found = _every(found, INDEXED.union(names), height)
        codes = {name: code for code, name in enumerate(self.formats)}
        code = found["format"].replace_strict(codes, default=len(self.formats) - 1, return_dtype=pl.UInt8)
        return pl.DataFrame(
            [
                found["time"].alias("time"),
                found["level"].fill_null(0).alias("level"),
                code.alias("format"),
                *(found[name] for name in names),
            ]
        )

    def columns(self, raw: pl.Series, names: Collection[str]) -> pl.DataFrame:
        """Exactly the named columns: see `RecordParser.columns`."""
        found = self._extract(raw, set(names), None)
        if "service" in found and self.service is not None:
            found["service"] = found["service"].fill_null(self.service)
        return pl.DataFrame([found[name] for name in names])

    def stated(self, raw: pl.Series, names: Collection[str]) -> pl.DataFrame:
        """As `columns`, the service only where the text names it: see `RecordParser.stated`."""
        found = self._extract(raw, set(names), None)
        return pl.DataFrame([found[name] for name in names])

    def fields(self, raw: pl.Series) -> pl.Series:
        """All fields of each record: see `RecordParser.fields`."""
        raw = _without_mark(self._plain(raw))
        return frames.pair_lists(self._lines.long(raw), len(raw))

    def _plain(self, lines: pl.Series) -> pl.Series:
        return without_colours(lines) if self._coloured else lines

    def _extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> dict[str, pl.Series]:
        raw = _without_mark(self._plain(raw))
        found = self._lines.extract(raw, want, received) if len(raw) else {}
        if "message" in found:
            # Members of JSON and cells hold them escaped, where lines do not show them.
            found["message"] = without_colours(found["message"])
        return _every(found, want, len(raw))


def _every(found: dict[str, pl.Series], want: Collection[str], height: int) -> dict[str, pl.Series]:
    """Each wanted column, all null where none was found."""
    out = {}
    for name in want:
        values = found.get(name)
        out[name] = (frames.nothing(height, frames.dtype_of(name)) if values is None else values).alias(name)
        if name.startswith(FIELD_PREFIX) and out[name].dtype == pl.Null:
            out[name] = out[name].cast(pl.String)
    return out


def _family(assignment: Assignment) -> tuple[object, ...]:
    """What decides how texts are read, but for times: the formats by identity, for parsers keep theirs alive."""
    inner = () if assignment.inner is None else assignment.inner
    lists = (assignment.formats, inner, assignment.known.formats)
    return (
        assignment.messages,
        assignment.coloured,
        assignment.joined,
        assignment.inner is None,
        *(tuple(map(id, forms)) for forms in lists),
    )


def _text_format(form: Format) -> Format:
    return Format(name="text", kind="text", title="free text", where=form.where)


def _without_mark(raw: pl.Series) -> pl.Series:
    """Without a byte order mark at a record's start."""
    raw = raw.cast(pl.String) if raw.dtype != pl.String else raw
    return raw.str.replace("^\ufeff", "") if raw.str.starts_with("\ufeff").any() else raw


def service_of(source: str) -> str | None:
    """The service that a source's name tells: a file's stem without endings, dates and instance numbers, a container, a pod.

    `logs/payments-1.log.gz` is `payments`, `orders.2026-11-01.log` `orders`; a pod's file is the
    pod's name without the two hashes its replica set adds. None where the name tells nothing.
    """
    scheme, remote, rest = source.partition("://")
    if remote and scheme not in _NAMING:
        return None
    stem = PurePosixPath(rest.split("/")[1] if scheme == "k8s" and "/" in rest else source.rsplit("!", 1)[-1]).name
    parts = stem.split(".")
    while len(parts) > 1 and (
        parts[-1].lower() in _LOG_ENDINGS or parts[-1].replace("-", "").replace("_", "").isdigit()
    ):
        parts.pop()
    kept = ".".join(part for part in parts if part.lower() not in _LOG_ENDINGS) or parts[0]
    words = kept.replace("_", "-").split("-")
    if len(words) > 2 and _is_hash(words[-1], 5) and _is_hash(words[-2], 8):
        words = words[:-2]
    while len(words) > 1 and (words[-1].isdigit() or words[-1].lower() in _LOG_ENDINGS):
        words.pop()
    joined = kept[: len("-".join(words))]
    return None if joined.lower() in _NO_SERVICE else joined


_POD_LETTERS = frozenset("bcdfghjklmnpqrstvwxz2456789")


def _is_hash(word: str, least: int) -> bool:
    if not least <= len(word) <= 10 or not word.isalnum():
        return False
    # Kubernetes leaves vowels out, so that no word comes of it by chance; a digit need not be there.
    return any(sign.isdigit() for sign in word) or set(word) <= _POD_LETTERS
