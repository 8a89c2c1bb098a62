"""Messages as they come: through parse, link and rules in a `watch`, and onto the investigator's screen.

Sender, receiver, engine and interface share the machine's processors, as they do not in life.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.perf.investigator import PATIENCE, Investigator, flooding, homes, listening
from tests.perf.liveinputs import plan_text, rules_text
from tests.perf.measuring import ROOT, Figure, Settings, as_bytes, as_seconds, job
from tests.perf.senders import compiled, cpu_seconds, free_port, messages, resident

STEADY_RATE = 50_000
SCREEN_RATE = 10_000
_SCREEN_SECONDS = 60
_KEY_SECONDS = 20
"""For which keys are pressed at least, while messages come."""
_MARKS = 25
"""As many as the screen has rows for: the list stays where it is, at its first row."""


def watched(settings: Settings) -> Iterator[Figure]:
    """Messages for a minute through parse, link and 20 rules in a `watch`."""
    flood = compiled(settings.data)
    if flood is None or sys.platform != "linux":
        yield Figure("watch with 20 rules", "logscope", "not measured", note="needs Linux and a C compiler")
        return
    for rate, seconds in ((10_000, 60), (STEADY_RATE, 60)):
        yield _watched(flood, messages(settings.data, rate * seconds, rate), rate, seconds)


def stages(settings: Settings) -> Iterator[Figure]:
    """What a message costs in each stage of a watch, by how many have come at each turn."""
    path = messages(settings.data, 10 * SCREEN_RATE, SCREEN_RATE)
    for block in (1_000, 5_000, 50_000):
        done, found = job("live_stages", messages=str(path), block=block, rules=20)
        each = found["read"] + found["link"] + found["rules"]
        yield Figure(
            f"a message through read, link and 20 rules, {block:,} at a turn",
            "logscope",
            f"{each:.1f} µs CPU: read {found['read']:.1f}, link {found['link']:.1f}, rules {found['rules']:.1f}",
            f"{found['median']:.2f} s a turn",
            as_bytes(done.memory),
            "20 µs, sender and receiver included (50,000 a second on 2 cores leaves 40)" if block == 50_000 else "",
            f"{found['turns']} turns, the longest {found['worst']:.2f} s; {found['detections']} detections",
        )


_RECORDS = re.compile(r"^logscope_records ([0-9.e+]+)$", re.M)


def _watched(flood: Path, path: Path, rate: int, seconds: int) -> Figure:
    count = rate * seconds
    with homes(path.parent) as (home, environment):
        (home / "rules.yml").write_text(rules_text(20))
        (home / "plan.toml").write_text(plan_text())
        port, metrics = free_port(), free_port()
        argv = [sys.executable, "-m", "logscope", "watch", "--json", "--rules", str(home / "rules.yml")]
        argv += ["--plan", str(home / "plan.toml"), "--metrics", f":{metrics}", f"syslog+tcp://:{port}"]
        with (home / "told").open("wb") as told, (home / "said").open("wb") as said:
            watch = subprocess.Popen(argv, stdout=told, stderr=said, env=environment, cwd=ROOT)
        try:
            listening(environment, f"syslog+tcp://127.0.0.1:{port}")
            while b"listening" not in (home / "said").read_bytes():
                time.sleep(0.05)
            sender = flooding(flood, "lf", port, path, count, rate)
            began = time.monotonic()
            behind, peaks, held = [], [], 0
            while True:
                with (
                    suppress(OSError),
                    urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=5) as page,
                ):
                    found = _RECORDS.search(page.read().decode())
                    held = int(float(found[1])) if found else held
                now = time.monotonic() - began
                if sender.poll() is None:
                    behind.append(max(0.0, now - held / rate))
                peaks.append(resident(watch.pid))
                if held >= count or now > seconds + PATIENCE:
                    break
                time.sleep(0.5)
            done = time.monotonic() - began
            sent = sender.communicate()[0].split()
            used = cpu_seconds(watch.pid)
            watch.send_signal(signal.SIGTERM)
            watch.wait(PATIENCE)
        finally:
            if watch.poll() is None:
                watch.kill()
        final = json.loads((home / "said").read_bytes().splitlines()[-1])
        lag = sorted(behind)
    right = final["received"] == final["stored"] == final["records"] == count
    return Figure(
        f"{rate // 1000},000 messages a second by TCP for {seconds} s through parse, link and 20 rules",
        "logscope watch",
        f"all decided {done - float(sent[1]):.1f} s after the last was sent ({float(sent[1]):.1f} s)",
        f"{used:.1f} s",
        as_bytes(max(peaks)),
        "keeps up",
        f"{final['detections']} detections; behind {as_seconds(lag[len(lag) // 2])} (worst {as_seconds(lag[-1])}); "
        f"{'nothing lost' if right else 'DOES NOT ADD UP: ' + json.dumps(final)}",
    )


# --- onto the screen

_MARK_RULE = """title: Marked
name: marked
level: high
record:
  where: 'service:marker'
