"""Awkward syslog on real sockets: 78 inputs on which daemons disagree, and framing vectors.

Data: `syslog-oracle/result.json` (the inputs, with what rsyslog 8.2302 and syslog-ng 3.38 made of them)
and `syslog/go-syslog-framing.jsonl` (influxdata/go-syslog) of the shared data. What should become of an
input stands in `syslog.toml`: what the daemons agree on, and the better one's way where they do not.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from logscope.sources.receiver import Receiver, start_receiver
from logscope.sources.urls import parse_address
from logscope.syslog.frames import FrameCutter
from tests.conformance.sigma import SHARED

ORACLE = SHARED / "data" / "syslog-oracle" / "result.json"
FRAMING = SHARED / "data" / "syslog" / "go-syslog-framing.jsonl"
_MARK = b"<13>1 - conformance mark - - - %d"
_FIELDS = ("host", "service", "pid", "message", "time", "severity", "facility")


@dataclass
class Case:
    """One input and the records that became of it."""

    transport: str
    name: str
    pieces: list[bytes]
    records: list[dict[str, Any]] = field(default_factory=list)


def oracle() -> list[Case]:
    """The 78 inputs."""
    cases = []
    for transport, name, typed, _told in json.loads(ORACLE.read_text(encoding="utf-8")):
        whole = ast.literal_eval(typed)
        pieces = whole.split(b"|") if "pieces" in name or "one byte" in name or "cut between" in name else [whole]
        cases.append(Case(transport.lower(), name, pieces))
    return cases


def receive(cases: list[Case], state: Path) -> list[str]:
    """Send every case to a listener of ours, and read the records back.

    Args:
        cases: `records` is filled in.
        state: Becomes XDG_STATE_HOME.

    Returns:
        What the listeners noticed.
    """
    os.environ["XDG_STATE_HOME"] = str(state)
    said: list[str] = []
    for transport in ("udp", "tcp"):
        mine = [case for case in cases if case.transport == transport]
        receiver = start_receiver(f"syslog+{transport}://127.0.0.1:0")
        for number, case in enumerate(mine):
            _send(receiver, case.pieces)
            _send(receiver, [_MARK % number])
        time.sleep(0.3)
        said += receiver.notices()
        receiver.stop()
        said += receiver.notices()
        _deal_out(mine, _records(f"spool://{receiver.url}"))
    return said


def _send(receiver: Receiver, pieces: list[bytes]) -> None:
    address = parse_address(receiver.url)
    place = (address.host, address.port)
    if address.transport == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"".join(pieces), place)
        time.sleep(0.002)
        return
    with socket.create_connection(place) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            with contextlib.suppress(OSError):
                connection.sendall(piece)
            if len(pieces) > 1:
                time.sleep(0.005)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            while connection.recv(4096):
                pass


def _records(source: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "logscope", "query", "", source, "--json", "--tz", "UTC"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda record: record["line"])


def _deal_out(cases: list[Case], records: list[dict[str, Any]]) -> None:
    waiting = iter(cases)
    case = next(waiting, None)
    for record in records:
        assert case is not None
        if record.get("service") == "mark":
            case = next(waiting, None)
        else:
            case.records.append(record)


def shape_of(record: dict[str, Any]) -> dict[str, str]:
    """What of a record is compared; a long text as its first character and its length."""
    found = {name: str(value) for name in _FIELDS if (value := record.get(name, record["fields"].get(name)))}
    if record.get("time_from") == "received":
        found["time"] = "received"
    elif found["time"][5:].startswith(("10-11", "10-01", "03-01")) and not found["time"].startswith("2003"):
        found["time"] = "this year" + found["time"][4:]
    return {name: f"{text[0]}*{len(text)}" if len(text) > 200 else text for name, text in found.items()}


def wrong(case: Case, expected: list[dict[str, str]] | None) -> str | None:
    """What of a case's records is not as it should be; None: nothing."""
    found = [shape_of(record) for record in case.records]
    return None if found == (expected or []) else f"{found} is not {expected}"


def framing_wrong(vector: dict[str, Any]) -> str | None:
    """Why a framing vector's frames are not those of the reference's best effort; None: they are."""
    cutter = FrameCutter()
    frames = cutter.feed(vector["input"].encode()) + cutter.close()
    ours = sum(message.startswith(b"<") for message, _ in frames)
    theirs = sum("message" in each for each in vector["frames_best_effort"])
    return None if ours == theirs else f"{vector['id']}: {ours} frames, not {theirs}: {frames}"


def expected() -> dict[str, list[dict[str, str]]]:
    """What should become of each input."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def run() -> int:
    """Send everything, and print a table; exit code 1 if anything is not as it should be."""
    if not ORACLE.is_file():
        print(f"no data at {ORACLE}")
        return 1
    decided = expected()
    cases = oracle()
    with tempfile.TemporaryDirectory() as state:
        said = receive(cases, Path(state))
    failures = [(case, why) for case in cases if (why := wrong(case, decided.get(case.name)))]
    print(f"inputs: {len(cases) - len(failures)} of {len(cases)} become what they should")
    print(f"named by a notice: {sum('plain' in text for text in said)} of 3")
    for case, why in failures:
        print(f"  wrong: {case.transport} {case.name}: {why}")
    vectors = [json.loads(line) for line in FRAMING.read_text(encoding="utf-8").splitlines()]
    uneven = [why for vector in vectors if (why := framing_wrong(vector))]
    print(f"framing: {len(vectors) - len(uneven)} of {len(vectors)} streams have the reference's frames")
    for why in uneven:
        print(f"  wrong: {why}")
    return int(bool(failures or uneven))
