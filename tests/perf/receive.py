"""Messages received: without loss beside a busy interface, beside a stopped one, and through rules.

Sender, receiver and interface share the machine's processors, as they do not in life.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from logscope.sources.spool import read_json, segment_numbers, segment_path, spool_folder
from tests.perf.measuring import ROOT, Figure, Settings, as_bytes, as_seconds
from tests.perf.senders import children, compiled, cpu_seconds, daemon, free_port, messages, resident
from tests.perf.terminal import HEIGHT, WIDTH

UDP_RATE, TCP_RATE, STEADY_RATE = 200_000, 250_000, 50_000
_SECONDS = 10
_STOPPED = 3.0
_PATIENCE = 120.0


def receive(settings: Settings) -> Iterator[Figure]:
    """All of it, or a word why not."""
    flood = compiled(settings.data)
    if flood is None or sys.platform != "linux":
        yield Figure("messages received", "logscope", "not measured", note="needs Linux and a C compiler for the sender")
        return
    for transport, rate in (("udp", UDP_RATE),):
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


def _flood(flood: Path, transport: str, port: int, path: Path, count: int, rate: int) -> subprocess.Popen[str]:
    argv = [str(flood), transport, str(port), str(path), str(count), str(rate)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


@contextmanager
def homes(data: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with state of its own, and the environment that says so."""
    with tempfile.TemporaryDirectory(dir=data) as folder:
        own = {f"XDG_{name}_HOME": f"{folder}/{name.lower()}" for name in ("CONFIG", "STATE", "CACHE", "DATA")}
        yield Path(folder), {**os.environ, **own, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}


class Investigator:
    """The investigator in a pty, of which a thread reads what it writes and presses keys.

    Args:
        arguments: Sources and options.
        environment: For it.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        """Start it."""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-m", "logscope", "--no-cache", *arguments], environment)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.seen = bytearray()
        self.written = 0
        self.answers: list[float] = []
        self._lock = threading.Lock()
        self._pressing = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        pressed, due = 0.0, 0.0
        keys = b"jjjkjjkkbjj "
        turn = 0
        while not self._ended.is_set():
            now = time.perf_counter()
            if self._pressing.is_set() and not pressed and now >= due:
                os.write(self._fd, keys[turn % len(keys) :][:1])
                turn, pressed = turn + 1, now
            if select.select([self._fd], [], [], 0.005)[0]:
                try:
                    chunk = os.read(self._fd, 1 << 16)
                except OSError:
                    return
                self.written += len(chunk)
                with self._lock:
                    self.seen += chunk
                    del self.seen[: -(1 << 20)]
                if pressed:
                    # The first bytes after a key are its answer, or a frame that was due: at most that late.
                    self.answers.append(time.perf_counter() - pressed)
                    pressed, due = 0.0, time.perf_counter() + 0.05

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def busy(self, on: bool) -> None:
        """Press keys all the time, or no more."""
        (self._pressing.set if on else self._pressing.clear)()

    def has(self, text: bytes) -> bool:
        """Whether it wrote that lately."""
        with self._lock:
            return text in self.seen

    def until(self, text: bytes) -> None:
        """Wait for it."""
        deadline = time.monotonic() + _PATIENCE
        while not self.has(text):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} was not written")
            time.sleep(0.005)

    def close(self) -> None:
        """Kill it; its receiver ends with it."""
        self._ended.set()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._thread.join(5)
        os.close(self._fd)


def _listening(environment: dict[str, str], url: str) -> Path:
    """The spool's folder, once the receiver writes there."""
    folder = spool_folder(url, Path(environment["XDG_STATE_HOME"]) / "logscope" / "spool")
    deadline = time.monotonic() + _PATIENCE
    while not (folder / "counters.json").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens on {url}")
        time.sleep(0.02)
    return folder


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
            folder = _listening(environment, url)
            app.until(b"received")
            time.sleep(1.0)
            receiver = children(app.pid)[0]
            before = cpu_seconds(receiver)
            app.busy(True)
            sender = _flood(flood, transport, port, path, count, rate)
            if beside == "stopped":
                time.sleep(3.0)
                os.kill(app.pid, signal.SIGSTOP)
                time.sleep(_STOPPED)
                os.kill(app.pid, signal.SIGCONT)
            told = sender.communicate(timeout=_PATIENCE)[0].split()
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
    while_ = f"its keys pressed, answers {_spread(app.answers)}" if beside == "busy" else f"stopped for {_STOPPED:.0f} s"
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
        sender = _flood(flood, "udp" if transport == "udp" else "lf", port, path, count, rate)
        told = sender.communicate(timeout=_PATIENCE)[0].split()
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


