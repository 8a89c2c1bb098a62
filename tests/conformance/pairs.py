"""How well transactions agree with the truth: precision and recall over pairs of records."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of all pairs of records that have a truth."""

    precision: float
    """Share of the pairs put together that belong together."""
    recall: float
    """Share of the pairs that belong together that were put together."""

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def agreement(members: pl.DataFrame, truth: pl.DataFrame) -> Agreement:
    """Compare transactions with the truth.

    A record that stands in several transactions counts its pairs in each, but is recalled once.

    Args:
        members: `transaction`, `row`.
        truth: `row`, `truth`, each row once; rows without a truth are left out.
    """
    placed = truth.join(members.select("row", "transaction").unique(), on="row", how="left")
    held = placed.filter(pl.col("transaction").is_not_null())
    together = _pairs(held.group_by("transaction").len())
    right = _pairs(held.group_by("transaction", "truth").len())
    true = _pairs(truth.group_by("truth").len())
    sets = held.group_by("row", "truth").agg(pl.col("transaction").sort())
    cells = sets.group_by("truth", "transaction").agg(n=pl.len()).with_row_index("cell")
    within = int(cells.select((pl.col("n") * (pl.col("n") - 1) // 2).sum()).item() or 0)
    each = cells.explode("transaction", empty_as_null=True)
    across = (
        each.join(each, on=["truth", "transaction"], suffix="_b")
        .filter(pl.col("cell") < pl.col("cell_b"))
        .unique(subset=["cell", "cell_b"])
    )
    recalled = within + int(across.select((pl.col("n") * pl.col("n_b")).sum()).item() or 0)
    return Agreement(right / together if together else 1.0, recalled / true if true else 1.0)


def _pairs(counts: pl.DataFrame) -> int:
    n = counts.get_column("len").cast(pl.Int64)
    return int((n * (n - 1) // 2).sum())
