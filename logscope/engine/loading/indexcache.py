"""The index of a file, kept on disk: a second opening reads no text, a grown file only its growth.

An entry belongs to a file (device and inode) read in one way (zone, offset, formats and their
definitions). It holds for bytes that are still those it was made of: the same size and time of
change, or a file that only grew, as its head, its tail and samples between tell. Entries are our
own files, written beside and renamed; one that is damaged, foreign or of another version is as good
as none. The last record is left out, since it may still have been growing.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logscope.paths import cache_folder, private_folder
from logscope.records import schema
from logscope.records.framefile import read_frames, write_frames
from logscope.records.pieces import INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logscope.engine.loading.ingest import Ingest

LEAST = 8 << 20
"""Bytes of a file below which reading it is as quick."""
MOST = 1 << 30
"""Bytes of all entries together; the least recently used go first."""

_EDGE, _SAMPLE, _SAMPLES = 64 << 10, 4 << 10, 32
_GROWTH = 1 << 20
"""Bytes of growth that are worth a new entry."""
_DAY_US = 86_400_000_000
_COLUMNS = [name for name in INDEX if name != "source_id"]


def folder() -> Path:
    """Where entries lie."""
    return cache_folder() / "index"


@dataclass
class IndexCache:
    """Entries of the sources that a session reads.

    Args:
        way: What decides how text becomes an index, apart from the file: definitions of formats.
    """

    way: str

    def restore(self, ingest: Ingest, how: Sequence[object]) -> bool:
        """Put what an entry knows of a source into the store, as if it had been read.

        Args:
            ingest: A source of which nothing was read yet.
            how: What else decides its index: zone, offset, format.

        Returns:
            Whether there was an entry that holds.
        """
        path = self._path(ingest, how)
        if path is None:
            return False
        try:
            about, pieces = _read(path)
            if not self._holds(ingest, about, pieces):
                return False
            os.utime(path)
        except (OSError, ValueError, KeyError, TypeError):
            return False
        binding = ingest.bind_first()
        if binding is None or list(binding.formats) != about["formats"]:
            return False
        ingest.resume(binding, pieces, line=about["line"], size=about["size"])
        return True

    def save(self, ingest: Ingest, how: Sequence[object]) -> None:
        """Keep the index of a source that was read to its end (for now), if there is something new to keep."""
        path = self._path(ingest, how)
        size = ingest.source.size()
        unread = ingest.position < size and not ingest.source.follow  # of a followed file a line without an end
        if path is None or unread or size - ingest.resumed_size < _GROWTH or ingest.store.gone:
            return  # of a store that let go of records it would be the index of another file
        pieces = _pieces(ingest)
        if pieces is None:
            return
        frames, line = pieces
        about = {
            "size": size,
            "end": frames[-1][1],
            "line": line,
            "mtime": ingest.source.mtime_us,
            "formats": list(ingest.binding.formats) if ingest.binding else [],
            "fingerprint": _fingerprint(ingest, frames[-1][1]),
        }
        with contextlib.suppress(OSError):
            private_folder(path.parent)
            write_frames(path, about, {f"{base}-{end}": frame for base, end, frame in frames}, durable=False)
            _evict(path)

    def _path(self, ingest: Ingest, how: Sequence[object]) -> Path | None:
        identity = ingest.source.identity
        if identity is None or ingest.source.size() < LEAST:
            return None
        text = json.dumps([pl.__version__, self.way, *identity, *map(str, how)])
        return folder() / f"{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}.index"

    def _holds(self, ingest: Ingest, about: dict[str, Any], pieces: list[tuple[int, int, pl.DataFrame]]) -> bool:
        """Whether an entry is of bytes that the file still has, and means the same times."""
        source = ingest.source
        grown = source.size() > about["size"]
        if not grown and (source.size() != about["size"] or source.mtime_us != about["mtime"]):
            return False
        if about["fingerprint"] != _fingerprint(ingest, about["end"]):
            return False
        return not grown or _years_stay(
            [frame["time"] for _, _, frame in pieces], about["mtime"] + ingest.shift, source.mtime_us + ingest.shift
        )


def _years_stay(times: list[pl.Series], before: int, now: int) -> bool:
    """Whether years that stamps leave out stay what they were, though the file was changed later.

    They are such that a time is the latest that is not a day after the file's, so only times about a
    year before that can move, or those of a leap day when another one has passed.
    """
    if now == before:
        return True
    limits = [datetime.fromtimestamp((at + _DAY_US) / 1_000_000, UTC) for at in (before, now)]
    leaps = (datetime(year, 2, 29, tzinfo=UTC) for year in {limit.year for limit in limits} if isleap(year))
    if now < before or now - before > 300 * _DAY_US or any(limits[0] < leap <= limits[1] for leap in leaps):
        return False
    low, high = before - 367 * _DAY_US, now - 363 * _DAY_US
    return not any(series.to_physical().is_between(low, high).any() for series in times)


def _fingerprint(ingest: Ingest, end: int) -> str:
    """Of the first `end` bytes: head, tail and samples between."""
    digest = hashlib.blake2b(str(end).encode(), digest_size=16)
    places = [(0, _EDGE), *((end * n // _SAMPLES, _SAMPLE) for n in range(1, _SAMPLES)), (max(0, end - _EDGE), _EDGE)]
    for offset, size in places:
        digest.update(ingest.source.pread(min(size, end - offset), offset))
    return digest.hexdigest()


def _pieces(ingest: Ingest) -> tuple[list[tuple[int, int, pl.DataFrame]], int] | None:
    """What the store has of a source but its last record, and that one's line; None if it is not worth keeping."""
    view = ingest.store.view
    own = [piece for piece in view.pieces if piece.binding is ingest.binding]
    found = [(p.base, p.end, view.index.slice(p.row, p.records).select(_COLUMNS).rechunk()) for p in own]
    if not found or any(one[1] != other[0] for one, other in itertools.pairwise(found)):
        return None
    base, _, frame = found.pop()
    line, offset = frame.item(-1, "line"), frame.item(-1, "offset")
    if frame.height > 1:
        found.append((base, base + offset, frame.head(-1)))
    if not any((frame["time_from"] == schema.FROM_RECORD).any() for _, _, frame in found):
        return None  # their time is the file's, which changes with it
    return found, int(line)


def _read(path: Path) -> tuple[dict[str, Any], list[tuple[int, int, pl.DataFrame]]]:
    """An entry.

    Raises:
        ValueError: It is damaged or foreign.
        OSError: There is none.
    """
    about, frames = read_frames(path)
    pieces = []
    for name, frame in frames.items():
        base, end = map(int, name.split("-"))
        pieces.append((base, end, frame))
    columns = {name: INDEX[name] for name in _COLUMNS}
    if not pieces or any(dict(frame.schema) != columns or frame.is_empty() for _, _, frame in pieces):
        raise ValueError("of another version")
    if any(one[1] != other[0] for one, other in itertools.pairwise(pieces)):
        raise ValueError("not in one run")
    return about, pieces


def _evict(kept: Path) -> None:
    """Delete the least recently used entries beyond `MOST` bytes, and what a killed writer left."""
    entries = sorted(
        ((about.st_mtime, about.st_size, path) for path in kept.parent.iterdir() for about in [path.stat()]),
        reverse=True,
    )
    total = 0
    for at, size, path in entries:
        total += size
        stale = path.suffix == ".part" and at < entries[0][0] - 3600
        if stale or total > MOST:
            with contextlib.suppress(OSError):
                path.unlink()