"""


def screen(settings: Settings) -> Iterator[Figure]:
    """From sending to the row on screen and to its detection, while 10,000 a second come and keys are pressed."""
    flood = compiled(settings.data)
    if flood is None or sys.platform != "linux":
        yield Figure("from sending to the screen", "logscope", "not measured", note="needs Linux and a C compiler")
        return
    path = messages(settings.data, SCREEN_RATE * _SCREEN_SECONDS, SCREEN_RATE)
    with homes(settings.data) as (home, environment):
        (home / "rules.yml").write_text(_MARK_RULE + "---\n" + rules_text(20))
        (home / "plan.toml").write_text(plan_text())
        port = free_port()
        url = f"syslog+tcp://127.0.0.1:{port}"
        arguments = ["--rules", str(home / "rules.yml"), "--plan", str(home / "plan.toml"), url]
        app = Investigator(arguments, environment)
        try:
            listening(environment, url)
            app.until(b"received")
            sender = flooding(flood, "lf", port, path, SCREEN_RATE * _SCREEN_SECONDS, SCREEN_RATE)
            flooded = time.monotonic()
            time.sleep(3.0)
            begun = resident(app.pid)
            app.press(b"&service:marker\r")
            time.sleep(2.0)
            waits, begun_at = [], time.monotonic()
            while len(waits) < _MARKS and time.monotonic() - begun_at < _SCREEN_SECONDS - _KEY_SECONDS:
                waits.append(_mark(app, port, len(waits), int(time.monotonic() - flooded)))
            app.press(b"\x7f")
            app.busy(True)
            sender.communicate(timeout=PATIENCE)
            app.busy(False)
            ended, used, written = resident(app.pid), cpu_seconds(app.pid), app.written
        finally:
            app.close()
    rows, marks = (sorted(each) for each in zip(*waits, strict=True))
    what = f"{SCREEN_RATE // 1000},000 messages a second, 21 rules"
    yield Figure(
        f"from sending to the row on screen, {what}",
        "logscope",
        f"{as_seconds(rows[len(rows) // 2])} (worst {as_seconds(rows[-1])})",
        budget="1 s",
        note=f"{len(rows)} messages that the view's filter keeps",
    )
    yield Figure(
        f"from sending to the mark of its detection on the row, {what}",
        "logscope",
        f"{as_seconds(marks[len(marks) // 2])} (worst {as_seconds(marks[-1])})",
        budget="1 s",
        note="of the same messages; provisional, the watermark comes two seconds later",
    )
    answers = sorted(app.answers)
    yield Figure(
        f"from a key to its frame, {what}",
        "logscope",
        f"{as_seconds(answers[len(answers) // 2])} (p99 {as_seconds(answers[int(len(answers) * 0.99)])})",
        f"{used:.1f} s in {_SCREEN_SECONDS} s",
        note=f"{len(answers)} keys; {written / 1024:.0f} KiB written to the terminal",
    )
    yield Figure(
        f"memory after {_SCREEN_SECONDS} s, {what}",
        "logscope",
        as_bytes(ended),
        memory=as_bytes(ended),
        note=f"{as_bytes(begun)} after 3 s; {SCREEN_RATE * _SCREEN_SECONDS / 1e6:.1f} M records",
    )


def _mark(app: Investigator, port: int, number: int, second: int) -> tuple[float, float]:
    """Send a message that the filter keeps and a rule matches; seconds until its row is on the terminal, and its mark."""
    # As old as what else comes: a stream that lags would hold the watermark back, and everything with it.
    # Letters alone: numbers have a colour of their own, and what a filter looks for is marked.
    word = "".join(chr(97 + number // 26**place % 26) for place in range(4)) + "seen"
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_793_000_000 + second))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        begun = time.perf_counter()
        connection.sendall(f"<14>1 {stamp} h marker 1 - - {word}\n".encode())
        app.until(word.encode())
        shown = time.perf_counter() - begun
        app.until_marked(word.encode())
        marked = time.perf_counter() - begun
    time.sleep(0.2)
    return shown, marked