# --- through rules


def rules_text(count: int) -> str:
    """So many sequences with an absence, as YAML."""
    return "---\n".join(
        f"""title: Never settled {number}
name: never_settled_{number}
level: high
sequence:
  by: [transaction]
  maxspan: {number + 5}m
  steps:
    - name: begin
      where: '"charge begin"'
    - name: psp
      where: '"psp response"'
      maxpause: {number + 2}s
    - name: settled
      where: '"charge settled"'
      absent: true
      within: {number + 1}s
emit:
  fields: {{order_id: begin.order_id}}
"""
        for number in range(count)
    )


def plan_text() -> str:
    """The keys of the messages."""
    from logscope.correlation.keys import Key
    from logscope.correlation.plan import Plan, to_toml

    keys = (
        Key("order_id", fields=("order_id",), parents=()),
        Key("psp_ref", fields=("psp_ref",), parents=("order_id",)),
        Key("request_id", fields=("request_id",), parents=("order_id",)),
    )
    return to_toml(Plan(keys, grain="order_id"))


def watched(settings: Settings) -> Iterator[Figure]:
    """50,000 a second for a minute through parse, link and 20 rules in a `watch`."""
    flood = compiled(settings.data)
    if flood is None or sys.platform != "linux":
        yield Figure("watch with 20 rules", "logscope", "not measured", note="needs Linux and a C compiler")
        return
    for rate, seconds in ((10_000, 60), (STEADY_RATE, 60)):
        yield _watched(flood, messages(settings.data, rate * seconds, rate), rate, seconds)


_RECORDS = re.compile(r"^logscope_records ([0-9.e+]+)$", re.M)


def _watched(flood: Path, path: Path, rate: int, seconds: int) -> Figure:
    import urllib.request

    count = rate * seconds
    with homes(path.parent) as (home, environment):
        (home / "rules.yml").write_text(rules_text(20))
        (home / "plan.toml").write_text(plan_text())
        port, metrics = free_port(), free_port()
        argv = [sys.executable, "-m", "logscope", "watch", "--json", "--rules", str(home / "rules.yml")]
        argv += ["--plan", str(home / "plan.toml"), "--metrics", f":{metrics}", f"syslog+tcp://:{port}"]
        with (home / "told").open("wb") as told, (home / "said").open("wb") as said:
            watch = subprocess.Popen(argv, stdout=told, stderr=said, env=environment, cwd=ROOT)
        try:
            _listening(environment, f"syslog+tcp://127.0.0.1:{port}")
            while b"listening" not in (home / "said").read_bytes():
                time.sleep(0.05)
            sender = _flood(flood, "lf", port, path, count, rate)
            began = time.monotonic()
            behind, peaks, held = [], [], 0
            while True:
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=5) as page:
                    found = _RECORDS.search(page.read().decode())
                    held = int(float(found[1])) if found else held
                now = time.monotonic() - began
                if sender.poll() is None:
                    behind.append(max(0.0, now - held / rate))
                peaks.append(resident(watch.pid))
                if held >= count or now > seconds + _PATIENCE:
                    break
                time.sleep(0.5)
            done = time.monotonic() - began
            sent = sender.communicate()[0].split()
            used = cpu_seconds(watch.pid)
            watch.send_signal(signal.SIGTERM)
            watch.wait(_PATIENCE)
        finally:
            if watch.poll() is None:
                watch.kill()
        final = json.loads((home / "said").read_bytes().splitlines()[-1])
        lag = sorted(behind)
    right = final["received"] == final["stored"] == final["records"] == count
    return Figure(
        f"{rate // 1000},000 messages a second by TCP for {seconds} s through parse, link and 20 rules",
        "logscope watch",
        f"all decided {done - float(sent[1]):.1f} s after the last was sent ({float(sent[1]):.1f} s)",
        f"{used:.1f} s",
        as_bytes(max(peaks)),
        "keeps up",
        f"{final['detections']} detections; behind {as_seconds(lag[len(lag) // 2])} (worst {as_seconds(lag[-1])}); "
        f"{'nothing lost' if right else 'DOES NOT ADD UP: ' + json.dumps(final)}",
    )


if __name__ == "__main__":
    from tests.perf.__main__ import _cells, _row

    own = Settings(Path(sys.argv[1]), 0, 0, ())
    for name in sys.argv[2:]:
        for figure in globals()[name](own):
            print(_row(_cells(figure)), flush=True)
