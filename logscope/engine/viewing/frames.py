"""Record frames: the columns that someone wants, of a segment or of a few rows.

Text is read back from its source and parsed on demand; what a whole segment needed is kept in a
bounded cache, so that the second filter of a session does not read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.loading.ahead import ahead
from logscope.engine.viewing.columncache import ColumnCache
from logscope.engine.viewing.fresh import Fresh
from logscope.engine.viewing.stretches import Held
from logscope.engine.viewing.textcolumns import columns_of, envelope_of
from logscope.records import schema
from logscope.records.blocks import is_text, string_column, texts_between
from logscope.records.pieces import Binding, Segment, StoreView

if TYPE_CHECKING:
    from collections.abc import Sequence

_INDEX = frozenset(schema.INDEX_COLUMNS)
_FEW = 64
_BULK = 2000
_MOST = 0.6
"""Share of a segment's rows above which all of them are parsed, and kept."""
_SPAN = 1 << 20


class Frames:
    """Builds record frames over a store's views.

    Args:
        budget: Bytes of text and parsed columns that are kept.
        fresh: What was found in the newest blocks of growing sources as they were read.
    """

    def __init__(self, budget: int, fresh: Fresh | None = None) -> None:
        """With an empty cache."""
        self._cache = ColumnCache(budget)
        self._fresh = fresh or Fresh()

    def forget(self) -> None:
        """Keep nothing of what was read: records have other numbers now."""
        self._cache.clear()
        self._fresh.clear()

    def segment(self, segment: Segment, view: StoreView, names: Collection[str], *, keep: bool = True) -> pl.DataFrame:
        """The named columns of a whole segment, in the order of lines.

        Args:
            segment: What to read.
            view: The store it is of.
            names: Columns of the record schema and `fields.NAME`s; `row` is always there.
            keep: Whether to keep what was parsed for the next query.
        """
        frame = pl.DataFrame({schema.ROW: segment.rows()}).hstack(segment.index(view).select(_index_columns(names)))
        wanted = [name for name in names if name not in _INDEX]
        if not wanted:
            return frame
        fresh = self._fresh.columns(segment.pieces, wanted)
        if fresh is not None:
            return frame.hstack(fresh)
        found: dict[str, pl.Series] = {}
        missing = []
        for name in wanted:
            column = self._cache.column((segment.key, name))
            if column is None:
                missing.append(name)
            else:
                found[name] = column
        if missing:
            for column in self._parse(segment, view, missing, keep=keep):
                found[column.name] = column
                if keep:
                    self._cache.put((segment.key, column.name), column)
        return frame.with_columns([found[name] for name in wanted])

    def among(self, segment: Segment, view: StoreView, names: Collection[str], test: pl.Expr) -> pl.DataFrame:
        """As `segment`, of those records only that may match a filter.

        Args:
            segment: What to read.
            view: The store it is of.
            names: As for `segment`.
            test: From `query.coarse`.
        """
        held = self._held(segment, view)
        if held is None:
            return self.segment(segment, view, names)
        places = held.rows(lambda: _offsets(segment, view, len(held.block)), test)
        if not len(places):
            return pl.DataFrame(schema={schema.ROW: pl.UInt32})
        offsets = _offsets(segment, view, len(held.block))
        wanted = [name for name in names if name not in _INDEX]
        index = segment.index(view)
        frame = pl.DataFrame({schema.ROW: segment.rows()}).hstack(index.select(_index_columns(names)))[places]
        if not wanted:
            return frame
        texts = texts_between(held.block, offsets.gather(places), offsets.gather(places + 1)).rename("raw")
        codes = index.get_column("format").gather(places)
        return frame.hstack(columns_of([(segment.binding, len(texts))], texts, wanted, codes))

    def _held(self, segment: Segment, view: StoreView) -> Held | None:
        """The text of a segment, kept; None if it cannot be searched as it stands."""
        if segment.binding.ref.kind == "messages":
            return None
        found = self._cache.get((segment.key, "_text"))
        if isinstance(found, Held):
            return found if found.block else None
        block = segment.binding.reader.pread(segment.size, segment.pieces[0].base)
        sound = is_text(block) and bool(block)
        held = Held(block, _offsets(segment, view, len(block))) if sound else Held(b"", pl.Series([0, 0]))
        self._cache.put((segment.key, "_text"), held)
        return held if sound else None

    def rows(self, rows: pl.Series, view: StoreView, names: Collection[str]) -> pl.DataFrame:
        """The named columns of some rows, in the order given.

        Args:
            rows: UInt32 row numbers; repeated ones are allowed.
            view: The store they are of.
            names: As for `segment`.
        """
        frame = pl.DataFrame({schema.ROW: rows.rename(schema.ROW)}).hstack(
            view.index.select(_index_columns(names))[rows] if _index_columns(names) else []
        )
        wanted = [name for name in names if name not in _INDEX]
        if not wanted or not len(rows):
            return frame if len(rows) else frame.with_columns([pl.lit(None, pl.String).alias(n) for n in wanted])
        return frame.hstack(self._parsed(self._texts(rows, view), view, wanted))

    def _parsed(self, runs: Iterable[_Run], view: StoreView, names: Sequence[str]) -> pl.DataFrame:
        """The named columns of runs, back in order."""
        codes = view.index.get_column("format")
        parts = [run.columns(names, codes[run.numbers]).with_columns(run.places.alias("_place")) for run in runs]
        return pl.concat(parts, how="diagonal_relaxed").sort("_place").select(names)

    def raw(self, rows: pl.Series, view: StoreView) -> list[str]:
        """The raw text of some rows, in the order given."""
        texts = self.rows(rows, view, ["raw"]).get_column("raw").to_list()
        return [text or "" for text in texts]

    def fields(self, rows: pl.Series, view: StoreView) -> list[list[dict[str, object]]]:
        """All fields of some rows in the order given: `{"name", "value", "kind"}` each."""
        return _fields(self._texts(rows, view), len(rows))

    def told(
        self, rows: pl.Series, view: StoreView, names: Collection[str]
    ) -> tuple[pl.DataFrame, list[list[dict[str, object]]]]:
        """What `rows` and `fields` give, of texts that are read once."""
        runs = list(self._texts(rows, view))
        index, wanted = _index_columns(names), [name for name in names if name not in _INDEX]
        frame = pl.DataFrame({schema.ROW: rows.rename(schema.ROW)}).hstack(view.index.select(index)[rows])
        return frame.hstack(self._parsed(runs, view, wanted)), _fields(runs, len(rows))

    def pairs(self, rows: pl.Series, view: StoreView) -> pl.DataFrame:
        """All fields of some rows, one row a field: `row`, `name`, `value`, `kind`."""
        empty = pl.DataFrame(schema={schema.ROW: pl.UInt32, "name": pl.String, "value": pl.String, "kind": pl.UInt8})
        parts = [empty]
        for run in self._texts(rows, view):
            lists = run.binding.parser.fields(envelope_of(run.binding, run.texts).get_column("raw"))
            frame = pl.DataFrame({schema.ROW: run.numbers, "field": lists})
            frame = frame.filter(pl.col("field").list.len() > 0).explode("field").unnest("field")
            parts.append(frame.select(empty.columns).cast(empty.schema))
        return pl.concat(parts)

    def rows_bulk(self, rows: pl.Series, view: StoreView, names: Collection[str]) -> pl.DataFrame:
        """Like `rows`, for many rows of the whole store: segment by segment where that is cheaper."""
        if len(rows) * 20 < view.records or len(rows) < _BULK:
            return self.rows(rows, view, names)
        sought = rows.unique().sort()
        parts = list(ahead(lambda segment: self._part(segment, view, names, sought), view.segments()))
        everything = pl.concat(parts, how="diagonal_relaxed")
        wanted = pl.DataFrame({schema.ROW: rows.rename(schema.ROW)})
        return wanted.join(everything, on=schema.ROW, how="left", maintain_order="left")

    def _part(self, segment: Segment, view: StoreView, names: Collection[str], sought: pl.Series) -> pl.DataFrame:
        """Those rows of a segment that are sought; where they are few, no others are parsed."""
        index = self.segment(segment, view, [schema.ROW, *_index_columns(names)])
        rows = index.get_column(schema.ROW)
        bounds = sought.search_sorted(pl.Series([rows.min(), rows.max()], dtype=pl.UInt32), side="left")
        # Only the part of the rows that can be here: a set of millions for each segment would be the cost.
        mask = rows.is_in(sought.slice(bounds[0], bounds[1] - bounds[0] + 1).implode())
        wanted = [name for name in names if name not in _INDEX]
        if not wanted or mask.sum() > _MOST * len(mask):
            return self.segment(segment, view, [schema.ROW, *names]).select(schema.ROW, *names).filter(mask)
        index = index.select(schema.ROW, *_index_columns(names)).filter(mask)
        lines = self._cache.column((segment.key, "_lines"))
        lines = (_read(segment, view) if lines is None else lines).filter(mask)
        codes = segment.index(view).get_column("format").filter(mask)
        return index.hstack(columns_of([(segment.binding, len(lines))], lines, wanted, codes).select(wanted))

    def _parse(self, segment: Segment, view: StoreView, names: Sequence[str], *, keep: bool) -> list[pl.Series]:
        lines = self._cache.column((segment.key, "_lines")) if keep else None
        if lines is None:
            lines = _read(segment, view)
            if keep:
                self._cache.put((segment.key, "_lines"), lines)
        codes = segment.index(view).get_column("format")
        return columns_of([(segment.binding, len(lines))], lines, names, codes).get_columns()

    def _texts(self, rows: pl.Series, view: StoreView) -> Iterable[_Run]:
        """The stored text, that of sources which are read alike together."""
        pieces = view.pieces
        starts = pl.Series([piece.row for piece in pieces], dtype=pl.UInt32)
        wanted = pl.DataFrame({"row": rows.cast(pl.UInt32)}).with_row_index("place")
        wanted = wanted.with_columns(starts.search_sorted(wanted.get_column("row"), side="right").alias("piece") - 1)
        families: dict[tuple[bool, object], list[tuple[Binding, pl.DataFrame, pl.Series]]] = {}
        for part in wanted.partition_by("piece", maintain_order=True):
            piece = pieces[part.item(0, "piece")]
            segment = Segment((piece,))
            places = part.get_column("row") - piece.row
            if len(places) > max(_FEW, piece.records // 50):
                # The next records that are asked for lie in the same piece.
                lines = self._cache.column((segment.key, "_lines"))
                if lines is None:
                    lines = _read(segment, view)
                    self._cache.put((segment.key, "_lines"), lines)
                texts = lines.gather(places)
            else:
                texts = pl.Series(_read_rows(segment, view, places), dtype=pl.String)
            binding = piece.binding
            key = (binding.ref.kind == "messages", binding.parser.family)
            families.setdefault(key, []).append((binding, part, texts.rename("raw")))
        for found in families.values():
            part = pl.concat([one for _, one, _ in found])
            yield _Run(
                [(binding, len(texts)) for binding, _, texts in found],
                part.get_column("place"),
                part.get_column("row"),
                pl.concat([texts for _, _, texts in found], rechunk=True),
            )


@dataclass(frozen=True, slots=True)
class _Run:
    """Stored texts that one parser reads, of one source or of several."""

    bindings: list[tuple[Binding, int]]
    """With the number of texts each has, in the order of `texts`."""
    places: pl.Series
    """Where each text belongs among those that were asked for."""
    numbers: pl.Series
    """Its row."""
    texts: pl.Series

    @property
    def binding(self) -> Binding:
        """The first one; the others' parsers are of its family."""
        return self.bindings[0][0]

    def columns(self, names: Sequence[str], codes: pl.Series) -> pl.DataFrame:
        """The named columns, in the order of `names`; `codes` are the texts' formats."""
        return columns_of(self.bindings, self.texts, names, codes)


def _fields(runs: Iterable[_Run], height: int) -> list[list[dict[str, object]]]:
    """All fields of so many texts, back in order: `{"name", "value", "kind"}` each."""
    result: list[list[dict[str, object]]] = [[] for _ in range(height)]
    for run in runs:
        envelope = envelope_of(run.binding, run.texts)
        lists = run.binding.parser.fields(envelope.get_column("raw")).to_list()
        peers = envelope.get_column("peer").to_list() if "peer" in envelope.columns else [None] * len(lists)
        for place, values, peer in zip(run.places.to_list(), lists, peers, strict=True):
            result[place] = list(values or [])
            if peer:
                result[place].append({"name": "peer", "value": peer, "kind": 0})
    return result


def _index_columns(names: Collection[str]) -> list[str]:
    return [name for name in schema.INDEX_COLUMNS if name in names and name != schema.ROW]


def _read(segment: Segment, view: StoreView) -> pl.Series:
    """The stored text of a segment: whole records, or spool lines with their envelope."""
    block = segment.binding.reader.pread(segment.size, segment.pieces[0].base)
    return string_column(block, _offsets(segment, view, len(block))).rename("raw")


def _offsets(segment: Segment, view: StoreView, size: int) -> pl.Series:
    """Where each record begins in the bytes that are there, and the end."""
    offsets = segment.offsets(view)
    return offsets.clip(upper_bound=size) if size < segment.size else offsets  # the file has shrunk since


def _read_rows(segment: Segment, view: StoreView, places: pl.Series) -> list[str]:
    piece = segment.pieces[0]
    offsets = view.index.get_column("offset").slice(piece.row, piece.records).cast(pl.Int64)
    last = pl.Series([piece.end - piece.base], dtype=pl.Int64)
    starts = offsets.gather(places).to_list()
    ends = pl.concat([offsets, last.rename(offsets.name)]).gather(places + 1).to_list()
    reader = segment.binding.reader
    low, high = min(starts), max(ends)
    if high - low <= _SPAN:
        # Rows of a screen stand side by side: one read for all of them.
        block = reader.pread(high - low, piece.base + low)
        found = [block[start - low : end - low] for start, end in zip(starts, ends, strict=True)]
    else:
        found = [reader.pread(end - start, piece.base + start) for start, end in zip(starts, ends, strict=True)]
    return [text.decode("utf-8", "replace").rstrip("\r\n") for text in found]
