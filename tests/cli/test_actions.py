"""`scan --action`, `watch` with actions, `actions status|retry|drop|test`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from logscope.cli import detection
from tests.cli.conftest import Command
from tests.cli.process import SHIPPED, Program, Watch
from tests.cli.test_watch import LISTEN, payments, send
from tests.cli.test_watch import small_plan as small_plan
from tests.conftest import Shop

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
    assert command("actions", "retry").code == 0
    assert len(lines(config / "rerun.jsonl")) == 3
    assert command("actions", "drop").code == 0
    assert command("actions", "status", "--json").objects[0]["waiting"] == 0
    assert command("actions", "test", "rerun-list").code == 0
    assert lines(config / "rerun.jsonl")[-1]["state"] == "test"
