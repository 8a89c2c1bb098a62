"""A spool that cannot grow, or is another's: clear words, sums that add up, and the other sources go on (case L21)."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from logscope.sources.retention import Retention
from logscope.sources.spool_writer import SpoolWriter
from tests.cli.process import Program, Watch
from tests.cli.test_watch import payments, send
from tests.cli.test_watch import small_plan as small_plan

OPTIONS = ("--rule", 'seq by order_id: ["charge begin"]', "--lateness", "0ms", "--source-idle", "300ms")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(payments(90, 91)[0] + b"\n")
    return path


def told(watch: Watch) -> set[str]:
    return {order for one in watch.told for order in one["keys"]["order_id"]}


def test_a_spool_that_may_not_grow_is_said_and_counted_and_the_rest_goes_on(
    logscope: Program, small_plan: Path, log: Path
) -> None:
    options = (*OPTIONS, "--plan", small_plan)
    limited = Program(logscope.home)
    limited.limits = ((resource.RLIMIT_FSIZE, 50_000),)
    try:
        watch = Watch(limited, *options, "syslog+tcp://127.0.0.1:0", log)
        url = watch.url()
        send(url, payments(0, 30))
        watch.until(lambda: told(watch) >= {f"ORD-{number}" for number in (*range(30), 90)})
        for _ in range(3):
            send(url, [message + b" " + b"x" * 2_000 for message in payments(100, 130)])
        with log.open("ab") as file:
            file.write(payments(91, 92)[0] + b"\n")
        watch.until(lambda: "ORD-91" in told(watch))
        assert watch.end() == 0
    finally:
        limited.close()
    said = [text for text in watch.said if "cannot be written" in text]
    assert len(said) == 1, "once, however many messages are dropped"
    assert "File too large" in said[0]
    assert "dropped and counted" in said[0]
    counters = watch.counters
    assert counters["received"] == counters["stored"] + counters["dropped"] == 60 + 180 + 2
    assert counters["dropped"] > 0


def test_a_spool_that_another_process_writes_is_said_and_the_rest_goes_on(
    logscope: Program, small_plan: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(logscope.home / "state"))
    port = 25_917
    writer = SpoolWriter(f"syslog+tcp://127.0.0.1:{port}", retention=Retention())
    try:
        watch = Watch(logscope, *OPTIONS, "--plan", small_plan, f"syslog+tcp://127.0.0.1:{port}", log)
        watch.until(lambda: told(watch) == {"ORD-90"})
        assert watch.end() == 1, "a source could not be read"
    finally:
        writer.close()
    said = [text for text in watch.said if "its spool is written by another process; stop the other one first" in text]
    assert len(said) == 1, "one line for one error"
    assert not any(text.startswith("listening on") for text in watch.said)
