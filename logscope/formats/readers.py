"""How each kind of format reads its lines: match, columns, fields. One reader a pattern.

A reader sees texts it matched (or, at the end of the list, everything) and never another reader's.
All are stateless and raise on no text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

import polars as pl

from logscope.formats import frames, keyvalue, structured
from logscope.formats.levels import http_levels, level_by_word, to_levels
from logscope.formats.model import COLUMNS, Format
from logscope.formats.patterns import Pattern, first_line
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import FIELD_PREFIX

Columns = dict[str, pl.Series]


class Reader(ABC):
    """Reads the texts of one pattern of one format."""

    def __init__(self, form: Format, clock: Clock) -> None:
        """Keep the definition and what its times leave out."""
        self.format = form
        self.clock = clock

    @abstractmethod
    def match(self, raw: pl.Series) -> pl.Series:
        """Which texts this reader reads (Boolean, never null); also which lines begin a record."""

    @abstractmethod
    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """The wanted columns; one left out is all-null. `format` only where a text is given to another."""

    @abstractmethod
    def long(self, raw: pl.Series) -> pl.DataFrame:
        """All fields in `frames.LONG` form, the first of equal names wins."""

    def states_level(self, raw: pl.Series) -> pl.Series:
        """Levels that the text states, not guessed from a word (UInt8)."""
        return self.extract(raw, {"level"}, None).get("level", frames.constant(0, len(raw), pl.UInt8))


def fields_of(want: Collection[str]) -> list[str]:
    """Names of the wanted fields, without the prefix."""
    return [name.removeprefix(FIELD_PREFIX) for name in want if name.startswith(FIELD_PREFIX)]


class TextReader(Reader):
    """The fallback: a message, a level by an early word, `key=value` pairs."""

    def match(self, raw: pl.Series) -> pl.Series:
        """Everything."""
        return pl.Series([True]).new_from_index(0, len(raw))

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Columns of free text."""
        out: Columns = {}
        if "level" in want:
            out["level"] = level_by_word(raw)
        if "message" in want:
            out["message"] = first_line(raw)
        for name in fields_of(want):
            out[FIELD_PREFIX + name] = keyvalue.column(raw, name)
        return out

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """The pairs."""
        return keyvalue.long(raw)

    def states_level(self, raw: pl.Series) -> pl.Series:
        """None: a word is a guess."""
        return frames.constant(0, len(raw), pl.UInt8)


class RegexReader(Reader):
    """One pattern of a regex format; fields are its captures, then the text's pairs."""

    def __init__(self, form: Format, clock: Clock, pattern: Pattern) -> None:
        """Keep the compiled pattern."""
        super().__init__(form, clock)
        self.pattern = pattern
        self.field_groups = tuple(name for name in pattern.groups if name not in COLUMNS)

    def match(self, raw: pl.Series) -> pl.Series:
        """What the pattern matches at its start."""
        return self.pattern.match(raw)

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Captures as columns and fields, each in one pass."""
        fields = fields_of(want)
        groups = {name for name in self.pattern.groups if name in want or name in fields} - {"message"}
        status = self.format.status_levels
        if "level" in want and status in self.pattern.groups:
            groups.add(status)
        found = {name: _present(values) for name, values in self.pattern.captures(raw, groups).items()}
        out: Columns = {name: found[name] for name in ("host", "service", "pid") if name in want and name in found}
        if "time" in want and "time" in found:
            out["time"] = to_times(found["time"], self.clock, received)
        if "level" in want:
            out["level"] = self._level(raw, found)
        if "message" in want:
            out["message"] = self.pattern.message(raw)
        if "service" in want and self.format.service:
            given = out.get("service", frames.nothing(len(raw)))
            out["service"] = given.fill_null(self.format.service)
        for name in fields:
            out[FIELD_PREFIX + name] = self._field(raw, name, found)
        return out

    def _level(self, raw: pl.Series, found: Columns) -> pl.Series:
        level = self._stated(len(raw), found)
        if self.format.status_levels or (level > 0).all():
            return level
        return level.zip_with(level > 0, level_by_word(raw))

    def _stated(self, height: int, found: Columns) -> pl.Series:
        status = self.format.status_levels
        if "level" in found:
            return to_levels(found["level"], self.format.levels)
        if status in found:
            return http_levels(found[status])
        return frames.constant(0, height, pl.UInt8)

    def _field(self, raw: pl.Series, name: str, found: Columns) -> pl.Series:
        if name not in self.field_groups:
            return keyvalue.column(raw, name)
        values = self._typed(name, found[name])
        if values.null_count():
            values = frames.coalesce(values, self._typed(name, keyvalue.column(raw, name)))
        return values

    def _typed(self, name: str, values: pl.Series) -> pl.Series:
        kind = self.format.types.get(name, "string")
        if kind == "string":
            return values
        number = values.cast(pl.Int64 if kind == "int" else pl.Float64, strict=False)
        return number if number.null_count() == values.null_count() else values

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """Captures, then pairs."""
        found = self.pattern.captures(raw, self.field_groups)
        parts = [
            frames.long_of(name, values, int(values.dtype != pl.String))
            for name, values in ((name, self._typed(name, _present(found[name]))) for name in self.field_groups)
        ]
        return pl.concat([*parts, keyvalue.long(raw)])

    def states_level(self, raw: pl.Series) -> pl.Series:
        """The level group's."""
        names = {"level", self.format.status_levels or "level"}
        return self._stated(len(raw), {k: _present(v) for k, v in self.pattern.captures(raw, names).items()})


