"""A restarted watch goes on from its checkpoint: nothing is read again, forgotten, or told twice."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

from tests.cli.process import SHIPPED, Program, Watch, stories
from tests.soak.kills import message, plan_text

KNOWN = re.compile(r"goes on after ([0-9,]+) records")


def send(url: str, first: int, stop: int) -> None:
    host, port = url.rpartition("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"".join(message(number) for number in range(first, stop)))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def known(watch: Watch) -> int:
    """Records that it says it need not read again."""
    found = watch.until(lambda: [one for one in (KNOWN.search(line) for line in watch.said) if one])
    return int(found[0][1].replace(",", ""))


def test_a_restarted_watch_reads_on(logscope: Program, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(plan_text())
    options = ("--rules", SHIPPED, "--plan", plan, "--lateness", "30s")
    watch = Watch(logscope, *options, "syslog+tcp://127.0.0.1:0")
    url = watch.url()
    send(url, 0, 3000)
    checkpoints = logscope.home / "state" / "logscope" / "watch"
    watch.until(lambda: list(checkpoints.glob("*.checkpoint")))
    watch.end(signal.SIGKILL)
    told = watch.told

    again = Watch(logscope, *options, url)
    assert 2000 <= known(again) <= 3000
    send(url, 3000, 6000)
    assert again.end() == 0
    assert again.counters["records"] == 6000
    told += again.told

    last = Watch(logscope, *options, url)
    assert known(last) == 6000
    assert last.end() == 0
    told += last.told
    assert len({one["detection"] for one in told}) == len(told)
    scan = logscope("scan", "--json", *options[:4], f"spool://{url}")
    assert stories(told) == stories(scan.objects)
    assert len(told) > 20
