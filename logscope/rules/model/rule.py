"""What a rule is and what it finds: frozen data without behaviour of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from logscope.rules.emit import Emit
from logscope.rules.having import Having
from logscope.rules.model.filters import RecordFilter, RuleFilter, TransactionFilter
from logscope.rules.model.silence import Silence
from logscope.rules.model.windows import Windows
from logscope.rules.values import Value

LEVELS = ("informational", "low", "medium", "high", "critical")
"""Levels of rules and detections, in ascending order (Sigma's)."""

STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")

TRANSACTION = "transaction"
"""`by: [transaction]`: the linked transaction is the key."""

MATCHED, PENDING, RETRACTED = "matched", "pending", "retracted"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence."""

    name: str
    where: str
    """Its filter as written."""
    filter: RecordFilter
    absent: bool = False
    within_us: int | None = None
    """An absence's window; None: what `maxspan` leaves, and between two steps always None."""
    maxpause_us: int | None = None
    """Longest time since the positive step before, inclusive."""
    line: int | None = None
    bound_line: int | None = None
    """Where `within` or `maxpause` stands."""


@dataclass(frozen=True, slots=True)
class Until:
    """What ends matches that are not complete."""

    where: str
    filter: RecordFilter
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps in order, per key."""

    by: tuple[str, ...]
    """`("transaction",)`, or names of columns, fields or keys; empty: all records together."""
    steps: tuple[Step, ...]
    maxspan_us: int | None = None
    """Longest time from the first to the last positive step, inclusive."""
    until: Until | None = None
    having: Having | None = None
    keys: tuple[str, ...] = ()
    """The correlation keys of the plan it was made with."""
    grain: str | None = None

    @property
    def by_transaction(self) -> bool:
        """Whether the linked transaction is the key."""
        return self.by == (TRANSACTION,)

    @property
    def positive(self) -> tuple[Step, ...]:
        """The steps that must happen."""
        return tuple(step for step in self.steps if not step.absent)

    @property
    def reach_us(self) -> int | None:
        """Longest time from a match's first step to the end of what decides it; None: no bound."""
        pauses = [step.maxpause_us for step in self.positive[1:]]
        paused = None if None in pauses else sum(pause for pause in pauses if pause is not None)
        span = min((bound for bound in (self.maxspan_us, paused) if bound is not None), default=None)
        if span is None:
            return None
        reach = span + max((step.within_us or 0 for step in self.steps if step.absent), default=0)
        last = self.steps[-1]
        # An absence without a window of its own lasts as long as the whole may.
        return max(reach, self.maxspan_us or 0) if last.absent and last.within_us is None else reach

    @property
    def look_back_us(self) -> int:
        """How long before a match's first step a leading absence looks."""
        if not self.steps or not self.steps[0].absent:
            return 0
        leading = self.steps[: self.steps.index(self.positive[0])]
        return max(step.within_us or self.maxspan_us or 0 for step in leading)


@dataclass(frozen=True, slots=True)
class TransactionCondition:
    """A rule over transactions as a whole, decided when they close."""

    where: str
    filter: TransactionFilter | None = None
    """None where nobody gave the loader a compiler."""
    keys: tuple[str, ...] = ()
    """The correlation keys of the plan it was made with."""
    grain: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """A test that a rule carries."""

    name: str
    records: tuple[str, ...]
    """Raw lines, in order of arrival."""
    expect: tuple[dict[str, Any], ...]
    """Output fields of each detection expected; a detection may have more."""
    decide: bool = True
    """Whether the end of the records decides what is pending."""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What lint has to say of a rule that was noticed when it was read."""

    message: str
    mend: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that compiled."""

    name: str
    title: str
    level: str
    kind: str
    """`sequence`, `record` (a sequence of one step named `record`), `silence` (likewise), `transaction` or
    `correlation`."""
    sequence: Sequence | None
    transaction: TransactionCondition | None = None
    windows: Windows | None = None
    """Of a correlation."""
    silence: Silence | None = None
    quiet: bool = False
    """It is there for the rules that name it and is not told by itself."""
    sigma: bool = False
    """It came as a Sigma document."""
    notes: tuple[Note, ...] = ()
    unmapped: str | None = None
    """The logsource in words if no pipeline maps it: the rule takes part in nothing."""
    emit: Emit = field(default_factory=Emit)
    id: str | None = None
    status: str = "experimental"
    description: str = ""
    enabled: bool = True
    actions: tuple[str, ...] = ()
    tests: tuple[Expectation, ...] = ()
    path: str | None = None
    line: int | None = None
    digest: str = ""
    """Of all that decides what it finds and says, wherever it stands (`digest.digest_of`)."""

    @property
    def key(self) -> str:
        """What identifies it in detections' ids: its `id`, else its name."""
        return self.id or self.name

    @property
    def uses(self) -> tuple[str, ...]:
        """Names of the rules whose detections are its steps."""
        steps = self.sequence.steps if self.sequence is not None else ()
        return tuple(dict.fromkeys(step.filter.rule for step in steps if isinstance(step.filter, RuleFilter)))


@dataclass(frozen=True, slots=True)
class StepRecord:
    """The record that a positive step matched."""

    row: int
    time: int
    """Microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What a rule found."""

    id: str
    """blake2b-64 of the rule, the key or transaction, and the steps' times and texts."""
    rule: str
    title: str
    level: str
    time: int
    """When it was decided, in the log's own time, microseconds since 1970 UTC."""
    start: int
    """Time of the first positive step."""
    end: int
    """Time of the last positive step."""
    number: int | None
    """The transaction's number, for rules over transactions."""
    transaction: str | None
    """The transaction's id, for rules over transactions."""
    keys: Mapping[str, tuple[str, ...]]
    """Names and values of `by`, for the others."""
    output: Mapping[str, Value]
    message: str
    steps: Mapping[str, StepRecord]
    """By name of the positive step, in order."""
    state: str
    """`matched`, `pending` or `retracted`."""
    reason: str | None = None
    suppress_us: int | None = None
    """Dispatch at most once per key in this time."""
    row: int | None = None
    """The record it stands at as another rule's step, where that is not its last step's."""
    members: tuple[int, ...] = ()
    """Rows of the records it is made of, in order of time; of correlations."""