def _present(values: pl.Series) -> pl.Series:
    """Without what stands for nothing: an empty text and `-`."""
    absent = values.is_in(["", "-"]).fill_null(False)
    return values.set(absent, None) if absent.any() else values


class NamedReader(Reader):
    """What json and logfmt share: columns by member names, the first present one wins."""

    @abstractmethod
    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """The named members; all-null where there is none. `strict` raises Unsound on what is no object."""

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Columns by the format's names, fields as they are."""
        return self._named(raw, want, received, strict=False)

    def _named(self, raw: pl.Series, want: Collection[str], received: pl.Series | None, *, strict: bool) -> Columns:
        sought = {name: self.format.names.get(name, ()) for name in COLUMNS if name in want}
        named = self.candidates(raw, list(sought.values()), strict=strict) if sought else {}
        out: Columns = {}
        for column, names in sought.items():
            values = frames.nothing(len(raw))
            for name in names:
                values = frames.coalesce(values, _present(named[name]))
            out[column] = values
        if "time" in out:
            out["time"] = to_times(out["time"], self.clock, received)
        if "level" in out:
            out["level"] = to_levels(out["level"], self.format.levels)
        if "message" in out:
            out["message"] = first_line(frames.coalesce(out["message"], raw))
        fields = fields_of(want)
        if fields:
            out |= {FIELD_PREFIX + name: values for name, values in self.fields(raw, fields, strict=strict).items()}
        return out

    def candidates(self, raw: pl.Series, choices: list[tuple[str, ...]], *, strict: bool) -> Columns:
        """Members by name, of which each choice takes the first present one."""
        return self.members(raw, [name for names in choices for name in names], typed=False, strict=strict)

    def fields(self, raw: pl.Series, names: list[str], *, strict: bool) -> Columns:
        """The named fields."""
        return self.members(raw, names, typed=True, strict=strict)


class LogfmtReader(NamedReader):
    """Lines that begin with at least two `name=value` pairs."""

    def match(self, raw: pl.Series) -> pl.Series:
        """Two pairs at the start."""
        pair = f"{keyvalue.NAME}={keyvalue.VALUE}"
        return raw.str.contains(f"^{pair}[ \\t]+{pair}").fill_null(False)

    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """Values of the pairs, always text."""
        return self._values(raw, [(name,) for name in names])

    def candidates(self, raw: pl.Series, choices: list[tuple[str, ...]], *, strict: bool) -> Columns:
        """Values by name; names behind one that every text has are not looked for."""
        return self._values(raw, choices)

    def _values(self, raw: pl.Series, choices: list[tuple[str, ...]]) -> Columns:
        found = keyvalue.leading(raw, {name for names in choices for name in names})
        mask: pl.Series | None = None
        out: Columns = {}
        absent = frames.nothing(len(raw))
        for names in choices:
            for name in names:
                if name in out or not raw.str.contains(f"{name}=", literal=True).any():
                    continue
                if name in found:
                    values = found[name]
                    missed = values.is_null().arg_true()
                    if len(missed):
                        values = values.clone().scatter(missed, keyvalue.column(raw.gather(missed), name))
                else:
                    mask = keyvalue.masked(raw) if mask is None else mask
                    values = keyvalue.column(raw, name, mask)
                out[name] = values
                if len(names) > 1 and _present(values).null_count() == 0:
                    break
        for names in choices:
            for name in names:
                out.setdefault(name, absent)
        return out

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """The pairs."""
        return keyvalue.long(raw)


