"""The shop itself: its machines, people and goods, the ids it hands out, and what it has said so far."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from sample_logs.model import MINUTE, MS, SECOND, Customer, Data, Entry, Value, Visit

T = TypeVar("T")

START = int(datetime.datetime(2026, 11, 1, 10, tzinfo=datetime.UTC).timestamp()) * 1_000_000
"""The first instant of every sample, in microseconds since 1970."""

LENGTH = 70 * MINUTE
"""How long the logs go on."""

LAST_ORDER = 61 * MINUTE
"""No order begins later than this after the start, so that every silence is long enough to be judged."""

GATEWAYS = ("gateway-1", "gateway-2")
ORDERS = ("orders-1", "orders-2")
PAYMENTS = ("payments-1", "payments-2")
INVENTORY = "inventory"
AUTH = "auth"
NOTIFICATIONS = "notifications"
SOURCES = (*GATEWAYS, *ORDERS, *PAYMENTS, INVENTORY, AUTH, NOTIFICATIONS)

HOSTS = {
    "orders-1": "app-1",
    "orders-2": "app-2",
    INVENTORY: "store-1",
    AUTH: "app-1",
    NOTIFICATIONS: "app-2",
}
"""Where the services run that say so; app-1 and app-2 each run two of them."""

PSP_ADDRESSES = ("192.0.2.10", "192.0.2.11")
PSP_AGENT = "PSP-Webhook/2.3"

_FIRST_NAMES = ("anna", "ben", "clara", "david", "elif", "fatou", "georg", "hana", "ivan", "jana", "karim", "lena")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "ShopApp/5.12 (Android 15)",
    "ShopApp/5.12 (iOS 18.1)",
)


class Shop:
    """The shop while its story is told: draws chances, hands out ids, collects entries.

    Only sums, products and draws of `random.random()` and `randrange()` decide times, so that a seed
    gives the same bytes on every machine.

    Args:
        seed: What makes this sample different from others.
    """

    def __init__(self, seed: int) -> None:
        """Set the shop up: its customers, its goods, and the number of its first order."""
        self.chance = random.Random(f"shop {seed}")
        self.entries: list[Entry] = []
        self._order_number = 104_000 + self.chance.randrange(500)
        self._references: set[str] = set()
        addresses = [f"203.0.113.{n}" for n in range(10, 90)]
        self.customers = [
            Customer(
                uid=f"u-{1000 + n}",
                mail=f"{self.pick(_FIRST_NAMES)}.{1000 + n}@example.org",
                ip=self.pick(addresses),
                agent=self.pick(_AGENTS),
            )
            for n in range(150)
        ]
        self.goods = [(f"SKU-{2000 + 7 * n}", 490 + 10 * self.chance.randrange(1200)) for n in range(60)]
        """Sku and price in cents."""

    def pick(self, things: Sequence[T]) -> T:
        """One of several things, each as likely."""
        return things[self.chance.randrange(len(things))]

    def between(self, low: int, high: int) -> int:
        """A span of time in microseconds between two bounds in milliseconds, more often short than long."""
        draw = self.chance.random()
        return low * MS + int((high - low) * MS * draw * draw)

    def new_request(self) -> str:
        """A request id: 32 hex digits, as nginx makes them."""
        return f"{self.chance.getrandbits(128):032x}"

    def new_session(self) -> str:
        """A session id."""
        return f"s-{self.chance.getrandbits(48):012x}"

    def new_order(self) -> str:
        """An order id; they ascend, with gaps."""
        self._order_number += 1 + self.chance.randrange(4)
        return f"ORD-{self._order_number}"

    def new_reference(self) -> str:
        """A reference of the payment provider; no two are equal."""
        while True:
            reference = f"PSP{10_000_000 + self.chance.randrange(90_000_000)}"
            if reference not in self._references:
                self._references.add(reference)
                return reference

    def worker(self) -> str:
        """A thread of a servlet container; all instances have the same names."""
        return f"http-nio-8080-exec-{1 + self.chance.randrange(12)}"

    def say(
        self,
        source: str,
        time: int,
        level: str,
        message: str,
        data: Mapping[str, Value],
        *,
        logger: str = "",
        thread: str = "",
        order: str | None = None,
        trace: tuple[str, ...] = (),
        mark: str = "",
    ) -> None:
        """Have a service write a record; the arguments are the fields of `Entry`."""
        self.entries.append(
            Entry(time, source, level, message, data, logger=logger, thread=thread, order=order, trace=trace, mark=mark)
        )

    def access(
        self,
        start: int,
        took: int,
        request: str,
        line: tuple[str, str, int],
        *,
        visit: Visit | None = None,
        ip: str = "",
        agent: str = "",
        order: str | None = None,
        mark: str = "",
    ) -> None:
        """Have a gateway write its access record, which it does when the request is over.

        Args:
            start: When the request came, in microseconds since 1970.
            took: How long it took, in microseconds.
            request: Its id, or `-`.
            line: Method, path and status.
            visit: Whose request it is; if nobody's, `ip` and `agent` are needed.
            ip: Client address.
            agent: User agent.
            order: The order on whose behalf it is, if there is one.
            mark: As in `Entry`.
        """
        method, path, status = line
        data: Data = {
            "ip": visit.customer.ip if visit else ip,
            "user": visit.customer.uid if visit else "-",
            "method": method,
            "path": path,
            "status": status,
            "bytes": 120 + self.chance.randrange(4000),
            "agent": visit.customer.agent if visit else agent,
            "rt": f"{took // SECOND}.{took % SECOND // MS:03d}",
            "req": request,
        }
        level = "error" if status >= 500 else "warn" if status >= 400 else "info"
        self.say(self.pick(GATEWAYS), start + took, level, "", data, order=order, mark=mark)
