"""Lines of several formats: partitioned by the first reader that matches, results back in order."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property

import polars as pl

from logscope.formats import frames
from logscope.formats.going import continues, crashes
from logscope.formats.patterns import certain
from logscope.formats.readers import BEGINS, INDEXED, Columns, Reader, merge

_FEW = 2048
"""Texts of a screen or two: which reader takes which is remembered, since columns and fields are asked for in turn."""
_SEVERAL = 8
"""Readers from which on what none of them can read is looked for first, in one pass."""
_SHORT = 512 << 10
"""Bytes of texts that are remembered at most, at a time."""
_REMEMBERED = 32
"""Batches of texts that are remembered, of all lists of readers together."""

Parts = list[tuple[Reader, pl.Series | None]]
_known: OrderedDict[tuple[int, tuple[str | None, ...]], Parts] = OrderedDict()
"""Which reader takes which, by the list of readers and the texts."""
_known_lock = threading.Lock()
_numbers = itertools.count()


class Lines:
    """An ordered list of readers, the last one of which reads everything."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        """The readers in order of preference; the last must match all."""
        self.readers = tuple(readers)
        self._stating = tuple(reader for reader in self.readers[:-1] if reader.stating() is not None)
        self._number = next(_numbers)
        self._last: int | None = None

    @cached_property
    def _openings(self) -> str | None:
        """A regex that finds each text that some reader but the last matches; None where that saves nothing."""
        return (
            together(tuple(reader.opening() for reader in self.readers[:-1])) if len(self.readers) > _SEVERAL else None
        )

    def _usual(self, raw: pl.Series) -> Reader | None:
        """The reader that took all texts the last time, if it takes all of these too: no other one need be asked then.

        Thousands of small sources are mostly of one format, and asking each reader compiles each one's regexes anew.
        """
        place = self._last
        if place is None or not len(raw) or len(raw) > _FEW or not self.readers[place].match(raw).all():
            return None
        before = together(tuple(reader.opening() for reader in self.readers[:place])) if place else ""
        if before is None or (before and raw.str.contains(before).any()):
            return None
        return self.readers[place]

    def _fallen(self, raw: pl.Series) -> pl.Series:
        """Which texts only the last reader can read, as far as one pass tells (Boolean)."""
        if not len(raw) or self._openings is None:
            return pl.Series([False]).new_from_index(0, len(raw))
        # Measured on messages and 87 readers: 0.05 us a text against 1.3; and of a few texts the readers' regexes
        # take 50 ms, more than Polars keeps compiled.
        return ~certain(raw.str.contains(self._openings))

    def starts(self, lines: pl.Series) -> pl.Series:
        """Which lines begin a record: those of a format; of others, see `going` and `multiline`."""
        known = pl.Series([False]).new_from_index(0, len(lines))
        open_rows: pl.Series | None = None
        for reader in self.readers[:-1]:
            texts = lines if open_rows is None else lines.gather(open_rows)
            found = reader.match(texts)
            begun = beginning(reader, texts, found)
            if open_rows is None:
                known = begun
            elif begun.any():
                known = known.clone().scatter(open_rows.filter(begun), True)
            missing = (~found).arg_true()
            open_rows = missing if open_rows is None else open_rows.gather(missing)
            if not len(open_rows):
                return known
        if open_rows is None:
            open_rows = frames.rows(len(lines))
        return known.clone().scatter(self._beginning(lines, open_rows), True)

    def _beginning(self, lines: pl.Series, rows: pl.Series) -> pl.Series:
        """Of rows of lines that no format matches those that begin a record."""
        texts = lines.gather(rows)
        if any(reader.format.multiline for reader in self.readers[:-1]):
            return rows.filter(crashes(texts))
        return rows.filter(~continues(texts))

    def behind(self, lines: pl.Series) -> pl.Series:
        """Which lines continue a record because it goes on behind the line before (Boolean)."""
        found = pl.Series([False]).new_from_index(0, len(lines))
        for reader in self.readers[:-1]:
            told = reader.goes_on(lines)
            if told is None:
                continue
            same = told.shift(1)
            rows = same.is_not_null().arg_true()
            if len(rows):
                both = pl.DataFrame({"line": lines.gather(rows), "same": same.gather(rows)})
                held = certain(both.select(pl.col("line").str.contains(pl.col("same"), literal=True)).to_series())
                rows = rows.filter(held)
                found = found.scatter(rows, ~reader.stands_alone(lines.gather(rows)))
        return found

    def scan(self, lines: pl.Series, want: Collection[str]) -> tuple[pl.Series, Columns]:
        """`starts`, and the wanted columns of the lines that do; of the others nothing."""
        parts, rest = self._claimed(lines, want, begun=True)
        rest = self._beginning(lines, rest) if len(rest) else rest
        if len(rest):
            parts.append((rest, self._named(self.readers[-1], lines.gather(rest), want, None)))
        if len(parts) == 1 and len(parts[0][0]) == len(lines):
            return pl.Series([True]).new_from_index(0, len(lines)), parts[0][1]
        known = pl.Series([False]).new_from_index(0, len(lines))
        for where, _ in parts:
            known = known.scatter(where, True)
        return known, merge(parts, want, int(known.sum()))

    def _claimed(
        self, raw: pl.Series, want: Collection[str], *, begun: bool = False
    ) -> tuple[list[tuple[pl.Series, Columns]], pl.Series]:
        """By all readers but the last: the rows they match, with columns; and the rows of what is left.

        With `begun` only the rows of lines that begin a record.
        """
        usual = None if begun else self._usual(raw)
        if usual is not None:
            return [(frames.rows(len(raw)), self._named(usual, raw, want, None))], frames.rows(0)
        parts: list[tuple[pl.Series, Columns]] = []
        fallen = self._fallen(raw)
        rest = (~fallen).arg_true()
        for reader in self.readers[:-1]:
            if not len(rest):
                break
            texts = raw if len(rest) == len(raw) else raw.gather(rest)
            found, columns = reader.scan(texts, want)
            if not found.any():
                continue
            where = rest.filter(found)
            if "format" in want and "format" not in columns:
                columns["format"] = frames.constant(reader.format.name, len(where))
            begins = columns.pop(BEGINS, None)
            if begun and begins is None:
                begins = reader.begins(texts if found.all() else texts.filter(found))
            if begun and begins is not None and not begins.all():
                where = where.filter(begins)
                columns = {name: values.filter(begins) for name, values in columns.items()}
            parts.append((where, columns))
            rest = rest.filter(~found)
            self._last = self.readers.index(reader) if len(where) == len(raw) else None
        return parts, _with_fallen(rest, fallen)

    def partition(self, raw: pl.Series) -> Iterable[tuple[Reader, pl.Series | None]]:
        """Each reader with the row numbers of its texts; None: all of them."""
        if len(raw) > _FEW or raw.estimated_size() > _SHORT:
            return self._partition(raw)
        key = (self._number, tuple(raw.to_list()))
        with _known_lock:
            known = _known.get(key)
        if known is None:
            known = list(self._partition(raw))
            with _known_lock:
                _known[key] = known
                while len(_known) > _REMEMBERED:
                    _known.popitem(last=False)
        return known

    def _partition(self, raw: pl.Series) -> Iterator[tuple[Reader, pl.Series | None]]:
        usual = self._usual(raw)
        if usual is not None:
            yield usual, None
            return
        fallen = self._fallen(raw)
        rest = (~fallen).arg_true()
        for reader in self.readers[:-1]:
            if not len(rest):
                break
            found = reader.match(raw if len(rest) == len(raw) else raw.gather(rest))
            if found.any():
                where = rest.filter(found)
                self._last = self.readers.index(reader) if len(where) == len(raw) else None
                yield reader, None if len(where) == len(raw) else where
                rest = rest.filter(~found)
        rest = _with_fallen(rest, fallen)
        if len(rest) or not len(raw):
            yield self.readers[-1], None if len(rest) == len(raw) else rest

    def extract(self, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        """The wanted columns of all texts; `format` is the name of each text's format."""
        if set(want) == {"level"}:
            return {"level": self._levels(raw, guessed=True)}
        if received is None and INDEXED.issuperset(want):
            parts, rest = self._claimed(raw, want)
            if len(rest):
                parts.append((rest, self._named(self.readers[-1], raw.gather(rest), want, None)))
            return parts[0][1] if len(parts) == 1 else merge(parts, want, len(raw))
        parts = []
        for reader, where in self.partition(raw):
            if where is None:
                return self._named(reader, raw, want, received)
            some = None if received is None else received.gather(where)
            parts.append((where, self._named(reader, raw.gather(where), want, some)))
        return merge(parts, want, len(raw))

    def _named(self, reader: Reader, raw: pl.Series, want: Collection[str], received: pl.Series | None) -> Columns:
        out = reader.extract(raw, want, received)
        if "format" in want and "format" not in out:
            out["format"] = frames.constant(reader.format.name, len(raw))
        return out

    def long(self, raw: pl.Series) -> pl.DataFrame:
        """All fields of all texts in `frames.LONG` form."""
        parts = []
        for reader, where in self.partition(raw):
            if where is None:
                return reader.long(raw)
            part = reader.long(raw.gather(where))
            parts.append(part.with_columns(where.cast(pl.UInt32).gather(part["row"]).alias("row")))
        return pl.concat(parts) if parts else pl.DataFrame(schema=frames.LONG)

    def states_level(self, raw: pl.Series) -> pl.Series:
        """Levels that the texts state (UInt8, 0: none)."""
        return self._levels(raw, guessed=False)

    def _levels(self, raw: pl.Series, *, guessed: bool) -> pl.Series:
        """Levels by those readers alone that can state one: to the others a level is a word, as to the last one."""
        parts: list[tuple[pl.Series, pl.Series]] = []
        rest = frames.rows(len(raw))
        told = raw.str.contains(f"^(?:{self.stating()})").fill_null(False) if self._stating and len(raw) else None
        may, rest = (rest.head(0), rest) if told is None else (rest.filter(told), rest.filter(~told))
        for reader in self._stating:
            if not len(may):
                break
            texts = raw.gather(may)
            found = reader.match(texts)
            if found.any():
                some = texts.filter(found)
                parts.append((may.filter(found), self._level(reader, some, guessed=guessed)))
                may = may.filter(~found)
        rest = pl.concat([rest, may])
        if len(rest):
            parts.append((rest, self._level(self.readers[-1], raw.gather(rest), guessed=guessed)))
        return frames.scatter(parts, len(raw)) if parts else frames.constant(0, len(raw), pl.UInt8)

    def _level(self, reader: Reader, raw: pl.Series, *, guessed: bool) -> pl.Series:
        if not guessed:
            return reader.states_level(raw)
        return reader.extract(raw, {"level"}, None).get("level", frames.constant(0, len(raw), pl.UInt8))

    def stating(self) -> str:
        """A regex, to be anchored, of all texts of which `states_level` may tell a level."""
        return "|".join(f"(?:{regex})" for reader in self.readers if (regex := reader.stating()) is not None)

    def structured(self, raw: pl.Series) -> pl.Series:
        """Which texts are some format's other than the fallback's."""
        known = pl.Series([False]).new_from_index(0, len(raw))
        for reader, where in self._partition(raw):
            if reader is not self.readers[-1]:
                known = ~known if where is None else known.scatter(where, True)
        return known


