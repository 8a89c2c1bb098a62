"""Input as it should not be: a clear word on standard error, no traceback, and nothing loaded is lost."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from tests.cli.conftest import Command
from tests.cli.process import Program, Watch

GOOD = b"2026-11-01T10:00:00Z INFO good one\n2026-11-01T10:00:01Z INFO good two\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.log"
    path.write_bytes(GOOD)
    return path


def one_line(talk: str) -> str:
    (line,) = talk.splitlines()
    return line


CONTENTS = {
    "empty": (b"", []),
    "one line end": (b"\n", [""]),
    "no last line end": (b"2026-11-01T10:00:00Z INFO a", ["2026-11-01T10:00:00Z INFO a"]),
    "CRLF": (GOOD.replace(b"\n", b"\r\n"), GOOD.decode().splitlines()),
    "bad UTF-8": (b"2026-11-01T10:00:00Z INFO a\xff\xfeb \xc3\n", ["2026-11-01T10:00:00Z INFO a\ufffd\ufffdb \ufffd"]),
    "UTF-8 with BOM": (b"\xef\xbb\xbf" + GOOD, GOOD.decode().splitlines()),
    "UTF-16 little": (b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), GOOD.decode().splitlines()),
    "UTF-16 big": (b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), GOOD.decode().splitlines()),
    "a NUL in text": (
        GOOD + b"2026-11-01T10:00:02Z INFO a\0b\n",
        [*GOOD.decode().splitlines(), "2026-11-01T10:00:02Z INFO a\0b"],
    ),
    "Latin-1": ("2026-11-01T10:00:00Z INFO größer\n".encode("latin-1"), ["2026-11-01T10:00:00Z INFO gr\ufffd\ufffder"]),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_contents(command: Command, tmp_path: Path, good: Path, name: str) -> None:
    data, texts = CONTENTS[name]
    path = tmp_path / "odd.log"
    path.write_bytes(data)
    result = command("query", "source:*odd.log", path, good, "--json")
    assert result.code == 0, result.talk
    assert [record["raw"] for record in result.objects] == texts


@pytest.mark.parametrize("name", ["empty", "one line end", "bad UTF-8"])
def test_every_command_takes_them(command: Command, tmp_path: Path, name: str) -> None:
    path = tmp_path / "odd.log"
    path.write_bytes(CONTENTS[name][0])
    for other in (("query", ""), ("stats",), ("transactions",), ("keys",), ("scan", "--rule", 'seq by host: ["a"]')):
        assert command(*other, path, "--json").code == 0


def test_a_binary_file_in_a_folder_is_skipped_and_said(command: Command, tmp_path: Path, good: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    good.rename(folder / "good.log")
    (folder / "program").write_bytes(b"\x7fELF" + bytes(range(256)) * 64)
    result = command("query", "", folder, "--json")
    assert result.code == 0
    assert [record["message"] for record in result.objects] == ["good one", "good two"]
    assert "program" in one_line(result.talk)
    named = command("query", "", folder / "program", "--json")
    assert named.code in (0, 1)


@pytest.mark.parametrize(("others", "code"), [(["absent.log"], 1), ([], 0)])
def test_the_investigator_ends_as_other_commands_do(
    logscope: Program, tmp_path: Path, good: Path, others: list[str], code: int
) -> None:
    ended, _ = logscope.on_terminal(good, *(tmp_path / name for name in others), keys=(b"good one", b"q"))
    assert ended == code


def test_a_truncated_gz_gives_what_is_readable(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "cut.log.gz"
    lines = b"".join(b"2026-11-01T10:00:00Z INFO line %d %d\n" % (number, number * 7919) for number in range(5000))
    path.write_bytes(gzip.compress(lines)[:20_000])
    result = command("query", "", path, "--json")
    assert len(result.objects) > 1000
    assert result.objects[0]["message"] == "line 0 0"
    assert "cut.log.gz" in one_line(result.talk)
    path.write_bytes(b"this is not gzip at all\n")
    wrong = command("query", "", path, "--json")
    assert wrong.code in (0, 1)
    if wrong.code:
        assert "cut.log.gz" in one_line(wrong.talk)


def test_a_hole_of_gigabytes_costs_neither_memory_nor_a_line(command: Command, tmp_path: Path) -> None:
    with (tmp_path / "a.log").open("wb") as file:
        file.write(b"2026-11-01T10:00:00Z INFO first\n")
        file.seek(5 << 30)
        file.write(b"2026-11-01T10:00:01Z INFO second\n")
    found = command("query", "", "a.log", "--json")
    assert (found.code, len(found.out) < 2000) == (0, True)
    assert [(one["line"], one["message"]) for one in found.objects] == [(1, "first"), (2, "second")]
    assert "has holes" in found.talk
    # As it is read without an index, too.
    assert [one["line"] for one in command("query", "second", "a.log", "--json").objects] == [2]


def test_an_80_mb_line(logscope: Program, tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_bytes(GOOD + b"2026-11-01T10:00:02Z INFO " + b"x" * (80 << 20) + b"\n2026-11-01T10:00:03Z INFO after\n")
    listed = logscope("query", "after", path, "--json")
    assert listed.code == 0, listed.talk
    assert [record["message"] for record in listed.objects][-1] == "after"
    counted = logscope("query", "good", path, "--json")
    assert [record["line"] for record in counted.objects] == [1, 2]


def test_sources_that_cannot_be_read_do_not_stop_the_others(command: Command, tmp_path: Path, good: Path) -> None:
    dangling = tmp_path / "dangling.log"
    dangling.symlink_to(tmp_path / "gone")
    loop = tmp_path / "loop.log"
    loop.symlink_to(loop)
    for bad in (tmp_path / "missing.log", dangling, loop, good / "inside", tmp_path / "no*.log"):
        result = command("query", "", bad, good, "--json")
        assert result.code == 1, bad
        assert [record["message"] for record in result.objects] == ["good one", "good two"]
        assert bad.name in one_line(result.talk)
        alone = command("scan", bad, "--json", "--rule", 'seq by host: ["a"]')
        assert (alone.code, alone.out) == (1, b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(command: Command, tmp_path: Path, good: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0)
    result = command("query", "", shut, good, "--json")
    assert result.code == 1
    assert "shut" in one_line(result.talk)
    assert len(result.objects) == 2


def test_a_slow_fifo(logscope: Program, tmp_path: Path) -> None:
    fifo = tmp_path / "slow"
    os.mkfifo(fifo)

    def write() -> None:
        with fifo.open("wb", buffering=0) as pipe:
            for piece in (GOOD[:20], GOOD[20:50], GOOD[50:]):
                pipe.write(piece)
                time.sleep(0.2)

    writer = threading.Thread(target=write)
    writer.start()
    result = logscope("query", "", fifo, "--json")
    writer.join()
    assert result.code == 0, result.talk
    assert [(record["line"], record["message"]) for record in result.objects] == [(1, "good one"), (2, "good two")]


@pytest.mark.parametrize("how", ["shrinks", "vanishes", "is replaced"])
def test_a_file_that_goes_while_it_is_open(tmp_path: Path, good: Path, how: str) -> None:
    path = tmp_path / "going.log"
    path.write_bytes(b"".join(b"2026-11-01T10:00:%02dZ INFO going %d\n" % (number, number) for number in range(50)))
    session = Session(Options(sources=(str(path), str(good))))
    session.open()
    session.read_all()
    if how == "shrinks":
        os.truncate(path, 30)
    else:
        path.unlink()
        if how == "is replaced":
            path.write_bytes(b"other\n" * 500)
    everything = session.view("", cancel=Cancel())
    assert len(everything.rows) == 52
    texts = [line.raw for line in session.lines(everything, 0, 52)]
    assert sum("good" in text for text in texts) == 2
    assert sum("going" in text for text in texts) == (50 if how != "shrinks" else 0)
    assert len(session.view("good", cancel=Cancel()).rows) == 2
    session.prepare_transactions(cancel=Cancel())
    assert session.store.view.records == 52
    session.close()


def test_a_followed_file_that_is_truncated_goes_on(logscope: Program, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"".join(b"2026-11-01T10:00:%02dZ INFO old %d\n" % (number, number) for number in range(6)))
    process = logscope.start("query", "", "--json", "-f", path)
    assert process.stdout is not None
    # The last one might still grow: it is a record two seconds later.
    assert [json.loads(process.stdout.readline())["line"] for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    path.write_bytes(b"2026-11-01T10:00:09Z INFO anew\n2026-11-01T10:00:10Z INFO last\n")
    messages = [json.loads(process.stdout.readline())["message"] for _ in range(2)]
    assert messages == ["anew", "last"]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_garbage_on_the_socket_is_kept_as_it_came(logscope: Program, command: Command) -> None:
    watch = Watch(logscope, "--rule", 'seq by host: ["none"]', "syslog+tcp://127.0.0.1:0")
    url = watch.url()
    port = int(url.rsplit(":", 1)[1])
    for data in (b"\xff\xfe\x00\x01\n", b"999999999999 <14>x\n", b"<999>no\n", b"\n\n", b"5 <14>a<14>b", b"<14>half"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(10)
            connection.recv(1)
    assert watch.end() == 0
    assert watch.counters["received"] == watch.counters["stored"] + watch.counters["dropped"]
    records = command("query", "", "--json", f"spool://{url}").objects
    assert len(records) == watch.counters["stored"]
    assert [record["line"] for record in records] == list(range(1, len(records) + 1))
    assert {"a", "b", "half"} <= {record.get("message") for record in records}


# --- what users write


RULE_FAULTS = {
    "not YAML": ("title: [unclosed\n", 2),
    "no mapping": ("- a\n- b\n", 1),
    "nothing": ("title: x\nname: x\n", 1),
    "a filter": (
        "title: t\nname: t\nlevel: low\nsequence:\n  by: [id]\n  maxspan: 1s\n  steps:\n    - name: a\n      where: 'x('\n",
        9,
    ),
    "a duration": (
        "title: t\nname: t\nlevel: low\nsequence:\n  by: [id]\n  maxspan: soon\n  steps:\n    - {name: a, where: x}\n",
        6,
    ),
    "only absences": (
        "title: t\nname: t\nlevel: low\nsequence:\n  by: [id]\n  steps:\n    - {name: a, where: x, absent: true}\n",
        None,
    ),
    "a tag": ("title: !!python/object/apply:os.system ['echo boo']\n", 1),
}


@pytest.mark.parametrize("name", RULE_FAULTS)
def test_a_rule_that_does_not_compile(command: Command, tmp_path: Path, good: Path, name: str) -> None:
    text, line = RULE_FAULTS[name]
    path = tmp_path / "bad.yml"
    path.write_text(text)
    result = command("scan", good, "--rules", path, "--rule", 'seq by source: ["good one"]', "--json")
    assert result.code == 2
    assert len(result.objects) == 1, "the others run"
    said = result.talk
    assert all("bad.yml" in line for line in said.splitlines())
    if line is not None:
        assert f"bad.yml:{line}" in said, said
    assert "boo" not in result.text


PLAN_FAULTS = {
    "no TOML": "version = \n",
    "unknown class": 'version = 1\n[[keys]]\nname = "a"\nclass = "mighty"\n',
    "a pattern": 'version = 1\n[[keys]]\nname = "a"\npattern = "(("\n',
    "a version": "version = 99\n",
    "a type": "version = 1\nkeys = 7\n",
}


@pytest.mark.parametrize("name", PLAN_FAULTS)
def test_a_plan_that_cannot_be_used(command: Command, tmp_path: Path, good: Path, name: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN_FAULTS[name])
    result = command("transactions", good, "--plan", path, "--json")
    assert (result.code, result.out) == (2, b"")
    assert "plan.toml" in one_line(result.talk)


FORMAT_FAULTS = {
    "no TOML": "name = \n",
    "no kind": 'name = "mine"\n',
    "a regex": 'name = "mine"\ntitle = "t"\nkind = "regex"\nregex = "(?P<time>"\n',
    "a lookahead": 'name = "mine"\ntitle = "t"\nkind = "regex"\nregex = "(?=x)(?P<message>.*)"\n',
}


@pytest.mark.parametrize("name", FORMAT_FAULTS)
def test_a_format_that_cannot_be_used(command: Command, tmp_path: Path, good: Path, name: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FORMAT_FAULTS[name])
    for arguments in (("query", "", good), ("formats", "list")):
        result = command(*arguments, "--formats", path)
        assert result.code == 2, result.talk
        assert "mine.toml" in one_line(result.talk)


@pytest.mark.parametrize("text", ["[keys\n", "unknown = 1\n", "tz = 7\n"])
def test_a_config_that_cannot_be_used(command: Command, tmp_path: Path, good: Path, text: str) -> None:
    path = tmp_path / "logscope.toml"
    path.write_text(text)
    result = command("query", "", good, "--config", path)
    assert result.code == 2, result.talk
    assert "logscope.toml" in one_line(result.talk)
    assert command("query", "", good, "--config", tmp_path / "no.toml").code == 2
