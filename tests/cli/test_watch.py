"""`watch` and `replay` over real sockets: told is what a scan finds, through kills and restarts."""

from __future__ import annotations

import functools
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logscope.correlation.keys import Key
from logscope.correlation.plan import Plan, to_toml
from tests.certificates import Authority
from tests.cli.conftest import Command
from tests.cli.process import SHIPPED, Program, Watch, stories
from tests.conftest import Shop

WAYS = [("tcp", "octet"), ("tcp", "lf"), ("udp", "octet"), ("tls", "octet"), ("unix", "octet")]
LISTEN = "syslog+tcp://127.0.0.1:0"


def outputs(detections: list[dict[str, object]]) -> list[tuple[object, ...]]:
    found = []
    for one in detections:
        output = one["output"]
        assert isinstance(output, dict)
        found.append((output["order_id"], float(output["amount"]), output["psp_ref"]))
    return sorted(found)


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Commands within this process, for what is prepared once."""
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        yield Command(Program(folder), folder, patch)


@pytest.fixture(scope="session")
def shop_plan(shop: Shop, here: Command) -> Path:
    """Keys and grain of the shop, so that all runs go by the same."""
    path = here.folder / "plan.toml"
    saved = here("keys", *shop.logs, "--grain", "order_id", "--save", path)
    assert saved.code == 0, saved.talk
    return path


@pytest.fixture(scope="session")
def scan_of_files(shop: Shop, shop_plan: Path, here: Command) -> list[dict[str, object]]:
    result = here("scan", "--json", "--rules", SHIPPED, "--plan", shop_plan, *shop.logs)
    assert result.code == 0
    return result.objects


@pytest.mark.parametrize(("transport", "framing"), WAYS)
def test_told_is_what_a_scan_finds(
    logscope: Program, shop: Shop, shop_plan: Path, scan_of_files: list[dict[str, object]], transport: str, framing: str
) -> None:
    asked, trusted = f"syslog+{transport}://127.0.0.1:0", ""
    if transport == "tls":
        authority = Authority(logscope.home)
        asked, trusted = f"{asked}?{authority.issue('127.0.0.1')}", f"?ca={authority.file}"
    if transport == "unix":
        asked = f"syslog+unix://{logscope.home}/log.sock?type=stream"
    watch = Watch(logscope, "--rules", SHIPPED, "--plan", shop_plan, asked)
    url = watch.url()
    # Datagrams in a row faster than any receiver are lost in the kernel; so many a second are not.
    speed = "2000x" if transport == "udp" else "max"
    sent = logscope("replay", *shop.logs, "--to", url + trusted, "--speed", speed, "--framing", framing)
    assert sent.code == 0, sent.talk
    assert f"{shop.truth['records']} messages sent to {url}" in sent.talk
    assert watch.end() == 0
    counters = watch.counters
    assert list(counters) == [
        "received", "stored", "parsed", "unparsed", "truncated", "late", "dropped", "records", "detections",
    ]  # fmt: skip
    assert counters["received"] == counters["stored"] + counters["dropped"]
    if transport != "udp":
        assert counters["received"] == shop.truth["records"]
        assert counters["records"] == counters["stored"] == counters["parsed"] + counters["unparsed"]
    assert counters["detections"] == len(watch.told) == len(shop.failed)
    assert outputs(watch.told) == shop.failed == outputs(scan_of_files)
    if (transport, framing) == WAYS[0]:
        spool = logscope("scan", "--json", "--rules", SHIPPED, f"spool://{url}")
        assert spool.code == 0, spool.talk
        assert stories(spool.objects) == stories(watch.told)
        assert [(one["rule"], one["time"]) for one in spool.objects] == [
            (one["rule"], one["time"]) for one in scan_of_files
        ]


BRUTE_FORCE = """
title: Failed login
name: failed_login
logsource: {product: linux, service: sshd}
detection:
  failed: [Failed password]
  condition: failed
---
title: Brute force
correlation:
  type: event_count
  rules: [failed_login]
  group-by: [client_ip]
  timespan: 1m
  condition: {gte: 5}
---
title: Elsewhere
name: elsewhere
logsource: {product: windows}
detection:
  failed: [Failed password]
  condition: failed
---
title: Often elsewhere
correlation:
  type: event_count
  rules: [elsewhere]
  timespan: 1m
  condition: {gte: 2}
---
title: In at last
name: in_at_last
sequence:
  by: [client_ip]
  maxspan: 1m
  steps:
    - name: failed
      rule: brute_force
    - name: accepted
      where: |-
        service:sshd method:password message:accepted
emit:
  fields: {user: accepted.user}
