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

import logscope
import logscope.tui
from logscope.tui.commands import COMMANDS
from logscope.tui.keymap import all_bindings
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
    b"\x1b]52;c;aGFja2Vk", b"\x1b]0;title-own", b"\x1b[2Jwiped", b"\x1b[31;7m", b"\xc2\x9b", b"\xc2\x9d", b"\xc2\x9c",
    b"\x9b31", b"\x0e", b"\x7f", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xe2\x80\x8f", b"\xe2\x80\xa8", b"\xc2\x85",
    b"\x1bPq#", b"\x1b_G",
)  # fmt: skip
ESC = "\x1b"
KEYS = [
    # records, fields, pivots, trail, search, filters, brush
    "j", "e", "\r", "\t", "j", "j", "*", ESC, ESC, "l", "0", "v", "m", "a", "*", "1", "~ > Trail", ESC, "\x7f", "/c1\r",
    "&[/red]\r", "\x7f", "&level>=info\r", "&(\r", ESC, "B", "\r", "\x7f", "\x7f", ": > goto TIME",
    "\x1b[200~goto \x1b]52;c;aGFja2Vk\x07\x1b[201~", "\r", "k",
    # transactions and one of them
    "T > p50", ">", "&", "\x1b[B", "\r", "\x7f", "+", "-", "\r > held by", "j", "w > Why it stands here", ESC,
    "c", "s > save as", ESC, "= > beside", "x", "y", "p > Beside which", ESC, "\r > held by", "q", "q",
    "\r", ESC, "\t", "l", "*",
    # ways, the map, clocks, keys and their changes
    "T > ways", "\t", "j", "\r", "\x7f", "*", "M > services", "& > start>=2026", "errors>0\r > others' p95", ">", "e", "q", "\r > p50", "q",
    "\x7f", "q", "C > clock", "q", "K > largest", "c > links within", "3", "a", "1", "B", "j", "x", ESC, "q",
    # pins, the case, figures over time
    "P", "T > p50", "P", "I > pinned", "#", "x\r", ESC, "L > over time", "m", "m", ESC, ESC,
    # detections, help, palette, keys, sources
    "D > detection 1 of", "j", "\r > held by", "x", "y", ESC, ESC, "x", "t", ESC, "? > close", ESC, "\x10", ESC,
    ": > goto", "keys\r > largest", "q", ": > goto", "sources\r > format", "j", ESC,
]  # fmt: skip
"""What is pressed, and the text to wait for after it."""


def hostile_logs(folder: Path) -> list[str]:
    """Files whose names, messages, fields and key values are hostile; some orders fail silently."""
    folder.mkdir()
    structured = folder / "pay\x1b]0;title-own\x1b\\ments[red].log"
    lines = []
    for number in range(len(HOSTILE) * 3):
        bad = HOSTILE[number % len(HOSTILE)]
        held = {"order_id": f"ORD-{4700 + number}", "service": f"pay{bad[:12]}", "session_id": f"s-{number % 7}{bad}"}
        steps = ["charge begin", "psp response code=202"] + ([] if number % 4 == 0 else ["charge settled"])
        for place, step in enumerate(steps):
            at = f"2026-11-01T10:{number:02d}:0{place}.000Z"
            extra = {"amount": bad, "psp_ref": f"PSP-{number}{bad}", f"name{bad[:6]}": bad}
            lines.append(json.dumps({"time": at, "level": "error", "msg": f"{step} {bad}", **held, **extra}))
    lines.append(json.dumps({"time": "2026-11-01T11:30:00.000Z", "level": "info", "msg": "end"}))
    structured.write_text("\n".join(lines) + "\n", encoding="utf-8")
    plain = folder / "[@click=app.bell]plain\u202e.log"
    text = "".join(
        f"2026-11-01T10:{number:02d}:01.500Z ERROR order_id=ORD-{4700 + number} {bad.replace(chr(10), ' ')}\n  at {bad}\n"
        for number, bad in enumerate(HOSTILE)
    )
    plain.write_bytes(text.encode() + b"2026-11-01T10:00:03.000Z WARN raw c1 \x9b31m and \xff\xfe bytes\n")
    return [str(structured), str(plain), str(folder / "missing\x1b[31;7m.log")]


