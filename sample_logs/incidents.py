"""A bad night at the shop: one of each thing that a shipped rule tells, `python -m sample_logs.incidents`."""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

START = datetime.datetime(2026, 11, 8, 22, 0, tzinfo=datetime.UTC)
LENGTH = 3 * 3600
"""Seconds from ten in the evening."""

SERVICES = ("orders", "payments", "notifications", "stock")
_HOSTS = {"orders": "app-1", "payments": "app-1", "notifications": "app-2", "stock": "store-1"}
_WORK = {
    "orders": ("basket kept", "prices read", "session renewed"),
    "payments": ("provider is reachable", "ledger written"),
    "notifications": ("mail sent", "template read"),
    "stock": ("shelf counted", "delivery booked"),
}
_PATHS = ("/", "/api/items", "/api/basket", "/static/shop.css")
_ATTACKER = "198.51.100.77"
_SLOW_PATH = "/api/report"


@dataclass
class Night:
    """What has been written so far, and what a rule should tell of it."""

    chance: random.Random
    lines: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: {"system": [], "shop": [], "gateway": []})
    truth: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def system(self, at: float, host: str, program: str, text: str, *, severity: int = 6) -> None:
        """A line of syslog, RFC 5424."""
        self.lines["system"].append((at, f"<{3 * 8 + severity}>1 {_iso(at)} {host} {program} 812 - - {text}"))

    def shop(self, at: float, service: str, message: str, *, level: str = "info", **fields: object) -> None:
        """A line of JSON."""
        entry = {"time": _iso(at), "level": level, "service": service, "host": _HOSTS[service], "message": message}
        self.lines["shop"].append((at, json.dumps(entry | fields, separators=(",", ":"))))

    def gateway(self, at: float, path: str, status: int, seconds: float) -> None:
        """A line of nginx."""
        moment = START + datetime.timedelta(seconds=int(at))
        address = f"203.0.113.{self.chance.randint(2, 250)}"
        request = f'"GET {path} HTTP/1.1" {status} {self.chance.randint(200, 9000)}'
        self.lines["gateway"].append(
            (int(at), f'{address} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] {request} "-" "Mozilla/5.0" rt={seconds:.3f}')
        )

    def tells(self, rule: str, **output: object) -> None:
        """A rule should tell this."""
        self.truth.setdefault(rule, []).append(output)


@dataclass(frozen=True)
class Incidents:
    """The logs and their truth, in memory."""

    logs: dict[str, str]
    truth: str


def make(seed: int, *, calm: bool = False, ending: str = ".log") -> Incidents:
    """Make the logs of a night.

    Args:
        seed: Equal seeds give equal logs, byte for byte.
        calm: Nothing happens; no rule should tell anything.
        ending: Of the logs' file names.
    """
    night = Night(random.Random(seed))
    quiet_at = night.chance.randint(5000, 5600)
    _work(night, LENGTH if calm else quiet_at)
    _visits(night, calm=calm)
    _payments(night)
    _queue(night, calm=calm)
    _harmless(night)
    if not calm:
        _on_hosts(night)
        _in_services(night)
        _logins(night)
        night.tells("service_gone_quiet", service="stock")
    logs = {
        name + ending: "".join(f"{text}\n" for _, text in sorted(found, key=lambda line: line[0]))
        for name, found in night.lines.items()
    }
    told = {"seed": seed, "calm": calm, "rules": dict(sorted(night.truth.items()))}
    return Incidents(logs, json.dumps(told, indent=1) + "\n")


def _work(night: Night, stock_ends: int) -> None:
    for service in SERVICES:
        at = night.chance.uniform(0, 30)
        while at < (stock_ends if service == "stock" else LENGTH):
            night.shop(at, service, night.chance.choice(_WORK[service]), took_ms=night.chance.randint(2, 40))
            at += night.chance.uniform(10, 50)


def _visits(night: Night, *, calm: bool) -> None:
    bad, slow = 3600, 7500
    at = night.chance.uniform(0, 5)
    while at < LENGTH:
        # Two in a hundred fail on any day; for four minutes it is every second.
        share = 0.5 if not calm and bad <= at < bad + 240 else 0.02
        status = 502 if night.chance.random() < share else 200
        night.gateway(at, night.chance.choice(_PATHS), status, night.chance.uniform(0.05, 0.2))
        at += night.chance.uniform(2, 7)
    for place in range(4):
        seconds = 3.125 if place == 3 and not calm else night.chance.uniform(0.1, 0.2)
        night.gateway(slow + 300 * place, _SLOW_PATH, 200, seconds)
    if not calm:
        night.tells("server_error_share", service="gateway")
        night.tells("slow_against_history", method="GET", path=_SLOW_PATH, took="3.125")


def _payments(night: Night) -> None:
    for number in range(60):
        at = 60 + number * 170 + night.chance.uniform(0, 60)
        order, reference = f"ORD-{7000 + number}", f"PSP-{night.chance.randrange(16**6):06X}"
        night.shop(at, "payments", "charge begin", order_id=order, amount=night.chance.randint(5, 200))
        night.shop(at + 1, "payments", "psp response", order_id=order, psp_ref=reference, code=202)
        night.shop(at + night.chance.uniform(4, 12), "payments", "charge settled", order_id=order, psp_ref=reference)


