"""Which records hang together, and which nodes are needed for them: what has to be known to let go of the others."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from logscope.correlation.attach import Attachments
from logscope.correlation.growing import NONE, distinct
from logscope.correlation.pieces import SEVERAL, Pieces


def together(pieces: Pieces, attached: Attachments | None, rows: pl.Series, most: int | None) -> pl.Series | None:
    """Rows of the records that hang together with some: what any of them may become depends on no other.

    Records of a coarser grain that stand in their transactions are among them, with `attached`.

    Args:
        pieces: All records.
        attached: Those of a coarser grain; None: they are left out.
        rows: Distinct rows (UInt32).
        most: So many at most; None: any number.

    Returns:
        Those with a key, in no order; None if they are more.
    """
    pos = pieces.positions(rows)
    pos = pos.filter(pos != NONE)
    labels = owners = pl.Series([], dtype=pl.UInt32)
    while True:
        more_labels = _others(pieces.label.take(pos), labels)
        more_owners = _others(pieces.owners(pos)["owner"], owners)
        if not len(more_labels) and not len(more_owners):
            break
        labels, owners = pl.concat([labels, more_labels]), pl.concat([owners, more_owners])
        pos = distinct(pl.concat([pos, pieces.holding(more_labels, more_owners)]), pieces.count)
        if most is not None and len(pos) > most:
            return None
    lone = [] if attached is None else [attached.in_owners(owners)["pos"]]
    return pieces.row.take(distinct(pl.concat([pos, *lone]), pieces.count))


def _others(found: pl.Series, known: pl.Series) -> pl.Series:
    """Distinct numbers that are not known yet."""
    found = found.filter(found < SEVERAL).unique()
    return found.filter(~found.is_in(known.implode())) if len(known) else found


def referenced(pieces: Pieces, pos: pl.Series) -> Iterable[pl.Series]:
    """The nodes that records at some positions hold, and after which their transactions are named."""
    yield pieces.links.of(pos)["node"]
    yield pieces.coarse.of(pos)["node"]
    yield pieces.label.take(pos)
    yield pieces.owners(pos)["owner"]
