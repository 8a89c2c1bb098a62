"""What a report tells, as plain data: text as the log had it, cleaned when it is rendered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One record."""

    time: int
    """Microseconds since 1970 UTC."""
    since_previous: int | None
    since_start: int
    level: str
    """Empty: none."""
    service: str
    host: str
    source: str
    line: int
    message: str
    raw: str
    error: bool
    step: str = ""
    """`rule: step` if a rule matched it."""

    @property
    def lane(self) -> str:
        """Where the waterfall shows it: the service on its host."""
        return f"{self.service} {self.host}".strip() or self.source


@dataclass(frozen=True, slots=True)
class CaseAbsence:
    """A step that did not happen."""

    start: int
    end: int
    lane: str
    text: str


@dataclass(frozen=True, slots=True)
class CaseDetection:
    """What a rule found."""

    title: str
    level: str
    state: str
    message: str
    rule: str = ""
    """The rule's name."""


@dataclass(frozen=True, slots=True)
class CaseRule:
    """A rule that found something."""

    name: str
    title: str
    level: str
    description: str
    text: str
    """Its YAML; empty if it is not from a file."""


@dataclass(frozen=True, slots=True)
class CaseSeries:
    """Figures over time, as one plot."""

    title: str
    unit: str
    start: int
    end: int
    """Microseconds since 1970 UTC."""
    values: tuple[float | None, ...]
    """One per equal stretch of time; None: nothing to tell."""
    marks: tuple[int, ...] = ()
    """Times of detections."""


@dataclass(frozen=True, slots=True)
class PinnedRecord:
    """A record that was pinned by itself."""

    record: CaseRecord | None
    """None: it is not there any more."""
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class CaseStep:
    """A step beside that of the nearest normal peer, where they differ."""

    kind: str
    service: str
    template: str
    since_previous: int | None
    usual: int | None
    usual_p95: int | None


@dataclass(frozen=True, slots=True)
class CaseTransaction:
    """One transaction."""

    transaction: str
    title: str
    start: int
    end: int
    errors: int
    state: str
    services: tuple[str, ...]
    sources: tuple[str, ...]
    keys: dict[str, tuple[str, ...]]
    evidence: tuple[str, ...]
    """In words, why the records belong together."""
    detections: tuple[CaseDetection, ...]
    absences: tuple[CaseAbsence, ...]
    waits: tuple[str, ...]
    statistics: tuple[tuple[str, str], ...]
    compared: str
    """In words, with which peer it is compared; empty: with none."""
    differences: tuple[CaseStep, ...]
    records: tuple[CaseRecord, ...]
    left_out: int = 0
    """Records beyond those that a report holds."""
    note: str = ""
    """What was written on it."""

    @property
    def duration(self) -> int:
        """Microseconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Case:
    """A report."""

    title: str
    command: str
    """What makes it again."""
    reopen: str
    """What opens the investigator on it."""
    version: str
    notes: str
    grain: str
    """In words, what a transaction is here and why."""
    transactions: tuple[CaseTransaction, ...]
    records: tuple[PinnedRecord, ...] = ()
    missing: tuple[str, ...] = ()
    """What was pinned and is not there any more."""
    rules: tuple[CaseRule, ...] = ()
    series: tuple[CaseSeries, ...] = ()
    redacted: bool = False
    sensitive: dict[str, str] = field(default_factory=dict, repr=False)
    """What `--redact` masks: value -> its kind."""
    source: dict[str, Any] | None = field(default=None, repr=False)
    """The case as a file; a report as JSON carries it."""
