"""The first filter of a command that asks nothing else: text is searched before it is parsed.

A filter on the text alone needs no time, level or format of what it does not match. So a block that
cannot hold a match is only counted, and of the others the records that match are parsed and put into
the store (with what lies between them, so that a piece's bytes are in one run). What comes out is
what reading everything and filtering then would give; where that is not sure (a record longer than a
block, no time before the first match), `Doubtful` is raised and the source is read whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import View
from logscope.engine.loading.ahead import ahead
from logscope.engine.loading.ingest import BOM, FIRST_BLOCK, SAMPLE, Ingest
from logscope.engine.loading.material import Bytes
from logscope.engine.viewing.stretches import Found, record_cuts, records_within, spans
from logscope.errors import SourceError
from logscope.query.coarse import coarse
from logscope.query.filters import Filter
from logscope.records import schema
from logscope.records.blocks import BLOCK, count_lines, is_text, last_start, line_bounds, line_offsets, string_column
from logscope.records.pieces import Binding
from logscope.records.store import Store, sort_rows

if TYPE_CHECKING:
    from logscope.engine.session import Session


def read_matching(session: Session, filter_text: str) -> tuple[View, ...]:
    """See `Session.read_matching`."""
    options = session.options
    if options.since or options.until or options.follow or not filter_text.strip():
        return ()
    compiled = session.compile(filter_text)
    if compiled.columns != {"raw"}:
        return ()
    loading, store = session.loading, session.store
    rows: list[pl.Series] = []
    for ingest, cold in zip(
        loading.ingests, ahead(lambda ingest: _read_cold(ingest, compiled), loading.ingests), strict=True
    ):
        if cold is None:
            first = store.view.records
            loading.read(ingest)
            rows.append(session.searching.since(compiled, first))
        else:
            rows += cold.keep(store)
            loading.heed(ingest.source)
    loading.loaded = True
    view = store.view
    found = pl.concat([pl.Series(schema.ROW, dtype=pl.UInt32), *rows])
    return (View(sort_rows(found, view), filter_text, view.generation),)


def _read_cold(ingest: Ingest, compiled: Filter) -> ColdFilter | None:
    """One source read for a filter; None if it has to be read whole."""
    source = ingest.source
    if source.kind != "file" or source.follow or not source.finished():
        return None
    cold = ColdFilter(source, ingest.bind, compiled, ingest.shift)
    try:
        cold.run()
    except (Doubtful, SourceError):
        return None
    return cold


class Doubtful(Exception):
    """Not all can be told from the matching records alone."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole records of which some match."""

    base: int
    end: int
    index: pl.DataFrame
    """Columns of the store; those of records that do not match are made up."""
    matching: pl.Series
    """Boolean."""


