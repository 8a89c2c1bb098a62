"""What a stranger's rules, patterns and files can try: refused in clean words, in bounded time and memory.

The cases are named as in docs/security.md.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from logscope.correlation.keys import Key
from logscope.correlation.plan import Plan, to_toml
from tests.cli.conftest import Command
from tests.cli.process import SHIPPED, Program, Watch, stories
from tests.cli.test_hostile import harmless
from tests.cli.test_watch import send

_SIGMA = """\
title: {title}
id: 11111111-1111-4111-8111-111111111113
logsource: {{category: application}}
detection:
  s:
    message|re: "{pattern}"
  condition: s
"""
_BACKTRACKING = [r"(a+)+$", r"(x+x+)+y", r"(a|aa)+$", r"^(([a-z])+.)+[A-Z]([a-z])+$"]
_REFUSED = [
    (r"(?=a)b", "look-around"),
    (r"(a)\1", "backreferences"),
    (r"\w{5000}{100}", "size limit"),
    (r".{0,1000000}", "size limit"),
    ("a" * 5000, "longer than 4096"),
    ("(" * 1000, "unclosed group"),
]


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A log of lines on which a backtracking engine takes for ever."""
    log = tmp_path / "evil.log"
    lines = ["a" * 28 + "!", "x" * 30, "a" * 100_000, " " * 100_000, "1" * 100_000, "[" * 100_000, "=" * 100_000]
    log.write_text("".join(f"2026-11-01T10:00:00Z INFO {line}\n" for line in lines))
    return log


