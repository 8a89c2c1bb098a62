"""Which records a Sigma logsource means."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from logscope.query.filters import compile_filter
from logscope.rules.lint import lint
from logscope.rules.loader import LoadedRules, load_text
from logscope.rules.sigma.pipelines import pipeline_of, shipped
from tests.pipelines import write_all

RULE = """title: Evil
id: 4ce4bb86-8b1a-4a2d-9d31-0a3c8f6b4f10
status: stable
logsource: {product: windows, category: process_creation}
detection:
  keywords: [evil]
  condition: not keywords
"""
TOML = """
[[pipeline]]
name = "mine"
logsource = { product = "windows" }
formats = ["json"]
[pipeline.fields]
Image = { from = ["exe"] }
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def mask(loaded: LoadedRules, frame: pl.DataFrame) -> list[bool]:
    assert not loaded.errors, loaded.errors
    sequence = loaded.rules[0].sequence
    assert sequence is not None
    return sequence.steps[0].filter.mask(frame).to_list()


def test_a_logsource_that_no_pipeline_maps_takes_part_in_nothing(config: Path) -> None:
    loaded = load_text(RULE, compile_filter)
    assert mask(loaded, pl.DataFrame({"raw": ["good", "evil"]})) == [False, False]
    sequence = loaded.rules[0].sequence
    assert sequence is not None
    assert not sequence.steps[0].filter.columns


def test_lint_says_so_and_hints_nothing_else(config: Path) -> None:
    file = config / "r.yml"
    file.write_text(RULE)
    findings = lint([file], compile_filter)
    assert [(one.severity, one.line) for one in findings] == [("warning", 4)]
    assert "no pipeline maps the logsource (category process_creation, product windows)" in str(findings[0])
    assert str(config / "logscope" / "pipelines") in str(findings[0])


def test_a_pipeline_of_the_users_maps_it(config: Path) -> None:
    folder = config / "logscope" / "pipelines"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(TOML)
    rule = RULE.replace("keywords: [evil]\n  condition: not keywords", "s: {Image: 'x'}\n  condition: s")
    frame = pl.DataFrame({"fields.exe": ["x", "x", "y"], "format": ["json", "text", "json"]})
    assert mask(load_text(rule, compile_filter), frame) == [True, False, False]


def test_a_pipeline_may_map_everything(config: Path) -> None:
    write_all(config)
    assert mask(load_text(RULE, compile_filter), pl.DataFrame({"raw": ["good", "evil"]})) == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[pipeline", "not a pipeline"),
        ('[[pipeline]]\nname = "x"\n', "logsource is missing"),
        ('[[pipeline]]\nname = "x"\nlogsource = {}\nfield = 5\n', "there is no key field"),
        ('[[pipeline]]\nname = "x"\nlogsource = {os = "linux"}\n', "logsource has no os"),
        ('[placeholders]\nadmins = "root"\n', "admins is not a list"),
    ],
)
def test_a_pipeline_that_is_none_is_said_with_its_file(config: Path, text: str, words: str) -> None:
    folder = config / "logscope" / "pipelines"
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text(text)
    errors = load_text(RULE, compile_filter).errors
    assert len(errors) == 1
    assert words in str(errors[0])
    assert errors[0].where == str(folder / "bad.toml")


def test_placeholders_are_listed_beside_pipelines(config: Path) -> None:
    write_all(config)
    rule = RULE.replace(
        "keywords: [evil]\n  condition: not keywords", "s: {user|expand: 'adm-%admins%'}\n  condition: s"
    )
    errors = load_text(rule, compile_filter).errors
    assert len(errors) == 1
    assert "the placeholder admins is not resolved; list its values under [placeholders]" in str(errors[0])
    (config / "logscope" / "pipelines" / "mine.toml").write_text(
        '[placeholders]\nadmins = ["root", "t*", 7]\nx = [1]\n'
    )
    frame = pl.DataFrame({"fields.user": ["adm-root", "ADM-TOOR", "adm-7", "adm-bob", "root"]})
    assert mask(load_text(rule, compile_filter), frame) == [True, True, True, False, False]


def test_a_process_of_linux_is_found_under_several_names(config: Path) -> None:
    rule = RULE.replace("product: windows", "product: linux").replace(
        "keywords: [evil]\n  condition: not keywords",
        "s: {Image|endswith: /dd, CommandLine|contains: zero}\n  condition: s",
    )
    frame = pl.DataFrame(
        {
            "fields.exe": ["/bin/dd", None, "/bin/dd"],
            "fields.process.executable": [None, "/usr/bin/dd", None],
            "fields.process.command_line": [None, "dd if=/dev/zero", None],
            "fields.cmdline": ["dd if=/dev/zero", None, None],
        }
    )
    assert mask(load_text(rule, compile_filter), frame) == [True, True, False]


@pytest.mark.parametrize(
    ("logsource", "name"),
    [
        ({"product": "linux", "service": "sshd"}, "sshd"),
        ({"product": "linux", "service": "auditd"}, "auditd"),
        ({"product": "linux"}, "linux"),
        ({"product": "linux", "category": "process_creation"}, "linux process creation"),
        ({"product": "linux", "category": "file_event"}, "linux file event"),
        ({"product": "windows", "category": "process_creation"}, "none"),
        ({"product": "linux", "service": "other"}, "none"),
        ({"category": "webserver", "product": "apache"}, "webserver"),
        ({"product": "cisco", "service": "syslog"}, "none"),
    ],
)
def test_the_shipped_ones(config: Path, logsource: dict[str, str | None], name: str) -> None:
    assert shipped()
    assert pipeline_of(logsource).name == name


def test_records_of_real_services(config: Path) -> None:
    rule = "title: A\nlogsource: {product: linux, service: %s}\ndetection: {keywords: [x], condition: keywords}\n"
    frame = pl.DataFrame(
        {
            "raw": ["x", "x", "x"],
            "service": ["sudo", "CRON", "auditd"],
            "format": ["rfc3164", "rfc3164", "auditd"],
            "fields.type": [None, None, "USER_CMD"],
        }
    )
    found = {name: mask(load_text(rule % name, compile_filter), frame) for name in ("sudo", "cron", "auditd", "syslog")}
    assert found == {
        "sudo": [True, False, False],
        "cron": [False, True, False],
        "auditd": [False, False, True],
        "syslog": [True, True, False],
    }


def test_a_rule_may_carry_what_logscope_adds(config: Path) -> None:
    text = RULE.replace("product: windows, category: process_creation", "product: linux, service: sshd") + (
        "fields: [user]\nactions: [page]\ntests:\n  - records: [a]\n    expect: []\n"
    )
    rule = load_text(text, compile_filter).rules[0]
    assert rule.actions == ("page",)
    assert len(rule.tests) == 1
    assert [*rule.emit.fields] == ["user"]
    emitting = load_text(text + "emit: {message: '{host} did {fields.user}'}\n", compile_filter).rules[0]
    assert emitting.emit.message is not None
    wrong = load_text(text + "emit: {mesage: x}\n", compile_filter).errors
    assert "did you mean message?" in str(wrong[0])
