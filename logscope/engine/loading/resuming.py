"""What was read of listeners' spools, to be taken up by the next run: index, pieces, and how far each was read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.records.pieces import INDEX, Piece, StoreView
from logscope.records.saving import Saved, numbers
from logscope.sources.spool import SpoolSource, read_json

if TYPE_CHECKING:
    from logscope.engine.loading.ingest import Ingest
    from logscope.engine.loading.loader import Loading
    from logscope.records.store import Store

_TAIL = 4 << 10
"""Bytes before the place reached by which a spool is known again."""
_MOST = 16 << 20
"""Bytes of a piece that neighbours are put together to."""
_PIECES = {"source_id": pl.UInt16, "base": pl.Int64, "end": pl.Int64, "row": pl.Int64, "records": pl.Int64}


class MismatchError(Exception):
    """Why what was read is not what the spools hold now, in words."""


def resumable(loading: Loading) -> bool:
    """Whether all sources are spools that have been read: of others nothing is known again."""
    known = [
        isinstance(one.source, SpoolSource) and (one.binding is not None or not one.position) for one in loading.ingests
    ]
    return bool(known) and all(known)


def saved_sources(loading: Loading, store: Store) -> tuple[list[dict[str, Any]], Saved]:
    """What of each source was read, as JSON, and the records.

    Args:
        loading: Of which `resumable` holds.
        store: Where its records are.
    """
    view = store.view
    index, pieces = _joined(view)
    gone = numbers(records=store.gone, until=store.gone_until)
    return [_told(ingest) for ingest in loading.ingests], {"index": index, "pieces": pieces, "gone": gone}


def _told(ingest: Ingest) -> dict[str, Any]:
    source = ingest.source
    assert isinstance(source, SpoolSource)
    return {
        "name": source.name,
        "created": _created(source),
        "begins": {str(number): start for number, start in source.begins.items()},
        "tail": _tail(source, ingest.position),
        "position": ingest.position,
        "line": ingest.line,
        "records": ingest.records,
        "by_format": {str(code): count for code, count in ingest.by_format.items()},
        "truncated": ingest.truncated,
        "start": ingest.start,
        "end": ingest.end,
        "formats": [] if ingest.binding is None else list(ingest.binding.formats),
    }


def _created(source: SpoolSource) -> str:
    return str(read_json(source.folder / "meta.json").get("created", ""))


def _tail(source: SpoolSource, position: int) -> str:
    """A digest of what stands before a place."""
    begin = max(min(source.begins.values(), default=0), position - _TAIL)
    data = source.pread(position - begin, begin)
    return f"{len(data)} {hashlib.blake2b(data, digest_size=16).hexdigest()}"


def _joined(view: StoreView) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The index, and the pieces: neighbours as one, since a live source leaves ten a second."""
    found: list[list[int]] = []
    shifts: list[tuple[int, int]] = []
    for piece in view.pieces:
        source = piece.binding.ref.source_id
        last = found[-1] if found else None
        if last is not None and last[0] == source and last[2] == piece.base and piece.end - last[1] <= _MOST:
            shifts.append((piece.base - last[1], piece.records))
            last[2] = piece.end
            last[4] += piece.records
        else:
            shifts.append((0, piece.records))
            found.append([source, piece.base, piece.end, piece.row, piece.records])
    by = pl.DataFrame(shifts, schema={"shift": pl.UInt32, "records": pl.UInt32}, orient="row")
    shift = by.select(pl.col("shift").repeat_by("records").explode(empty_as_null=False, keep_nulls=False)).to_series()
    index = view.index.with_columns(pl.col("offset") + shift)
    return index, pl.DataFrame(found, schema=_PIECES, orient="row")


def check_sources(loading: Loading, told: Sequence[Mapping[str, Any]]) -> None:
    """See that the spools are still those that were read, and count their bytes as then.

    Raises:
        MismatchError: They are not.
    """
    if [one["name"] for one in told] != [ingest.source.name for ingest in loading.ingests]:
        raise MismatchError("other sources are watched")
    for ingest, one in zip(loading.ingests, told, strict=True):
        source = ingest.source
        if not isinstance(source, SpoolSource) or _created(source) != one["created"]:
            raise MismatchError(f"the spool of {source.name} is another one")
        position = one["position"]
        if not position:
            continue
        if not source.rebase({int(number): start for number, start in one["begins"].items()}):
            raise MismatchError(f"the spool of {source.name} has let go of all that was read")
        if source.size() < position or _tail(source, position) != one["tail"]:
            raise MismatchError(f"the spool of {source.name} is not what was read")


def restore_sources(loading: Loading, store: Store, told: Sequence[Mapping[str, Any]], frames: Saved) -> None:
    """Put records into an empty store as they were, and read on behind them.

    Args:
        loading: Opened, nothing read, and checked.
        store: Where its records go.
        told: As `saved_sources` gave it.
        frames: As `saved_sources` gave them.

    Raises:
        MismatchError: The formats of messages are others.
    """
    bindings = [ingest.bind([]) for ingest in loading.ingests]
    for binding, one in zip(bindings, told, strict=True):
        if one["position"] and list(binding.formats) != one["formats"]:
            raise MismatchError("the formats are others")
    pieces = [
        Piece(bindings[source], base, end, row, records)
        for source, base, end, row, records in frames["pieces"].select(list(_PIECES)).iter_rows()
    ]
    if sum(piece.records for piece in pieces) != frames["index"].height:
        raise MismatchError("its records are not all there")
    store.restore(frames["index"].select(list(INDEX)), pieces)
    store.gone, store.gone_until = frames["gone"].row(0)
    for ingest, binding, one in zip(loading.ingests, bindings, told, strict=True):
        if not one["position"]:
            continue
        ingest.binding = binding
        ingest.position, ingest.line, ingest.records = one["position"], one["line"], one["records"]
        ingest.by_format = Counter({int(code): count for code, count in one["by_format"].items()})
        ingest.truncated, ingest.start, ingest.end = one["truncated"], one["start"], one["end"]


def forget_sources(loading: Loading, store: Store) -> None:
    """Take back what `restore_sources` has done: everything is read from its beginning."""
    store.restore(pl.DataFrame(schema=INDEX), ())
    store.gone = store.gone_until = 0
    for ingest in loading.ingests:
        ingest.position = min(ingest.source.begins.values(), default=0) if isinstance(ingest.source, SpoolSource) else 0
        ingest.line, ingest.records, ingest.truncated = getattr(ingest.source, "first_line", 1), 0, 0
        ingest.binding, ingest.start, ingest.end, ingest.by_format = None, None, None, Counter()