@pytest.fixture
def frugal() -> Iterator[None]:
    """Ten seconds of processor time are more than any of these may take."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    yield
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime < 10


@pytest.mark.parametrize("pattern", _BACKTRACKING)
def test_s05_patterns_that_explode_elsewhere_end(command: Command, evil: Path, pattern: str, frugal: None) -> None:
    assert command("query", f"/{pattern}/", evil).code == 0
    assert command("scan", "--rule", f"seq by transaction: [/{pattern}/]", evil).code == 0
    assert command("keys", "--key", f"k={pattern}", evil).code in (0, 2)


@pytest.mark.parametrize(("pattern", "words"), _REFUSED)
def test_s05_patterns_that_cannot_run_are_refused_everywhere(
    command: Command, evil: Path, tmp_path: Path, pattern: str, words: str, frugal: None
) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(_SIGMA.format(title="t", pattern=pattern.replace("\\", "\\\\")))
    for arguments in (("query", f"/{pattern}/", evil), ("rules", "check", rule)):
        result = command(*arguments)
        assert result.code == 2
        assert words in result.text + result.talk
        assert len(result.out) + len(result.err) < 4000


@pytest.mark.parametrize("size", [10_000_000, 900_000])
@pytest.mark.parametrize("sigma", [True, False])
def test_s05_a_pattern_of_megabytes_in_a_rule_is_refused_in_few_words(
    command: Command, tmp_path: Path, size: int, sigma: bool, frugal: None
) -> None:
    rule = tmp_path / "rule.yml"
    text = (
        _SIGMA if sigma else "title: {title}\nname: t\nsequence:\n  steps:\n    - name: a\n      where: '/{pattern}/'\n"
    )
    rule.write_text(text.format(title="t", pattern="a" * size))
    result = command("rules", "check", rule)
    assert result.code == 2
    assert "rule.yml" in result.text
    assert len(result.out) + len(result.err) < 4000


def test_s05_a_pattern_that_drives_a_terminal_is_shown_as_signs(logscope: Program, tmp_path: Path) -> None:
    # A process of its own: what a C++ library writes to the descriptor itself is caught, too.
    rule = tmp_path / "rule.yml"
    rule.write_text(_SIGMA.format(title="t", pattern=r"(a\e]0;pwned\a[31m"))
    result = logscope("rules", "check", rule)
    assert result.code == 2
    assert "unclosed" in result.text
    harmless(result.out)
    harmless(result.err)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_s10_what_is_left_behind_is_its_owners_alone(logscope: Program, tmp_path: Path, umask: int) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-01T10:00:00Z INFO charge begin order_id=ORD-1\n" * 3)
    before = os.umask(umask)
    try:
        watch = Watch(logscope, "syslog+tcp://127.0.0.1:0", "--rules", SHIPPED)
        watch.url()
        assert watch.end() in (0, 130)
        assert logscope("stats", log).code == 0
    finally:
        os.umask(before)
    found = [path for part in ("state", "cache") for path in (logscope.home / part).rglob("*")]
    assert any(path.is_file() for path in found)
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077, (path, oct(mode))


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_s12_without_a_host_only_this_machine_is_listened_to(logscope: Program, scheme: str) -> None:
    watch = Watch(logscope, f"syslog+{scheme}://:0")
    port = int(watch.url().rpartition(":")[2])
    local = []
    for table in (scheme, f"{scheme}6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, _, number = line.split()[1].rpartition(":")
            if int(number, 16) == port:
                local.append(address)
    watch.end()
    assert local
    assert set(local) <= {"0100007F", "00000000000000000000000001000000"}


_ABSENT = 'seq by order_id: ["charge begin"] not ["charge settled"] within 1m'


def send_only(url: str, lines: list[bytes]) -> None:
    """Send without waiting for the other side to close."""
    host, port = url.rsplit("/", 1)[1].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"".join(line + b"\n" for line in lines))


def _plan(folder: Path) -> Path:
    path = folder / "plan.toml"
    path.write_text(to_toml(Plan((Key("order_id", fields=("order_id",)),), grain="order_id")))
    return path


def test_d13_duplicates_and_disorder_within_lateness_change_no_detection(
    logscope: Program, command: Command, tmp_path: Path
) -> None:
    def message(second: int, text: str) -> bytes:
        return f"<14>1 2026-11-01T10:{second // 60:02}:{second % 60:02}Z h app 1 - - {text}".encode()

    calm = [
        (0, "charge begin order_id=ORD-100"),
        (2, "charge begin order_id=ORD-200"),
        (4, "charge settled order_id=ORD-200"),
    ]
    later = [(400, "other order_id=ORD-300")]
    sent = [calm[2], calm[0], calm[1], calm[1], calm[0], calm[2], *later]
    plan = _plan(tmp_path)
    watch = Watch(logscope, "syslog+tcp://127.0.0.1:0", "--rule", _ABSENT, "--plan", plan)
    url = watch.url()
    send(url, [message(*one) for one in sent])
    assert watch.end() == 0
    assert [one["keys"]["order_id"] for one in watch.told] == [["ORD-100"]]
    scanned = command("scan", "--json", "--rule", _ABSENT, "--plan", plan, f"spool://{url}")
    assert stories(scanned.objects) == stories(watch.told)
    plain = tmp_path / "calm.log"
    plain.write_bytes(b"".join(message(*one) + b"\n" for one in [*calm, *later]))
    once = command("scan", "--json", "--rule", _ABSENT, "--plan", plan, plain)
    assert [one["keys"]["order_id"] for one in once.objects] == [["ORD-100"]]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_d14_a_watch_that_is_told_to_end_keeps_what_came_last(
    logscope: Program, command: Command, tmp_path: Path, signal_number: int
) -> None:
    plan = _plan(tmp_path)
    watch = Watch(logscope, "syslog+tcp://127.0.0.1:0", "--rule", _ABSENT, "--plan", plan)
    url = watch.url()
    os.kill(watch.process.pid, signal.SIGSTOP)
    send_only(url, [b"<14>1 2026-11-01T10:00:00Z h app 1 - - charge begin order_id=ORD-100"])
    watch.process.send_signal(signal_number)
    os.kill(watch.process.pid, signal.SIGCONT)
    assert watch.process.wait(60) == 0
    assert not any("Traceback" in line for line in watch.said)
    kept = command("query", "", "--json", f"spool://{url}").objects
    assert [one["message"] for one in kept] == ["charge begin order_id=ORD-100"]


def test_s14_a_flood_of_hosts_is_counted_and_memory_stays_bounded(logscope: Program, tmp_path: Path) -> None:
    watch = Watch(
        logscope, "syslog+tcp://127.0.0.1:0", "--rule", _ABSENT, "--plan", _plan(tmp_path), "--memory", "256M"
    )
    url = watch.url()
    most = 0
    count = 100_000
    for first in range(0, count, 20_000):
        send(
            url,
            [
                b"<14>1 2026-11-01T10:00:00Z host-%d app-%d 1 - - hello request_id=%032x" % (number, number, number)
                for number in range(first, first + 20_000)
            ],
        )
        status = Path(f"/proc/{watch.process.pid}/status").read_text()
        most = max(most, int(re.search(r"VmRSS:\s+(\d+)", status)[1]))  # type: ignore[index]
    assert watch.end() == 0
    assert watch.counters["received"] == watch.counters["stored"] == count
    assert most < 700 << 10


def test_d14_a_watch_whose_reader_is_gone_ends_quietly_and_keeps_what_came(
    logscope: Program, command: Command, tmp_path: Path
) -> None:
    rule, plan = 'seq by order_id: ["charge begin"]', _plan(tmp_path)
    process = logscope.start("watch", "--json", "syslog+tcp://127.0.0.1:0", "--rule", rule, "--plan", plan)
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stderr.readline().decode()
    while not first.startswith("listening on "):
        first = process.stderr.readline().decode()
    url = first.removeprefix("listening on ").strip()
    process.stdout.close()
    for minute in range(3):
        text = f"<14>1 2026-11-01T10:{10 * minute:02}:00Z h app 1 - - charge begin order_id=ORD-10{minute}"
        send_only(url, [text.encode()])
    assert process.wait(60) == 0
    assert b"Traceback" not in process.stderr.read()
    kept = command("query", "", "--json", f"spool://{url}").objects
    assert kept
    # What nobody could read is told again by the next one.
    told = Watch(logscope, url, "--rule", rule, "--plan", plan)
    told.url()
    told.until(lambda: told.told)
    told.end()
