"""What one batch changed, as the linker tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class Delta:
    """What one batch changed."""

    rows: pl.Series
    """Rows whose membership changed (UInt32, ascending)."""
    transactions: pl.Series
    """Numbers of transactions that gained or lost records, or changed their id, and live (ascending)."""
    removed: dict[int, int | None] = field(default_factory=dict)
    """Numbers that are gone, and the number their records went to (None: a value that held them became a hub)."""
    was: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of transactions, and the ids that became part of them."""
