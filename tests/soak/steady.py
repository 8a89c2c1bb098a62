"""A steady stream for minutes into a `watch`: what it holds in memory, how far behind it is, and that nothing is lost."""

from __future__ import annotations

import argparse
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from tests.perf.investigator import homes, listening
from tests.perf.liveinputs import plan_text, rules_text
from tests.perf.measuring import ROOT
from tests.perf.senders import cpu_seconds, free_port, message, resident

_BATCHES = 20
"""A second's messages are sent in so many parts."""
_HELD = re.compile(r"^logscope_records ([0-9.e+]+)$", re.M)
_GONE = re.compile(r"^logscope_let_go_total ([0-9.e+]+)$", re.M)


def send(port: int, rate: int, seconds: int) -> None:
    """Numbered messages whose times are those at which they are sent, near enough."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        begun, part = time.monotonic(), rate // _BATCHES
        for turn in range(seconds * _BATCHES):
            lines = "".join([message(at, rate) for at in range(turn * part, (turn + 1) * part)])
            connection.sendall(lines.encode())
            time.sleep(max(0.0, begun + (turn + 1) / _BATCHES - time.monotonic()))


def main(arguments: list[str]) -> int:
    """Send and look; exit code 1 if something was lost."""
    parser = argparse.ArgumentParser("python -m tests.soak steady", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=10_000, help="messages a second (10,000)")
    parser.add_argument("--rules", type=int, default=20, help="sequences with an absence (20)")
    parser.add_argument("--retain", metavar="SIZE|AGE", help="of the spool")
    parser.add_argument("--memory", metavar="SIZE", help="the watch's --memory")
    parser.add_argument("--every", type=float, default=30, help="seconds between two looks (30)")
    given = parser.parse_args(arguments)
    seconds = int(given.minutes * 60)
    with tempfile.TemporaryDirectory(prefix="logscope-soak-") as folder, homes(Path(folder)) as (home, environment):
        (home / "rules.yml").write_text(rules_text(given.rules))
        (home / "plan.toml").write_text(plan_text())
        port, metrics = free_port(), free_port()
        url = f"syslog+tcp://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "logscope", "watch", "--json", "--rules", str(home / "rules.yml")]
        argv += ["--plan", str(home / "plan.toml"), "--metrics", f":{metrics}", url]
        argv += ["--retain", given.retain] if given.retain else []
        argv += ["--memory", given.memory] if given.memory else []
        with (home / "told").open("wb") as told, (home / "said").open("wb") as said:
            watch = subprocess.Popen(argv, stdout=told, stderr=said, env=environment, cwd=ROOT)
        try:
            listening(environment, url)
            sender = threading.Thread(target=send, args=(port, given.rate, seconds))
            sender.start()
            _look(watch.pid, metrics, sender, given.rate, given.every)
            print(f"at most {_most(watch.pid) >> 20} MiB resident")
            watch.send_signal(signal.SIGTERM)
            watch.wait(300)
        finally:
            if watch.poll() is None:
                watch.kill()
        said_last = (home / "said").read_bytes().splitlines()
    final = json.loads(said_last[-1])
    sent = given.rate // _BATCHES * _BATCHES * seconds
    right = final["received"] == final["stored"] == final["records"] == sent
    print(f"{sent:,} sent; {'nothing lost' if right else 'DOES NOT ADD UP'}: {json.dumps(final)}")
    for line in said_last[:-1]:
        print(f"  said: {line.decode('utf-8', 'replace')}")
    return 0 if right else 1


def _look(pid: int, metrics: int, sender: threading.Thread, rate: int, every: float) -> None:
    """Tell what the watch holds while messages are sent."""
    begun = time.monotonic()
    print("seconds  held        resident  of files  behind    processor", flush=True)
    while sender.is_alive():
        sender.join(every)
        now = time.monotonic() - begun
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=30) as page:
            told = page.read().decode()
            held, gone = (int(float(found[1])) if (found := each.search(told)) else 0 for each in (_HELD, _GONE))
            whole, files = resident(pid) >> 20, _of_files(pid) >> 20
            behind = max(0.0, now - (held + gone) / rate)
            print(
                f"{now:7.0f}  {held:10,}  {whole:4d} MiB  {files:4d} MiB  {behind:5.1f} s  {cpu_seconds(pid):8.1f} s",
                flush=True,
            )


def _most(pid: int) -> int:
    """The most bytes that were ever resident."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(told.partition("VmHWM:")[2].split()[0]) << 10


def _of_files(pid: int) -> int:
    """Resident bytes that are pages of files, which the system can take back."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[2]) * 4096
