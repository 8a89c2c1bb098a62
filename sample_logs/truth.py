"""What is true about a sample: which records belong to which order, and how each order ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sample_logs.model import MS, Entry, Order, Outcome
from sample_logs.shop import HOSTS
from sample_logs.writers import CLOCK_AHEAD, iso, stamp

ALIASES = {
    "request_id": {
        "gateway": "req",
        "orders": "request_id",
        "payments": "rid",
        "inventory": "x_request_id",
        "auth": "requestId",
    },
    "order_id": {"orders": "orderId", "payments": "order_id", "inventory": "order", "notifications": "order"},
    "psp_ref": {"gateway": "ref", "payments": ["psp_ref", "reference"]},
    "session": {"orders": "session", "auth": "sid"},
    "user": {"gateway": "user", "orders": "customer", "auth": "uid"},
}
"""What each service calls the same thing."""

Place = dict[str, str | int]
"""`{"source": "payments-1.log", "line": 17}`: a record by its file and the 1-based number of its first line."""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that made it into a log."""

    entry: Entry
    """What it says."""
    source: str
    """The log's file name."""
    line: int
    """1-based number of its first line."""

    @property
    def place(self) -> Place:
        """Where it stands, as the truth has it."""
        return {"source": self.source, "line": self.line}


def truth(
    seed: int, mask: float, loss: float, orders: Sequence[Order], written: Sequence[Written]
) -> dict[str, object]:
    """All that is true about a sample.

    Args:
        seed: The sample's.
        mask: Its share of masked records.
        loss: Its share of lost records.
        orders: All orders, told.
        written: All records that were written, in the order of their true times.

    Returns:
        What `truth.json` holds; see README.md beside this file.
    """
    transactions: dict[str, list[Place]] = {order.order_id: [] for order in orders}
    for record in written:
        if record.entry.order is not None:
            transactions[record.entry.order].append(record.place)
    return {
        "seed": seed,
        "mask": mask,
        "loss": loss,
        "records": len(written),
        "transactions": transactions,
        "failed": [
            {"order_id": o.order_id, "amount": float(o.amount), "psp_ref": o.psp_ref, "reason": o.reason}
            for o in orders
            if o.outcome is Outcome.SILENT
        ],
        "slow": [
            {"order_id": o.order_id, "psp_ref": o.psp_ref, "duration_ms": (o.settled - o.accepted) // MS}
            for o in orders
            if o.outcome is Outcome.SLOW
        ],
        "retries": [
            {"order_id": o.order_id, "psp_ref": o.psp_ref, "failed_calls": o.failed_calls}
            for o in orders
            if o.outcome is Outcome.RETRIED
        ],
        "declined": [o.order_id for o in orders if o.outcome is Outcome.DECLINED],
        "cancelled": [o.order_id for o in orders if o.outcome is Outcome.CANCELLED],
        "attack": _attack(written),
        "aliases": ALIASES,
        "skew": {
            f"{source}.log": {"host": host, "ahead_ms": CLOCK_AHEAD[host] // MS}
            for source, host in HOSTS.items()
            if host in CLOCK_AHEAD
        },
    }


def to_json(content: dict[str, object]) -> str:
    """The truth as text: JSON with one order, one failure and so on to a line."""
    parts = []
    for key, value in content.items():
        if isinstance(value, dict) and key in {"transactions", "aliases", "skew"}:
            rows = [f"{json.dumps(name)}: {_compact(row)}" for name, row in value.items()]
            body = "{\n" + ",\n".join(rows) + "\n}"
        elif isinstance(value, list):
            body = "[\n" + ",\n".join(_compact(row) for row in value) + "\n]"
        else:
            body = _compact(value)
        parts.append(f"{json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _attack(written: Sequence[Written]) -> dict[str, object]:
    """The login attack, as far as it was written."""
    records = [record for record in written if record.entry.mark]
    logins = [record for record in records if record.entry.logger == "LOGIN"]
    breach = next((record for record in logins if record.entry.mark == "breach"), None)
    found: dict[str, object] = {
        "ip": logins[0].entry.data["ip"] if logins else None,
        "failed_logins": sum(record is not breach for record in logins),
        "first": iso(stamp(logins[0].entry), 6) if logins else None,
        "last": iso(stamp(logins[-1].entry), 6) if logins else None,
    }
    if breach is not None:
        found["user"] = breach.entry.data["uid"]
        found["success"] = breach.place
    found["members"] = [record.place for record in records]
    return found


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
