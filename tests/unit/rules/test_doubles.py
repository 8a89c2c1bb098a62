"""A file that is named twice is one; of two rules of one name or id the second is refused, or gets a name of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from logscope.engine.detection.ruleset import load
from logscope.engine.options import Options
from logscope.rules.loader import BUILTIN

RULE = "title: Out of memory\nname: {name}\nid: {id}\nrecord: {{where: out of memory}}\n"
SIGMA = """title: Suspicious access
id: {id}
logsource: {{category: webserver}}
detection:
  a: {{cs-method: {method}}}
  condition: a
"""


def loaded(*rules: object, **more: object) -> tuple[list[str], list[str]]:
    found, errors = load(Options(rules=tuple(map(str, rules)), **more))  # type: ignore[arg-type]
    return [rule.name for rule in found], [str(error) for error in errors]


def test_a_file_is_one_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.yml"
    path.write_text(RULE.format(name="one", id="i-1"))
    (tmp_path / "link.yml").symlink_to(path)
    assert loaded("a.yml", "./a.yml", path, tmp_path, "link.yml") == (["one"], [])


def test_shipped_rules_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names, errors = loaded("builtin", "builtin", "disk_full", BUILTIN)
    assert errors == []
    assert len(names) == len(set(names)) >= 16
    assert loaded("disk_full")[0] == ["disk_full"]


def test_the_second_of_a_name_or_id_is_refused_with_file_line_and_mend(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(RULE.format(name="one", id="i-1") + "---\n" + RULE.format(name="one", id="i-2"))
    names, (error,) = loaded(path)
    assert names == ["one"]
    assert error == f"{path}:6: name one stands twice, first at {path}:1; give it another"
    path.write_text(RULE.format(name="one", id="i-1") + "---\n" + RULE.format(name="two", id="i-1"))
    names, (error,) = loaded(path)
    assert names == ["one"]
    assert ":6: id i-1 stands twice" in error


def test_sigma_rules_of_one_title_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
    path.write_text("---\n".join(SIGMA.format(id=one, method="GET") for one in ids))
    assert loaded(path) == (["suspicious_access", "suspicious_access2", "suspicious_access3"], [])


def test_a_sequence_typed_beside_a_rule_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(RULE.format(name="seq", id="i-1"))
    typed = ("seq by host maxspan 1s: [a] [b]", "seq by host maxspan 1s: [a] [c]")
    assert loaded(path, rule=typed) == (["seq", "seq2", "seq3"], [])
