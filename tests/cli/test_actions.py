"""`scan --action`, `watch` with actions, `actions status|retry|drop|test`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from logscope.cli import detection
from logscope.engine.answers import Detection
from logscope.engine.service.ledger import Ledger
from logscope.errors import UsageError
from tests.cli.conftest import Command
from tests.cli.process import SHIPPED, Program, Watch
from tests.cli.test_watch import LISTEN, payments, send
from tests.cli.test_watch import small_plan as small_plan
from tests.conftest import Shop
from tests.receivers import Receiver, echo, free_port

RULE = """
title: Charge begun
name: begun
record:
  where: |-
    "charge begin"
emit:
  message: 'order {order_id} begun'
  fields: {order_id: order_id}
actions: [rerun-list, nobody]
"""


def configure(program: Program, text: str) -> Path:
    program.config.mkdir(parents=True, exist_ok=True)
    (program.config / "logscope.toml").write_text(text)
    return program.config


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


LIST = '[actions.rerun-list]\ntype = "file"\npath = "rerun.jsonl"\n'


def test_a_scan_dispatches_to_the_action_that_is_named_and_once(command: Command, shop: Shop) -> None:
    config = configure(command.program, LIST)
    found = command("scan", "--json", "--rules", SHIPPED, *shop.logs, "--action", "rerun-list")
    assert found.code == 0, found.talk
    assert lines(config / "rerun.jsonl") == found.objects
    again = command("scan", "--json", "--rules", SHIPPED, *shop.logs, "--action", "rerun-list")
    assert again.objects == found.objects
    assert f"{len(found.objects)} of them were dispatched before" in again.talk
    assert len(lines(config / "rerun.jsonl")) == len(found.objects)
    status = command("actions", "status", "--json")
    assert [(entry["action"], entry["delivered"], entry["waiting"]) for entry in status.objects] == [
        ("rerun-list", len(found.objects), 0)
    ]
    assert "rerun-list" in command("actions", "status").text


def test_a_scan_without_action_dispatches_nothing(command: Command, tmp_path: Path) -> None:
    config = configure(command.program, LIST)
    (tmp_path / "rule.yml").write_text(RULE)
    (tmp_path / "a.log").write_bytes(b"\n".join(payments(0, 3)) + b"\n")
    assert len(command("scan", "--json", "--rules", "rule.yml", "a.log").objects) == 3
    assert not (config / "rerun.jsonl").exists()


def test_watch_dispatches_to_the_actions_that_rules_name(logscope: Program, small_plan: Path, tmp_path: Path) -> None:
    config = configure(logscope, LIST)
    (tmp_path / "rule.yml").write_text(RULE)
    watch = Watch(logscope, "--rules", tmp_path / "rule.yml", "--plan", small_plan, LISTEN)
    send(watch.url(), payments(0, 20))
    assert watch.end() == 0
    assert len(watch.told) == 20
    assert sorted(line["output"]["order_id"] for line in lines(config / "rerun.jsonl")) == sorted(
        line["output"]["order_id"] for line in watch.told
    )
    assert any("names the action nobody, which is not configured" in line for line in watch.said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[actions.a]\ntype = "pigeon"\n', ["logscope.toml:2", "no type 'pigeon'", "one of"]),
        ('[actions.a]\ntype = "file"\n', ["logscope.toml:1", "path is missing"]),
        ('[actions.a]\ntype = "file"\npath = "x"\npaht = "y"\n', ["logscope.toml:4", "did you mean path?"]),
        ('[actions.a]\ntype = "file"\npath = "x"\non = ["sometimes"]\n', ["logscope.toml:4", "matched, retracted"]),
        ('[actions.a]\ntype = "file"\npath = "x"\nrate = "often"\n', ["logscope.toml:4", "10/s"]),
        ('[actions.a]\ntype = "file"\npath = "x"\nretry = "-1s"\n', ["logscope.toml:4", "retry"]),
        ('[actions."a b"]\ntype = "file"\n', ["no name of an action"]),
        ("actions = 3\n", ["table"]),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(command: Command, text: str, words: list[str]) -> None:
    configure(command.program, text)
    result = command("actions", "status")
    assert result.code == 2
    assert len(result.talk.splitlines()) == 1
    for word in words:
        assert word in result.talk


def test_a_projects_file_may_set_no_actions(command: Command, tmp_path: Path) -> None:
    (tmp_path / ".logscope").mkdir()
    (tmp_path / ".logscope" / "logscope.toml").write_text(LIST)
    result = command("actions", "status")
    assert result.code == 2
    assert "no actions" in result.talk


@pytest.mark.parametrize("named", [True, False])
def test_a_projects_rules_come_without_their_actions(logscope: Program, tmp_path: Path, named: bool) -> None:
    config = configure(logscope, LIST)
    project = logscope.home / ".logscope"
    (project / "rules").mkdir(parents=True)
    (project / "rules" / "rule.yml").write_text(RULE)
    if named:
        (project / "mine").mkdir()
        (project / "rules" / "rule.yml").rename(logscope.home / "rule.yml")
        (project / "logscope.toml").write_text('rules = ["../rule.yml"]\n')
    (logscope.home / "a.log").write_bytes(b"\n".join(payments(0, 3)) + b"\n")
    watch = Watch(logscope, "a.log")
    watch.until(lambda: any("plan" in line or "looking" in line for line in watch.said))
    watch.end()
    assert len(watch.told) == 3
    assert any("comes with the project" in line for line in watch.said)
    assert not (config / "rerun.jsonl").exists()


def test_a_file_that_anybody_may_write_configures_no_action(command: Command) -> None:
    config = configure(command.program, LIST)
    (config / "logscope.toml").chmod(0o666)
    result = command("actions", "test")
    assert result.code == 2
    assert "anybody may write" in result.talk


def test_an_unknown_action_is_named_with_the_nearest(command: Command, tmp_path: Path) -> None:
    configure(command.program, LIST)
    (tmp_path / "a.log").write_text("one\n")
    for arguments in (("scan", "a.log", "--action", "rerun-lst"), ("actions", "test", "rerun-lst")):
        result = command(*arguments)
        assert result.code == 2
        assert "did you mean rerun-list?" in result.talk


def test_what_cannot_be_delivered_is_left_and_retried(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(command.program, LIST + 'retry = "10ms"\nretry_max = "20ms"\n')
    (config / "rerun.jsonl").mkdir()
    (tmp_path / "rule.yml").write_text(RULE)
    (tmp_path / "a.log").write_bytes(b"\n".join(payments(0, 3)) + b"\n")
    result = command("actions", "test")
    assert result.code == 1
    assert "directory" in result.text
    monkeypatch.setattr(detection, "SCAN_PATIENCE", 0.3)
    found = command("scan", "--rules", "rule.yml", "a.log", "--action", "rerun-list")
    assert found.code == 1
    assert "3 events are left in the outbox" in found.talk
    assert command("actions", "status", "--json").objects[0]["waiting"] == 3
    (config / "rerun.jsonl").rmdir()
    retried = command("actions", "retry", "--json")
    assert retried.code == 0
    assert retried.objects == [{"waiting": 3, "delivered": 3, "left": 0, "dead": 0}]
    assert len(lines(config / "rerun.jsonl")) == 3
    assert command("actions", "drop", "--json").objects == [{"dropped": 0}]
    assert command("actions", "status", "--json").objects[0]["waiting"] == 0
    assert command("actions", "test", "rerun-list").code == 0
    assert lines(config / "rerun.jsonl")[-1]["state"] == "test"


def test_processes_that_share_the_outbox_deliver_each_event_once(logscope: Program, tmp_path: Path) -> None:
    port = free_port()
    configure(
        logscope,
        f'[actions.hook]\ntype = "webhook"\nurl = "http://127.0.0.1:{port}/"\nretry = "10ms"\nrate = "200/s"\n',
    )
    (tmp_path / "rule.yml").write_text(RULE.replace("rerun-list, nobody", "hook"))
    (tmp_path / "a.log").write_bytes(b"\n".join(payments(0, 150)) + b"\n")
    # Two scans of the same at once: what each finds stands in the outbox once.
    scans = [
        logscope.start("scan", "--rules", tmp_path / "rule.yml", tmp_path / "a.log", "--action", "hook")
        for _ in range(2)
    ]
    receiver = Receiver(port=port)
    try:
        for scan in scans:
            scan.communicate(timeout=90)
        retries = [logscope.start("actions", "retry") for _ in range(2)]
        for retry in retries:
            retry.communicate(timeout=90)
        orders = [each["output"]["order_id"] for each in receiver.events]
    finally:
        receiver.close()
    assert sorted(orders) == sorted(f"ORD-{number}" for number in range(150))


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_and_health_are_told_by_http(logscope: Program, small_plan: Path, tmp_path: Path) -> None:
    configure(logscope, LIST)
    (tmp_path / "rule.yml").write_text(RULE)
    watch = Watch(logscope, "--rules", tmp_path / "rule.yml", "--plan", small_plan, "--metrics", ":0", LISTEN)
    url = watch.url()
    metrics = watch.until(lambda: next((line for line in watch.said if line.startswith("metrics on ")), None))[11:]
    send(url, payments(0, 20))
    watch.until(lambda: len(watch.told) >= 15)
    watch.until(lambda: 'logscope_deliveries_total{action="rerun-list"} 1' in get(metrics)[1])
    watch.until(lambda: "logscope_received_total 40" in get(metrics)[1])
    code, text = get(metrics)
    assert code == 200
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert figures["logscope_received_total"] == figures["logscope_stored_total"] == "40"
    assert int(figures['logscope_detections_total{rule="begun",state="matched"}']) >= 15
    assert float(figures["logscope_evaluation_seconds_total"]) > 0
    assert figures['logscope_delivery_failures_total{action="rerun-list"}'] == "0"
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+', line), line
    health = get(metrics.replace("/metrics", "/health"))
    assert health[0] == 200
    assert json.loads(health[1])["status"] == "ok"
    assert get(metrics.replace("/metrics", "/etc/passwd"))[0] == 404
    assert watch.end() == 0


def test_a_metrics_address_that_cannot_be_is_refused(logscope: Program) -> None:
    for address in ("9100", "127.0.0.1:port", "127.0.0.1:99999", "192.0.2.1:0"):
        result = logscope("watch", LISTEN, "--metrics", address)
        assert result.code == 2
        assert "--metrics" in result.talk


def test_sighup_reads_rules_and_actions_anew_and_loses_nothing(
    logscope: Program, small_plan: Path, tmp_path: Path
) -> None:
    config = configure(logscope, LIST)
    rule = tmp_path / "rule.yml"
    rule.write_text(RULE)
    watch = Watch(logscope, "--rules", rule, "--plan", small_plan, LISTEN)
    url = watch.url()
    send(url, payments(0, 10))
    watch.until(lambda: len(watch.told) >= 9)
    # A broken rule: what ran runs on.
    rule.write_text("title: x\nrecord:\n  where: 'a and'\n")
    watch.process.send_signal(signal.SIGHUP)
    watch.until(lambda: any("rule.yml:" in line for line in watch.said))
    watch.until(lambda: any('"reload"' in line for line in watch.said))
    send(url, payments(10, 20))
    watch.until(lambda: len(watch.told) >= 19)
    # A second action and a second rule.
    rule.write_text(RULE + "---\n" + RULE.replace("begin", "response").replace("name: begun", "name: answered")
                    .replace("charge response", "psp response").replace("rerun-list", "second"))  # fmt: skip
    configure(logscope, LIST + '[actions.second]\ntype = "file"\npath = "second.jsonl"\n')
    watch.process.send_signal(signal.SIGHUP)
    watch.until(lambda: sum('"reload"' in line for line in watch.said) == 2)
    send(url, payments(20, 30))
    assert watch.end() == 0
    told = [(line["rule"], line["output"].get("order_id")) for line in watch.told if line["state"] == "matched"]
    orders = sorted(f"ORD-{n}" for n in range(30))
    assert sorted(order for rule, order in told if rule == "begun") == orders
    assert sorted(order for rule, order in told if rule == "answered") == orders
    assert all(line["state"] == "matched" for line in watch.told)
    assert sorted(line["output"]["order_id"] for line in lines(config / "rerun.jsonl")) == orders
    assert sorted(line["output"]["order_id"] for line in lines(config / "second.jsonl")) == orders
    assert watch.counters["late"] == 0
    assert watch.counters["received"] == 60


def test_a_second_watch_of_the_same_sources_is_refused(logscope: Program, tmp_path: Path) -> None:
    first = Ledger(tmp_path / "told.ndjson")
    with pytest.raises(UsageError, match=f"another watch of these sources runs .process {os.getpid()}"):
        Ledger(tmp_path / "told.ndjson")
    first.close()
    Ledger(tmp_path / "told.ndjson").close()


def test_an_action_that_writes_into_a_source_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE)
    path = tmp_path / "a.log"
    path.write_bytes(b"\n".join(payments(0, 3)) + b"\n")
    configure(command.program, LIST.replace("rerun.jsonl", str(path)))
    for source in ("a.log", "."):
        result = command("scan", "--rules", "rule.yml", source, "--action", "rerun-list")
        assert result.code == 2
        assert "writes into" in result.talk


def test_own_output_that_comes_back_is_not_sent_round_again(
    logscope: Program, small_plan: Path, tmp_path: Path
) -> None:
    """A rule that matches what is forwarded, and a receiver that sends everything back."""
    rule = RULE.replace('"charge begin"', "charge").replace("rerun-list, nobody", "forward")
    (tmp_path / "rule.yml").write_text(rule)
    relay = socket.create_server(("127.0.0.1", 0))
    configure(
        logscope, f'[actions.forward]\ntype = "syslog"\nurl = "syslog+tcp://127.0.0.1:{relay.getsockname()[1]}"\n'
    )
    watch = Watch(logscope, "--rules", tmp_path / "rule.yml", "--plan", small_plan, "--lateness", "1ms", LISTEN)
    host, port = watch.url().rsplit("/", 1)[1].rsplit(":", 1)
    returned: list[bytes] = []

    def back() -> None:
        while True:
            try:
                stream, _ = relay.accept()
            except OSError:
                return
            with stream, socket.create_connection((host, int(port))) as again:
                while data := stream.recv(65536):
                    returned.append(data)
                    again.sendall(data)

    threading.Thread(target=back, daemon=True).start()
    send(watch.url(), payments(0, 10))
    watch.until(lambda: any('"loop"' in line for line in watch.said))
    assert watch.end() == 0
    relay.shutdown(socket.SHUT_RDWR)
    relay.close()
    assert b"".join(returned).count(b"[logscope@32473") <= 10


def test_the_syslog_action_may_not_send_to_the_own_listener(logscope: Program, tmp_path: Path) -> None:
    port = free_port()
    configure(logscope, f'[actions.forward]\ntype = "syslog"\nurl = "syslog+tcp://localhost:{port}"\n')
    result = logscope("watch", f"syslog+tcp://127.0.0.1:{port}", "--action", "forward")
    assert result.code == 2
    assert "writes into" in result.talk


def test_a_rule_gone_wild_becomes_a_summary(command: Command, tmp_path: Path) -> None:
    config = configure(command.program, LIST + 'flood = "10/h"\n')
    (tmp_path / "rule.yml").write_text(RULE)
    (tmp_path / "a.log").write_bytes(b"\n".join(payments(0, 300)) + b"\n")
    found = command("scan", "--json", "--rules", "rule.yml", "a.log", "--action", "rerun-list")
    assert len(found.objects) == 300
    *first, summary = lines(config / "rerun.jsonl")
    assert len(first) == 10
    assert (summary["state"], summary["rule"], summary["output"]) == ("summary", "begun", {"count": 290})
    assert found.code == 0


def test_no_secret_is_in_anything_that_a_watch_leaves(
    logscope: Program, small_plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "s3cret-token-8471")
    receiver = Receiver(echo)
    configure(
        logscope,
        f'[actions.rerun-list]\ntype = "webhook"\nurl = "{receiver.url}"\n'
        'headers = {Authorization = "Bearer env:HOOK_TOKEN"}\n',
    )
    (tmp_path / "rule.yml").write_text(RULE)
    watch = Watch(logscope, "--rules", tmp_path / "rule.yml", "--plan", small_plan, "--metrics", ":0", LISTEN)
    url = watch.url()
    send(url, payments(0, 10))
    watch.until(lambda: any('"dead"' in line for line in watch.said))
    metrics = next(line for line in watch.said if line.startswith("metrics on "))[11:]
    shown = get(metrics)[1] + get(metrics.replace("/metrics", "/health"))[1]
    environment = Path(f"/proc/{watch.process.pid}/cmdline").read_text()
    assert watch.end() == 0
    shown += environment + "\n".join(watch.said) + json.dumps(watch.told)
    shown += logscope("actions", "status").text + logscope("actions", "status", "--json").text
    receiver.close()
    assert "s3cret" not in shown
    left = [path for path in logscope.home.rglob("*") if path.is_file()]
    assert any(path.name == "outbox.db" for path in left)
    for path in left:
        assert b"s3cret" not in path.read_bytes(), path
        if "state" in path.parts:
            assert path.stat().st_mode & 0o077 == 0, path


def test_what_the_outbox_cannot_take_is_told_again_after_a_kill(tmp_path: Path) -> None:
    found = Detection(
        detection="d1", rule="r", title="t", level="high", time=1, start=1, end=1, transaction=None, keys={}, output={},
        message="", steps={}, state="matched", reason=None, number=None,
    )  # fmt: skip
    ledger = Ledger(tmp_path / "told.ndjson")
    ledger.note([found], write=False)
    assert "d1" in ledger.told
    ledger.close()
    after_a_kill = Ledger(tmp_path / "told.ndjson")
    assert after_a_kill.told == {}
    after_a_kill.note([found], write=False)
    after_a_kill.note([])
    after_a_kill.close()
    again = Ledger(tmp_path / "told.ndjson")
    assert list(again.told) == ["d1"]
    again.close()
