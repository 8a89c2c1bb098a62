"""The hits a detector keeps, so that a late record or a changed transaction can be matched again.

Kept in pieces with their bounds of time and row: most steps look only at the newest piece, and the
oldest goes first when there are too many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import polars as pl

_PIECES = 32
"""Pieces before the small ones are put together."""


@dataclass(frozen=True, slots=True)
class _Piece:
    frame: pl.DataFrame
    first_us: int
    last_us: int
    first_row: int
    last_row: int
    first_group: int
    """Of those in one; above `last_group` if none is."""
    last_group: int

    @classmethod
    def of(cls, frame: pl.DataFrame) -> _Piece:
        time, row, group = frame["time"].cast(pl.Int64), frame["row"], frame["group"]
        grouped = group.null_count() < group.len()
        return cls(
            frame, _int(time.min()), _int(time.max()), _int(row.min()), _int(row.max()),
            _int(group.min()) if grouped else 1, _int(group.max()) if grouped else 0,
        )  # fmt: skip


class RetainedHits:
    """Hits with their `group` (null: in none yet), the newest `limit` of them.

    Args:
        limit: Rows kept at most; one record in several groups counts several times.
    """

    def __init__(self, limit: int, frame: pl.DataFrame | None = None) -> None:
        """With what an earlier one had kept."""
        self.limit = limit
        self._pieces: list[_Piece] = []
        if frame is not None:
            self.add(frame)

    def __len__(self) -> int:
        """Rows kept."""
        return sum(piece.frame.height for piece in self._pieces)

    def copy(self) -> RetainedHits:
        """One that changes by itself (the frames are shared)."""
        other = RetainedHits(self.limit)
        other._pieces = list(self._pieces)
        return other

    def frame(self) -> pl.DataFrame | None:
        """All of them, to be saved; None if there are none."""
        if not self._pieces:
            return None
        return pl.concat([piece.frame for piece in self._pieces], how="diagonal")

    def frames(self) -> list[pl.DataFrame]:
        """All of them, piece by piece."""
        return [piece.frame for piece in self._pieces]

    def groups(self) -> pl.DataFrame:
        """The distinct `group`s of what is kept."""
        frames = [piece.frame.select("group") for piece in self._pieces]
        return pl.concat(frames).unique() if frames else pl.DataFrame(schema={"group": pl.UInt32})

    def add(self, frame: pl.DataFrame, *, join: bool = True) -> None:
        """Keep more.

        Args:
            frame: Hits with their `group`.
            join: Whether small pieces may be put together, which costs what they hold.
        """
        if not frame.height:
            return
        self._pieces.append(_Piece.of(frame))
        if join and len(self._pieces) > _PIECES:
            self._join_small()

    def take_rows(self, rows: pl.Series) -> pl.DataFrame | None:
        """Remove and return the hits of some records, of all their groups.

        Args:
            rows: Distinct row numbers (UInt32).
        """
        if not rows.len():
            return None
        low, high = _int(rows.min()), _int(rows.max())
        wanted = rows.to_frame("row")
        taken: list[pl.DataFrame] = []
        kept: list[_Piece] = []
        for piece in self._pieces:
            found = None
            if piece.first_row <= high and piece.last_row >= low:
                found = piece.frame.join(wanted, on="row", how="semi")
            if found is None or not found.height:
                kept.append(piece)
                continue
            taken.append(found)
            rest = piece.frame.join(wanted, on="row", how="anti")
            if rest.height:
                kept.append(_Piece.of(rest))
        self._pieces = kept
        return pl.concat(taken, how="diagonal") if taken else None

    def change(self, by: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Put other frames in the place of what is kept, piece by piece."""
        frames = [by(piece.frame) for piece in self._pieces]
        self._pieces = [_Piece.of(frame) for frame in frames if frame.height]

    def take_detections(self, ids: Collection[str]) -> pl.DataFrame | None:
        """Remove and return the hits that are detections of other rules.

        Args:
            ids: Of the detections.
        """
        wanted = pl.Series(list(ids), dtype=pl.String).implode()
        taken: list[pl.DataFrame] = []
        kept: list[_Piece] = []
        for piece in self._pieces:
            if "detection" not in piece.frame.columns:
                kept.append(piece)
                continue
            gone = piece.frame["detection"].is_in(wanted).fill_null(False)
            taken.append(piece.frame.filter(gone))
            rest = piece.frame.filter(~gone) if gone.any() else piece.frame
            if rest.height:
                kept.append(_Piece.of(rest) if gone.any() else piece)
        self._pieces = kept
        return pl.concat(taken, how="diagonal") if taken else None

    def of_groups(self, dirty: pl.DataFrame) -> pl.DataFrame | None:
        """The hits of some groups, in no order.

        Args:
            dirty: Distinct `group`s with `since` (microseconds, Int64; null: from the beginning).
        """
        if dirty.is_empty():
            return None
        since = None if dirty["since"].null_count() else _int(dirty["since"].min())
        low, high = _int(dirty["group"].min()), _int(dirty["group"].max())
        # Groups are numbered as they come, so that most of what is kept lies below those that are asked for.
        found = [
            piece.frame
            for piece in self._pieces
            if piece.first_group <= high and piece.last_group >= low and (since is None or piece.last_us >= since)
        ]
        if not found:
            return None
        # All pieces in one query: each costs more to ask than to search.
        hits = pl.concat(found, how="diagonal").lazy().join(dirty.lazy(), on="group", how="inner")
        if dirty["since"].null_count() < dirty.height:
            reached = pl.col("since").is_null() | (pl.col("time").to_physical() >= pl.col("since"))
            hits = hits.filter(reached)
        return hits.drop("since").collect()

    def between(self, first_us: int, last_us: int) -> pl.DataFrame | None:
        """The hits of a stretch of time, both ends inclusive, of all groups and in no order."""
        time = pl.col("time").to_physical()
        found = [
            piece.frame.filter((time >= first_us) & (time <= last_us))
            for piece in self._pieces
            if piece.first_us <= last_us and piece.last_us >= first_us
        ]
        return pl.concat(found, how="diagonal") if found else None

    def evict(self) -> tuple[int, int | None]:
        """Drop the oldest above the limit.

        Returns:
            (how many, the time before which nothing is kept; None if none had to go). All hits of
            one time go together.
        """
        if len(self) <= self.limit:
            return 0, None
        # A tenth more goes at once, or every further step would have to sort all of them again.
        excess = len(self) - self.limit + self.limit // 10
        times = pl.concat([piece.frame["time"].to_physical() for piece in self._pieces]).sort()
        bound = _int(times[excess - 1]) + 1
        before = len(self)
        rest = [
            piece if piece.first_us >= bound else _later(piece.frame, bound)
            for piece in self._pieces
            if piece.last_us >= bound
        ]
        self._pieces = rest
        return before - len(self), bound

    def _join_small(self) -> None:
        # The largest stays as it is: joining it each time would cost its height at every step.
        pieces = sorted(self._pieces, key=lambda piece: piece.frame.height, reverse=True)
        half = len(pieces) // 8
        self._pieces = [*pieces[:half], _Piece.of(_together(piece.frame for piece in pieces[half:]))]


def _later(frame: pl.DataFrame, bound: int) -> _Piece:
    return _Piece.of(frame.filter(pl.col("time").to_physical() >= bound))


def _together(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(list(frames), how="diagonal").rechunk()


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number is expected, not {value!r}")
    return value
