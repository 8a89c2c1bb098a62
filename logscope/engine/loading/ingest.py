"""From a source's bytes to records in the store: one block after another.

The same code reads a file to its end, follows a growing one, and follows a listener's spool. A
record that may still grow (the last one of a followed source) is held back until the next begins
or two seconds pass; a continuation that comes later lengthens it.
"""

from __future__ import annotations

import time as clock
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.loading.material import Bytes, Foreseen, Nothing, Whole
from logscope.records import schema
from logscope.records.blocks import BLOCK, RECORD_CAP, line_bounds, line_offsets, string_column
from logscope.records.messages import split_messages
from logscope.records.pieces import Binding, Piece
from logscope.records.store import Store

if TYPE_CHECKING:
    from logscope.records.model import RecordParser

BOM = b"\xef\xbb\xbf"
FIRST_BLOCK = 256 << 10
_OPEN_SECONDS = 2.0
SAMPLE = 500
_SHARED = 20_000
_INDEXED = ("time", "level", "format", "starts")


@dataclass
class Ingest:
    """Reads one source into the store.

    Args:
        source: Where the bytes come from.
        store: Where the records go.
        bind: Makes the binding from the first lines of the source.
        shift: Microseconds added to every time (`--offset`).
        foreseen: Columns that are found in the same pass, while the source grows.
    """

    source: Bytes
    store: Store
    bind: Callable[[list[str]], Binding]
    shift: int = 0
    foreseen: Foreseen = field(default_factory=Nothing)
    wide: bool = False
    """Parse on two threads: for commands that do nothing else meanwhile."""
    position: int = 0  # bytes that are in the store
    line: int = 1  # its number at `position`
    records: int = 0
    by_format: Counter[int] = field(default_factory=Counter)  # records of each of the binding's formats
    truncated: int = 0
    resumed_size: int = 0
    """Bytes of the file when the index was made from which this reading resumed."""
    start: int | None = None
    end: int | None = None
    binding: Binding | None = None
    _last_time: int | None = None
    _untimed: list[Piece] = field(default_factory=list)
    _last_piece: Piece | None = None
    _grown_at: float = 0.0
    _seen_size: int = -1
    _finishing: bool = False

    def step(self) -> bool:
        """Read the next block, if there is one.

        Returns:
            Whether something was added; False means there is nothing to do for now.
        """
        size = self.source.size()
        if size != self._seen_size:
            self._seen_size, self._grown_at = size, clock.monotonic()
        if self.position == 0 and size >= 3 and self.source.pread(3, 0) == BOM:
            self.position = 3
        waiting = size - self.position
        if waiting <= 0:
            return False
        closing = (
            self._finishing
            or self.source.finished()
            or (self.source.kind != "messages" and clock.monotonic() - self._grown_at >= _OPEN_SECONDS)
        )
        want = min(FIRST_BLOCK if self.binding is None else BLOCK, waiting)
        while True:
            block = self.source.pread(want, self.position)
            if not block:
                return False
            at_end = self.position + len(block) >= size
            if self._add(block, last=at_end and closing):
                return True
            if at_end:
                return False
            want = min(want * 8, waiting, RECORD_CAP)
            if len(block) >= RECORD_CAP:
                return self._add(block, last=True)

    def bind_first(self) -> Binding | None:
        """The binding by the first lines, as `step` makes it; None if there is no whole line among them."""
        begin = len(BOM) if self.source.pread(3, 0) == BOM else 0
        block = self.source.pread(FIRST_BLOCK, begin)
        ends = self.source.finished() and begin + len(block) >= self.source.size()
        offsets = line_bounds(block) if ends else line_offsets(block)
        if len(offsets) < 2:
            return None
        return self.bind(string_column(block, offsets).head(SAMPLE).to_list())

    def bind_ahead(self) -> bool:
        """Bind before anything is read, if blocks can then be parsed one without the others; whether they can."""
        binding = self.bind_first()
        if binding is None or not binding.cuts or binding.head_lines:
            return False
        self.position = len(BOM) if self.source.pread(3, 0) == BOM else 0
        self.binding = binding
        return True

    def resume(
        self, binding: Binding, pieces: Sequence[tuple[int, int, pl.DataFrame]], *, line: int, size: int
    ) -> None:
        """Put into the store what an earlier reading made of the source's beginning; `step` goes on behind it.

        Args:
            binding: As `bind` makes it.
            pieces: Base, end and index columns of each.
            line: Number of the line behind the last piece.
            size: Bytes of the file then.
        """
        self.binding = binding
        source_id = pl.lit(binding.ref.source_id, pl.UInt16)
        for base, end, index in pieces:
            self._last_piece = self.store.append(binding, base, end, index.with_columns(source_id=source_id))
            times = index.get_column("time").to_physical()
            low, high = int(times.min()), int(times.max())  # type: ignore[arg-type]
            self.start = low if self.start is None else min(self.start, low)
            self.end = high if self.end is None else max(self.end, high)
            self.records += index.height
            self.by_format.update(dict(index.get_column("format").value_counts().iter_rows()))
            self._last_time = int(times[-1])
            self.position = end
        self.line, self.resumed_size = line, size

    def finish(self) -> None:
        """Nothing more is waited for: read the rest, an open last record and line included."""
        self._finishing = True
        while self.step():
            pass

    @property
    def done(self) -> bool:
        """Whether all there will ever be is in the store."""
        return self.source.finished() and self.position >= self.source.size()

    def _add(self, block: bytes, *, last: bool) -> bool:
        """Put the whole records of a block into the store; False if there is none yet.

        Args:
            block: Bytes from `position` on.
            last: The block's end ends its last line and its last record.
        """
        offsets = line_bounds(block) if last else line_offsets(block)
        if len(offsets) < 2:
            return False
        lines = string_column(block, offsets)
        if self.binding is None:
            self.binding = self.bind(lines.head(SAMPLE).to_list())
            if self.binding.head_lines:
                self.line += min(self.binding.head_lines, len(lines))
                self.position += int(offsets[min(self.binding.head_lines, len(lines))])
                return True
        if self.source.kind == "messages":
            begins = pl.int_range(0, len(lines), dtype=pl.UInt32, eager=True)
            envelope = split_messages(lines)
            return self._append(self._received(envelope, self.binding.parser), offsets, begins, len(lines), envelope)
        return self._join(block, lines, offsets, last=last)

    def _join(self, block: bytes, lines: pl.Series, offsets: pl.Series, *, last: bool) -> bool:
        """Join continuation lines to their records and append the whole ones."""
        assert self.binding is not None
        scanned = self._scanned(lines, self.binding.parser, self._wanted())
        begins = scanned.get_column("starts").arg_true()
        if self._last_piece is not None and (not len(begins) or begins[0] > 0):
            count = int(begins[0]) if len(begins) else len(lines)
            if not len(begins) and not last:
                return False
            self._lengthen(int(offsets[count]), count)
            return True
        if not last and not scanned.get_column("starts").slice(1).any():
            return False
        return self._keep(self._whole(block, lines, offsets, scanned, last=last))

    def parse(self, block: bytes) -> Whole | None:
        """What `keep` takes, of a block that begins with a record and ends with one; on any thread.

        Args:
            block: As it stands in the source.

        Returns:
            None if it does not begin with a record.
        """
        assert self.binding is not None
        offsets = line_bounds(block)
        lines = string_column(block, offsets)
        scanned = self.binding.parser.scan(lines)
        if not scanned.get_column("starts")[0]:
            return None
        return self._whole(block, lines, offsets, scanned, last=True)

    def keep(self, base: int, whole: Whole) -> None:
        """Put what was parsed ahead into the store.

        Args:
            base: Where the block begins: `position`.
            whole: From `parse`.
        """
        assert base == self.position
        self._keep(whole)

    def _whole(self, block: bytes, lines: pl.Series, offsets: pl.Series, scanned: pl.DataFrame, *, last: bool) -> Whole:
        """The whole records of lines: all, unless the last one may go on."""
        begins = scanned.get_column("starts").arg_true()
        # A text before the first start is a record all the same.
        if not len(begins) or begins[0] > 0:
            begins = pl.concat([pl.Series([0], dtype=begins.dtype), begins])
        if not last:
            held = int(begins[-1])
            begins, offsets, lines = begins.head(-1), offsets.head(held + 1), lines.head(held)
        if len(begins) == len(lines):
            return Whole(offsets, begins, self._of_records(lines, begins, len(lines), scanned), len(lines), lines)
        bounds = pl.concat([offsets.gather(begins), offsets.tail(1)], rechunk=True)
        records = string_column(block, bounds)
        return Whole(bounds, begins, self._of_records(records, begins, len(lines), scanned), len(lines), records)

    def _keep(self, whole: Whole) -> bool:
        envelope = whole.texts.alias("raw").to_frame()
        return self._append(self._timed(whole.index), whole.bounds, whole.begins, whole.lines, envelope)

    def _of_records(self, records: pl.Series, begins: pl.Series, lines: int, scanned: pl.DataFrame) -> pl.DataFrame:
        """The index of records: of those of one line as it was scanned, of the others made of their text."""
        assert self.binding is not None
        index = scanned.head(lines) if len(begins) == lines else scanned[begins]
        ends = pl.concat([begins.slice(1), pl.Series([lines], dtype=begins.dtype)])
        # A text before the first start is a record all the same.
        anew = ((ends - begins > 1) | ~index.get_column("starts")).arg_true()
        if not len(anew):
            return index
        names = [name for name in index.columns if name not in _INDEXED]
        fresh = self.binding.parser.index(records.gather(anew), names=names)
        kept = pl.repeat(value=True, n=index.height, eager=True).scatter(anew, False).arg_true()
        parts = [index[kept].select(fresh.columns), fresh]
        # A field may be a number in the records of one line and a text in the others.
        return pl.concat(parts, how="vertical_relaxed").select(pl.all().gather(pl.concat([kept, anew]).arg_sort()))

    def _lengthen(self, size: int, lines: int) -> None:
        assert self._last_piece is not None
        self.position += size
        self.line += lines
        self._last_piece = self.store.lengthen(self._last_piece, self.position)

    def _append(
        self, index: pl.DataFrame, bounds: pl.Series, begins: pl.Series, lines: int, envelope: pl.DataFrame
    ) -> bool:
        """Append records.

        Args:
            index: `time`, `time_from`, `level`, `format` of each, and what is foreseen.
            bounds: Their byte offsets in the block, and the end.
            begins: The number of each one's first line in the block.
            lines: Lines in the block.
            envelope: The records, `raw`, and what came with them.
        """
        binding = self.binding
        assert binding is not None
        index = index.with_columns(
            source_id=pl.lit(binding.ref.source_id, pl.UInt16),
            line=begins.cast(schema.LINE) + self.line,
            offset=bounds.head(-1).cast(pl.UInt32),
        )
        size = int(bounds[-1])
        piece = self.store.append(binding, self.position, self.position + size, index)
        if self.source.follow:
            self.foreseen.keep(piece, envelope, index)
        self.position += size
        self.line += lines
        self.records += piece.records
        self.by_format.update(dict(index.get_column("format").value_counts().iter_rows()))
        self._last_piece = piece if self.source.kind != "messages" else None
        self._note_times(piece, index)
        return True

    def closed_up(self) -> None:
        """The store has let go of records, never of a source's last: its pieces are others now."""
        mine = [piece for piece in self.store.view.pieces if piece.binding is self.binding]
        self._last_piece = mine[-1] if self._last_piece is not None else None
        self._untimed = mine if self._untimed else []

    @property
    def unparsed(self) -> int:
        """Records that no format has read."""
        return 0 if self.binding is None else self.by_format[len(self.binding.formats) - 1]

    def _wanted(self) -> Sequence[str]:
        """What is foreseen; of a source that does not grow the next block may never be asked for."""
        return self.foreseen.wanted(self.source.kind) if self.source.follow else ()

    def _received(self, envelope: pl.DataFrame, parser: RecordParser) -> pl.DataFrame:
        """`time`, `time_from`, `level`, `format` of a listener's records, and what is foreseen."""
        self.truncated += int(envelope.get_column("flags").str.contains("t", literal=True).sum())
        received = envelope.get_column("received")
        index = parser.index(envelope.get_column("raw"), received, self._wanted())
        own = index.get_column("time").is_not_null()
        timed = self._shifted(index).with_columns(
            time=pl.coalesce("time", received),
            time_from=pl.when(own).then(schema.FROM_RECORD).otherwise(schema.FROM_RECEIVED).cast(pl.UInt8),
        )
        if timed.get_column("time").null_count():  # somebody has written into the spool
            written = pl.lit(self.source.mtime_us).cast(schema.TIME)
            timed = timed.with_columns(
                pl.col("time").fill_null(written),
                time_from=pl.when(pl.col("time").is_null())
                .then(schema.FROM_FILE)
                .otherwise("time_from")
                .cast(pl.UInt8),
            )
        return timed

    def _timed(self, scanned: pl.DataFrame) -> pl.DataFrame:
        """Records' index with `time_from`, times inherited where they have none."""
        index = self._shifted(scanned)
        time = index.get_column("time")
        missing = time.null_count()
        if not missing:
            return index.with_columns(time_from=pl.lit(schema.FROM_RECORD, pl.UInt8))
        own = time.is_not_null()
        filled = time.fill_null(strategy="forward")
        source = pl.when(own).then(schema.FROM_RECORD).otherwise(schema.FROM_PREVIOUS)
        if filled.null_count():
            if self._last_time is not None:
                fallback, kind = self._last_time, schema.FROM_PREVIOUS
            elif missing < len(time):
                fallback, kind = int(time.drop_nulls().to_physical()[0]), schema.FROM_NEXT
            else:
                fallback, kind = self.source.mtime_us + self.shift, schema.FROM_FILE
            source = pl.when(filled.is_null()).then(kind).otherwise(source)
            filled = filled.fill_null(pl.Series([fallback], dtype=pl.Int64).cast(schema.TIME)[0])
        return index.with_columns(filled.alias("time"), source.cast(pl.UInt8).alias("time_from"))

    def _scanned(self, lines: pl.Series, parser: RecordParser, names: Sequence[str]) -> pl.DataFrame:
        """What the parser finds in lines; of a large block by two threads, since cuts do not change it."""
        assert self.binding is not None
        if names or not self.wide or len(lines) < _SHARED or not self.binding.cuts:
            return parser.scan(lines, names)
        half = len(lines) // 2
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(parser.scan, lines.head(half))
            second = parser.scan(lines.tail(len(lines) - half))
            return pl.concat([first.result(), second])

    def _shifted(self, index: pl.DataFrame) -> pl.DataFrame:
        if not self.shift:
            return index
        return index.with_columns(pl.col("time") + pl.duration(microseconds=self.shift))

    def move(self, offset: int) -> None:
        """Add microseconds to all times, also of what comes later; what the store has is moved by who asks."""
        self.shift += offset
        if self._last_time is not None:
            self._last_time += offset

    def _note_times(self, piece: Piece, index: pl.DataFrame) -> None:
        times = index.filter(pl.col("time_from") != schema.FROM_FILE).get_column("time").to_physical()
        low, high = times.min(), times.max()
        own = index.filter(pl.col("time_from") == schema.FROM_RECORD).get_column("time").to_physical()
        if self.source.kind == "messages":
            pass
        elif len(own):
            if self._untimed and self._last_time is None:
                self.store.retime(self._untimed, int(own[0]))
                low = min(int(own[0]), int(low))  # type: ignore[arg-type]
            self._untimed = []
            self._last_time = int(times[-1])
        elif self._last_time is None:
            self._untimed.append(piece)
        if isinstance(low, int) and isinstance(high, int):
            self.start = low if self.start is None else min(self.start, low)
            self.end = high if self.end is None else max(self.end, high)