@dataclass
class ColdFilter:
    """Reads one source for a filter.

    Args:
        source: A file that is all there.
        bind: Makes the binding from the first lines of the source.
        compiled: A filter on `raw` alone.
        shift: Microseconds added to every time.
    """

    source: Bytes
    bind: Callable[[list[str]], Binding]
    compiled: Filter
    shift: int = 0
    stretches: list[Stretch] = field(default_factory=list)
    binding: Binding | None = None
    _position: int = 0
    _line: int = 1
    _read: list[tuple[int, int]] = field(default_factory=list)
    """Where earlier blocks lie."""

    def run(self) -> None:
        """Read the source to its end.

        Raises:
            Doubtful: It has to be read whole.
            SourceError: It cannot be read.
        """
        test = coarse(self.compiled.expression)
        if self.source.pread(3, 0) == BOM:
            self._position = 3
        self._bind()
        while True:
            self.source.poll()
            block = self.source.pread(min(BLOCK, self.source.size() - self._position), self._position)
            if not block:
                return
            last = self._position + len(block) >= self.source.size()
            before = self._position
            if test is None or not self._sift(block, test, last=last):
                self._search(block, last=last)
            self._read.append((before, self._position))

    def keep(self, store: Store) -> list[pl.Series]:
        """Put what was found into the store; the rows that match, in the order of lines."""
        assert self.binding is not None or not self.stretches
        rows = []
        for stretch in self.stretches:
            piece = store.append(self.binding, stretch.base, stretch.end, stretch.index)  # type: ignore[arg-type]
            rows.append((stretch.matching.arg_true() + piece.row).cast(pl.UInt32).rename(schema.ROW))
        return rows

    def _bind(self) -> None:
        block = self.source.pread(min(FIRST_BLOCK, self.source.size() - self._position), self._position)
        if not block:
            return
        ends = self._position + len(block) >= self.source.size()
        offsets = line_bounds(block) if ends else line_offsets(block)
        if len(offsets) < 2:
            raise Doubtful
        self.binding = self.bind(string_column(block, offsets).head(SAMPLE).to_list())
        if not self.binding.cuts:
            raise Doubtful

    def _sift(self, block: bytes, test: pl.Expr, *, last: bool) -> bool:
        """Find the matching records of a block without a look at most of it; False if that cannot be done."""
        assert self.binding is not None
        starts = self.binding.parser.starts
        end = len(block) if last else last_start(block, starts)
        if not end or not is_text(block, end):
            return False
        where = spans(block, record_cuts(block, end, starts), test)
        if where:
            found = records_within(block, where, test, starts)
            found = found.filter(self.compiled.mask(pl.DataFrame({"raw": found.texts})))
            if not self._keep(found):
                return False
        self._line += count_lines(block, end)
        self._position += end
        return True

    def _keep(self, found: Found) -> bool:
        """Note matching records of a block, and that something lies between them; False if one has no time."""
        assert self.binding is not None
        if not len(found.texts):
            return True
        index = self._parsed(found.texts)
        if index.get_column("time").null_count():
            return False
        base = int(found.begins[0])
        frame = index.with_columns(
            time_from=pl.lit(schema.FROM_RECORD, pl.UInt8),
            source_id=pl.lit(self.binding.ref.source_id, pl.UInt16),
            line=found.lines + self._line,
            offset=found.begins - base,
            matching=True,
        )
        # A record goes up to the next one's offset, so what lies between two that do not touch is one of its own.
        apart = (found.ends != found.begins.shift(-1)).fill_null(False)
        between = frame.filter(apart).with_columns(offset=found.ends.filter(apart) - base, matching=False)
        frame = pl.concat([frame, between]).sort("offset").cast({"line": schema.LINE, "offset": pl.UInt32})
        end = int(found.ends[-1])
        self.stretches.append(
            Stretch(self._position + base, self._position + end, frame.drop("matching"), frame.get_column("matching"))
        )
        return True

    def _search(self, block: bytes, *, last: bool) -> None:
        """Find the matching records of a block and parse them."""
        assert self.binding is not None
        offsets = line_bounds(block) if last else line_offsets(block)
        if len(offsets) < 2:
            raise Doubtful
        lines = string_column(block, offsets)
        begins = self.binding.parser.starts(lines).arg_true()
        if not len(begins) or begins[0] > 0:
            begins = pl.concat([pl.Series([0], dtype=begins.dtype), begins])
        if not last:
            if len(begins) == 1:
                raise Doubtful
            held = int(begins[-1])
            begins, offsets, lines = begins.head(-1), offsets.head(held + 1), lines.head(held)
        bounds, texts = offsets, lines
        if len(begins) < len(lines):
            bounds = pl.concat([offsets.gather(begins), offsets.tail(1)], rechunk=True)
            texts = string_column(block, bounds)
        found = self.compiled.mask(pl.DataFrame({"raw": texts})).arg_true()
        if len(found):
            self._note(texts, bounds, begins, found)
        self._position += int(bounds[-1])
        self._line += len(lines)

    def _note(self, texts: pl.Series, bounds: pl.Series, begins: pl.Series, found: pl.Series) -> None:
        """Keep the stretch from the first matching record to the last."""
        assert self.binding is not None
        low, high = int(found[0]), int(found[-1]) + 1
        base = int(bounds[low])
        matching = pl.repeat(False, high - low, eager=True).scatter(found - low, True)
        index = self._index(texts, found)
        # What does not match has to have something in its columns: the index of the match before it.
        places = matching.cum_sum() - 1
        self.stretches.append(
            Stretch(
                self._position + base,
                self._position + int(bounds[high]),
                index[places].with_columns(
                    source_id=pl.lit(self.binding.ref.source_id, pl.UInt16),
                    line=begins.slice(low, high - low).cast(schema.LINE) + self._line,
                    offset=(bounds.slice(low, high - low) - base).cast(pl.UInt32),
                ),
                matching,
            )
        )

    def _index(self, texts: pl.Series, found: pl.Series) -> pl.DataFrame:
        """`time`, `time_from`, `level`, `format` of the matching records, times inherited where they have none."""
        index = self._parsed(texts if len(found) == len(texts) else texts.gather(found))
        if not index.get_column("time").null_count():
            return index.with_columns(time_from=pl.lit(schema.FROM_RECORD, pl.UInt8))
        everything = index if len(found) == len(texts) else self._parsed(texts)
        own = everything.get_column("time")
        filled = own.fill_null(strategy="forward")
        kind = schema.FROM_PREVIOUS
        if filled.gather(found).null_count():
            before = self._time_before()
            if before is None:
                before, kind = next(iter(own.drop_nulls().head(1)), None), schema.FROM_NEXT
            if before is None:
                raise Doubtful
            kinds = pl.select(pl.when(filled.is_null()).then(kind).otherwise(schema.FROM_PREVIOUS)).to_series()
            filled = filled.fill_null(before)
        else:
            kinds = pl.repeat(kind, len(own), eager=True)
        source = kinds.cast(pl.UInt8).set(own.is_not_null(), schema.FROM_RECORD)
        return everything.with_columns(filled.alias("time"), source.alias("time_from"))[found]

    def _parsed(self, texts: pl.Series) -> pl.DataFrame:
        assert self.binding is not None
        index = self.binding.parser.index(texts)
        return index.with_columns(pl.col("time") + pl.duration(microseconds=self.shift)) if self.shift else index

    def _time_before(self) -> object | None:
        """The last time that a record before this block has itself."""
        assert self.binding is not None
        for begin, end in reversed(self._read):
            block = self.source.pread(end - begin, begin)
            offsets = line_bounds(block)
            lines = string_column(block, offsets)
            starts = self.binding.parser.starts(lines)
            begins = starts.arg_true()
            if not len(begins) or begins[0] > 0:
                begins = pl.concat([pl.Series([0], dtype=begins.dtype), begins])
            bounds = pl.concat([offsets.gather(begins), offsets.tail(1)], rechunk=True)
            times = self._parsed(string_column(block, bounds)).get_column("time").drop_nulls()
            if len(times):
                return times[-1]  # type: ignore[no-any-return]
        return None
