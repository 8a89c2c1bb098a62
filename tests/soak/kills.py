"""Kills at random instants: what was received, stored, told and found must add up all the same.

A sender numbers its messages and sends them over one TCP connection at a time, at a steady rate. A
`watch` is killed, or its receiver, or both, and started again on the same URL. Syslog over TCP has
no acknowledgement: what lay in the kernel or in the receiver's last 100 ms at a kill is lost, and
only there may numbers be missing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logscope.correlation.keys import Key
from logscope.correlation.plan import Plan, to_toml
from logscope.sources.spool import read_json, segment_numbers, segment_path, spool_folder
from tests.cli.process import SHIPPED, Program, Watch

_A_SECOND = 10
"""Messages in a second of log time: absences fall due quickly."""

_FAILS = 40
"""Of so many orders one is never settled."""

_KINDS = ("both", "watch", "receiver")
"""What is killed, in equal shares and any order."""

_TICK = 0.02
_BATCH = 10
"""Rounds on one spool: a restarted watch reads all of it again."""


@dataclass
class Report:
    """What came of some rounds."""

    rounds: int = 0
    sent: int = 0
    stored: int = 0
    breaks: int = 0
    told: int = 0
    twice: int = 0
    killed: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kills = ", ".join(f"{count} {what}" for what, count in sorted(self.killed.items()))
        return (
            f"killed {kills}; {self.sent} sent, {self.stored} stored, {self.sent - self.stored} lost in {self.breaks} "
            f"broken connections; {self.told} detections told ({self.twice} of them twice), "
            f"{'all adds up' if not self.wrong else f'{len(self.wrong)} wrong'}"
        )


def plan_text() -> str:
    """Keys and grain of the messages."""
    keys = (Key("order_id", fields=("order_id",)), Key("psp_ref", fields=("psp_ref",), parents=("order_id",)))
    return to_toml(Plan(keys, grain="order_id"))


def message(number: int) -> bytes:
    """One numbered message: an order is begun, answered, and most are settled."""
    order, step = divmod(number, 3)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_793_000_000 + number // _A_SECOND))
    texts = (
        f"charge begin order_id=ORD-{order} amount=5",
        f"psp response order_id=ORD-{order} psp_ref=PSP-A{order}",
        f"charge settled psp_ref=PSP-A{order}" if order % _FAILS else f"nothing psp_ref=PSP-A{order}",
    )
    return f"<14>1 {stamp}.{number % _A_SECOND}Z h payments 1 - - {texts[step]} seq={number}\n".encode()


class Sender:
    """Sends numbered messages until it is stopped, connecting anew when the connection breaks."""

    def __init__(self, place: tuple[str, int], rate: int) -> None:
        self._place = place
        self._rate = rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self.breaks = 0
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                connection = socket.create_connection(self._place, timeout=5)
            except OSError:
                time.sleep(_TICK)
                continue
            with connection:
                try:
                    self._feed(connection)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        pass
                except OSError:
                    self.breaks += 1

    def _feed(self, connection: socket.socket) -> None:
        began, first = time.monotonic(), self.sent
        while not self._stop.is_set():
            due = first + int((time.monotonic() - began) * self._rate)
            batch = [message(number) for number in range(self.sent, due)]
            # Counted before: what a failing send has passed to the kernel nobody knows.
            self.sent = max(self.sent, due)
            connection.sendall(b"".join(batch))
            time.sleep(_TICK)

    def stop(self) -> None:
        """Close in order: the receiver has read everything then."""
        self._stop.set()
        self._thread.join(30)


class Soak:
    """Rounds of kills on one spool.

    Args:
        home: For configuration and state.
        rate: Messages a second.
        seed: Of the instants and of what is killed.
        memory: The watch's `--memory`.
    """

    def __init__(self, home: Path, *, rate: int, seed: int, memory: str = "") -> None:
        self._program = Program(home)
        self._rate = rate
        self._random = random.Random(seed)
        plan = home / "plan.toml"
        plan.write_text(plan_text())
        self._options = (
            "--rules",
            SHIPPED,
            "--plan",
            str(plan),
            "--lateness",
            "30s",
            *(("--memory", memory) if memory else ()),
        )
        self._told: list[dict[str, Any]] = []
        self._url = "syslog+tcp://127.0.0.1:0"

    def run(self, rounds: int) -> Report:
        """Kill so many times, then end in order and count.

        Returns:
            The report; `wrong` is empty if everything adds up.
        """
        report = Report(rounds)
        try:
            watch = self._watch()
            host, port = self._url.rpartition("/")[2].split(":")
            sender = Sender((host, int(port)), self._rate)
            kinds = [_KINDS[number % len(_KINDS)] for number in range(rounds)]
            self._random.shuffle(kinds)
            for what in kinds:
                watch = self._round(watch, what, report)
            time.sleep(0.5)
            sender.stop()
            self._settle(watch)
            if watch.end() != 0:
                report.wrong.append(f"the last watch said {watch.said[-3:]}")
            self._told += watch.told
            report.sent, report.breaks = sender.sent, sender.breaks
            self._check(watch, report)
        finally:
            self._program.close()
        return report

    def _watch(self) -> Watch:
        watch = Watch(self._program, *self._options, self._url)
        self._url = watch.url()
        return watch

    def _round(self, watch: Watch, what: str, report: Report) -> Watch:
        time.sleep(self._random.uniform(0.1, 1.5))
        report.killed[what] = report.killed.get(what, 0) + 1
        if what != "watch":
            for pid in _children(watch.process.pid):
                os.kill(pid, signal.SIGKILL)
        if what == "receiver":
            return watch
        watch.end(signal.SIGKILL)
        self._told += watch.told
        return self._watch()

    def _settle(self, watch: Watch) -> None:
        """Wait until a receiver that was killed last is there again, and has stored what was sent."""
        counters = self._folder / "counters.json"
        last = None
        for _ in range(50):
            state = read_json(counters)
            if _children(watch.process.pid) and state == last:
                return
            last = state
            time.sleep(0.2)

    @property
    def _folder(self) -> Path:
        return spool_folder(self._url, self._program.home / "state" / "logscope" / "spool")

    def _check(self, watch: Watch, report: Report) -> None:
        final = watch.counters
        state = read_json(self._folder / "counters.json")
        if not (state["received"] == state["stored"] + state["dropped"] and final["dropped"] == 0):
            report.wrong.append(f"counters do not add up: {state}, {final}")
        lines = [
            line
            for number in segment_numbers(self._folder)
            for line in segment_path(self._folder, number).read_bytes().splitlines()
        ]
        # The connection's end cuts a message; it is kept, and flagged.
        numbers = [int(line.rpartition(b"=")[2]) for line in lines if line.split(b" ", 3)[2] == b"-"]
        report.stored = len(numbers)
        if any(second <= first for first, second in itertools.pairwise(numbers)):
            report.wrong.append("numbers are out of order, or come twice")
        gaps = sum(second != first + 1 for first, second in itertools.pairwise(numbers))
        if gaps > report.breaks:
            report.wrong.append(f"{gaps} gaps, but only {report.breaks} broken connections")
        if final["records"] != len(lines):
            report.wrong.append(f"{len(lines)} lines on the spool, but {final['records']} records")
        self._compare(report)

    def _compare(self, report: Report) -> None:
        held: set[str] = set()
        seen: set[str] = set()
        for one in self._told:
            name = one["detection"]
            report.twice += one["state"] == "matched" and name in held
            seen.add(name)
            (held.discard if one["state"] == "retracted" else held.add)(name)
        report.told = len(held)
        scan = self._program("scan", "--json", *self._options[:4], f"spool://{self._url}")
        found = {one["detection"] for one in scan.objects}
        if found != held:
            report.wrong.append(f"told but not found: {len(held - found)}; found but not told: {len(found - held)}")
        if not found:
            report.wrong.append("nothing was found at all")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def main(arguments: list[str]) -> int:
    """Run what is asked for.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.soak kills")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--rate", type=int, default=5000, help="messages a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--memory", metavar="SIZE", default="", help="the watch's; so little that it lets go of records"
    )
    options = parser.parse_args(arguments)
    bad = 0
    for first in range(0, options.rounds, _BATCH):
        with tempfile.TemporaryDirectory() as home:
            soak = Soak(Path(home), rate=options.rate, seed=options.seed + first, memory=options.memory)
            report = soak.run(min(_BATCH, options.rounds - first))
        print(f"rounds {first + 1} to {first + report.rounds}: {report}", flush=True)
        for text in report.wrong:
            print(f"  wrong: {text}")
        bad += len(report.wrong)
    return int(bad > 0)