def drive(keys: list[str], folder: Path, size: tuple[int, int] = (80, 24)) -> bytes:
    """All bytes that the investigator sends over hostile files while these keys are pressed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    private = {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    rule = Path(logscope.__file__).parent / "rules" / "builtin" / "silent_payment_failure.yml"
    child = subprocess.Popen(
        [sys.executable, "-m", "logscope", "--rules", str(rule), *hostile_logs(folder / "logs")],
        stdin=slave, stdout=slave, stderr=slave, cwd=Path(__file__).parents[2], close_fds=True,
        env={**os.environ, **private, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )  # fmt: skip
    os.close(slave)
    out = bytearray()

    def read(quiet: float, most: float) -> None:
        """Until nothing came for a while."""
        until = time.monotonic() + most
        while time.monotonic() < until and select.select([master], [], [], quiet)[0]:
            try:
                out.extend(os.read(master, 65536))
            except OSError:
                return

    try:
        until = time.monotonic() + 40
        while "✖ 8".encode() not in out and time.monotonic() < until:
            read(0.2, 1)
        for step in keys:
            key, _, wanted = step.partition(" > ")
            start = len(out)
            # A lone Escape is told from a sequence by the time after it; a bar opens before it takes text.
            for part in [key] if len(key) == 1 or key.startswith(ESC) else [key[0], key[1:]]:
                os.write(master, part.encode())
                read(0.25 if part.endswith(ESC) else 0.05, 1.5)
            until = time.monotonic() + 15
            while wanted.encode() not in out[start:] and time.monotonic() < until:
                read(0.1, 1)
        os.write(master, b"\x03")
        read(1.0, 5)
        child.wait(timeout=20)
    finally:
        child.kill()
        child.wait()
        os.close(master)
    # 1: a source could not be read.
    assert b"textual run --dev" not in out, out[-9000:].decode(errors="replace")
    assert child.returncode in (0, 1), out[-9000:].decode(errors="replace")
    return bytes(out)


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return drive(KEYS, tmp_path_factory.mktemp("hostile"))


@pytest.mark.timeout(300)  # a hundred keys, each waited for: minutes on a crowded machine
def test_no_payload_reaches_the_terminal(painted: bytes) -> None:
    for payload in FORBIDDEN:
        place = painted.find(payload)
        assert place < 0, (payload, painted[max(0, place - 80) : place + 80])


@pytest.mark.timeout(300)  # a hundred keys, each waited for: minutes on a crowded machine
def test_hostile_text_was_shown_as_signs(painted: bytes) -> None:
    text = painted.decode(errors="replace")
    assert "␛]52;c;aGFja2Vk␇" in text
    assert "[/red]" in text
    assert "<U+202E>" in text
    for step in KEYS:
        assert step.partition(" > ")[2] in text, step


def test_a_rule_is_handed_to_the_editor_outside_and_the_terminal_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`$EDITOR` gets the user's own copy of a shipped rule, and the terminal; after it the investigator goes on."""
    script = tmp_path / "editor"
    script.write_text(
        '#!/bin/sh\ntest -t 0 && test -t 1 && echo "$1 $2" >> "$0.called"\n'
        "sed -i 's/^title: .*/title: Changed outside/' \"$2\"\n"
    )
    script.chmod(0o700)
    monkeypatch.setenv("EDITOR", f"{script} --wait")
    monkeypatch.delenv("VISUAL", raising=False)
    painted = drive(["R > silent_pay", "E > ?1049h", "? > close", ESC], tmp_path)
    flag, path = (tmp_path / "editor.called").read_text().split()
    assert flag == "--wait", "arguments of the command are kept"
    assert Path(path).is_relative_to(tmp_path / "logscope" / "rules")
    assert "title: Changed outside" in Path(path).read_text()
    behind = painted.decode(errors="replace").rpartition("\x1b[?1049h")[2]
    assert "silent_pay" in behind, "all is painted again behind the editor"


def test_every_key_of_the_keymap_is_in_the_long_walk() -> None:
    """`python -m tests.soak keys` takes minutes; here it is shown that it leaves nothing out."""
    from tests.soak.keys import LEFT_OUT, REACHED, walks

    walked = {name for name, _ in walks()}
    assert walked >= {f":{command.name}" for command in COMMANDS if command.name != "quit"}
    assert {name for name in walked if not name.startswith(":")} | LEFT_OUT.keys() == all_bindings().keys()
    assert {name.partition(".")[0] for name in all_bindings()} == REACHED.keys(), "a screen that nobody reaches"


async def test_every_screen_survives_markup_and_shows_it(opened: Opened) -> None:
    fake = FakeInvestigation(12, extra=HOSTILE)
    fake.messages = tuple(HOSTILE[6:8])
    async with opened(fake, size=(160, 50)) as driver:
        fake.publish()
        await driver.settle()
        seen = ""
        for keys in (("e",), ("enter",), ("tab", "j"), ("*",), ("escape",), ("T",), ("enter",), ("escape",), ("escape",),
                     ("D",), ("enter",), ("w",), ("escape",), ("escape",), ("escape",), ("T",), ("tab",), ("escape",),
                     ("equals_sign",), ("x",), ("p",), ("escape",), ("escape",), ("escape",), ("M",), ("escape",), ("C",),
                     ("enter",), ("escape",), ("K",), ("x",), ("A",), ("escape",), ("B",), ("asterisk",),
                     ("full_stop",), ("S",), ("tab",), ("q",), ("R",), ("j",), ("enter",), ("tab",), ("r",), ("escape",), ("q",),
                     ("q",), ("D",), ("exclamation_mark",), ("escape",), ("tab",),
                     ("P",), ("I",), ("enter",), ("q",), ("q",), ("L",), ("m",), ("m",), ("m",)):  # fmt: skip
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
                # A Condition's notify takes no text.
                if name == "notify" and node.args:
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
