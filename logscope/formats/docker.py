"""Docker's json-file lines: an object of `log`, `stream` and `time`. What `log` holds is read in turn."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from logscope.formats import frames, keyvalue, structured
from logscope.formats.lines import Lines
from logscope.formats.model import Format
from logscope.formats.patterns import first_line
from logscope.formats.readers import INDEXED, Columns, Reader
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import FIELD_PREFIX

_ENDING = r'","stream":"(?:stdout|stderr)","time":"[^"\\]{1,40}"\}$'
_ENDING_ROOM = 80
_MEMBERS = pl.Struct({"log": pl.String(), "time": pl.String()})


class DockerReader(Reader):
    """Docker's json-file lines: `log`, `stream`, `time`; what `log` holds is read in turn."""

    def __init__(self, form: Format, clock: Clock, inner: Lines) -> None:
        """Keep the reader of what `log` holds."""
        super().__init__(form, clock)
        self.inner = inner

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """As Docker writes them, with one decoding of both members; the rest, and odd blocks, in two passes."""
        if not INDEXED.issuperset(want):
            return super().scan(raw, want)
        found = raw.str.starts_with('{"log":"') & raw.str.tail(_ENDING_ROOM).str.contains(_ENDING)
        found = found.fill_null(False)
        texts = raw if found.all() else raw.filter(found)
        try:
            members = texts.str.json_decode(_MEMBERS).struct
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # one text that is no object fails them all
            return super().scan(raw, want)
        text, time = members.field("log"), members.field("time")
        if text.null_count() or time.null_count():
            return super().scan(raw, want)
        text = text.str.strip_chars_end("\r\n")
        return self._rest(
            raw, want, found, self._over(self.inner.extract(text, {*want} - {"format"}, None), want, time)
        )

    def _over(self, inside: Columns, want: Collection[str], time: pl.Series) -> Columns:
        """The inside's columns, with Docker's time where it has none."""
        if "time" in want:
            own = inside.get("time", frames.nothing(len(time), frames.dtype_of("time")))
            inside["time"] = frames.coalesce(own, to_times(time, self.clock)) if own.null_count() else own
        return inside

    def match(self, raw: pl.Series) -> pl.Series:
        """Objects that begin with `log`, or hold log, stream and time, as Docker writes them."""
        return raw.str.contains(
            r'^\{"log":"(?s:.*)","(?:stream":"(?:stdout|stderr)"|attrs":\{).*"time":"[^"]+"(?:,"attrs":\{.*\})?\}\s*$'
        ).fill_null(False)

    def opening(self) -> str | None:
        """An object's beginning."""
        return r"^\{"

    def stating(self) -> str | None:
        """An object's beginning."""
        return r"\{"

    def body(self, raw: pl.Series) -> pl.Series:
        """What `log` holds."""
        return self._members(raw, ["log"])["log"]

    def _members(self, raw: pl.Series, names: list[str]) -> Columns:
        found = structured.columns(raw, names, typed=False)
        if "log" in found:
            text = found["log"].str.strip_chars_end("\r\n")
            found["log"] = frames.coalesce(text, first_line(raw))
        return found

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """The inside's columns; Docker's time where the inside has none."""
        names = ["log", "time"] if "time" in want else ["log"]
        if FIELD_PREFIX + "stream" in want:
            names.append("stream")
        found = self._members(raw, names)
        inner_want = {name for name in want if name != "format"}
        out = self.inner.extract(found["log"], inner_want, received)
        if "time" in want:
            out = self._over(out, want, found["time"])
        if "stream" in found:
            column = FIELD_PREFIX + "stream"
            out[column] = frames.coalesce(out.get(column, frames.nothing(len(raw))), found["stream"])
        return out

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """The inside's fields and `stream`."""
        found = self._members(raw, ["log", "stream"])
        stream = frames.long_of("stream", found["stream"], keyvalue.TEXT)
        return pl.concat([self.inner.long(found["log"]), stream])
