"""How each kind of format reads its lines: match, columns, fields. One reader a pattern.

A reader sees texts it matched (or, at the end of the list, everything) and never another reader's.
All are stateless and raise on no text.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection

import polars as pl

from logscope.formats import frames, freetext, keyvalue, pairs, parts
from logscope.formats.freetext import FreeText
from logscope.formats.levels import http_levels, level_by_word, to_levels
from logscope.formats.model import COLUMNS, Format
from logscope.formats.patterns import Pattern, certain, first_line
from logscope.formats.stamped import narrowed
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import FIELD_PREFIX

Columns = dict[str, pl.Series]

INDEXED = frozenset({"time", "level", "format"})
"""What the index holds of a text."""
BEGINS = "@begins"
"""A column that `scan` may give besides: as `begins` has it."""
_MESSAGE = "@message"
"""Among what a pattern captured: the whole message, once parts ask for it."""
_NOTHING = pl.Series(["", "-"])
"""Values that stand for none."""
_GROUP = re.compile(r"(?<!\\)\((?:(?!\?)|\?P<)")


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

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """Which texts this reader reads, and the wanted columns of those: `match` and `extract` at once."""
        found = self.match(raw)
        if found.all():
            return found, self.extract(raw, want, None)
        return found, self.extract(raw.filter(found), want, None) if found.any() else {}

    def _rest(
        self, raw: pl.Series, want: Collection[str], found: pl.Series, columns: Columns
    ) -> tuple[pl.Series, Columns]:
        """What a narrower way found, and in two passes what it did not."""
        rest = (~found).arg_true()
        if not len(rest):
            return found, columns
        more, others = Reader.scan(self, raw.gather(rest), want)
        if not more.any():
            return found, columns
        behind = rest.filter(more)
        if "format" in others:
            columns["format"] = frames.constant(self.format.name, int(found.sum()))
        height = int(found.sum()) + len(behind)
        return found.clone().scatter(behind, True), merge([(found.arg_true(), columns), (behind, others)], want, height)

    @abstractmethod
    def long(self, raw: pl.Series) -> pl.DataFrame:
        """All fields in `frames.LONG` form, the first of equal names wins."""

    def opening(self) -> str | None:
        """An anchored regex that finds each text this reader matches, and perhaps others; None: there is none."""
        return None

    def stating(self) -> str | None:
        """A regex, to be anchored, of texts whose level this reader may state; None if it states none."""
        return ""

    def begins(self, raw: pl.Series) -> pl.Series | None:
        """Of lines that it matches those that begin a record (Boolean); None: all."""
        return None

    def goes_on(self, lines: pl.Series) -> pl.Series | None:
        """What has to stand in the line behind each for it to continue the record: "" anything, null: it does not.

        None: there is no such line.
        """
        regex = self.format.goes_on
        if not regex:
            return None
        if _GROUP.search(regex):
            return lines.str.extract(regex, 1)
        return frames.constant("", len(lines)).set(~lines.str.contains(regex).fill_null(False), None)

    def stands_alone(self, lines: pl.Series) -> pl.Series:
        """Of lines behind one that goes on: which begin a record all the same (Boolean)."""
        return frames.constant(0, len(lines), pl.UInt8).cast(pl.Boolean)

    def body(self, raw: pl.Series) -> pl.Series | None:
        """What a wrapper holds; None of a reader that is none."""
        return None

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
        text = FreeText(raw)
        for name in fields_of(want):
            out[FIELD_PREFIX + name] = text.column(name)
        return out

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """The pairs."""
        return freetext.long(raw)

    def stating(self) -> str | None:
        """None: a word is a guess."""
        return None

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
        self.made = parts.names(form.parts)

    def match(self, raw: pl.Series) -> pl.Series:
        """What the pattern matches at its start."""
        return self.pattern.match(raw)

    def opening(self) -> str | None:
        """The pattern."""
        return self.pattern.plain

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """By slices where the times have one shape, or by the quick regex; the rest in two passes."""
        if not INDEXED.issuperset(want) or not len(raw):
            return super().scan(raw, want)
        found, columns = self._stamped(raw, want) or self._quick(raw, want) or (None, {})
        if found is None:
            return super().scan(raw, want)
        return self._rest(raw, want, found, columns)

    def _stamped(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns] | None:
        """Texts with a time of the first one's shape, and their columns."""
        stamped = None if self.clock.layouts else narrowed(self.pattern.regex, raw[0])
        if stamped is None or not stamped.levelled or not raw.head(1).str.contains(stamped.plain).all():
            return None
        found = raw.str.contains(stamped.plain).fill_null(False)
        texts = raw if found.all() else raw.filter(found)
        level = stamped.levels(texts, dict(self.format.levels))
        if level is None or not (level > 0).all():
            return None
        columns = {"level": level} if "level" in want else {}
        if "time" in want:
            columns["time"] = stamped.times(texts, self.clock)
        return found, columns

    def _quick(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns] | None:
        """Texts that the quick regex matches, and their columns."""
        groups = self._groups(want)
        captured = self.pattern.quick_captures(raw, groups)
        if captured is None:
            return None
        found = next(iter(captured.values())).is_not_null()
        if not found.all():
            raw = raw.filter(found)
            captured = {name: values.filter(found) for name, values in captured.items()}
        return found, self._columns(raw, want, None, captured)

    def _groups(self, want: Collection[str]) -> set[str]:
        """Groups that the wanted columns are made of."""
        names = {*want, *fields_of(want)}
        names |= {name for column in COLUMNS if column in want for name in self.format.names.get(column, ())}
        if "time" in want:
            names.add("date")
        if "level" in want and self.format.status_levels:
            names.add(self.format.status_levels)
        names |= parts.sources(self.format.parts, self.made.intersection(names))
        return {name for name in self.pattern.groups if name in names} - {"message"}

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Captures as columns and fields, each in one pass."""
        return self._columns(raw, want, received, self.pattern.captures(raw, self._groups(want)))

    def _columns(self, raw: pl.Series, want: Collection[str], received: pl.Series | None, captured: Columns) -> Columns:
        found = {name: self._present(name, values) for name, values in captured.items()}
        text = FreeText(raw)
        out: Columns = {}
        for column in ("host", "service", "pid"):
            told = self._told(text, column, found) if column in want else None
            if told is not None:
                out[column] = told
        if "time" in want:
            told = self._told(text, "time", found)
            if told is not None:
                out["time"] = to_times(told, self.clock, received)
        if "level" in want:
            out["level"] = self._level(text, found)
        if "message" in want:
            message = self.pattern.message(raw)
            told = self._told(text, "message", found) if self.format.names.get("message") else None
            out["message"] = message if told is None else first_line(frames.coalesce(told, message))
        if "service" in want and self.format.service:
            given = out.get("service", frames.nothing(len(raw)))
            out["service"] = given.fill_null(self.format.service)
        for name in fields_of(want):
            out[FIELD_PREFIX + name] = self._field(text, name, found)
        return out

    def _told(self, text: FreeText, column: str, found: Columns) -> pl.Series | None:
        """The text of a column: its group's, else that of the first present one of the format's names."""
        told = found.get(column)
        if column == "time" and told is not None and "date" in found:
            told = pl.select(pl.concat_str(found["date"], told, separator=" ")).to_series()
        for name in self.format.names.get(column, ()):
            if told is not None and not told.null_count():
                break
            other = found[name] if name in found else present(self._pair(text, name))
            if name in self.made:
                other = self._made(text, name, found, other)
            told = other if told is None else frames.coalesce(told, other)
        return told

    def _pair(self, text: FreeText, name: str) -> pl.Series:
        if not self.format.pairs:
            return text.column(name)
        if text.written is None:
            text.written = pairs.Written(self._tail(text.text), self.format.pairs)
        return text.written.column(name)

    def _tail(self, raw: pl.Series) -> pl.Series:
        return raw.str.replace(self.pattern.plain, "") if self.pattern.tail else raw

    def _level(self, text: FreeText, found: Columns) -> pl.Series:
        level = self._stated(text, found)
        if self.format.status_levels or (level > 0).all():
            return level
        return level.zip_with(level > 0, level_by_word(text.text))

    def _stated(self, text: FreeText, found: Columns) -> pl.Series:
        level = self._told(text, "level", found)
        status = self.format.status_levels
        if level is not None:
            return to_levels(level, self.format.levels)
        if status is None:
            return frames.constant(0, len(text.text), pl.UInt8)
        return http_levels(found[status] if status in found else self._pair(text, status))

    def _field(self, text: FreeText, name: str, found: Columns) -> pl.Series:
        values = self._held(text, name, found)
        return self._made(text, name, found, values) if name in self.made else values

    def _held(self, text: FreeText, name: str, found: Columns) -> pl.Series:
        """A field's own values: the group's, else the pair's."""
        if name not in self.field_groups:
            return self._any_pair(text, name)
        values = self._typed(name, found[name])
        if values.null_count():
            values = frames.coalesce(values, self._typed(name, self._any_pair(text, name)))
        return values

    def _made(self, text: FreeText, name: str, found: Columns, values: pl.Series) -> pl.Series:
        """A field's values, filled up from the fields it may be part of."""

        def own(source: str) -> pl.Series:
            if source != parts.MESSAGE:
                return self._held(text, source, found)
            if _MESSAGE not in found:
                found[_MESSAGE] = self.pattern.message(text.text)
            return found[_MESSAGE]

        return parts.fill(values, name, self.format.parts, own)

    def _any_pair(self, text: FreeText, name: str) -> pl.Series:
        """As `_pair`; where pairs are written in another way, those within the message too."""
        values = self._pair(text, name)
        if not self.format.pairs or not values.null_count():
            return values
        rows = text.text.str.contains(rf'{keyvalue.escape(name)}(?:=|":)').fill_null(False).arg_true()
        if not len(rows):
            return values
        inside = FreeText(self._message(text.text.gather(rows))).column(name)
        return values.clone().scatter(rows, frames.coalesce(values.gather(rows), inside))

    def _message(self, raw: pl.Series) -> pl.Series:
        """The message, or nothing where it is no part of the text's own."""
        told = self._columns(raw, {"message"}, None, self.pattern.captures(raw, self._groups({"message"})))["message"]
        return told.set((told == first_line(raw)).fill_null(False), None)

    def _typed(self, name: str, values: pl.Series) -> pl.Series:
        kind = self.format.types.get(name, "string")
        if kind == "string":
            return values
        number = values.cast(pl.Int64 if kind == "int" else pl.Float64, strict=False)
        return number if number.null_count() == values.null_count() else values

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """Captures, then pairs."""
        found = self.pattern.captures(raw, self.field_groups)
        held = [
            frames.long_of(name, values, int(values.dtype != pl.String))
            for name, values in ((name, self._typed(name, present(found[name]))) for name in self.field_groups)
        ]
        if not self.format.pairs:
            held.append(freetext.long(raw))
        else:
            held += [pairs.long(self._tail(raw), self.format.pairs), freetext.long(self._message(raw))]
        return parts.long(pl.concat(held), self.format.parts, self.pattern.message(raw) if self.made else None)

    def stating(self) -> str | None:
        """What the pattern matches, if it has the group."""
        stated = {"level", self.format.status_levels} & set(self.pattern.groups)
        return self.pattern.plain[1:] if stated or self.format.names.get("level") else None

    def states_level(self, raw: pl.Series) -> pl.Series:
        """The level group's."""
        captured = self.pattern.captures(raw, self._groups({"level"}))
        return self._stated(FreeText(raw), {name: self._present(name, values) for name, values in captured.items()})

    def _present(self, name: str, values: pl.Series) -> pl.Series:
        # Redis writes `-` for a level.
        return values if name == "level" and "-" in self.format.levels else present(values)


def present(values: pl.Series) -> pl.Series:
    """Without what stands for nothing: an empty text and `-`."""
    if values.null_count() == len(values):
        return values
    absent = values.is_in(_NOTHING.implode())
    return values.set(certain(absent), None) if absent.any() else values


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
