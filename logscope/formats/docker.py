"""Docker's json-file lines: an object of `log`, `stream` and `time`. What `log` holds is read in turn."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import polars as pl

from logscope.formats import frames, keyvalue, structured
from logscope.formats.colours import without_colours
from logscope.formats.lines import Lines, begins_by_format, begins_within
from logscope.formats.model import Format
from logscope.formats.patterns import first_line
from logscope.formats.readers import BEGINS, INDEXED, Columns, Reader
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import FIELD_PREFIX

_ENDING = r'","stream":"(?:stdout|stderr)","time":"[^"\\]{1,40}"\}$'
_ENDING_ROOM = 80
_PART_ROOM = 16 << 10
"""Bytes of a part: `defaultBufSize` of moby's daemon/logger/copier.go."""
_PART_SLACK = 8
"""More that a part has where signs were cut in two and became U+FFFD."""
_MAY_CONTINUE = (
    r'^\{"log":"(?:(?:\\r)?\\n|\\t| {4}|[ ]+(?:at |\.\.\.|File \\"|\^|Caused by|[0-9]+: )|Caused by: |Suppressed: |\.\.\. [0-9]|[\]})]'
    r"|During handling|The above exception|goroutine |created by |exit status |\[(?:signal|recovered)|note: |stack backtrace"
    r"|[A-Za-z0-9_./%~-]+\.[^ \"]*\(|(?:[a-z0-9_.]+\.)?[A-Z][A-Za-z0-9_]*(?::|\\[rn]))"
)
"""`CONTINUES` as JSON writes it, and more."""
_MEMBERS = pl.Struct({"log": pl.String(), "time": pl.String()})


class DockerReader(Reader):
    """Docker's json-file lines: `log`, `stream`, `time`; what `log` holds is read in turn."""

    def __init__(self, form: Format, clock: Clock, inner: Lines, *, joined: bool = False) -> None:
        """Keep the reader of what `log` holds; `joined` is as `begins_within` has it."""
        super().__init__(form, clock)
        self.inner = inner
        self.joined = joined

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """As Docker writes them, with one decoding of both members; the rest, and odd blocks, in two passes."""
        if not INDEXED.issuperset(want):
            return super().scan(raw, want)
        found = raw.str.starts_with('{"log":"') & raw.str.tail(_ENDING_ROOM).str.contains(_ENDING)
        found = found.fill_null(False)
        texts = raw if found.all() else raw.filter(found)
        if not len(texts):
            return super().scan(raw, want)
        try:
            members = texts.str.json_decode(_MEMBERS).struct
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # one text that is no object fails them all
            return super().scan(raw, want)
        text, time = members.field("log"), members.field("time")
        if text.null_count() or time.null_count():
            return super().scan(raw, want)
        text = text.str.strip_chars_end("\r\n")
        inside = self.inner.extract(text, {*want, "format"}, None)
        begins = begins_by_format(self.inner, text, inside.pop("format"), joined=self.joined)
        return self._rest(raw, want, found, {**self._over(inside, want, time), BEGINS: begins})

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

    def begins(self, raw: pl.Series) -> pl.Series | None:
        """By what `log` holds."""
        if not self.joined and not raw.str.contains(_MAY_CONTINUE).any():
            return None
        return begins_within(self.inner, self.body(raw), joined=self.joined)

    def goes_on(self, lines: pl.Series) -> pl.Series | None:
        """Docker cuts lines after 16 KiB, and such a part has no line end."""
        told = frames.nothing(len(lines))
        rows = (lines.str.len_bytes() >= _PART_ROOM).fill_null(False).arg_true()
        if not len(rows):
            return told
        streams = [_stream_of_part(line) for line in lines.gather(rows)]
        return told.scatter(rows, pl.Series(streams, dtype=pl.String))

    def stands_alone(self, lines: pl.Series) -> pl.Series:
        """Those whose `log` is of some format: the rest of the line before may be missing, and nothing else tells."""
        return self.inner.structured(self.body(lines))

    def stating(self) -> str | None:
        """An object's beginning."""
        return r"\{"

    def body(self, raw: pl.Series) -> pl.Series:
        """What `log` holds."""
        return self._members(raw, ["log"])["log"]

    def _members(self, raw: pl.Series, names: list[str]) -> Columns:
        found = structured.columns(_whole(raw), names, typed=False)
        if "log" in found:
            text = found["log"].str.strip_chars_end("\r\n")
            found["log"] = without_colours(frames.coalesce(text, first_line(raw)))
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


def _stream_of_part(line: str) -> str | None:
    """The stream, as the line names it, that goes on behind a line; None if the line is whole."""
    members = structured.decode(line) or {}
    text, stream = members.get("log"), members.get("stream")
    if not isinstance(text, str) or text.endswith("\n") or not isinstance(stream, str):
        return None
    return f'"stream":"{stream}"' if 0 <= len(text.encode("utf-8", "replace")) - _PART_ROOM <= _PART_SLACK else None


def _whole(raw: pl.Series) -> pl.Series:
    """Records of several lines, an object each, as one object whose `log` is all they wrote."""
    rows = raw.str.contains("\n", literal=True).fill_null(False).arg_true()
    if not len(rows):
        return raw
    made = []
    for text in raw.gather(rows):
        parts = [structured.decode(line) for line in text.split("\n")]
        logs = [
            line + "\n" if part is None else str(part.get("log", ""))
            for part, line in zip(parts, text.split("\n"), strict=True)
        ]
        made.append(msgspec.json.encode({**(parts[0] or {}), "log": "".join(logs)}).decode())
    return raw.clone().scatter(rows, pl.Series(made, dtype=pl.String))