class JsonReader(NamedReader):
    """Lines that are one JSON object; others that only look so are read as text."""

    def __init__(self, form: Format, clock: Clock, text: TextReader) -> None:
        """Keep the reader of what is not sound."""
        super().__init__(form, clock)
        self.text = text

    def match(self, raw: pl.Series) -> pl.Series:
        """Braces at both ends."""
        opens = raw.str.contains(r"^[ \t]*\{").fill_null(False)
        closes = raw.str.ends_with("}").fill_null(False)  # the usual case; the regex scans the whole text
        if not closes.all():
            closes = raw.str.contains(r"\}[ \t\r\n]*$").fill_null(False)
        return opens & closes

    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """Members, numbers as numbers if `typed`."""
        return structured.columns(raw, names, typed=typed, strict=strict)

    def candidates(self, raw: pl.Series, choices: list[tuple[str, ...]], *, strict: bool) -> Columns:
        """Members by name; those that all objects begin with need no parser."""
        found = structured.leading(raw, choices)
        if found is None:
            return super().candidates(raw, choices, strict=strict)
        absent = frames.nothing(len(raw))
        return {name: found.get(name, absent) for names in choices for name in names}

    def fields(self, raw: pl.Series, names: list[str], *, strict: bool) -> Columns:
        """Members, then pairs within the message."""
        found = self.members(raw, names, typed=True, strict=strict)
        if all(values.null_count() == 0 for values in found.values()):
            return found
        message = self._named(raw, {"message"}, None, strict=strict)["message"]
        apart = message.zip_with(message != raw, frames.nothing(len(raw)))
        for name, values in found.items():
            if values.null_count():
                found[name] = frames.coalesce(values, keyvalue.column(apart, name))
        return found

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Columns and fields; unsound texts as free text."""
        try:
            return self._named(raw, want, received, strict=True)
        except structured.Unsound:
            sound = structured.is_sound(raw)
        good, bad = sound.arg_true(), (~sound).arg_true()
        some = None if received is None else received.gather(good)
        first = self._named(raw.gather(good), want, some, strict=False)
        second = self.text.extract(raw.gather(bad), want, None)
        if "format" in want:
            first["format"] = frames.constant(self.format.name, len(good))
            second["format"] = frames.constant(self.text.format.name, len(bad))
        return merge([(good, first), (bad, second)], want, len(raw))

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """Members, then pairs within the message (of unsound texts: their pairs)."""
        sound = structured.is_sound(raw)
        apart = raw
        if sound.any():
            message = self._named(raw.gather(sound.arg_true()), {"message"}, None, strict=False)["message"]
            apart = raw.clone().scatter(sound.arg_true(), message)
            apart = apart.zip_with(~sound | (apart != raw), frames.nothing(len(raw)))
        return pl.concat([structured.long(raw), keyvalue.long(apart)])


def merge(parts: list[tuple[pl.Series, Columns]], want: Collection[str], height: int) -> Columns:
    """Columns of parts back in order; a column that no part has stays out."""
    out: Columns = {}
    for name in want:
        if not any(name in columns for _, columns in parts):
            continue
        filled = []
        for where, columns in parts:
            values = columns.get(name)
            filled.append((where, frames.nothing(len(where), frames.dtype_of(name)) if values is None else values))
        out[name] = frames.scatter(filled, height)
    return out
