"""Records of separated values (RFC 4180): columns of a table become columns and fields of records."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import polars as pl

from logscope.formats import frames, structured
from logscope.formats.colours import without_colours
from logscope.formats.csvlayout import TIME_NAMES, CsvLayout, cells, plain_name
from logscope.formats.keyvalue import BOOLEAN, NUMBER, TEXT
from logscope.formats.lines import Lines
from logscope.formats.model import Format
from logscope.formats.named import NamedReader
from logscope.formats.readers import Columns, fields_of
from logscope.formats.structured import as_number
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import FIELD_PREFIX

_NUMBER = r"^-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,15})?$"
_BOOLEAN = r"^(?:true|false)$"
_LONGEST = 1000
"""Lines beyond which a quote that was opened is taken for one that stands in the text."""
_JOINED = (("date", "time"), ("month", "date", "time"), ("date", "day", "time"), ("month", "day", "time"))
"""Columns that tell a time together."""
_HASHES = r"-[a-z0-9]{8,10}-[a-z0-9]{5}$"
_PODS = frozenset(["podname", "pod", "kubernetespodname", "k8spodname"])
_SAMPLE = 200
_SPAN = "spanid"
_OPERATIONS = ("operationname", "operation", "spanname", "endpointname", "name", "url")
"""Columns that say what a span does: its message where the table has no other."""

_NAMES: dict[str, tuple[str, ...]] = {
    "level": ("level", "severity", "loglevel", "lvl", "levelname", "severitytext", "logseverity"),
    "message": ("message", "msg", "log", "content", "text", "body", "line", "raw", "event", "description"),
    "service": ("service", "servicename", "app", "appname", "application", "loggername", "component", *sorted(_PODS)),
    "host": ("host", "hostname", "node", "nodename", "server"),
    "pid": ("pid", "processid"),
}


class CsvReader(NamedReader):
    """Records of one layout. A message that is a log line itself is read in turn, as in a wrapper."""

    def __init__(self, form: Format, clock: Clock, layout: CsvLayout, bodies: Lines, sample: Sequence[str]) -> None:
        """Find out which column is which, by name, and a time without such a name by what is in it.

        Args:
            form: The format `csv`.
            clock: Zone and reference time.
            layout: Of the file.
            bodies: Reads messages that are log lines.
            sample: Some records.
        """
        self.layout = layout
        self.bodies = bodies
        self._joined: dict[str, tuple[str, ...]] = {}
        """Columns made of others, by a name of ours."""
        separator = re.escape(layout.separator)
        cell = rf'(?:"(?:[^"]|"")*"|[^"{separator}][^{separator}]*|)'
        self._opens = rf'^(?s:(?:{cell}{separator})*"(?:[^"]|"")*)$'
        self._closes = rf'^(?s:(?:[^"]|"")*"(?:{separator}{cell})*)\r?$'
        super().__init__(replace(form, names=self._found_names(clock, sample)), clock)

    def _found_names(self, clock: Clock, sample: Sequence[str]) -> dict[str, tuple[str, ...]]:
        plain: dict[str, list[str]] = {}
        for name in self.layout.names:
            plain.setdefault(plain_name(name), []).append(name)
        found = {
            column: tuple(name for each in names for name in plain.get(each, ()))
            for column, names in {"time": TIME_NAMES, **_NAMES}.items()
        }
        if _SPAN in plain:
            found["message"] += tuple(name for each in _OPERATIONS for name in plain.get(each, ()))
        for parts in _JOINED:
            if all(part in plain for part in parts):
                self._joined[" ".join(parts)] = tuple(plain[part][0] for part in parts)
        rows = pl.Series("raw", list(sample[:_SAMPLE]), dtype=pl.String)
        named = (*self._joined, *found["time"])
        timed = self._timed(rows, named, clock) or (() if named else self._timed(rows, self.layout.names, clock)[:1])
        found["time"] = timed or found["time"]
        return found

    def _timed(self, rows: pl.Series, names: Sequence[str], clock: Clock) -> tuple[str, ...]:
        """Which of the named columns hold times."""
        timed = []
        for name, values in self.cells(rows, names).items():
            given = values.drop_nulls()
            if len(given) and to_times(given, clock).null_count() * 10 < len(given):
                timed.append(name)
        return tuple(timed)

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin a record: those that are not within quotes and not empty.

        A quote that is opened and not closed within a thousand lines, or before another is opened, is one that stands
        in the text, so that a damaged record does not take those behind it.
        """
        begins = lines.str.contains(r"[^\r]").fill_null(False)
        odd = (lines.str.count_matches('"', literal=True) % 2 == 1).fill_null(False).arg_true()
        if not len(odd):
            return begins
        texts = lines.gather(odd)
        opens, closes = texts.str.contains(self._opens).to_list(), texts.str.contains(self._closes).to_list()
        spans: list[tuple[int, int]] = []
        opened = -1
        for row, may_open, may_close in zip(odd.to_list(), opens, closes, strict=True):
            if opened >= 0 and may_close and row - opened <= _LONGEST:
                spans.append((opened + 1, row + 1))
                opened = -1
            elif may_open:
                opened = row
        if opened >= 0 and len(lines) - opened <= _LONGEST:
            spans.append((opened + 1, len(lines)))
        within = [row for low, high in spans for row in range(low, high)]
        return begins.scatter(within, False) if within else begins

    def match(self, raw: pl.Series) -> pl.Series:
        """Everything that is not empty."""
        return raw.str.contains(r"[^\r\n]").fill_null(False)

    def cells(self, raw: pl.Series, names: Sequence[str]) -> Columns:
        """Texts of the named columns; null where a cell is empty or missing. What is too much is in the last one."""
        raw = raw.str.strip_chars_end("\r\n")
        width = len(self.layout.names)
        quoted = raw.str.contains('"', literal=True).fill_null(False)
        if not quoted.any():
            table = self._split(raw, width)
        else:
            sure = raw.filter(quoted)
            parts = [(quoted.arg_true(), self._parsed(sure, width))]
            rest = (~quoted).arg_true()
            if len(rest):
                parts.append((rest, self._split(raw.gather(rest), width)))
            table = [
                frames.scatter([(where, part[number]) for where, part in parts], len(raw)) for number in range(width)
            ]
        out: Columns = {}
        for name in names:
            if name in self.layout.names:
                values = table[self.layout.names.index(name)]
                out[name] = values.set((values == "").fill_null(False), None).alias(name)
            elif name in self._joined:
                places = [self.layout.names.index(part) for part in self._joined[name]]
                out[name] = (
                    pl.select(pl.concat_str(*(table[place] for place in places), separator=" ")).to_series().alias(name)
                )
            else:
                out[name] = frames.nothing(len(raw)).alias(name)
        return out

    def _split(self, raw: pl.Series, width: int) -> list[pl.Series]:
        found = raw.str.splitn(self.layout.separator, width).struct
        return [found.field(f"field_{number}") for number in range(width)]

    def _parsed(self, raw: pl.Series, width: int) -> list[pl.Series]:
        """By Polars where all records are sound; else those that are not one by one."""
        sound = (raw.str.count_matches('"', literal=True) % 2 == 0).fill_null(False)
        if sound.all():
            table = self._read(raw, width)
            if table is not None:
                return table
            sound = sound & False
        parts: list[tuple[pl.Series, list[pl.Series]]] = []
        some = sound.arg_true()
        if len(some) and (table := self._read(raw.gather(some), width)) is not None:
            parts.append((some, table))
        else:
            some = some.clear()
        rest = pl.int_range(len(raw), eager=True, dtype=pl.UInt32).filter(
            ~pl.int_range(len(raw), eager=True, dtype=pl.UInt32).is_in(some.implode())
        )
        rows = [self._row(text, width) for text in raw.gather(rest)]
        parts.append((rest, [pl.Series([row[number] for row in rows], dtype=pl.String) for number in range(width)]))
        return [frames.scatter([(where, table[number]) for where, table in parts], len(raw)) for number in range(width)]

    def _row(self, text: str | None, width: int) -> list[str | None]:
        row: list[str | None] = list(cells(text or "", self.layout.separator))
        if len(row) > width:
            row[width - 1 :] = [self.layout.separator.join(str(cell) for cell in row[width - 1 :])]
        return row + [None] * (width - len(row))

    def _read(self, raw: pl.Series, width: int) -> list[pl.Series] | None:
        """Sound records at once; None if they do not come out as many as they are."""
        # One column more than there are tells records with too many cells, which are read one by one.
        schema = {str(number): pl.String() for number in range(width + 1)}
        try:
            table = pl.read_csv(
                ("\n".join(raw.to_list()) + "\n").encode("utf-8", "replace"),
                has_header=False, schema=schema, separator=self.layout.separator,
                truncate_ragged_lines=True, missing_columns="insert",
            )  # fmt: skip
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        if table.height != len(raw) or table.get_column(str(width)).null_count() < table.height:
            return None
        return [table.get_column(str(number)) for number in range(width)]

    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """Cells of the named columns; numbers and booleans as such if `typed` and the whole block's are."""
        found = self.cells(raw, names)
        return {name: _typed(values) for name, values in found.items()} if typed else found

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """The table's columns; what they lack comes from within the message."""
        out = super().extract(raw, want, received)
        if "service" in out and any(plain_name(name) in _PODS for name in self.format.names["service"]):
            out["service"] = out["service"].str.replace(_HASHES, "")
        lacking = {
            name for name in ("time", "level", "service", "host", "pid") if name in out and self._lacks(out[name])
        }
        fields = {
            FIELD_PREFIX + name
            for name in fields_of(want)
            if name not in self.layout.names and out[FIELD_PREFIX + name].null_count()
        }
        wanted = lacking | fields | ({"message"} & {*want})
        if not wanted or not self.format.names["message"]:
            return out
        body = self._body(raw)
        inside = self.bodies.extract(body, wanted | {"format"}, received)
        known = (inside["format"] != "text").fill_null(False) & body.is_not_null()
        for name in wanted:
            values = inside.get(name)
            if values is None:
                continue
            if name not in fields:
                values = values.set(~known, None)
            out[name] = _preferred(name, out[name], values)
        return out

    def _lacks(self, values: pl.Series) -> bool:
        return bool(values.null_count()) or (values.dtype == pl.UInt8 and bool((values == 0).any()))

    def body(self, raw: pl.Series) -> pl.Series | None:
        """The messages, which may be log lines."""
        return self._body(raw).drop_nulls() if self.format.names["message"] else None

    def _body(self, raw: pl.Series) -> pl.Series:
        names = self.format.names["message"]
        found = self.cells(raw, names)
        body = frames.nothing(len(raw))
        for name in names:
            body = frames.coalesce(body, found[name])
        return without_colours(body)

    def own_fields(self, raw: pl.Series) -> pl.DataFrame:
        """Cells in long form."""
        found = self.cells(raw, self.layout.names)
        return pl.concat([_long(name, values) for name, values in found.items()])

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """Cells, then what is within the message."""
        parts = [self.own_fields(raw)]
        if self.format.names["message"]:
            parts.append(self.bodies.long(self._body(raw).fill_null("")))
        return pl.concat(parts)


