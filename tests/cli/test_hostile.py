"""Hostile text in records, names and rules drives no terminal: neither piped nor under a pseudo terminal."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.process import ESCAPES, Program, Result

PAYLOADS = {
    "title": "\x1b]0;pwned\x07",
    "clipboard": "\x1b]52;c;cHduZWQ=\x1b\\",
    "clear": "\x1b[2J\x1b[H",
    "C1": "\x9b31mred\x9d52;c;cHduZWQ=\x9c",
    "bidi": "abc\u202edef\u2066ghi\u2069",
    "bell": "ring\x07",
    "backspaces": "safe\x08\x08\x08\x08evil",
    "NUL": "a\x00b",
    "delete": "a\x7fb",
    "separator": "a\u2028b\u0085c",
    "markup": "[/red][bold]x[/bold][@click=app.quit]y[/]",
    "return": "seen\rhidden",
    "colour": "\x1b[31mred",
    "invisible": "ho\u200bst\U000e0041\u00ad\u2060name",
}
FORBIDDEN = [
    *(payload.encode() for name, payload in PAYLOADS.items() if name not in ("markup",)),
    b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x1b[2J", b"\x07", b"\x08", b"\x00", b"\x7f",
    *(chr(code).encode() for code in range(0x80, 0xA0)),
    *(mark.encode() for mark in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\u00ad\U000e0041\u200e\u200f\u061c\u2028\u2029"),
]  # fmt: skip
EVERYTHING = "".join(PAYLOADS.values())
ON_TERMINALS = (b"\x1b[?25l", b"\x1b[?25h", b"\x1b[K")


def harmless(data: bytes, *, terminal: bool = False) -> None:
    """No control of a terminal but line ends and, on one, our own colours."""
    if terminal:
        data = ESCAPES.sub(b"", data.replace(b"\r\n", b"\n"))
    assert b"\x1b" not in data, data
    assert b"\r" not in data, data
    for sequence in FORBIDDEN:
        assert sequence not in data, (sequence, data)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", data)


def is_harmless(result: Result) -> Result:
    harmless(result.out)
    harmless(result.err)
    return result


def entry(message: str, **fields: str) -> str:
    # Raw, not escaped: the file itself holds the bytes, as a log would that was written carelessly.
    members = {"time": "2026-11-01T10:00:00Z", "level": "info", "message": message, **fields}
    return json.dumps(members, ensure_ascii=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Hostile records in hostile files: JSON with escapes, text with raw bytes."""
    inside = tmp_path / "logs"
    inside.mkdir()
    lines = [
        entry(f"{name} {payload}", service=payload, host=payload, order_id="ORD-1", **{f"f{payload}": payload})
        for name, payload in PAYLOADS.items()
    ]
    (inside / "json\x1b]0;x\x07\u202e.log").write_text("".join(f"{line}\n" for line in lines))
    plain = [
        f"2026-11-01T10:00:0{number % 10}Z INFO {name} order_id=ORD-{number} {payload}"
        for number, (name, payload) in enumerate(PAYLOADS.items())
    ]
    (inside / "plain [red]\x9b\r.log").write_bytes("".join(f"{line}\n" for line in plain).encode())
    return inside


RULE = (
    "title: {text}\nname: {text}\nlevel: low\nsequence:\n  by: [order_id]\n  maxspan: 5s\n  steps:\n"
    "    - name: one\n      where: order_id:ORD-1\n"
    "emit:\n  message: {message}\n  fields: {{order_id: one.order_id, text: one.message}}\n"
)


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "rule\x1b[2J.yml"
    message = json.dumps("found {one.message} {one.service} " + PAYLOADS["clear"])
    path.write_text(RULE.format(text=json.dumps("title " + PAYLOADS["title"] + PAYLOADS["bidi"]), message=message))
    return path


@pytest.fixture
def broken_rule(tmp_path: Path) -> Path:
    path = tmp_path / "broken\x1b[2J.yml"
    path.write_text("title: x\n" + json.dumps(EVERYTHING) + ": 3\nsequence: " + json.dumps(EVERYTHING) + "\n")
    return path


def commands(folder: Path, rule: Path, broken: Path) -> Iterator[tuple[str | Path, ...]]:
    """Every command that shows something to people."""
    yield ("query", "", folder)
    yield ("query", "", folder, "--transactions", "--grain", "order_id")
    yield ("query", EVERYTHING, folder)
    yield ("query", f"nofield{EVERYTHING}:1", folder)
    yield ("sql", "select * from records", folder)
    yield ("sql", f"select '{PAYLOADS['clear']}{PAYLOADS['C1']}' as \"x{PAYLOADS['title']}\" from records", folder)
    yield ("sql", f"select {EVERYTHING} from records", folder)
    yield ("keys", folder)
    yield ("transactions", folder, "--key", r"order_id=order_id\W+(\S+)", "--grain", "order_id")
    yield ("transactions", folder, "--key", r"text=(?:INFO|message\W+) ?(\w+ \S+)", "--grain", "none")
    yield ("stats", folder)
    yield ("scan", folder, "--rules", rule, "--at-end", "decide")
    yield ("scan", folder, "--rules", broken)
    yield ("scan", folder, folder / f"missing{PAYLOADS['title']}")
    yield ("rules", "check", rule, broken)
    yield ("rules", "test", rule)
    yield ("rules", "list", rule)
    yield ("rules", "enable", EVERYTHING.replace("\0", ""))
    yield ("formats", "test", next(folder.iterdir()))
    yield ("spool", "drop", EVERYTHING.replace("\0", ""))
    yield ("replay", folder, "--to", f"syslog+tcp://{PAYLOADS['clear']}:1")


