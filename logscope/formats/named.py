"""Readers of texts that name their members: JSON objects and logfmt lines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from logscope.formats import frames, freetext, keyvalue, parts, structured
from logscope.formats.freetext import FreeText
from logscope.formats.levels import http_levels, to_levels
from logscope.formats.model import COLUMNS, Format
from logscope.formats.patterns import first_line
from logscope.formats.readers import INDEXED, Columns, Reader, TextReader, fields_of, merge, present
from logscope.formats.timestamps import Clock, to_times
from logscope.records.schema import FIELD_PREFIX


class NamedReader(Reader):
    """What json and logfmt share: columns by member names, the first present one wins."""

    def __init__(self, form: Format, clock: Clock) -> None:
        """Keep the definition and what its times leave out."""
        super().__init__(form, clock)
        self.made = parts.names(form.parts)

    @abstractmethod
    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """The named members; all-null where there is none. `strict` raises Unsound on what is no object."""

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Columns by the format's names, fields as they are."""
        return self._named(raw, want, received, strict=False)

    def _named(self, raw: pl.Series, want: Collection[str], received: pl.Series | None, *, strict: bool) -> Columns:
        sought = {name: self.format.names.get(name, ()) for name in COLUMNS if name in want}
        named = self.candidates(raw, list(sought.values()), strict=strict) if sought else {}
        out = self._columns(raw, sought, named, received)
        fields = fields_of(want)
        if fields:
            out |= {FIELD_PREFIX + name: values for name, values in self.fields(raw, fields, strict=strict).items()}
        return out

    def _columns(
        self, raw: pl.Series, sought: Mapping[str, Sequence[str]], named: Columns, received: pl.Series | None
    ) -> Columns:
        """Columns of the members they may be made of."""
        out: Columns = {}
        for column, names in sought.items():
            values = frames.nothing(len(raw))
            for name in names:
                if name in named:
                    values = frames.coalesce(values, present(named[name]))
            out[column] = values
        if "time" in out:
            out["time"] = to_times(out["time"], self.clock, received)
        if "level" in out:
            out["level"] = to_levels(out["level"], self.format.levels)
            if self.format.status_levels:
                status = self.members(raw, [self.format.status_levels], typed=False, strict=False)
                by_status = http_levels(status[self.format.status_levels])
                out["level"] = out["level"].zip_with(out["level"] > 0, by_status)
        if "service" in out and self.format.service:
            out["service"] = out["service"].fill_null(self.format.service)
        if "message" in out:
            out["message"] = first_line(frames.coalesce(out["message"], raw))
        return out

    def candidates(self, raw: pl.Series, choices: list[tuple[str, ...]], *, strict: bool) -> Columns:
        """Members by name, of which each choice takes the first present one."""
        return self.members(raw, [name for names in choices for name in names], typed=False, strict=strict)

    def fields(self, raw: pl.Series, names: list[str], *, strict: bool) -> Columns:
        """The named fields."""
        return self.members(raw, names, typed=True, strict=strict)


class LogfmtReader(NamedReader):
    """Lines that begin with at least two `name=value` pairs."""

    _pairs = rf"(?:\[[A-Za-z_]+\] )?{keyvalue.NAME}={keyvalue.VALUE}[ \t,;]+{keyvalue.NAME}={keyvalue.VALUE}"

    def match(self, raw: pl.Series) -> pl.Series:
        """Two pairs at the start."""
        return raw.str.contains("^" + self._pairs).fill_null(False)

    def opening(self) -> str | None:
        """Two pairs."""
        return "^" + self._pairs

    def stating(self) -> str | None:
        """Two pairs."""
        return self._pairs

    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """Values of the pairs, always text."""
        return self._values(raw, [(name,) for name in names])

    def candidates(self, raw: pl.Series, choices: list[tuple[str, ...]], *, strict: bool) -> Columns:
        """Values by name; names behind one that every text has are not looked for."""
        return self._values(raw, choices)

    def _values(self, raw: pl.Series, choices: list[tuple[str, ...]]) -> Columns:
        found = keyvalue.leading(raw, {name for names in choices for name in names})
        pairs = keyvalue.Pairs(raw)
        out: Columns = {}
        absent = frames.nothing(len(raw))
        for names in choices:
            for name in names:
                held = raw.str.contains(f"{name}=", literal=True).any()
                if name in out or not (held or name in self.made):
                    continue
                if name in found:
                    values = found[name]
                    missed = values.is_null().arg_true()
                    if len(missed):
                        values = values.clone().scatter(missed, keyvalue.column(raw.gather(missed), name))
                else:
                    values = pairs.column(name)
                if name in self.made:
                    values = parts.fill(values, name, self.format.parts, pairs.column)
                out[name] = values
                if len(names) > 1 and present(values).null_count() == 0:
                    break
        for names in choices:
            for name in names:
                out.setdefault(name, absent)
        return out

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """The pairs, then what they hold."""
        return parts.long(keyvalue.long(raw), self.format.parts)


