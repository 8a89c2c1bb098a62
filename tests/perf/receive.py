"""Messages received: without loss beside a busy interface, beside a stopped one, and through rules.

Sender, receiver and interface share the machine's processors, as they do not in life.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from logscope.sources.spool import read_json, segment_numbers, segment_path
from tests.perf.investigator import PATIENCE, Investigator, flooding, homes, listening
from tests.perf.measuring import Figure, Settings, as_bytes
from tests.perf.senders import children, compiled, cpu_seconds, daemon, free_port, messages, resident

UDP_RATE, TCP_RATE, STEADY_RATE = 200_000, 250_000, 50_000
_SECONDS = 10
_STOPPED = 3.0


def receive(settings: Settings) -> Iterator[Figure]:
    """All of it, or a word why not."""
    flood = compiled(settings.data)
    if flood is None or sys.platform != "linux":
        yield Figure(
            "messages received", "logscope", "not measured", note="needs Linux and a C compiler for the sender"
        )
        return
    for transport, rate in (("udp", UDP_RATE), ("lf", TCP_RATE), ("octet", TCP_RATE)):
        path = messages(settings.data, rate * _SECONDS, rate)
        for beside in ("busy", "stopped"):
            yield _investigated(flood, path, transport, rate, beside)
    for name in ("rsyslogd", "syslog-ng"):
        for transport, rate in (("udp", UDP_RATE), ("tcp", TCP_RATE)):
            what = f"{rate // 1000},000 messages a second by {transport.upper()} for {_SECONDS} s"
            if shutil.which(name) is None:
                yield Figure(what, name, "not measured", note="it is not installed")
            else:
                yield _by_daemon(flood, messages(settings.data, rate * _SECONDS, rate), name, transport, rate, what)


def _settled(folder: Path, count: int) -> dict[str, Any]:
    """The receiver's counters once all is there, or nothing comes any more."""
    last: dict[str, Any] = {}
    quiet = 0
    while quiet < 20:
        state = read_json(folder / "counters.json")
        if int(state.get("received", 0)) >= count:
            return state
        quiet = quiet + 1 if state == last else 0
        last = state
        time.sleep(0.1)
    return last


def _numbers(folder: Path) -> pl.Series:
    """The numbers of the messages on a spool, as they stand there."""
    parts = []
    for number in segment_numbers(folder):
        lines = pl.Series(segment_path(folder, number).read_bytes().split(b"\n")[:-1], dtype=pl.Binary)
        parts.append(lines.cast(pl.String).str.extract(r"seq=(\d+)$").cast(pl.UInt32))
    return pl.concat(parts)


def _investigated(flood: Path, path: Path, transport: str, rate: int, beside: str) -> Figure:
    """A flood into the investigator, whose keys are pressed or which is stopped for 3 s."""
    count = rate * _SECONDS
    scheme = "udp" if transport == "udp" else "tcp"
    with homes(path.parent) as (_, environment):
        port = free_port()
        url = f"syslog+{scheme}://127.0.0.1:{port}"
        app = Investigator([url], environment)
        try:
            folder = listening(environment, url)
            app.until(b"received")
            time.sleep(1.0)
            receiver = children(app.pid)[0]
            before = cpu_seconds(receiver)
            app.busy(True)
            sender = flooding(flood, transport, port, path, count, rate)
            if beside == "stopped":
                time.sleep(3.0)
                os.kill(app.pid, signal.SIGSTOP)
                time.sleep(_STOPPED)
                os.kill(app.pid, signal.SIGCONT)
            told = sender.communicate(timeout=PATIENCE)[0].split()
            state = _settled(folder, count)
            used = cpu_seconds(receiver) - before
            memory = resident(app.pid)
            app.busy(False)
        finally:
            app.close()
        numbers = _numbers(folder)
    seconds = float(told[1])
    lost = count - state["stored"]
    right = state["received"] == state["stored"] + state["dropped"] == count and len(numbers) == state["stored"]
    if scheme == "tcp":
        right = right and numbers.equals(pl.int_range(count, dtype=pl.UInt32, eager=True), check_names=False)
    by = {"udp": "UDP", "lf": "TCP, lines", "octet": "TCP, counted"}[transport]
    while_ = (
        f"its keys pressed, answers {_spread(app.answers)}" if beside == "busy" else f"stopped for {_STOPPED:.0f} s"
    )
    return Figure(
        f"{rate // 1000},000 messages a second by {by} for {_SECONDS} s, the interface {'busy' if beside == 'busy' else 'stopped'}",
        "logscope",
        f"{count / seconds / 1000:.0f},000 a second sent, {lost / count:.2%} lost",
        f"{used:.1f} s, receiver",
        as_bytes(memory),
        "0 lost",
        f"{while_}; {'adds up' if right else 'DOES NOT ADD UP'}{_drops(state)}",
    )


def _drops(state: dict[str, Any]) -> str:
    return f", {state['kernel_dropped']} counted as dropped by the kernel" if state.get("kernel_dropped") else ""


def _spread(times: list[float]) -> str:
    if not times:
        return "none"
    ordered = sorted(times)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"{middle * 1000:.0f} ms (p99 {late * 1000:.0f}, {len(times)} keys)"


def _by_daemon(flood: Path, path: Path, name: str, transport: str, rate: int, what: str) -> Figure:
    count = rate * _SECONDS
    with daemon(name, transport, path.parent) as (process, port, out):
        sender = flooding(flood, "udp" if transport == "udp" else "lf", port, path, count, rate)
        told = sender.communicate(timeout=PATIENCE)[0].split()
        quiet, size = 0, -1
        while quiet < 10:
            now = out.stat().st_size if out.exists() else 0
            quiet, size = (quiet + 1 if now == size else 0), now
            time.sleep(0.2)
        used = cpu_seconds(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        with out.open("rb") as file:
            stored = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return Figure(
        what, name, f"{count / float(told[1]) / 1000:.0f},000 a second sent, {(count - stored) / count:.2%} lost",
        f"{used:.1f} s", note="nothing beside it; writes a file",
    )  # fmt: skip
