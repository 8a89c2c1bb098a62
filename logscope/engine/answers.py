"""The frozen data that a face gets back from the engine: plain facts, no behaviour, text as the log had it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from logscope.engine.insights import Wait


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
    """Time of the earliest record, microseconds since 1970 UTC; None too where no record has a time of its own."""
    end: int | None
    live: bool
    error: str | None = None
    counters: dict[str, int] = field(default_factory=dict)
    """Of a listener: received, stored, dropped and their parts, in this run."""
    late: int = 0
    """Records that came behind the watermark."""
    rates: tuple[float, ...] = ()
    """Records a second over the last half minute, one value a second, the oldest first."""


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
    held_back: bool = False
    """No more is read of live sources, for `--memory` is used up."""
    transactions: int | None = None
    """How many; None while they have not been made."""
    detections: int = 0
    rules: int = 0
    messages: tuple[str, ...] = ()
    """What the user should be told (errors of sources, evictions), newest last."""
    remarks: tuple[str, ...] = ()
    """What is good to know, and nothing amiss: which keys and grain were found."""
    linked: int = 0
    """Records that were looked at for transactions; of live sources some more come behind."""
    findings: int = 0
    """Grows with every change of detections and marks, provisional ones too."""


@dataclass(frozen=True, slots=True)
class View:
    """A filtered, time-ordered list of records: an index vector, never a second frame."""

    rows: pl.Series
    """UInt32 row numbers in order (time, source, line)."""
    filter: str
    generation: int
    complete: bool = True
    """False while more segments are still searched."""
    context: pl.Series | None = None
    """Which rows only stand round those that the filter keeps; None: none."""


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
    depth: int = 0
    """How deep its step lies below the transaction's first, where records name their step and its parent."""


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
    critical: tuple[Wait, ...] = ()
    """What the end waited for, longest first."""
    left_out: int = 0
    """Records between the first and the last `members` that are not among them: there are too many to show."""
    open: bool = False
    """Whether more may come: it was not idle for so long by now."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection as interface section 3 has it; `rendering.detection_json` gives that object."""

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
    rows: tuple[int, ...] = ()
    """The records that a correlation counted, in order of time."""
    suppressed: bool = False
    """Not to be dispatched: one of the same rule and key was, less than the rule's `suppress` before."""


class Mark(NamedTuple):
    """What a record is to a rule: a step of a detection."""

    rule: str
    step: str
    level: str
    state: str
    """Of the detection: `matched`, or `provisional` for now."""
    last: bool = False
    """It is the last step of a detection."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What was found lately."""

    count: int
    """How many detections were ever told in this session."""
    detections: tuple[Detection, ...]
    """The newest of them, in the order in which they were told."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Records that nearly made a detection, and why they did not."""

    rule: str
    step: str
    """The step that failed."""
    subject: str
    """What it is about: the transaction's id, or keys and values."""
    number: int | None
    """The transaction's number in this session."""
    time: int
    """Of the last step that was there, microseconds since 1970 UTC."""
    steps: tuple[tuple[str, int], ...]
    """(step, row) of those that were there."""
    row: int | None
    """The record that came too late, or that should not have come."""
    by: int | None
    """By how much, microseconds; None where that is no matter of time."""
    text: str
    """In words: `psp: maxpause exceeded by 400 ms`."""


@dataclass(frozen=True, slots=True)
class StepTiming:
    """How long a step takes after the one before, in the matches of a rule."""

    step: str
    p50: int
    """Microseconds, as all here."""
    p95: int
    longest: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule that is not saved would find in what is there."""

    matches: int
    pending: int
    """Matches that the data's end or beginning leaves open."""
    examples: tuple[Detection, ...]
    """The first of them."""
    timings: tuple[StepTiming, ...]
    """Of the steps that happen, from the second on."""
    seconds: float
    """What it took to evaluate."""
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it stands in a session."""

    name: str
    title: str
    level: str
    kind: str
    """`sequence`, `record`, `transaction`, or what else its language has."""
    path: str | None
    line: int | None
    origin: str
    """`shipped`, `yours` (a file) or `typed` (on the command line)."""
    enabled: bool
    matches: int
    waiting: int
    """Matches that are not decided yet."""
    seconds: float
    """Spent on evaluating it."""
    counts: dict[str, int]
    """Records passed over or given up, by why: `late`, `keyless`, `untimed`, `evicted`."""
    last: int | None
    """When it matched last, in the log's own time, microseconds."""
    error: str | None = None
    """Why it does not compile."""

    @property
    def incomplete(self) -> bool:
        """Whether records were given up that might have made detections."""
        return self.counts.get("evicted", 0) > 0


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


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A correction of the plan that can be tried before it applies; None or empty leaves all as it is."""

    grain: str | None = None
    classes: tuple[tuple[str, str], ...] = ()
    """(key, class)."""
    active: tuple[tuple[str, bool], ...] = ()
    """(key, links or not)."""
    join: tuple[tuple[str, str], ...] = ()
    """(key, key) that are one."""
    split: tuple[tuple[str, str], ...] = ()
    """(key, field or pattern) that is a key of its own."""
    hubs: tuple[tuple[str, str], ...] = ()
    """(key, value) that does not link."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of the plan would make of the transactions, before it is applied."""

    transactions: int
    before: int
    """Transactions now."""
    median: int
    largest: int
    """Records."""
    bridging: str | None
    """`key=value` that ties most in the largest."""
    examples: tuple[str, ...]
    """In words, the transactions that change most."""
    sampled: bool
    """True if counted on a sample of the records."""