"""


def test_a_syslog_file_replayed_tells_what_the_file_tells(logscope: Program, tmp_path: Path) -> None:
    rules, log = tmp_path / "rules.yml", tmp_path / "auth.log"
    rules.write_text(BRUTE_FORCE)
    failed = "Nov  1 10:00:{:02} web-1 sshd[{}]: Failed password for invalid user bob from 10.0.0.{} port 400{} ssh2\n"
    lines = [failed.format(number, 100 + number, 7 + number % 2, number) for number in range(12)]
    lines.append("Nov  1 10:00:20 web-1 sshd[120]: Accepted password for bob from 10.0.0.8 port 4020 ssh2\n")
    log.write_text("".join(lines))
    scanned = logscope("scan", "--json", "--rules", rules, log)
    idle = "1 of 3 rules take part in nothing, for no pipeline maps their logsource (product windows: 1)"
    assert (scanned.code, scanned.talk.count(idle)) == (0, 1), scanned.talk
    assert sorted((one["rule"], one["keys"]["client_ip"]) for one in scanned.objects) == [
        ("brute_force", ["10.0.0.7"]),
        ("brute_force", ["10.0.0.8"]),
        ("in_at_last", ["10.0.0.8"]),
    ], scanned.talk
    watch = Watch(logscope, LISTEN, "--rules", str(rules))
    sent = logscope("replay", log, "--to", watch.url(), "--speed", "max")
    assert sent.code == 0, sent.talk
    assert watch.end() == 0
    assert stories(watch.told) == stories(scanned.objects)


def send(url: str, lines: list[bytes]) -> None:
    host, port = url.rsplit("/", 1)[1].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        for line in lines:
            connection.sendall(line + b"\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        connection.recv(1)


def _have(told: list[dict[str, object]], watch: Watch, count: int) -> bool:
    return len(told) + len(watch.told) >= count


def payments(first: int, last: int, settled: bool = False) -> list[bytes]:
    """Messages of payments that begin one a minute; the even ones are settled, if at all."""
    lines = []
    for number in range(first, last):
        minute = f"2026-11-01T{10 + number // 60}:{number % 60:02}"
        head = f"<14>1 {minute}"
        lines += [
            f"{head}:01Z h payments 1 - - charge begin order_id=ORD-{number} amount={number}",
            f"{head}:02Z h payments 1 - - psp response order_id=ORD-{number} psp_ref=PSP-A{number}",
        ]
        if settled and number % 2 == 0:
            lines.append(f"{head}:09Z h payments 1 - - charge settled psp_ref=PSP-A{number}")
    return [line.encode() for line in lines]


@pytest.fixture
def small_plan(tmp_path: Path) -> Path:
    """A plan as `keys --save` writes it."""
    keys = (Key("order_id", fields=("order_id",)), Key("psp_ref", fields=("psp_ref",), parents=("order_id",)))
    path = tmp_path / "plan.toml"
    path.write_text(to_toml(Plan(keys, grain="order_id")))
    return path


def test_kills_lose_nothing_and_tell_nothing_twice(logscope: Program, command: Command, small_plan: Path) -> None:
    options = ("--rules", SHIPPED, "--plan", small_plan)
    told: list[dict[str, object]] = []
    url = LISTEN
    for first, last in ((0, 20), (20, 40)):
        watch = Watch(logscope, *options, url)
        url = watch.url()
        send(url, payments(first, last, settled=True))
        # The last few minutes are still open: what is decided by then is told, then it dies.
        decided = sum(number % 2 for number in range(last - 4))
        watch.until(functools.partial(_have, told, watch, decided - 1))
        assert watch.end(signal.SIGKILL) == -signal.SIGKILL
        told += watch.told
    watch = Watch(logscope, *options, url)
    assert watch.url() == url
    send(url, payments(40, 50, settled=True))
    assert watch.end() == 0, watch.said
    told += watch.told
    ids = [one["detection"] for one in told]
    assert len(set(ids)) == len(ids)
    scan = command("scan", "--json", *options, f"spool://{url}")
    assert stories(scan.objects) == stories(told)
    assert [one["output"]["order_id"] for one in scan.objects] == [f"ORD-{number}" for number in range(1, 46, 2)]
    steps = [one["steps"]["begin"]["line"] for one in scan.objects]
    assert steps == sorted(steps), "lines go on through restarts"
    listed = command("spool", "list", "--json").objects
    assert [entry["spool"] for entry in listed] == [url]
    assert not listed[0]["in_use"]
    assert command("spool", "drop", url).code == 0
    assert command("spool", "list", "--json").out == b""


def test_an_absence_is_told_without_traffic_and_a_scan_of_the_spool_agrees(
    logscope: Program, command: Command, small_plan: Path
) -> None:
    rule = 'seq by order_id: ["charge begin"] not ["charge settled"] within 1s'
    options = ("--rule", rule, "--plan", small_plan, "--source-idle", "500ms")
    watch = Watch(logscope, *options, LISTEN)
    url = watch.url()
    send(url, payments(0, 1))
    watch.until(lambda: watch.told)
    assert watch.end(signal.SIGINT) == 0
    assert len(watch.told) == 1
    scan = command("scan", "--json", "--rule", rule, "--plan", small_plan, f"spool://{url}")
    assert stories(scan.objects) == stories(watch.told)


def test_half_a_frame_at_close_is_a_record_of_its_own(logscope: Program, command: Command) -> None:
    watch = Watch(logscope, "--rule", 'seq by host: ["none"]', LISTEN)
    url = watch.url()
    send(url, [b"<14>1 2026-11-01T10:00:00Z h app 1 - - whole", b"60 <14>1 2026-11-01T10:00:01Z h app 1 - - cut sho"])
    assert watch.end() == 0
    assert watch.counters["received"] == watch.counters["stored"] == 2
    records = command("query", "", "--json", f"spool://{url}").objects
    assert [record["message"] for record in records] == ["whole", "cut sho"]
    assert [record["line"] for record in records] == [1, 2]
    assert {record["source"] for record in records} == {f"spool://{url}"} or {url}


def test_a_second_signal_ends_at_once(logscope: Program, tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"2026-11-01T10:00:00Z INFO start\n")
    watch = Watch(logscope, "--rule", 'seq by host: ["none"]', LISTEN)
    watch.url()
    # While it is stopped both signals wait for it, so it finds the second before it can have drained.
    os.kill(watch.process.pid, signal.SIGSTOP)
    watch.process.send_signal(signal.SIGTERM)
    watch.process.send_signal(signal.SIGINT)
    os.kill(watch.process.pid, signal.SIGCONT)
    assert watch.process.wait(30) == 130


def test_a_taken_port_is_said_and_nothing_listens(logscope: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"syslog+tcp://127.0.0.1:{taken.getsockname()[1]}"
        result = logscope("watch", "--rule", 'seq by host: ["none"]', url)
    assert result.code == 1
    assert "listening" not in result.talk
    assert url in result.talk
    assert "in use" in result.talk


def test_a_file_that_grows_and_is_rotated(logscope: Program, small_plan: Path, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    begin, response, settled = payments(0, 1, settled=True)
    log.write_bytes(begin + b"\n")
    rule = 'seq by order_id maxspan 5s: ["charge begin"] ["psp response"]'
    options = ("--rule", rule, "--plan", small_plan, "--lateness", "0ms", "--source-idle", "400ms")
    watch = Watch(logscope, *options, log)
    time.sleep(0.5)
    with log.open("ab") as file:
        file.write(response + b"\n")
    watch.until(lambda: watch.told)
    log.rename(tmp_path / "app.log.1")
    log.write_bytes(settled + b"\n")
    time.sleep(1.0)
    assert watch.end() == 0, watch.said
    assert [one["steps"]["step2"]["line"] for one in watch.told] == [2]
    assert watch.counters["records"] == 3


def _noted(state: Path, count: int) -> bool:
    return sum(path.read_bytes().count(b"\n") for path in state.rglob("watch/*.ndjson")) >= count


def test_a_restarted_watch_of_a_file_tells_nothing_twice_and_forgets_no_open_absence(
    logscope: Program, small_plan: Path, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    rule = 'seq by order_id: ["charge begin"] not ["charge settled"] within 1m'
    options = ("--rule", rule, "--plan", small_plan, "--lateness", "0ms")
    told: list[dict[str, Any]] = []
    for first, last, number in ((0, 4, signal.SIGKILL), (4, 7, signal.SIGTERM), (7, 9, signal.SIGTERM)):
        with log.open("ab") as file:
            file.writelines(line + b"\n" for line in payments(first, last))
        watch = Watch(logscope, *options, log)
        # The newest order still waits when this one ends.
        watch.until(functools.partial(_have, told, watch, last - 1))
        # Noted after it was told: a kill in between tells it again.
        watch.until(functools.partial(_noted, logscope.home / "state", last - 1))
        assert watch.end(number) in (0, -number), watch.said
        told += watch.told
    assert [one["steps"]["step1"]["line"] for one in told] == [2 * number + 1 for number in range(8)]
    assert {one["state"] for one in told} == {"matched"}

    log.write_bytes(b"\n".join(payments(9, 11)) + b"\n")
    watch = Watch(logscope, *options, log)
    watch.until(lambda: watch.told)
    assert watch.end() == 0
    assert [(one["steps"]["step1"]["line"], one["state"]) for one in watch.told] == [(1, "matched")], "rotated"
