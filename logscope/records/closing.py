"""A store's index and pieces once records between them were let go."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from logscope.records.pieces import Piece, StoreView
from logscope.records.renumbering import Kept

_MOST = 16 << 20
"""Bytes of a piece that neighbours are put together to."""


def runs_among(rows: Kept) -> int:
    """How many runs of neighbours the rows that stay make: so many pieces are left at least."""
    return int((rows.numbers.diff() != 1).fill_null(True).sum())


def closed_up(view: StoreView, rows: Kept) -> tuple[pl.DataFrame, tuple[Piece, ...]]:
    """The index of the records that stay, and their pieces: neighbours as one, since a live source leaves ten a second.

    Args:
        view: The store as it was.
        rows: Those that stay.
    """
    known = pl.DataFrame(
        {
            "first": pl.Series([piece.row for piece in view.pieces], dtype=pl.UInt32),
            "base": pl.Series([piece.base for piece in view.pieces], dtype=pl.Int64),
            "end": pl.Series([piece.end for piece in view.pieces], dtype=pl.Int64),
            "records": pl.Series([piece.records for piece in view.pieces], dtype=pl.UInt32),
        }
    )
    index = view.index[rows.numbers]
    at = known["first"].search_sorted(rows.numbers, side="right").cast(pl.UInt32) - 1
    mine = known[at]
    following = rows.numbers + 1
    last = following == mine["first"] + mine["records"]
    offset = view.index.get_column("offset").gather(pl.select(pl.when(last).then(0).otherwise(following)).to_series())
    places = pl.DataFrame(
        {
            "piece": at,
            "row": rows.numbers,
            "begin": mine["base"] + index["offset"],
            "end": mine["end"].zip_with(last, mine["base"] + offset),
        }
    )
    new = (pl.col("row").diff() != 1) | (pl.col("piece").diff() != 0)
    runs = (
        places.with_columns(run=new.fill_null(True).cum_sum())
        .group_by("run", maintain_order=True)
        .agg(pl.col("piece", "begin").first(), pl.col("end").last(), pl.len().alias("records"))
    )
    pieces: list[Piece] = []
    row = 0
    for place, begin, end, records in runs.select("piece", "begin", "end", "records").iter_rows():
        old, before = view.pieces[place], pieces[-1] if pieces else None
        if before and before.binding is old.binding and before.end == begin and end - before.base <= _MOST:
            pieces[-1] = replace(before, end=end, records=before.records + records)
        else:
            pieces.append(replace(old, base=begin, end=end, row=row, records=records))
        row += records
    bases = pl.DataFrame(
        {
            "base": pl.Series([piece.base for piece in pieces], dtype=pl.Int64),
            "records": pl.Series([piece.records for piece in pieces], dtype=pl.UInt32),
        }
    )
    base = bases.select(pl.col("base").repeat_by("records").explode(empty_as_null=False, keep_nulls=False)).to_series()
    return index.with_columns((places["begin"] - base).cast(pl.UInt32).alias("offset")).rechunk(), tuple(pieces)
