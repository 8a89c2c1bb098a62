"""What the engine answers about many transactions: their ways, comparisons, waits, the service map, clocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Transactions that went the same way: the same sequence of message templates."""

    number: int
    """From 1, most transactions first."""
    transactions: int
    share: float
    """Of all transactions, 0 to 1."""
    services: tuple[str, ...]
    """The services in the order of their first record, repeated where the work came back."""
    templates: tuple[tuple[str, str], ...]
    """(service, template) in order, a template that repeats at once told once."""
    p50: int
    p95: int
    """Durations, microseconds."""
    errors: int
    """Transactions with an error."""
    example: int
    """Number of a typical transaction: the one whose duration is the median."""


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """One step of a transaction beside the same step of its peer."""

    kind: str
    """`same`, `missing` (only the peer has it), `extra` (only this one), `slower`, `faster`."""
    service: str
    template: str
    row: int | None
    peer_row: int | None
    since_previous: int | None
    """Microseconds since the step before, in this transaction."""
    peer_since_previous: int | None
    usual: int | None = None
    """p50 of that pause in the peers of the same shape."""
    usual_p95: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A transaction beside its nearest normal peer."""

    number: int
    peer: int
    why: str
    """In words, why this peer: shape, how many went that way, how alike."""
    steps: tuple[ComparedStep, ...]
    missing: int
    extra: int
    slower: int


@dataclass(frozen=True, slots=True)
class Wait:
    """A piece of the critical path: what the end of a transaction waited for."""

    row: int
    """The record that ended the wait."""
    since: int
    """The record before it."""
    duration: int
    """Microseconds."""
    share: float
    """Of the whole transaction's duration, 0 to 1."""
    text: str
    """In words: `payments waited 1.2 s for psp response`."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One edge of the service map: a service handing on to another within transactions."""

    caller: str
    callee: str
    transactions: int
    p50: int
    p95: int
    """Microseconds from the caller's last record before to the callee's first after it."""
    errors: int
    """Transactions in which the callee logged an error."""


@dataclass(frozen=True, slots=True)
class ServiceLoad:
    """One node of the service map."""

    service: str
    transactions: int
    records: int
    errors: int
    """Transactions in which it logged an error."""
    p50: int
    p95: int
    """Time from its first to its last record within a transaction, microseconds."""


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Which service hands to which, from the transactions."""

    services: tuple[ServiceLoad, ...]
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class Skew:
    """How far a host's clock is off, estimated from transactions that it shares with others."""

    source: str
    """The host, or the source where no host is logged."""
    offset: int
    """Microseconds to add to its times; what `--offset` would take."""
    spread: int
    """Half the width of the interval that the data allow, microseconds."""
    transactions: int
    text: str
