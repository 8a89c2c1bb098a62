"""The same messages by file, pipe, UDP, TCP, TLS and Unix socket are the same records (case P14)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logscope.sources.receiver import start_receiver
from logscope.sources.replay import replay
from tests.certificates import Authority
from tests.cli.conftest import Command

MESSAGES = [
    b"<34>1 2026-11-01T10:00:00.003Z h su 7 ID47 [x@1 k=\"a\\\"b\"] \xef\xbb\xbflogin of \xc3\xa9va failed",
    b"<13>1 2026-11-01T10:00:01Z h app - - - order_id=ORD-1 took=250ms",
    b'<14>1 2026-11-01T10:00:02Z h pay 9 - - {"level":"error","order_id":"ORD-1","n":3}',
    b"<165>Nov  1 10:00:03 h app[7]: charge begin order_id=ORD-2",
    b"<13>Nov  1 10:00:04 h app: \xff\xfe bytes that are no text",
    b"<13>Nov  1 10:00:05 h app: " + "界世 🚀 e\u0301 👩\u200d👩\u200d👧".encode(),
    b"<13>Nov  1 10:00:06 h app: " + b"x" * 20_000,
]  # fmt: skip


def _alike(record: dict[str, Any]) -> dict[str, Any]:
    """What is compared: all but where it came from."""
    left_out = ("source", "format")
    fields = {name: value for name, value in record["fields"].items() if name != "peer"}
    return {name: value for name, value in record.items() if name not in left_out} | {"fields": fields}


@pytest.fixture(scope="module")
def by_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ways") / "a.log"
    path.write_bytes(b"".join(message + b"\n" for message in MESSAGES))
    return path


def _records(command: Command, source: str | Path) -> list[dict[str, Any]]:
    found = command("query", "", source, "--json", "--tz", "UTC")
    assert found.code == 0, found.talk
    return [_alike(record) for record in found.objects]


@pytest.mark.parametrize("how", ["udp", "tcp", "lf", "tls", "unix"])
def test_over_sockets_as_in_a_file(command: Command, by_file: Path, tmp_path: Path, how: str) -> None:
    authority = Authority(tmp_path)
    asked = {
        "udp": "syslog+udp://127.0.0.1:0",
        "tls": f"syslog+tls://127.0.0.1:0?{authority.issue('127.0.0.1')}",
        "unix": f"syslog+unix://{tmp_path}/log.sock",
    }.get(how, "syslog+tcp://127.0.0.1:0")
    receiver = start_receiver(asked)
    trusted = f"?ca={authority.file}" if how == "tls" else ""
    replay([(None, message) for message in MESSAGES], receiver.url + trusted, speed=None,
           framing="lf" if how == "lf" else "octet")  # fmt: skip
    assert receiver.stop()["stored"] == len(MESSAGES)
    told = _records(command, f"spool://{receiver.url}")
    assert told == _records(command, by_file)
    assert [record["line"] for record in told] == list(range(1, len(MESSAGES) + 1))


def test_by_a_pipe_as_in_a_file(command: Command, by_file: Path) -> None:
    with by_file.open("rb") as text:
        piped = subprocess.run(
            [sys.executable, "-m", "logscope", "query", "", "--json", "--tz", "UTC", "-"],
            stdin=text, capture_output=True, check=True, env=command.program.environment,
        )  # fmt: skip
    records = [_alike(json.loads(line)) for line in piped.stdout.splitlines()]
    assert records == _records(command, by_file)
