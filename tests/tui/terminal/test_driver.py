"""The driver in a real pty: what it sends shows what Textual's own bytes would, frame by frame."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from logscope.tui.terminal.screen import TerminalScreen
from tests.tui.terminal.emulator import Terminal

ROOT = Path(__file__).resolve().parents[3]
WIDTH, HEIGHT = 100, 30
TEXTS = ("charge begin order_id=ORD-{0}", "世界 wide message {0}", "🚀 launched {0} e\u0301", "GET /api/orders/{0} 200")


class Written(NamedTuple):
    """One write of Textual's, and the app's size then."""

    width: int
    height: int
    text: str


class Program:
    """The investigator in a pty; what it sends goes to a terminal of ours."""

    def __init__(self, notes: Path, log: Path) -> None:
        self.notes = notes
        self.terminal = Terminal(WIDTH, HEIGHT)
        self.sent = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            # pytest-xdist sets them, and they win over the terminal's own size.
            environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
            environment |= {name: str(notes.parent) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
            os.execve(
                sys.executable, [sys.executable, "-m", "tests.tui.terminal.recorded", str(notes), str(log)], environment
            )
        self._size(WIDTH, HEIGHT)

    def _size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width: int, height: int) -> None:
        self.read()
        self.terminal.resize(width, height)
        self._size(width, height)
        os.kill(self.pid, signal.SIGWINCH)

    def read(self, quiet: float = 0.15) -> str:
        """What comes until nothing more does."""
        data = b""
        while select.select([self.fd], [], [], quiet)[0]:
            try:
                read = os.read(self.fd, 1 << 16)
            except OSError:
                break
            if not read:
                break
            data += read
        text = self._decoder.decode(data)
        self.terminal.feed(text)
        self.sent += text
        return text

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not true():
            assert time.monotonic() < deadline, "\n".join(self.terminal.text())
            self.read(0.05)

    def shows_stock(self, since: Callable[[list[Written]], int] = lambda _: 0) -> None:
        """Wait until the terminal shows what all that Textual wrote would, from a place on."""
        width, height = self.terminal.size

        def equal() -> bool:
            written = self.written()
            return self.terminal.cells() == stock(written[since(written) :], width, height).cells()

        self.until(equal)

    def press(self, keys: str) -> str:
        os.write(self.fd, keys.encode())
        return self.read()

    def written(self) -> list[Written]:
        """What Textual gave to the driver so far, and the app's size then."""
        lines = self.notes.read_text(encoding="utf-8").split("\n")[:-1]
        return [Written(*json.loads(line)) for line in lines]

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    log = tmp_path / "shop.log"
    texts = getattr(request, "param", TEXTS)
    lines = (f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z app[{n}]: {texts[n % len(texts)].format(n)}" for n in range(400))
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program = Program(tmp_path / "notes", log)
    try:
        program.until(lambda: any("ORD-0" in line for line in program.terminal.text()))
        program.read()
        yield program
    finally:
        program.close()


def stock(written: list[Written], width: int = WIDTH, height: int = HEIGHT) -> Terminal:
    """A terminal that got all that Textual wrote."""
    terminal = Terminal(width, height)
    for one in written:
        terminal.feed(one.text)
    return terminal


def test_every_frame_of_a_session_equals_stock(program: Program) -> None:
    for keys in ("j", " ", "j" * 40, "k", "e", "b", "G", "/wide\r", "n", "\x1b", "?", "\x1b", "g", "T", "\x1b"):
        program.press(keys)
    program.shows_stock()
    written = program.written()
    ours, plain = Terminal(WIDTH, HEIGHT), Terminal(WIDTH, HEIGHT)
    screen = TerminalScreen(lambda: (WIDTH, HEIGHT), erases=True)
    for one in written:
        screen.take(one.text)
        ours.feed(screen.render())
        plain.feed(one.text)
        assert ours.cells() == plain.cells()
    assert len(program.sent) * 2 < sum(len(one.text) for one in written)


@pytest.mark.parametrize("program", [TEXTS[:1]], indirect=True)
def test_a_scrolled_row_costs_hundreds_of_bytes(program: Program) -> None:
    program.press("j" * HEIGHT)
    program.read(1.0)
    # Together: on a busy machine what one row takes may come with the next one.
    sent = sum(len(program.press("j")) for _ in range(5)) + len(program.read(0.5))
    assert sent < 5 * 700


def whole_frame(written: list[Written]) -> int:
    """The first frame that is all of the screen in its present size."""
    size = written[-1][:2]
    first = max((place for place, one in enumerate(written) if one[:2] != size), default=-1) + 1
    return next((n for n in range(first, len(written)) if written[n].text.count("\n") > size[1] - 3), first)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_resized_it_is_painted_whole(program: Program, size: tuple[int, int]) -> None:
    program.press("j" * 5)
    program.resize(*size)
    program.until(lambda: program.written()[-1][:2] == size)
    program.press("j")
    program.shows_stock(whole_frame)


def test_suspended_and_resumed_it_is_painted_whole(program: Program) -> None:
    program.press("jj")
    os.kill(program.pid, signal.SIGTSTP)
    program.until(lambda: "\x1b[?1049l" in program.sent)
    assert os.waitpid(program.pid, os.WUNTRACED)[0] == program.pid
    # A shell wrote here meanwhile.
    program.terminal.feed("\x1b[?7h\x1b[2J\x1b[1;1Hshell$ ls\n")
    os.kill(program.pid, signal.SIGCONT)
    program.until(lambda: any("ORD-0" in line for line in program.terminal.text()))
    program.press("j")
    program.shows_stock(lambda written: max(n for n, one in enumerate(written) if "\x1b[?1049h" in one.text))


def test_ctrl_l_paints_over_what_others_wrote(program: Program) -> None:
    program.terminal.feed("\x1b[5;5HBroadcast message from root")
    program.press("\x0c")
    program.until(lambda: not any("Broadcast" in line for line in program.terminal.text()))
    program.shows_stock()


def test_a_terminal_that_does_not_read_gets_the_newest_frame(program: Program) -> None:
    os.write(program.fd, b" " * 12 + b"b" * 12)
    time.sleep(1.5)
    os.write(program.fd, b"g")
    program.shows_stock()
