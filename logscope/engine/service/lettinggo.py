"""Letting go of records in memory, so that a long watch stays within it.

What goes is what a listener's spool has let go of, once that outweighs what it keeps, and the oldest of all once
the process has outgrown `--memory`. Everything that hangs together stays together: the transactions of the newest
records, and those of records that a rule can still ask for. So what is told is what would have been told without;
where the memory does not hold what a rule looks back for, that is counted, and the rule is incomplete.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.api import Cancel
from logscope.engine.loading.memory import anonymous, give_back, session_budget
from logscope.records.closing import runs_among
from logscope.records.renumbering import Kept
from logscope.sources.spool import SpoolSource, let_go

if TYPE_CHECKING:
    from logscope.engine.session import Session

_FEWEST = 100_000
"""Records that a spool must have let go of, to let go of them here too."""
_LEAST = 20_000
"""Records that are kept, however little memory there is."""
_LOOK_SECONDS = 1.0
_SHARE = 2
"""A half of the memory beyond what the program itself takes is what is kept: so it is done seldom."""
_MARGIN = 8
"""It is time when an eighth of the memory is left: a turn, and letting go itself, take some."""
_MORE = 3
"""What rules need may be so many halves of what would be kept."""
_MANY_RUNS = 100_000
"""Kept records may lie in so many places; each is a piece of its own."""
_SAY_SECONDS = 600.0


class LettingGo:
    """Of one live session.

    Args:
        session: Opened.
        say: Gets what people should know.
        settle: Called before: nobody may hold what is let go of.
    """

    def __init__(self, session: Session, say: Callable[[str], None], settle: Callable[[], None]) -> None:
        """Nothing is let go."""
        self._session = session
        self._say = say
        self._settle = settle
        self._allowed = session_budget(session.options.memory)
        self._budget = self._allowed - self._allowed // _MARGIN
        self._looked = self._said = 0.0
        self._base: int | None = None
        self._kept = 0
        self._said_short = False

    def turned(self) -> bool:
        """After a turn: let go if it is time; whether it did."""
        now = clock.monotonic()
        if now - self._looked < _LOOK_SECONDS or not self._settled():
            return False
        self._looked = now
        held = anonymous()
        if self._base is None:
            self._base = held
        records = self._session.store.view.records
        if records < self._kept + max(_LEAST, self._kept // 4):
            return False  # what had to stay is most of it
        cut = self._cut(held)
        if cut is not None:
            return self.let_go(cut, self._most(held))
        gone = self._gone_from_spools()
        if gone is not None and (count := int(gone.sum())) >= max(_FEWEST, records - count):
            return self.let_go(~gone, None)
        return False

    def _settled(self) -> bool:
        """Whether all that has come was linked and given to the rules."""
        session = self._session
        records = session.store.view.records
        return records > _LEAST and session.correlating.linked == records and session.detecting.settled

    # --- when, and what

    def _cut(self, held: int) -> pl.Series | None:
        """Which records are kept because they are the newest; None if there is room for all."""
        records = self._session.store.view.records
        if held <= self._budget:
            return None
        newest = max(_LEAST, self._room(held) // _SHARE)
        if newest >= records:
            return None
        return pl.int_range(records, eager=True) >= records - newest

    def _room(self, held: int) -> int:
        """How many records there is room for."""
        base = min(self._base or 0, self._budget // 2)
        each = max(1, held - base) / self._session.store.view.records
        return int((self._budget - base) / each)

    def _most(self, held: int) -> int:
        return max(_LEAST, self._room(held) // _SHARE) * _MORE // 2

    def _gone_from_spools(self) -> pl.Series | None:
        """Which records lie in segments that a spool has let go of; None if there are none."""
        index = self._session.store.view.index
        found = None
        for place, source in enumerate(self._session.loading.sources):
            lines = let_go(source.folder).lines if isinstance(source, SpoolSource) else 0
            if lines:
                gone = (index["source_id"] == place) & (index["line"] <= lines)
                found = gone if found is None else found | gone
        return found

    # --- letting go

    def let_go(self, newest: pl.Series, most: int | None = None) -> bool:
        """Let go of records, after a turn.

        Args:
            newest: Which stay whatever they are, in the order of rows (Boolean).
            most: So many are kept at most, if the newest are not more; None: all that is needed.

        Returns:
            Whether any went.
        """
        session = self._session
        view = session.store.view
        cancel = Cancel()
        plan = session.correlating.plan
        assert plan is not None
        self._settle()
        session.correlating.extracted.settle(plan, view, cancel)
        rows = self._chosen(newest, most)
        self._kept = len(rows)
        if self._kept == view.records:
            return False
        self._renumber(rows, rows.without(self._torn(rows)))
        session.frames.forget()
        give_back()
        self._tell(view.records - len(rows))
        return True

    def _chosen(self, newest: pl.Series, most: int | None) -> Kept:
        """The records that stay: the newest with all that hangs together with them, and what rules need."""
        session = self._session
        records = session.store.view.records
        # A source's last record may still grow.
        ends = (
            session.store.view.index.select("source_id").with_row_index("row").unique("source_id", keep="last")["row"]
        )
        base = Kept.among([newest.arg_true().cast(pl.UInt32), ends.cast(pl.UInt32)], records)
        wanted = sorted((rows for work in session.detecting.running for rows in work.needed()), key=len)
        count = len(wanted)
        while True:
            rows = self._whole(Kept.among((base.numbers, *wanted[:count]), records), most)
            if rows is not None and (most is None or runs_among(rows) <= _MANY_RUNS):
                return rows
            if not count:
                return base
            # Those that need most go first, half of them at a time.
            count //= 2
            self._say_short()

    def _whole(self, rows: Kept, most: int | None) -> Kept | None:
        """Records with all that hang together with them at any grain; None if they are more than `most`."""
        while True:
            parts = [rows.numbers]
            for linked in self._session.detecting.linked:
                found = linked.linker.together(rows.numbers, most)
                if found is None:
                    return None
                parts.append(found)
            more = Kept.among(parts, rows.total)
            if most is not None and len(more) > most:
                return None
            if len(more) == len(rows):
                return rows
            rows = more

    def _torn(self, rows: Kept) -> pl.Series:
        """Those of some records that hang together with others: what is left of their transactions is in none."""
        stays = pl.repeat(False, rows.total, dtype=pl.Boolean, eager=True).scatter(rows.numbers, True)
        outside = (~stays).arg_true().cast(pl.UInt32)
        parts = [linked.linker.together(outside, None, lone=False) for linked in self._session.detecting.linked]
        torn = Kept.among([part for part in parts if part is not None], rows.total).numbers
        return torn.filter(stays.gather(torn))

    def _renumber(self, rows: Kept, whole: Kept) -> None:
        """Let go of all but some records.

        Args:
            rows: Those that stay.
            whole: Likewise, those of torn transactions left out.
        """
        session = self._session
        linkers = session.detecting.linked
        transactions = {id(linked): linked.linker.needed(whole) for linked in linkers}
        values = session.correlating.extracted
        parts = [*values.codes_in(rows), *(linked.linker.codes_of(transactions[id(linked)]) for linked in linkers)]
        codes = Kept.among(parts, len(values.vocabulary))
        until = self._until(rows)
        session.detecting.keep_only(rows, whole, transactions, until)
        for linked in linkers:
            linked.keep_only(whole, transactions[id(linked)], codes)
        values.keep_only(rows, codes)
        session.store.keep_only(rows, until)
        for ingest in session.loading.ingests:
            ingest.closed_up()

    def _until(self, rows: Kept) -> int:
        """The newest time of a record that goes, as far as time has come: what lies ahead of it was no time."""
        times = self._session.store.view.index["time"].to_physical()
        stays = pl.repeat(False, rows.total, dtype=pl.Boolean, eager=True).scatter(rows.numbers, True)
        newest = times.filter(~stays).max()
        reached = self._session.detecting.watermark.value
        return min(newest, reached) if isinstance(newest, int) and reached is not None else 0

    # --- what is said

    def _tell(self, count: int) -> None:
        """Say that records went: at first, and now and then."""
        now = clock.monotonic()
        if self._said and now - self._said < _SAY_SECONDS:
            return
        self._said = now
        store = self._session.store
        total = f", {store.gone:,} in all" if store.gone > count else ""
        self._say(
            f"memory: let go of {count:,} records{total}; {store.view.records:,} are held, the newest and what goes with them"
        )

    def _say_short(self) -> None:
        """Say that the memory does not hold what rules look back for."""
        if not self._said_short:
            self._said_short = True
            self._say(
                f"--memory: {self._allowed >> 20} MiB do not hold what the rules look back for at this rate: those that "
                "miss something are incomplete, and counted"
            )
