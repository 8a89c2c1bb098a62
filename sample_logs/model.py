"""What the story is made of: entries to be written, people who shop, orders and how they ended."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int
"""An attribute of an entry, before a format has given it its shape."""

Data = dict[str, Value]
"""Attributes in the order in which they are written."""

MS = 1_000
"""Microseconds in a millisecond."""

SECOND = 1_000_000
"""Microseconds in a second."""

MINUTE = 60 * SECOND
"""Microseconds in a minute."""


class Outcome(enum.Enum):
    """How an order ends."""

    SETTLED = "settled"
    """The charge is settled within 20 s of the PSP's answer."""
    SLOW = "slow"
    """As above, but 50 to 90 s after it."""
    RETRIED = "retried"
    """One or two calls to the PSP fail first, loudly; then as SETTLED."""
    SILENT = "silent"
    """The PSP accepts the charge and no settlement ever follows; nobody logs an error."""
    DECLINED = "declined"
    """Refused before the charge begins."""
    CANCELLED = "cancelled"
    """Given up by the customer before the charge begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to be written, in the words of the service that writes it."""

    time: int
    """When it truly happens, in microseconds since 1970 (UTC); the writer's clock may be off."""
    source: str
    """The instance that writes it, such as `payments-1`; the log's name without its ending."""
    level: str
    """debug, info, warn or error."""
    message: str
    """The text without its attributes."""
    data: Mapping[str, Value]
    """Attributes in the order in which they are written, under the names this service gives them."""
    logger: str = ""
    """The part of the program that speaks: a logger's name, or a syslog app-name."""
    thread: str = ""
    """Thread name, where the format has one."""
    order: str | None = None
    """The order on whose behalf it is written, if there is one."""
    trace: tuple[str, ...] = ()
    """Further lines of the same record: a stack trace."""
    mark: str = ""
    """`attack` or `breach` for the records of the login attack."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A user of the shop. Users share addresses and browsers."""

    uid: str
    """Such as `u-1042`."""
    mail: str
    """Where the notifications go."""
    ip: str
    """Client address; several customers come from one."""
    agent: str
    """User agent."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of a customer."""

    customer: Customer
    """Who."""
    session: str
    """Session id; it spans logins, browsing and several orders."""


@dataclass(slots=True)
class Order:
    """One order and, once its story is told, how it went."""

    order_id: str
    """Such as `ORD-104711`."""
    visit: Visit
    """The session it is placed in."""
    start: int
    """When the checkout request arrives, in microseconds since 1970."""
    outcome: Outcome
    """How it will end."""
    psp_ref: str = ""
    """The payment provider's reference; empty if no charge was accepted."""
    cents: int = 0
    """The amount in cents."""
    items: list[tuple[str, int]] = field(default_factory=list)
    """What is bought: sku and quantity."""
    reason: str = ""
    """Why a silent one failed: `webhook_never_sent` or `webhook_dropped`."""
    failed_calls: list[str] = field(default_factory=list)
    """What each failed call to the PSP met, in order."""
    accepted: int = 0
    """When the PSP accepted the charge, in microseconds since 1970."""
    settled: int = 0
    """When the charge was settled, in microseconds since 1970; 0 if never."""

    @property
    def amount(self) -> str:
        """The amount as the logs have it: two decimals."""
        return f"{self.cents // 100}.{self.cents % 100:02d}"