def _queue(night: Night, *, calm: bool) -> None:
    grows = 7800
    for minute in range(LENGTH // 60):
        at = minute * 60 + 30
        behind = max(0, at - grows) // 2 if not calm and at < grows + 1200 else 0
        night.shop(at, "notifications", "queue drained", queue="outbound", depth=night.chance.randint(0, 9) + behind)
    if not calm:
        night.tells("queue_lag", queue="outbound")


def _harmless(night: Night) -> None:
    """What looks like an incident and is none."""
    for minute in range(0, 180, 5):
        night.system(minute * 60 + 1, "app-1", "cron", "(root) CMD (run-parts /etc/cron.d/often)")
    night.system(700, "app-1", "sudo", "deploy : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/systemctl status")
    night.system(900, "app-1", "certbot", "certificate of shop.example.org renewed")
    night.system(1000, "app-2", "kernel", "memory: 812 MiB free")
    night.system(1100, "app-2", "chronyd", "Selected source 192.0.2.1")
    for place in range(3):
        night.system(
            1500 + 120 * place, "app-2", "systemd", "mailer.service: Scheduled restart job, restart counter is at 1."
        )
    for place in range(4):
        night.system(2500 + 20 * place, "app-1", "sshd", "Failed password for alice from 192.0.2.33 port 50311 ssh2")
    night.system(2600, "app-1", "sshd", "Accepted password for alice from 192.0.2.33 port 50312 ssh2")
    night.shop(3000, "orders", "JVM arguments [-XX:+HeapDumpOnOutOfMemoryError]")
    for place in range(12):
        night.shop(3200 + 4 * place, "notifications", "smtp retry", level="warn", attempt=2)


def _on_hosts(night: Night) -> None:
    night.system(4100, "app-1", "kernel", "Out of memory: Killed process 4711 (java) total-vm:8123456kB", severity=3)
    night.tells("out_of_memory", host="app-1")
    night.system(5200, "db-1", "postgres", 'could not write to file "base/16384": No space left on device', severity=3)
    night.tells("disk_full", host="db-1")
    night.system(
        6100,
        "app-2",
        "sudo",
        "mallory : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
        severity=1,
    )
    night.tells("sudo_abuse", host="app-2")
    night.system(6600, "app-1", "nginx", "TLS certificate for pay.example.org expires in 6 days", severity=4)
    night.tells("certificate_expiry", host="app-1")
    night.system(7000, "store-1", "chronyd", "System clock was stepped by 3.412 seconds", severity=4)
    night.tells("clock_jump", host="store-1")
    for place in range(6):
        text = f"label-printer.service: Scheduled restart job, restart counter is at {place + 1}."
        night.system(8000 + 45 * place, "store-1", "systemd", text, severity=4)
    night.tells("restart_loop", service="systemd", host="store-1")


def _in_services(night: Night) -> None:
    for place in range(45):
        night.shop(4200 + place, "payments", "cannot reach the database", level="error", attempt=place)
    night.tells("error_burst", service="payments")
    for place in range(28):
        night.shop(9000 + 1.7 * place, "notifications", "smtp retry", level="warn", attempt=place)
    night.tells("retry_storm", service="notifications")
    night.shop(4500, "payments", "charge begin", order_id="ORD-9001", amount=59)
    night.shop(4501, "payments", "psp response", order_id="ORD-9001", psp_ref="PSP-51LE47", code=202)
    night.tells("silent_payment_failure", order_id="ORD-9001", amount=59, psp_ref="PSP-51LE47")
    night.shop(5000, "payments", "charge begin", order_id="ORD-9002", amount=18)
    night.shop(5001, "payments", "psp response", order_id="ORD-9002", psp_ref="PSP-D0B1E5", code=202)
    for at in (5008, 5069):
        night.shop(at, "payments", "charge settled", order_id="ORD-9002", psp_ref="PSP-D0B1E5")
    night.tells("duplicate_processing", order_id="ORD-9002")
    night.shop(5500, "payments", "charge settled", order_id="ORD-9003", psp_ref="PSP-0DD0DD")
    night.shop(5502, "payments", "charge begin", order_id="ORD-9003", amount=7)
    night.tells("steps_out_of_order", order_id="ORD-9003")


def _logins(night: Night) -> None:
    for place in range(14):
        text = f"Failed password for root from {_ATTACKER} port {40000 + place} ssh2"
        night.system(9600 + 15 * place, "app-2", "sshd", text)
    night.system(9900, "app-2", "sshd", f"Accepted password for root from {_ATTACKER} port 40099 ssh2")
    night.tells("ssh_brute_force", client_ip=_ATTACKER)
    night.tells("brute_force_then_success", client_ip=_ATTACKER, user="root", host="app-2")


def _iso(at: float) -> str:
    moment = START + datetime.timedelta(milliseconds=round(at * 1000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the logs and their truth into a folder."""
    parser = argparse.ArgumentParser(prog="python -m sample_logs.incidents", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calm", action="store_true", help="nothing happens")
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    asked = parser.parse_args(arguments)
    made = make(asked.seed, calm=asked.calm, ending=".log.gz" if asked.gzip else ".log")
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, text in made.logs.items():
        # A time in the header would make equal samples differ.
        (asked.out / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0) if asked.gzip else text.encode())
    (asked.out / "truth.json").write_text(made.truth, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
