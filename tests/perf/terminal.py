"""The investigator in a real terminal (a pty of 120x40): the first screen, and bytes per scrolled row."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator

from tests.perf.commands import files_of, warm
from tests.perf.inputs import shop
from tests.perf.measuring import ROOT, Figure, Settings, as_bytes, as_seconds, median, run

WIDTH, HEIGHT = 120, 40
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-Z\\-_=>])")
_CLOCK = re.compile(rb"\d\d:\d\d:\d\d")
_ROWS = 10
"""Times of day on screen that prove that records are painted, and not the frame alone."""


class Screen:
    """A program in a pty; what it writes is read and counted, never shown.

    Args:
        argv: Program and arguments.
        colours: COLORTERM; empty for 256 colours.
    """

    def __init__(self, argv: list[str], colours: str = "truecolor") -> None:
        """Start it."""
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": colours}
            os.execve(argv[0], argv, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.memory = 0
        self.cpu = 0.0

    def read(
        self, enough: Callable[[bytes], bool], *, quiet: float | None = None, limit: float = 120.0
    ) -> tuple[bytes, float]:
        """Read until it is enough, or nothing has come for `quiet` seconds.

        Returns:
            What was read, and the seconds from the start of the program to the last byte.

        Raises:
            TimeoutError: It was not enough within `limit` seconds.
        """
        seen, last = b"", time.perf_counter()
        deadline = last + limit
        while not enough(seen):
            now = time.perf_counter()
            if now > deadline:
                raise TimeoutError(f"not on screen within {limit:.0f} s: {seen[-300:]!r}")
            if quiet is not None and now - last > quiet:
                break
            if select.select([self.fd], [], [], 0.01)[0]:
                try:
                    seen += os.read(self.fd, 1 << 16)
                except OSError:
                    break
                last = time.perf_counter()
        return seen, last - self.begun

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.fd, keys)

    def close(self) -> None:
        """End it, and note what it used."""
        os.kill(self.pid, signal.SIGKILL)
        _, _, usage = os.wait4(self.pid, 0)
        os.close(self.fd)
        self.memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.cpu = usage.ru_utime + usage.ru_stime


def records_painted(seen: bytes) -> bool:
    """Whether rows of records are on screen."""
    return len(_CLOCK.findall(_ESCAPE.sub(b" ", seen))) >= _ROWS


_EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
import polars

class Empty(App):
    def compose(self):
        yield Static("00:00:00 " * 10)

Empty().run()
"""
"""What no program on these two libraries can be quicker than: ten times of day, and nothing else."""


def _floor(settings: Settings) -> Iterator[Figure]:
    """What the libraries alone take."""
    for what, code in (("import textual.app", "import textual.app"), ("import polars", "import polars")):
        runs = [run([sys.executable, "-c", code]) for _ in range(settings.repeat + 2)]
        seconds, cpu = median(one.seconds for one in runs), median(one.cpu for one in runs)
        yield Figure(f"floor: python -c '{what}'", "python", as_seconds(seconds), f"{cpu:.2f} s")
    whole, cpus = _painted([sys.executable, "-c", _EMPTY_APP], settings.repeat + 2)[:2]
    what = "floor: an empty Textual app that imports Polars, until it is painted"
    yield Figure(what, "python", as_seconds(median(whole)), f"{median(cpus):.2f} s")


def _painted(argv: list[str], times: int) -> tuple[list[float], list[float], int]:
    """Seconds until ten times of day are on screen, processor seconds of each run, peak bytes."""
    whole, cpu, memory = [], [], 0
    for _ in range(times):
        screen = Screen(argv)
        try:
            whole.append(screen.read(records_painted)[1])
        finally:
            screen.close()
        memory = max(memory, screen.memory)
        cpu.append(screen.cpu)
    return whole, cpu, memory


def first_screen(settings: Settings) -> Iterator[Figure]:
    """From the start of the process to the first records painted."""
    files = files_of(settings)
    warm(files)
    argv = [sys.executable, "-m", "logscope", "--no-cache", *files.arguments]
    bare = median(run([sys.executable, "-c", "pass"]).seconds for _ in range(settings.repeat * 2))
    yield from _floor(settings)
    whole, cpu, memory = _painted(argv, settings.repeat + 2)
    what = f"first screen, {as_bytes(files.size)}"
    used = f"{median(cpu):.2f} s"
    yield Figure(f"{what}, from process start", "logscope", as_seconds(median(whole)), used, as_bytes(memory), "0.6 s")
    yield Figure(
        f"{what}, from interpreter start",
        "logscope",
        as_seconds(median(whole) - bare),
        budget="0.3 s",
        note=f"a bare interpreter takes {as_seconds(bare)}",
    )


def scrolling(settings: Settings) -> Iterator[Figure]:
    """Bytes written for a row scrolled, a page, and a move of the cursor, by either driver."""
    # sshd does not take COLORTERM over unless it is told to, so that 256 colours are what one has over SSH.
    for option, colours in (
        ("--driver=diff", "truecolor"),
        ("--driver=diff", ""),
        ("--low-bandwidth", "truecolor"),
        ("--driver=stock", "truecolor"),
    ):
        yield from _scrolling(settings, option, colours)


def _scrolling(settings: Settings, option: str, colours: str) -> Iterator[Figure]:
    files = shop(settings.data, size=min(settings.size, 20 << 20))
    screen = Screen([sys.executable, "-m", "logscope", "--no-cache", option, *files.arguments], colours)
    try:
        screen.read(records_painted)
        screen.read(lambda _: False, quiet=3.0)
        screen.press(b"g")
        screen.read(lambda _: False, quiet=1.0)
        costs: dict[str, list[int]] = {"cursor moved by a row": [], "page down": [], "row scrolled": []}
        for _ in range(10):
            costs["cursor moved by a row"].append(_cost(screen, b"j"))
        for _ in range(5):
            costs["page down"].append(_cost(screen, b" "))
        screen.press(b"j" * HEIGHT)
        screen.read(lambda _: False, quiet=1.0)
        for _ in range(20):
            costs["row scrolled"].append(_cost(screen, b"j"))
    finally:
        screen.close()
    budgets = {"row scrolled": "0.4 KB (15 KB is a whole screen)"}
    for what, values in costs.items():
        yield Figure(
            f"bytes per {what}, {WIDTH}x{HEIGHT}",
            f"logscope {option}{'' if colours else ', 256 colours'}",
            f"{median(values):.0f} B",
            memory=as_bytes(screen.memory),
            budget=budgets.get(what, ""),
        )


def _cost(screen: Screen, key: bytes) -> int:
    screen.press(key)
    return len(screen.read(lambda _: False, quiet=0.4)[0])
