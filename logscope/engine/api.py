"""What a face may ask of the engine; the answers are in `engine/answers.py`.

The screens and the commands know this module and nothing below it. All queries block and are meant
for worker threads; each takes a `Cancel` that is looked at between segments.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from logscope.engine.answers import (
    Absence,
    Bucket,
    Detection,
    Effect,
    FieldValue,
    Line,
    Mark,
    NearMiss,
    Newest,
    PlanChange,
    Preview,
    RuleState,
    Snapshot,
    TransactionDetail,
    View,
)
from logscope.engine.browsing import Browsing
from logscope.engine.insights import Comparison, ServiceMap, Shape, Skew
from logscope.engine.pinned import Casing

if TYPE_CHECKING:
    from logscope.engine.rulework.desk import RuleDesk


class Cancelled(Exception):
    """The query was given up because something newer was asked."""


class Cancel:
    """What a face gives to a query: a flag to give it up, looked at between segments, and who hears how far it is.

    Args:
        hears: Called on the query's thread with what `tell` was given.
    """

    __slots__ = ("_hears", "_set", "told")

    def __init__(self, hears: Callable[[str, float | None], None] | None = None) -> None:
        """Not yet cancelled."""
        self._set = False
        self._hears = hears
        self.told: tuple[str, float | None] | None = None
        """What was told last."""

    def tell(self, what: str, share: float | None = None) -> None:
        """Say what is being done and how far it is.

        Args:
            what: In words.
            share: 0 to 1; None: nobody knows.
        """
        self.told = (what, share)
        if self._hears is not None:
            self._hears(what, share)

    def set(self) -> None:
        """Give up."""
        self._set = True

    def check(self) -> None:
        """Raise if given up.

        Raises:
            Cancelled: `set` was called.
        """
        if self._set:
            raise Cancelled


class Investigation(Browsing, Casing, Protocol):
    """An open session: what both faces stand on (see engine/session.py for the real one)."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest state; cheap, callable from any thread."""

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` (on an engine thread) after changes, at most some 10 times a second; returns how to stop."""

    def start(self) -> None:
        """Begin to read the sources on the engine's own threads; returns at once."""

    def close(self) -> None:
        """Stop all threads, receivers and children; remove what was only for this run."""

    def view(
        self,
        filter_text: str,
        *,
        cancel: Cancel,
        base: View | None = None,
        partial: Callable[[View], None] | None = None,
    ) -> View:
        """Records that match, in order; `base` narrows within another view; `partial` gets growing results.

        Raises:
            FilterError: With the column where it does not compile.
        """

    def lines(self, view: View, start: int, stop: int) -> Sequence[Line]:
        """Positions `start` to `stop` (exclusive) of a view, read for painting; a few milliseconds."""

    def time_at(self, view: View, position: int) -> int | None:
        """The time of the record at a position (microseconds), without reading it; None outside the view."""

    def position(self, view: View, row: int) -> int:
        """Where a record stands in a view, or the place nearest to its time."""

    def position_of_time(self, view: View, time: int) -> int:
        """The first position at or after a time (microseconds)."""

    def find(self, view: View, filter_text: str, start: int, *, backwards: bool, cancel: Cancel) -> int | None:
        """The next position from `start` (exclusive) that matches; None if there is none."""

    def highlights(self, filter_text: str) -> Sequence[str]:
        """Rust regexes of what a filter looks for in the text, for painting hits; fields' values too.

        Cheap: compiles, searches nothing.

        Raises:
            FilterError: With the column where it does not compile.
        """

    def next_level(self, view: View, start: int, level: int, *, backwards: bool) -> int | None:
        """The next position whose level is at least `level`."""

    def next_step(self, view: View, start: int, *, backwards: bool) -> int | None:
        """The next position whose record is a step of a detection."""

    def histogram(self, view: View, buckets: int) -> Sequence[Bucket]:
        """The view over time, by level."""

    def fields(self, row: int) -> Sequence[FieldValue]:
        """Columns and fields of a record with the keys they feed; keys first."""

    def pivot_filter(self, key: str | None, name: str, value: str) -> str:
        """The filter that finds a value in any service under any field's name of its key."""

    def prepare_transactions(self, *, cancel: Cancel) -> None:
        """Find the keys, link, make transactions and detections, if not yet done for this generation."""

    def with_columns(self, transactions: pl.DataFrame) -> pl.DataFrame:
        """Rows of the transaction frame with the texts, lists and ids that it was asked for without."""

    def transactions(
        self,
        where: str = "",
        *,
        sort: str = "start",
        descending: bool = False,
        cancel: Cancel,
        columns: Collection[str] | None = None,
    ) -> pl.DataFrame:
        """The transaction frame (records/schema.py TRANSACTIONS), filtered and sorted.

        With `columns` only these texts, lists and ids are there beside the figures, which is fast with millions.
        Its column `shape` is null until shapes were asked for, by `shapes`, a filter or the sort.

        Raises:
            FilterError: With the column where it does not compile.
        """

    def shapes(self, where: str = "", *, cancel: Cancel) -> Sequence[Shape]:
        """Transactions that a filter keeps, grouped by the sequence of their templates, most first.

        Raises:
            FilterError: With the column where it does not compile.
        """

    def compare(self, number: int, peer: int | None = None, *, cancel: Cancel) -> Comparison:
        """A transaction beside another; None: its nearest normal peer.

        Raises:
            KeyError: There is no transaction of that number (any more).
            UsageError: There is nothing to compare it with.
        """

    def service_map(self, where: str = "", *, cancel: Cancel) -> ServiceMap:
        """Which service hands to which, within the transactions that a filter keeps.

        Raises:
            FilterError: With the column where it does not compile.
        """

    def skews(self, *, cancel: Cancel) -> Sequence[Skew]:
        """How far the clocks of hosts are off, as far as shared transactions tell; the farthest first."""

    def shift(self, source: str, offset: int) -> None:
        """Add microseconds to the times of a source or host, as `--offset` would; shift back to undo.

        Raises:
            UsageError: There is neither source nor host of that name.
        """

    def effect(self, change: PlanChange, *, cancel: Cancel) -> Effect:
        """What a change of the plan would make of the transactions; nothing is changed.

        Raises:
            PlanError: It names what is not there.
        """

    def apply(self, change: PlanChange, *, cancel: Cancel) -> None:
        """Change the plan; transactions are made anew when next asked for.

        Raises:
            PlanError: It names what is not there.
        """

    def plan_changes(self) -> Sequence[PlanChange]:
        """What was changed in this session, oldest first."""

    def undo_change(self) -> bool:
        """Take the last change back; False if there is none."""

    def save_plan(self, path: Path) -> None:
        """Write the plan to a file for `--plan`.

        Raises:
            UsageError: It cannot be written.
        """

    def templates(self, filter_text: str = "", *, cancel: Cancel) -> pl.DataFrame:
        """Message templates of the records that a filter keeps, most frequent first.

        Columns: `template`, `service`, `level` (number), `count`, `share` (0 to 1), `first`, `last`
        (times), `row` (an example).

        Raises:
            FilterError: With the column where it does not compile.
        """

    def absences(self, *, cancel: Cancel) -> Sequence[Absence]:
        """Filters worth offering: what usually follows in a transaction, and is missing in a few."""

    def transaction(self, number: int) -> TransactionDetail:
        """One transaction with all its records."""

    def transactions_of(self, row: int) -> Sequence[int]:
        """Numbers of the transactions a record stands in."""

    def explain(self, row: int, other: int) -> Sequence[str]:
        """In words: the chain (record, key, value) that ties two records together."""

    def keys(self) -> Sequence[dict[str, Any]]:
        """Correlation keys as interface section 3 lists them."""

    def grain(self) -> tuple[str, str]:
        """The chosen grain and why, in words."""

    def grain_lines(self) -> Sequence[tuple[str, str]]:
        """The grain, why it, what is coarser (`up`) and finer (`down`) and why not, what links, what does not."""

    def set_grain(self, grain: str) -> None:
        """Another grain: a key's name, `auto` or `none`; transactions are made anew when next asked for."""

    def detections(self, *, pending: bool = True) -> Sequence[Detection]:
        """What the rules have found so far, in order of time.

        Args:
            pending: With what the data's end or beginning leaves open, which has to be looked for.
        """

    def newest(self) -> Newest:
        """What was found lately; cheap."""

    def marks(self, rows: Sequence[int]) -> dict[int, Mark]:
        """Of these rows those that are matched steps; cheap."""

    @property
    def desk(self) -> RuleDesk:
        """Where rules are made, changed and switched, and what they found is judged."""

    def installed_rules(self) -> Sequence[RuleState]:
        """All rules there are, with matches, state and time spent; those that do not compile too."""

    def near_misses(self, rule: str, *, cancel: Cancel, number: int | None = None) -> Sequence[NearMiss]:
        """What nearly matched a rule and by what it failed, nearest first; of one transaction however far.

        Raises:
            RuleError: No such rule runs.
        """

    def preview(self, rule_text: str, *, cancel: Cancel, name: str | None = None) -> Preview:
        """What a rule that is not saved would find: the one of a name, else the last of the text.

        Raises:
            RuleError: It does not compile.
        """