def beginning(reader: Reader, texts: pl.Series, found: pl.Series) -> pl.Series:
    """Of the texts that a reader has found to be its own those that begin a record (Boolean, of all texts)."""
    if not found.any():
        return found
    begins = reader.begins(texts if found.all() else texts.filter(found))
    if begins is None or begins.all():
        return found
    return found.clone().scatter(found.arg_true().filter(~begins), False)


def begins_within(inner: Lines, body: pl.Series, *, joined: bool) -> pl.Series:
    """Which lines begin a record by what a wrapper around one program's lines holds (Boolean).

    Args:
        inner: What reads the insides.
        body: The insides.
        joined: There are formats of several lines among them: all that none matches continues a record.
    """
    if joined:
        return inner.structured(body) | crashes(body)
    going = continues(body)
    rows = going.arg_true()
    return (~going).scatter(rows, inner.structured(body.gather(rows))) if len(rows) else ~going


def begins_by_format(inner: Lines, body: pl.Series, formats: pl.Series, *, joined: bool) -> pl.Series:
    """As `begins_within`, where it is known by which format each inside is read."""
    begins = formats != inner.readers[-1].format.name
    rows = (~begins).arg_true()
    if not len(rows):
        return begins
    others = body.gather(rows)
    return begins.scatter(rows, crashes(others) if joined else ~continues(others))


@cache
def together(openings: tuple[str | None, ...]) -> str | None:
    """One regex for what any of some readers' openings finds; None if one of them has none.

    Args:
        openings: Their `opening`s.
    """
    found = [regex for regex in openings if regex is not None]
    if len(found) < len(openings):
        return None
    regex = "|".join(f"(?:{each})" for each in found)
    try:
        pl.Series([""]).str.contains(regex)
    except pl.exceptions.ComputeError:  # each compiles, all of them together may be too large
        return None
    return regex


def _with_fallen(rest: pl.Series, fallen: pl.Series) -> pl.Series:
    """Rows that no reader took, with those that none could."""
    others = fallen.arg_true()
    return pl.concat([rest, others]).sort() if len(others) and len(rest) else others if len(others) else rest
