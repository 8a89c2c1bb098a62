"""Which transactions close, and when: what rules over whole transactions are asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logscope.records.renumbering import Kept

if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.engine.linking.correlating import Correlating

_UNDECIDED, _OPEN, _CLOSED = range(3)
_SCHEMA = {"number": pl.UInt32, "end": pl.Int64, "decided": pl.UInt8}


class Closing:
    """Follows the transactions of one linker.

    A transaction closes when the watermark is later than its last record's time plus the idle time; a
    record that comes later opens it again.

    Args:
        linked: The transactions.
    """

    def __init__(self, linked: Correlating) -> None:
        """Knows none yet."""
        self.linked = linked
        self._known: pl.DataFrame | None = None

    @property
    def idle_us(self) -> int:
        """So long after its last record a transaction is closed."""
        plan = self.linked.plan
        return 0 if plan is None else plan.idle_us

    def take(self, delta: Delta | None) -> None:
        """What linking changed."""
        if self._known is None:
            self._known = self._fresh(None)
        elif delta is not None:
            gone = pl.Series([*delta.removed], dtype=pl.UInt32)
            stale = pl.concat([gone, delta.transactions.cast(pl.UInt32).rename(gone.name)])
            kept = self._known.filter(~pl.col("number").is_in(stale.implode()))
            self._known = pl.concat([kept, self._fresh(delta.transactions)]) if len(delta.transactions) else kept

    def _fresh(self, numbers: pl.Series | None) -> pl.DataFrame:
        ends = self.linked.ends(numbers).with_columns(decided=pl.lit(_UNDECIDED))
        return ends.select(pl.col(name).cast(dtype) for name, dtype in _SCHEMA.items())

    def waiting(self) -> pl.Series:
        """Numbers of the transactions that are not closed."""
        known = pl.DataFrame(schema=_SCHEMA) if self._known is None else self._known
        return known.filter(pl.col("decided") < _CLOSED)["number"]

    def undecided(self) -> pl.Series:
        """Rows of their records."""
        numbers = self.waiting()
        return self.linked.linker.members_of(numbers)["row"] if len(numbers) else pl.Series([], dtype=pl.UInt32)

    def keep_only(self, transactions: Kept) -> None:
        """Forget all other transactions; these are renumbered."""
        if self._known is not None:
            self._known = transactions.rows_of(self._known, "number")

    def saved(self) -> pl.DataFrame:
        """What is decided of each transaction."""
        return pl.DataFrame(schema=_SCHEMA) if self._known is None else self._known

    def restore(self, frame: pl.DataFrame) -> None:
        """Know what `saved` told."""
        self._known = frame

    def due(self, watermark: int, *, final: bool) -> pl.DataFrame:
        """The transactions to be decided now: `number`, `end`, `closed`; each is given once.

        Args:
            watermark: No record before it is expected any more, microseconds.
            final: The end of the data: also those that are open.
        """
        if self._known is None:
            return pl.DataFrame(schema={"number": pl.UInt32, "end": pl.Int64, "closed": pl.Boolean})
        closed = pl.col("end") + self.idle_us < watermark
        now = (closed & (pl.col("decided") < _CLOSED)) | (pl.lit(final) & (pl.col("decided") < _OPEN))
        due = self._known.filter(now).select("number", "end", closed=closed)
        state = pl.when(closed).then(_CLOSED).otherwise(_OPEN).cast(pl.UInt8)
        self._known = self._known.with_columns(decided=pl.when(now).then(state).otherwise("decided"))
        return due