def clean_arguments(arguments: tuple[str | Path, ...]) -> list[str]:
    return [str(argument).replace("\0", "") for argument in arguments]


def test_every_command_piped(command: Command, folder: Path, rule: Path, broken_rule: Path) -> None:
    shown = 0
    for arguments in commands(folder, rule, broken_rule):
        result = is_harmless(command(*clean_arguments(arguments)))
        assert result.out or result.err or EVERYTHING in str(arguments[1]), arguments
        shown += b"pwned" in result.out
    assert shown >= 3, "the text itself is shown, made visible"


@pytest.mark.parametrize("place", [0, 4, 8, 11, 12, 14])
def test_commands_on_a_terminal(logscope: Program, folder: Path, rule: Path, broken_rule: Path, place: int) -> None:
    arguments = list(commands(folder, rule, broken_rule))[place]
    code, written = logscope.on_terminal(*clean_arguments(arguments))
    assert code in (0, 1, 2)
    assert written
    harmless(written, terminal=True)


def test_files_for_people_are_clean(command: Command, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    assert command("query", "", folder, "--output", out).code == 0
    data = out.read_bytes()
    assert b"\x1b" not in data
    assert b"[bold]x[/bold]" in data
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", data)


def test_cells_are_neither_formulas_nor_commands(command: Command, tmp_path: Path) -> None:
    log, rule, out = tmp_path / "h.log", tmp_path / "h.yml", tmp_path / "out.csv"
    cells = ["=1+1", "\t@x", "\uff1d1+1", "-5", "a\x1b[2Jb\u202e", "one\r\n\ttwo"]
    log.write_text(
        "".join(
            json.dumps({"time": f"2026-11-01T10:00:0{n}Z", "message": "m", "v": cell}) + "\n"
            for n, cell in enumerate(cells)
        )
    )
    rule.write_text("title: h\nrecord: {where: 'v:*'}\nemit: {fields: {v: v}}\n")
    assert command("scan", log, "--rules", rule, "--output", out).code == 0
    with out.open(newline="") as file:
        found = [row["v"] for row in csv.DictReader(file)]
    assert found == ["'=1+1", "'\t@x", "'\uff1d1+1", "-5", "a␛[2Jb<U+202E>", "one\n\ttwo"]


def test_json_is_escaped_and_comes_back_as_it_was(command: Command, folder: Path, rule: Path) -> None:
    result = is_harmless(command("query", "", folder, "--json"))
    messages = {record["message"] for record in result.objects}
    for name, payload in PAYLOADS.items():
        # Colours are no part of a message; the raw text and the fields keep them.
        assert re.sub(r"\x1b\[[0-9;:]*[mK]", "", f"{name} {payload}") in messages
    fields = {name: value for record in result.objects for name, value in record["fields"].items()}
    for payload in PAYLOADS.values():
        assert fields[f"f{payload}"] == payload
    sources = {record["source"] for record in result.objects}
    assert sources == {str(path) for path in folder.iterdir()}
    scan = is_harmless(command("scan", folder, "--json", "--rules", rule, "--at-end", "decide"))
    assert scan.objects, scan.talk
    assert PAYLOADS["title"] in scan.objects[0]["title"]
    assert {one["output"]["text"].split()[0] for one in scan.objects} <= set(PAYLOADS)
    for arguments in (("transactions",), ("keys",), ("stats",), ("sql", "select * from records")):
        for value in is_harmless(command(*arguments, folder, "--json")).objects:
            assert isinstance(value, dict)


def test_a_file_name_that_is_no_text(command: Command, tmp_path: Path) -> None:
    path = Path(str(tmp_path) + "/bad\udcff\udc9b.log")
    path.write_bytes(b"2026-11-01T10:00:00Z INFO hello\n")
    people = is_harmless(command("query", "", path))
    assert (people.code, b"hello" in people.out) == (0, True)
    result = is_harmless(command("query", "", path, "--json"))
    assert result.code == 0
    assert result.objects[0]["message"] == "hello"
    assert is_harmless(command("stats", path)).code == 0
    missing = is_harmless(command("query", "", str(path) + "x"))
    assert missing.code == 1
