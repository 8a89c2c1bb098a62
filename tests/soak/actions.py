"""Silent failures come in over TCP and go out through the outbox, while the watch is killed at random instants.

The webhook's receiver is down for the first half. In the end all must be in the re-run list, once, and
all must have reached the webhook, none twice but those that were in flight at a kill.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from logscope.correlation.keys import Key
from logscope.correlation.plan import Plan, to_toml
from tests.cli.process import SHIPPED, Program, Watch
from tests.receivers import Receiver, free_port

_CHUNKS_A_ROUND = 4
_KEYS = (Key("order_id", fields=("order_id",)), Key("psp_ref", fields=("psp_ref",), parents=("order_id",)))


@dataclass(frozen=True)
class World:
    """What is sent, and which orders fail without a word."""

    messages: list[bytes]
    failed: list[str]
    plan: str


@dataclass(frozen=True)
class Outcome:
    """What a soak has shown."""

    kills: int
    expected: int
    listed: int
    delivered: int
    repeated: int
    """Events that reached the webhook twice."""
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    """Sentences on what must not be."""
    seconds: float

    @property
    def good(self) -> bool:
        """Whether all of it holds."""
        return not self.lost and not self.wrong

    def __str__(self) -> str:
        """One line."""
        words = [*self.wrong, *(f"lost {order}" for order in self.lost)]
        return (
            f"{self.kills} kills, {self.expected} silent failures: {self.listed} in the list, {self.delivered} at the "
            f"webhook, {self.repeated} of them twice (in flight at a kill), {self.seconds:.0f} s"
            + (f"; WRONG: {'; '.join(words)}" if words else "; all there, none twice but those in flight")
        )


def payments(orders: int) -> World:
    """Payments a minute apart; the odd ones never settle."""
    messages = []
    for number in range(orders):
        day, minute = divmod(number, 1440)
        head = f"<14>1 2026-11-{1 + day:02}T{minute // 60:02}:{minute % 60:02}"
        messages += [
            f"{head}:01Z h payments 1 - - charge begin order_id=ORD-{number} amount={number}",
            f"{head}:02Z h payments 1 - - psp response order_id=ORD-{number} psp_ref=PSP-A{number}",
        ]
        if number % 2 == 0:
            messages.append(f"{head}:09Z h payments 1 - - charge settled psp_ref=PSP-A{number}")
    # Time goes on, so that the last absence is decided too.
    messages.append(f"<14>1 2026-11-{2 + orders // 1440:02}T23:59:59Z h payments 1 - - closed for the day")
    failed = [f"ORD-{number}" for number in range(orders) if number % 2]
    return World([text.encode() for text in messages], failed, to_toml(Plan(_KEYS, grain="order_id")))


def shop_messages(folder: Path) -> World:
    """The sample shop's hour as messages."""
    from sample_logs import generate

    sample = generate.make(20261101)
    logs = folder / "shop"
    logs.mkdir()
    for name, text in sample.logs.items():
        (logs / name).write_text(text)
    (folder / "prepare").mkdir()
    program = Program(folder / "prepare")
    names = sorted(str(path) for path in logs.glob("*.log"))
    saved = program("keys", *names, "--grain", "order_id", "--save", folder / "shop.toml")
    assert saved.code == 0, saved.talk
    messages: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            stream, _ = server.accept()
            with stream, stream.makefile("rb") as lines:
                messages.extend(line.rstrip(b"\n") for line in lines)

        thread = threading.Thread(target=take)
        thread.start()
        url = f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}"
        sent = program("replay", *names, "--to", url, "--speed", "max", "--framing", "lf")
        assert sent.code == 0, sent.talk
        thread.join()
    truth = json.loads(sample.truth)
    return World(messages, [one["order_id"] for one in truth["failed"]], (folder / "shop.toml").read_text())


