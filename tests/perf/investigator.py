"""The investigator in a pty as the live benchmarks use it: keys pressed all the time, answers timed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from logscope.sources.spool import spool_folder
from tests.perf.measuring import ROOT
from tests.perf.terminal import HEIGHT, WIDTH

PATIENCE = 120.0
_ROW = 2_000
"""Bytes of a row at most."""
_MARK = "┗".encode()
_ROW_ENDS = re.compile(rb"\x1b\[\d+;\d+H|\n")
"""Between one row of a frame and the next."""


def flooding(flood: Path, transport: str, port: int, path: Path, count: int, rate: int) -> subprocess.Popen[str]:
    """The sender, at work."""
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

    def has_marked(self, text: bytes) -> bool:
        """Whether the row that holds a text was written last with the sign of a detection's last step."""
        with self._lock:
            place = self.seen.rfind(text)
            before = bytes(self.seen[max(0, place - _ROW) : place]) if place >= 0 else b""
        return _MARK in _ROW_ENDS.split(before)[-1]

    def until(self, text: bytes) -> None:
        """Wait for it."""
        self._await(lambda: self.has(text), f"{text!r} was not written")

    def until_marked(self, text: bytes) -> None:
        """Wait for the mark of a detection on the row that holds a text."""
        self._await(lambda: self.has_marked(text), f"the row of {text!r} was not marked")

    def _await(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(otherwise)
            time.sleep(0.005)

    def close(self) -> None:
        """Kill it; its receiver ends with it."""
        self._ended.set()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._thread.join(5)
        os.close(self._fd)


def listening(environment: dict[str, str], url: str) -> Path:
    """The spool's folder, once the receiver writes there."""
    folder = spool_folder(url, Path(environment["XDG_STATE_HOME"]) / "logscope" / "spool")
    deadline = time.monotonic() + PATIENCE
    while not (folder / "counters.json").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing listens on {url}")
        time.sleep(0.02)
    return folder
