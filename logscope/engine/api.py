"""What a face may ask of the engine, and the frozen data it gets back.

The screens and the commands know this module and nothing below it. All queries block and are meant
for worker threads; each takes a `Cancel` that is looked at between segments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl


class Cancelled(Exception):
    """The query was given up because something newer was asked."""


class Cancel:
    """A flag that a face sets to give up a query; queries look at it between segments."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        """Not yet cancelled."""
        self._set = False

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


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source as the sources panel and `stats` show it."""

    name: str
    format: str
    """Names of its formats, most frequent first, joined by `+`."""
    records: int
    unparsed: int
    size: int
    """Bytes known."""
    read: int
    """Bytes indexed."""
    start: int | None
    """Time of the earliest record, microseconds since 1970 UTC."""
    end: int | None
    live: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a session at one instant; a face never holds more than the newest."""

    generation: int
    """Grows with every change of the records; a `View` says of which it was made."""
    records: int
    sources: tuple[SourceStatus, ...]
    start: int | None
    end: int | None
    loading: bool
    live: bool
    progress: float
    """Share of known bytes that is indexed, 0 to 1."""
    counters: dict[str, int] = field(default_factory=dict)
    """received, stored, dropped, late ... of live sources."""
    rate: float = 0.0
    """Records a second lately, of live sources."""
    transactions: int | None = None
    """How many; None while they have not been made."""
    detections: int = 0
    rules: int = 0
    messages: tuple[str, ...] = ()
    """What the user should be told (errors of sources, evictions), newest last."""


@dataclass(frozen=True, slots=True)
class View:
    """A filtered, time-ordered list of records: an index vector, never a second frame."""

    rows: pl.Series
    """UInt32 row numbers in order (time, source, line)."""
    filter: str
    generation: int
    complete: bool = True
    """False while more segments are still searched."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record as the records view paints it. Text is raw: clean it before painting."""

    row: int
    time: int | None
    """Microseconds since 1970 UTC."""
    time_from: int
    level: int
    source: str
    line: int
    service: str | None
    host: str | None
    message: str
    """The message, a request as `GET /path 200`, with the fields that it does not hold itself."""
    raw: str


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One name and value of a record, as the detail pane lists it and the cursor pivots on it."""

    name: str
    value: str
    key: str | None
    """The correlation key it feeds, if any."""
    key_class: str | None
    records: int | None
    """How many records hold this key value; None: not counted."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar of the histogram."""

    start: int
    end: int
    levels: tuple[int, ...]
    """Records by level number 0 to 6."""
    detections: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """A record within a transaction."""

    line: Line
    since_previous: int | None
    """Microseconds; None for the first."""
    since_start: int
    error: bool
    step: tuple[str, str] | None = None
    """(rule, step) if it is a matched step of a detection."""


@dataclass(frozen=True, slots=True)
class AbsentStep:
    """A step that did not happen, where it should have been."""

    rule: str
    step: str
    start: int
    end: int
    """The window that stayed empty, microseconds."""
    text: str


@dataclass(frozen=True, slots=True)
class TransactionDetail:
    """Everything the transaction view shows."""

    number: int
    transaction: str
    title: str
    """The grain's value, else the earliest key value."""
    start: int
    end: int
    members: tuple[Member, ...]
    keys: dict[str, tuple[str, ...]]
    held_by: tuple[str, ...]
    """The chain of keys in words, coarse to fine: `order_id ⇄ psp_ref`."""
    absent: tuple[AbsentStep, ...]
    rules: tuple[str, ...]
    errors: int
    oversize: str | None


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection as interface section 3 has it; `to_json` gives that object."""

    detection: str
    rule: str
    title: str
    level: str
    time: int
    start: int
    end: int
    transaction: str | None
    keys: dict[str, list[str]]
    output: dict[str, Any]
    message: str
    steps: dict[str, dict[str, Any]]
    """`{"time": int, "source": str, "line": int, "row": int}` per step."""
    state: str
    reason: str | None
    number: int | None
    """The transaction's number in this session."""

    def to_json(self) -> dict[str, Any]:
        """The JSON object of interface section 3, without members."""
        from logscope.engine.rendering import detection_json

        return detection_json(self)


@dataclass(frozen=True, slots=True)
class Absence:
    """One message that usually follows another, and how often it did not."""

    before: str
    missing: str
    without: int
    """Transactions with `before` and without `missing`."""
    seen: int
    """Transactions with `before`."""

    @property
    def filter(self) -> str:
        """The filter over transactions that finds them."""
        return f'has("{self.before}") not has("{self.missing}")'


class Investigation(Protocol):
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

    def histogram(self, view: View, buckets: int) -> Sequence[Bucket]:
        """The view over time, by level."""

    def fields(self, row: int) -> Sequence[FieldValue]:
        """Columns and fields of a record with the keys they feed; keys first."""

    def pivot_filter(self, key: str | None, name: str, value: str) -> str:
        """The filter that finds a value in any service under any field's name of its key."""

    def prepare_transactions(self, *, cancel: Cancel, progress: Callable[[str, float], None] | None = None) -> None:
        """Find the keys, link, make transactions and detections, if not yet done for this generation."""

    def transactions(
        self, where: str = "", *, sort: str = "start", descending: bool = False, cancel: Cancel
    ) -> pl.DataFrame:
        """The transaction frame (records/schema.py TRANSACTIONS), filtered and sorted.

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

    def set_grain(self, grain: str) -> None:
        """Another grain: a key's name, `auto` or `none`; transactions are made anew when next asked for."""

    def detections(self) -> Sequence[Detection]:
        """What the rules have found so far, in order of time."""

    def marks(self, rows: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Of these rows those that are matched steps: row -> (rule, step, level)."""
