"""Each shipped rule fires on the night of incidents, on nothing else, and on a calm night none does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from logscope.rules.loader import BUILTIN
from sample_logs import incidents
from tests.cli.conftest import Command

SHIPPED = Path(incidents.__file__).parent / "incidents"


@pytest.fixture(scope="module")
def told_names() -> set[str]:
    """Names of the shipped rules that are told by themselves."""
    documents = [one for file in BUILTIN.glob("*.yml") for one in yaml.safe_load_all(file.read_text())]
    counted = {name for one in documents for name in one.get("correlation", {}).get("rules", ())}
    return {one["name"] for one in documents} - counted


def scan(command: Command, folder: Path) -> list[dict[str, Any]]:
    logs = sorted(str(path) for path in folder.glob("*.log*"))
    result = command("scan", "--rules", str(BUILTIN), "--json", *logs)
    assert result.code == 0, result.talk
    return result.objects


def test_the_shipped_night_tells_each_rule(command: Command, told_names: set[str]) -> None:
    rules = json.loads((SHIPPED / "truth.json").read_text())["rules"]
    assert set(rules) == told_names
    left = {(rule, json.dumps(output, sort_keys=True)) for rule, outputs in rules.items() for output in outputs}
    wanted = set(left)
    for detection in scan(command, SHIPPED):
        output = detection["output"]
        fits = {
            (rule, text)
            for rule, text in wanted
            if rule == detection["rule"] and json.loads(text).items() <= output.items()
        }
        assert fits, f"{detection['rule']} told {output}"
        left -= fits
    assert not left


def test_of_a_calm_night_nothing_is_told(command: Command, tmp_path: Path) -> None:
    assert incidents.main(["--seed", "7", "--calm", "--out", str(tmp_path)]) == 0
    assert scan(command, tmp_path) == []


def test_the_shipped_night_is_what_the_generator_makes() -> None:
    made = incidents.make(1, ending=".log.gz")
    assert {name: gzip.decompress((SHIPPED / name).read_bytes()).decode() for name in made.logs} == made.logs
    assert (SHIPPED / "truth.json").read_text() == made.truth
