"""Every command in README and the guide is run as it stands, on a small shop in a folder of its own.

What cannot be run here (it listens, needs a terminal, or another program) is parsed, and may not become much more: commands
that nobody runs are noticed.
"""

from __future__ import annotations

import gzip
import importlib.util
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from logscope.cli.arguments import COMMANDS, parse
from logscope.paths import PACKAGE
from tests.cli.conftest import Command
from tests.conftest import Shop

_ROOT = Path(__file__).parents[2]
_PAGES = (
    _ROOT / "README.md",
    _ROOT / "CONTRIBUTING.md",
    _ROOT / "sample_logs/README.md",
    *(_ROOT / "docs").glob("*.md"),
)
_SHOWN = "ORD-104530"
"""The order that the guide takes for its example."""
_FAILS = {"--fail-on high": 3}
"""Commands that end otherwise than with 0."""
_NOT_RUN = {"investigator": 8, "live": 10, "replay": 2, "placeholder": 2, "module": 8, "shell": 10, "slow": 1}
"""Why a command is parsed, not run -> how many there may be."""


@dataclass(frozen=True)
class Told:
    """A command in a page."""

    page: str
    line: int
    text: str

    @property
    def kind(self) -> str:
        """`run`, or why it is not."""
        words = self.text.split()
        if words[0] != "logscope":
            return "module" if re.match(r"python -m \S+", self.text) else "shell"
        if "..." in words or any(word.endswith("...") for word in words):
            return "placeholder"
        if len(words) < 2 or words[1] == "demo" or words[1] not in COMMANDS:
            return "investigator"
        if self.text == "logscope rules test logscope/rules/builtin":
            return "slow"  # the shipped rules' own tests are a test of their own
        return {"watch": "live", "replay": "replay"}.get(words[1], "run")


def told() -> Iterator[Told]:
    """Commands in indented and fenced blocks."""
    for page in _PAGES:
        fence = ""
        for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if text.lstrip().startswith("```"):
                fence = "" if fence else text.strip("` ") or "text"
                continue
            block = (text.startswith("    ") and not fence) or fence in ("text", "sh", "console", "bash")
            command = text.strip().removeprefix("$ ")
            if block and re.match(r"(logscope|python3? -m|journalctl|\.venv\S*/bin/\S+|mkdocs|pip) ", command):
                yield Told(page.name, number, re.sub(r"\s{2,}#.*| # .*$", "", command).strip())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Path:
    """The folder that the guide's commands are typed in."""
    folder = tmp_path_factory.mktemp("guide")
    for place in ("sample_logs", "logs", "app", "today", "yesterday", "other-day", "tuesday", "my-rules"):
        (folder / place).mkdir()
    for log in map(Path, shop.logs):
        (folder / "sample_logs" / f"{log.name}.gz").write_bytes(gzip.compress(log.read_bytes(), 1))
        if log.name.startswith("payments"):
            for place in ("logs", "app", "today", "yesterday", "other-day", "tuesday"):
                (folder / place / log.name).write_bytes(log.read_bytes())
    (folder / "app.log").write_bytes((folder / "app/payments-1.log").read_bytes())
    (folder / "sample_logs/incidents").symlink_to(_ROOT / "sample_logs/incidents")
    (folder / "logscope").symlink_to(PACKAGE)
    rule = (PACKAGE / "rules/builtin/silent_payment_failure.yml").read_text()
    for name in ("my-rules/one.yml", "r.yml"):
        (folder / name).write_text(rule.replace("silent_payment_failure", "mine"))
    return folder


def words_of(text: str, folder: Path) -> list[str]:
    """What a shell makes of a command."""
    words = []
    for word in shlex.split(text)[1:]:
        globbed = "*" in word and "/" in word and "=" not in word and not word.startswith("/")
        words += sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if globbed else [word]
    return words


def test_every_command_of_the_guide_does_what_it_says(
    command: Command, world: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world)
    config = Path.home() / ".config/logscope"
    config = Path(command.program.environment.get("XDG_CONFIG_HOME", config.parent)) / "logscope"
    (config / "rules").mkdir(parents=True)
    (config / "rules/NAME.yml").write_text((world / "r.yml").read_text())
    (config / "logscope.toml").write_text('[actions.rerun-list]\ntype = "file"\npath = "rerun.jsonl"\n')
    (config / "logscope.toml").chmod(0o600)
    failed = []
    run = [each for each in told() if each.kind == "run"]
    assert len(run) > 30
    for each in run:
        text = each.text.replace(_SHOWN, shop.failed[0][0]).replace("ORD-104413", shop.failed[1][0])
        text = text.replace("~/.config", str(config.parent))
        result = command(*words_of(text, world))
        wanted = next((code for part, code in _FAILS.items() if part in text), 0)
        if result.code not in (wanted, 0):
            failed.append((each, result.code, result.talk[-300:]))
    assert not failed, "\n".join(map(str, failed))


def test_what_is_not_run_is_counted_and_its_options_exist(world: Path) -> None:
    rest = [each for each in told() if each.kind != "run"]
    for each in rest:
        if each.kind in ("investigator", "live", "replay") and "|" not in each.text and "[" not in each.text:
            parse(words_of(each.text, world))
        if each.kind == "module" and (module := re.search(r"-m (\S+)", each.text)):
            assert importlib.util.find_spec(module[1]), each
    counts = Counter(each.kind for each in rest)
    assert set(counts) <= set(_NOT_RUN)
    assert all(counts[kind] <= most for kind, most in _NOT_RUN.items()), counts


def test_the_guide_holds_every_page_and_its_links_lead_somewhere() -> None:
    pages = re.findall(r"^  - .*: (\S+\.md)$", (_ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(pages) == sorted(page.name for page in (_ROOT / "docs").glob("*.md"))
    lost = []
    for page in _PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            place = page.parent / path if path else page
            if (
                not place.exists()
                or (page.parent.name == "docs" and ".." in path)
                or (
                    anchor
                    and anchor
                    not in {
                        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
                        for title in re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), re.MULTILINE)
                    }
                )
            ):
                lost.append((page.name, target))
    assert not lost


_CASES = {"F": 28, "U": 14, "P": 16, "E": 6, "L": 27}
"""How many cases of each kind there are."""


def test_every_case_of_reliability_names_tests_that_exist() -> None:
    page = (_ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([A-Z]\d\d) \|(.*)\|$", page, re.MULTILINE))
    assert list(rows) == [f"{kind}{number:02}" for kind, most in _CASES.items() for number in range(1, most + 1)]
    missing = []
    for case, row in rows.items():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, f"{case} has no test"
        for path, name in named:
            file = _ROOT / "tests" / path
            if not file.is_file() or not re.search(rf"^(async )?def {name}\(", file.read_text("utf-8"), re.MULTILINE):
                missing.append(f"{case}: {path}::{name}")
    assert not missing