class _Sender(threading.Thread):
    """Sends messages in chunks; a chunk counts once the receiver has closed its side after ours."""

    def __init__(self, address: tuple[str, int], messages: list[bytes], chunks: int) -> None:
        super().__init__(daemon=True)
        self._address = address
        size = -(-len(messages) // chunks)
        self.chunks = [messages[start : start + size] for start in range(0, len(messages), size)]
        self.sent = 0
        self.allowed = 0

    def run(self) -> None:
        while self.sent < len(self.chunks):
            if self.sent >= self.allowed or not self._send(self.chunks[self.sent]):
                time.sleep(0.02)
                continue
            self.sent += 1

    def _send(self, chunk: list[bytes]) -> bool:
        try:
            with socket.create_connection(self._address, timeout=5) as stream:
                stream.sendall(b"".join(line + b"\n" for line in chunk))
                stream.shutdown(socket.SHUT_WR)
                return stream.recv(1) == b""
        except OSError:
            return False


def soak(world: World, folder: Path, *, rounds: int, seed: int) -> Outcome:
    """Kill a watch so many times, then let it end in peace.

    Args:
        world: What is sent.
        folder: Scratch.
        rounds: Kills.
        seed: Of the instants.
    """
    began = time.monotonic()
    dice = random.Random(seed)
    home = folder / "home"
    program = Program(home)
    program.config.mkdir(parents=True)
    hook, port = free_port(), free_port()
    (program.config / "logscope.toml").write_text(
        f'[actions.rerun-list]\ntype = "file"\npath = "rerun.jsonl"\n'
        f'[actions.hook]\ntype = "webhook"\nurl = "http://127.0.0.1:{hook}/"\nretry = "50ms"\nretry_max = "200ms"\n'
    )
    plan = folder / "plan.toml"
    plan.write_text(world.plan)
    options = (
        "--rules", SHIPPED, "--plan", plan, "--action", "rerun-list", "--action", "hook",
        f"syslog+tcp://127.0.0.1:{port}",
    )  # fmt: skip
    sender = _Sender(("127.0.0.1", port), world.messages, (rounds + 1) * _CHUNKS_A_ROUND)
    sender.start()
    receiver: Receiver | None = None
    kills: list[float] = []
    for number in range(rounds):
        if receiver is None and number >= rounds / 2:
            receiver = Receiver(port=hook)
        started = time.monotonic()
        watch = Watch(program, *options)
        watch.url()
        sender.allowed = (number + 1) * _CHUNKS_A_ROUND
        # On a slow machine everything takes longer, and so does what a kill should fall into.
        time.sleep(dice.uniform(0.0, max(1.2, time.monotonic() - started)))
        watch.end(signal.SIGKILL)
        kills.append(time.monotonic())
    receiver = receiver or Receiver(port=hook)
    sender.allowed = len(sender.chunks)
    watch = Watch(program, *options)
    watch.url()
    sender.join(120)
    watch.until(lambda: _waiting(program) is not None)
    code = watch.end()
    wrong = [] if code == 0 else [f"the last watch ended with {code}: {watch.said[-3:]}"]
    if program("actions", "retry").code:
        wrong.append("something is left in the outbox")
    receiver.close()
    program.close()
    return _judged(world, program.config / "rerun.jsonl", receiver, kills, wrong, began)


def _waiting(program: Program) -> int | None:
    found = program("actions", "status", "--json").objects
    return sum(entry["waiting"] for entry in found) if found else None


def _judged(
    world: World, path: Path, receiver: Receiver, kills: list[float], wrong: list[str], began: float
) -> Outcome:
    wanted = Counter(world.failed)
    listed = [json.loads(line)["output"]["order_id"] for line in path.read_text().splitlines()]
    if Counter(listed) != wanted:
        extra = sorted((Counter(listed) - wanted).elements())
        missing = sorted((wanted - Counter(listed)).elements())
        wrong.append(f"the list has {extra[:5]} too much and lacks {missing[:5]}")
    orders = [event["output"]["order_id"] for event in receiver.events]
    counted = Counter(orders)
    lost = tuple(sorted(set(wanted) - set(counted)))
    wrong += [f"{order} was no failure" for order in set(counted) - set(wanted)]
    twice = [order for order, count in counted.items() if count > 1]
    for order in twice:
        first = orders.index(order)
        after = receiver.times[first]
        until = receiver.times[first + 1] if first + 1 < len(receiver.times) else after
        if not any(after <= kill <= until for kill in kills):
            wrong.append(f"{order} came twice, and was not in flight at a kill")
    repeated = sum(count - 1 for count in counted.values())
    return Outcome(
        len(kills),
        len(world.failed),
        len(listed),
        len(set(orders)),
        repeated,
        lost,
        tuple(wrong),
        time.monotonic() - began,
    )