class ObjectsReader(CsvReader):
    """Rows of a table that come as JSON objects: their values keep their types."""

    def starts(self, lines: pl.Series) -> pl.Series:
        """All."""
        return pl.Series([True]).new_from_index(0, len(lines))

    def cells(self, raw: pl.Series, names: Sequence[str]) -> Columns:
        """Texts of the named columns, of the parts of nested ones too."""
        found = structured.columns(
            raw, [*dict.fromkeys([*names, *(p for n in names for p in self._joined.get(n, ()))])], typed=False
        )
        for name in names:
            if name in self._joined:
                found[name] = pl.select(
                    pl.concat_str(*(found[part] for part in self._joined[name]), separator=" ")
                ).to_series()
        return {name: found[name].alias(name) for name in names}

    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """Values of the named columns."""
        return structured.columns(raw, names, typed=True) if typed else self.cells(raw, names)

    def own_fields(self, raw: pl.Series) -> pl.DataFrame:
        """All members."""
        return structured.long(raw)


def _preferred(name: str, own: pl.Series, inside: pl.Series) -> pl.Series:
    if name == "message":
        return frames.coalesce(inside, own)
    if name == "level":
        return own.zip_with(own > 0, inside.fill_null(0))
    return frames.coalesce(own, inside)


def _typed(values: pl.Series) -> pl.Series:
    given = values.drop_nulls()
    if not len(given):
        return values
    if given.str.contains(_NUMBER).all():
        return as_number(values)
    if given.str.contains(_BOOLEAN).all():
        return values.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    return values


def _long(name: str, values: pl.Series) -> pl.DataFrame:
    """One column in long form, each cell of its own kind; a fraction in JSON's own spelling."""
    part = frames.long_of(name, values, TEXT)
    value = part.get_column("value")
    number = value.str.contains(_NUMBER)
    kind = pl.select(
        pl.when(number).then(NUMBER).when(value.str.contains(_BOOLEAN)).then(BOOLEAN).otherwise(TEXT).cast(pl.UInt8)
    ).to_series()
    fractions = number & value.str.contains(".", literal=True)
    if fractions.any():
        value = value.zip_with(~fractions, value.cast(pl.Float64, strict=False).cast(pl.String))
    return part.with_columns(value.alias("value"), kind.alias("kind"))