class JsonReader(NamedReader):
    """Lines that are one JSON object; others that only look so are read as text."""

    def __init__(self, form: Format, clock: Clock, text: TextReader) -> None:
        """Keep the reader of what is not sound."""
        super().__init__(form, clock)
        self.text = text

    def match(self, raw: pl.Series) -> pl.Series:
        """Braces at both ends."""
        opens = raw.str.contains(r'^[ \t]*\{[ \t]*["}]').fill_null(False)
        closes = raw.str.ends_with("}").fill_null(False)  # the usual case; the regex scans the whole text
        if not closes.all():
            closes = raw.str.contains(r"\}[ \t\r\n]*$").fill_null(False)
        for name in self.format.members:
            opens = opens & raw.str.contains(f'"{name}"', literal=True).fill_null(False)
        for pattern in self.format.patterns:
            opens = opens & raw.str.contains(pattern).fill_null(False)
        return opens & closes

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """Without a parser where objects begin as the first one does; the rest in two passes."""
        sought = {name: self.format.names.get(name, ()) for name in COLUMNS if name in want}
        quick = len(raw) and INDEXED.issuperset(want) and not self.format.members and not self.format.status_levels
        quick = quick and self.made.isdisjoint(name for names in sought.values() for name in names)
        lead = structured.lead(raw[0], list(sought.values())) if quick else None
        if lead is None or not raw.head(1).str.contains(lead.plain).all():
            return super().scan(raw, want)
        found = raw.str.contains(lead.plain).fill_null(False)
        texts = raw if found.all() else raw.filter(found)
        columns = self._columns(texts, sought, lead.values(texts), None)
        return self._rest(raw, want, found, columns)

    def opening(self) -> str | None:
        """A brace."""
        return r"^[ \t]*\{"

    def stating(self) -> str | None:
        """A brace."""
        return r"[ \t]*\{"

    def members(self, raw: pl.Series, names: list[str], *, typed: bool, strict: bool) -> Columns:
        """Members, numbers as numbers if `typed`."""
        found = structured.columns(raw, names, typed=typed, strict=strict)

        def own(source: str) -> pl.Series:
            return structured.columns(raw, [source], typed=False)[source]

        for name in self.made.intersection(names):
            found[name] = parts.fill(found[name], name, self.format.parts, own)
        return found

    def candidates(self, raw: pl.Series, choices: list[tuple[str, ...]], *, strict: bool) -> Columns:
        """Members by name; those that all objects begin with need no parser, others no more than the first object has."""
        plain = self.made.isdisjoint(name for names in choices for name in names)
        found = structured.leading(raw, choices) if plain else None
        if found is not None:
            absent = frames.nothing(len(raw))
            return {name: found.get(name, absent) for names in choices for name in names}
        first = dict.fromkeys(
            name for name, _, _ in structured.flatten(structured.decode(raw[0] if len(raw) else None) or {})
        )
        near = [_up_to_first(names, first) for names in choices]
        out = super().candidates(raw, near, strict=strict)
        open_choices = [
            names[len(some) :]
            for names, some in zip(choices, near, strict=True)
            if len(some) < len(names) and _lacking([out[name] for name in some])
        ]
        return out | super().candidates(raw, open_choices, strict=strict) if any(open_choices) else out

    def fields(self, raw: pl.Series, names: list[str], *, strict: bool) -> Columns:
        """Members and what they hold, then pairs within the message."""
        found = self.members(raw, names, typed=True, strict=strict)
        lacking = [name for name, values in found.items() if values.null_count()]
        if not lacking or not raw.str.contains(rf'(?:{"|".join(map(keyvalue.escape, lacking))})(?:=|\\":)').any():
            return found
        message = self._named(raw, {"message"}, None, strict=strict)["message"]
        pairs = FreeText(message.zip_with(message != raw, frames.nothing(len(raw))))
        for name, values in found.items():
            if values.null_count():
                found[name] = frames.coalesce(values, pairs.column(name))
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
        """Members, what they hold, then pairs within the message (of unsound texts: their pairs)."""
        sound = structured.is_sound(raw)
        apart = raw
        if sound.any():
            message = self._named(raw.gather(sound.arg_true()), {"message"}, None, strict=False)["message"]
            apart = raw.clone().scatter(sound.arg_true(), message)
            apart = apart.zip_with(~sound | (apart != raw), frames.nothing(len(raw)))
        return pl.concat([parts.long(structured.long(raw), self.format.parts), freetext.long(apart)])


def _up_to_first(names: tuple[str, ...], present_ones: Collection[str]) -> tuple[str, ...]:
    """Names up to the first one that an object has; all if it has none."""
    place = next((place for place, name in enumerate(names) if name in present_ones), len(names) - 1)
    return names[: place + 1]


def _lacking(columns: Sequence[pl.Series]) -> bool:
    """Whether some text has a value in none of the columns."""
    last = present(columns[-1])
    if not last.null_count():
        return False
    return bool(
        pl.DataFrame({str(place): present(each).is_null() for place, each in enumerate(columns)}).min_horizontal().any()
    )


class PrettyReader(JsonReader):
    """JSON objects over several lines, alone or in an array: each begins with a line that is a brace."""

    def match(self, raw: pl.Series) -> pl.Series:
        """A brace that ends its line, or an object of several lines."""
        found = raw.str.contains(r'^ {0,2}\{(?:[ \t]*\r?$|\s*(?:"(?s:.*))?\}[\s,\]]*$)').fill_null(False)
        for name in self.format.members:
            found = found & raw.str.contains(f'"{name}"', literal=True).fill_null(False)
        return found

    def scan(self, raw: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """In two passes."""
        return Reader.scan(self, raw, want)

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """Of the object in one line."""
        return super().extract(_in_one_line(raw), want, received)

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """Of the object in one line."""
        return super().long(_in_one_line(raw))

    def stating(self) -> str | None:
        """What only begins an object states none."""
        return None


def _in_one_line(raw: pl.Series) -> pl.Series:
    """Without line ends, and without what an array puts behind an object."""
    return raw.str.replace_all(r"[ \t\r]*\n[ \t]*", " ").str.replace(r"\}[\s,\]]*$", "}")
