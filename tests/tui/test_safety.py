"""No text from a log acts upon the terminal or the app, on any screen: proven on the bytes of a pty."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

import logscope.tui
from tests.tui.conftest import Opened
from tests.tui.fake import FakeInvestigation

HOSTILE = [
    "\x1b]52;c;aGFja2Vk\x07own",
    "\x1b]0;title-own\x1b\\",
    "\x1b[2Jwiped\x1b[31;7m",
    "\x9b31mc1\x9d52;c;eA==\x9c",
    "\x00\x07\x08\x0e\x7fctl",
    "\u202egnp.exe\u2066\u2069\u200f",
    "a [/red] b [/] {'x': [/]}",
    "[@click=app.bell]x[/] [error] [Wed Oct 11] [red]",
    "line\u2028sep\u0085nel\rcr\nlf\ttab",
    "\x1bPq#0~\x1b\\dcs\x1b_Gi=1;x\x1b\\",
]
FORBIDDEN = (
    b"\x1b]52", b"\x1b]0;title-own", b"\x1b[2Jwiped", b"\x1b[31;7m", b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x9c", b"\x9b31",
    b"\x0e", b"\x7f", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xe2\x80\x8f", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1bPq#", b"\x1b_G",
)  # fmt: skip
KEYS = [
    "j", "\r", "\t", "j", "*", "\x1b", "\x7f", "l", "l", "0", "\x1b", "e", "*", "1", "~", "\x1b", "/c1\r", "&[/red]\r",
    "t", "j", "\t", "l", "i", "\x1b", "\x1b", "\x1b", "T", ">", "&has(x)\r", "\x7f", "\r", "\x1b", "+", "\x1b", "D", "j", "\r",
    "\x1b", "\x1b", "\x1b", ":keys\r", "\x1b", ":sources\r", "\x1b", ":goto \x1b", "?", "\x1b", "\x10", "\x1b", "v", "x",
]  # fmt: skip


def drive(keys: list[str], size: tuple[int, int] = (80, 24)) -> bytes:
    """All bytes that the investigator sends while these keys are pressed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.tui.pty_app", json.dumps(HOSTILE)],
        stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=Path(__file__).parents[2], close_fds=True,
    )  # fmt: skip
    os.close(slave)
    out = bytearray()

    def read(seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([master], [], [], left)[0]:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    return
                if not data:
                    return
                out.extend(data)

    try:
        until = time.monotonic() + 30
        while b"payments" not in out and time.monotonic() < until:
            read(0.2)
        read(0.5)
        for key in keys:
            os.write(master, key.encode())
            # A lone Escape is told from a sequence by the time after it.
            read(0.16 if key.endswith("\x1b") else 0.06)
        os.write(master, b"\x03")
        read(1.5)
        child.wait(timeout=20)
    finally:
        child.kill()
        child.wait()
        os.close(master)
    assert child.returncode == 0, out[-9000:].decode(errors="replace")
    return bytes(out)


@pytest.fixture(scope="module")
def painted() -> bytes:
    return drive(KEYS)


def test_no_payload_reaches_the_terminal(painted: bytes) -> None:
    for payload in FORBIDDEN:
        place = painted.find(payload)
        assert place < 0, (payload, painted[max(0, place - 80) : place + 80])


def test_hostile_text_was_shown_as_signs(painted: bytes) -> None:
    text = painted.decode(errors="replace")
    assert "␛]52;c;aGFja2Vk␇" in text
    assert "[/red]" in text
    assert "<U+202E>" in text


async def test_every_screen_survives_markup_and_shows_it(opened: Opened) -> None:
    fake = FakeInvestigation(12, extra=HOSTILE)
    fake.messages = tuple(HOSTILE[6:8])
    async with opened(fake, size=(160, 50)) as driver:
        fake.publish()
        await driver.settle()
        seen = ""
        for keys in (("e",), ("enter",), ("tab", "j"), ("*",), ("escape",), ("T",), ("enter",), ("escape",), ("escape",),
                     ("D",), ("enter",), ("i",), ("escape",), ("escape",), ("escape",)):  # fmt: skip
            await driver.press(*keys)
            seen += driver.text()
        assert "[/red]" in seen
        assert not any(sign in seen for sign in "\x1b\x9b\x07\u202e\u2028")


def _is_safe(node: ast.expr) -> bool:
    """Whether an argument is no `str` made from data: a constant, or something that makes Content."""
    if isinstance(node, ast.JoinedStr):
        return False
    if isinstance(node, ast.BinOp):
        return _is_safe(node.left) and _is_safe(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id not in ("str", "repr")
    return True


def test_no_str_from_data_is_given_to_a_widget() -> None:
    """`Static(f"…")`, `.update(f"…")`, `notify(f"…")` and the like would read markup from a log."""
    widgets = {"Static", "Label", "Button", "Option", "update", "notify", "add_row", "add_option", "write", "Checkbox"}
    found = []
    for path in Path(logscope.tui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in widgets and node.args and not _is_safe(node.args[0]):
                    found.append(f"{path.name}:{node.lineno}")
                if name == "notify":
                    marked = [one for one in node.keywords if one.arg == "markup"]
                    if not marked or getattr(marked[0].value, "value", True) is not False:
                        found.append(f"{path.name}:{node.lineno} notify without markup=False")
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    title = isinstance(target, ast.Attribute) and target.attr in (
                        "border_title",
                        "tooltip",
                        "sub_title",
                    )
                    if title and not _is_safe(node.value):
                        found.append(f"{path.name}:{node.lineno} title")
    assert not found


def test_segments_are_made_from_cleaned_text() -> None:
    """Raw record attributes never stand in a Segment."""
    raw = {"message", "raw", "source", "service", "host", "value", "name", "title", "rule", "step"}
    found = []
    for path in Path(logscope.tui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Segment" and node.args:
                parts = [node.args[0]]
                if isinstance(node.args[0], ast.JoinedStr):
                    parts = [one.value for one in node.args[0].values if isinstance(one, ast.FormattedValue)]
                # A DetailRow's text is cleaned where the row is made.
                if any(isinstance(part, ast.Attribute) and part.attr in raw for part in parts):
                    found.append(f"{path.name}:{node.lineno}")
    assert not found
