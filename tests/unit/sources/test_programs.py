"""Sources through the host's programs, with fake ones on the PATH."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from logscope.errors import SourceError
from logscope.sources import programs
from logscope.sources.discover import expand
from logscope.sources.opening import open_source
from logscope.sources.programs import Resume, program_of
from tests.unit.sources.conftest import content, until

FAKE = """#!{python}
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
{body}
"""


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def fake(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(FAKE.format(python=sys.executable, body=body))
    path.chmod(0o755)


def calls(folder: Path) -> list[list[str]]:
    path = folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def open_url(url: str, *, follow: bool = False) -> programs.ProgramSource:
    source = open_source(expand([url], stdin_is_pipe=False).specs[0], follow=follow)
    assert isinstance(source, programs.ProgramSource)
    return source


@pytest.mark.parametrize(
    ("url", "name", "once", "following"),
    [
        ("journal://", "journalctl", ["--output=short-iso-precise"], ["--follow", "--no-tail"]),
        ("journal://?unit=nginx.service", "journalctl", ["--unit=nginx.service"], ["--follow"]),
        ("docker://web-1", "docker", ["logs", "web-1"], ["logs", "--follow", "web-1"]),
        ("k8s://shop/pay-0", "kubectl", ["logs", "--namespace=shop", "pay-0"], ["--follow"]),
        ("k8s://shop/pay-0/app", "kubectl", ["--container=app"], ["--follow"]),
        ("ssh://ops@host:2222/var/log/a b", "ssh", ["-p", "2222", "ops@host"], ["ops@host"]),
    ],
)
def test_each_program_is_asked_in_its_words(
    fakes: Path, url: str, name: str, once: list[str], following: list[str]
) -> None:
    fake(fakes, name, 'print("2026-11-01T10:00:00Z INFO one"); print("two", flush=True)')
    with open_url(url) as source:
        assert source.kind == "stream"
        until(source.finished)
        assert content(source) == b"2026-11-01T10:00:00Z INFO one\ntwo\n"
        assert source.name == url
    with open_url(url, follow=True) as source:
        until(lambda: len(calls(fakes)) == 2)
    first, second = calls(fakes)
    assert [word for word in first if word in once] == once
    assert [word for word in second if word in following] == following
    assert "--follow" not in first


@pytest.mark.parametrize(
    "url",
    [
        "docker://",
        "docker://-v",
        "docker://a;reboot",
        "docker://a/b",
        "k8s://shop",
        "k8s://--all/x",
        "k8s://a/b/c/d",
        "journal://host",
        "journal://?unit=-f",
        "journal://?units=x",
        "ssh://host",
        "ssh://-oProxyCommand=reboot/x",
        "ssh://a@-x/x",
        "ssh://$(reboot)/x",
        "ssh://host/a%0Ab",
    ],
)
def test_names_that_cannot_be_are_refused(fakes: Path, url: str) -> None:
    expansion = expand([url], stdin_is_pipe=False)
    assert expansion.specs == []
    assert expansion.errors[0].mend
    assert calls(fakes) == []


def test_a_missing_program_is_an_error_with_a_mend(fakes: Path) -> None:
    with pytest.raises(SourceError, match="this host has no kubectl") as caught:
        open_url("k8s://shop/pay")
    assert "install kubectl" in (caught.value.mend or "")


def test_a_program_that_fails_is_an_error_in_its_own_words(fakes: Path) -> None:
    fake(fakes, "docker", 'print("Error: No such container: web"); sys.exit(1)')
    fake(fakes, "kubectl", 'print("trying" * 200, "pods not found", sep="\\n", file=sys.stderr); sys.exit(1)')
    with open_url("k8s://shop/pay") as source:
        until(source.finished)
        with pytest.raises(SourceError, match="kubectl ended with 1: pods not found"):
            source.poll()
    with open_url("docker://web") as source:
        until(source.finished)
        with pytest.raises(SourceError, match="docker ended with 1: Error: No such container: web"):
            source.poll()


def test_a_program_that_ends_is_started_again_from_where_it_was(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "FIRST_PAUSE", 0.05)
    fake(
        fakes,
        "kubectl",
        """count = len((here / "calls").read_text().splitlines())
print(f"line {count}", flush=True)
if count == 3: time.sleep(60)
sys.stdout.write("torn"); sys.exit(count)""",
    )
    with open_url("k8s://shop/pay", follow=True) as source:
        until(lambda: content(source) == b"line 1\ntorn\nline 2\ntorn\nline 3\n")
        assert not source.finished()
        said = source.notices()
    assert [word.partition("T")[0] for word in calls(fakes)[1] if word.startswith("--since-time=")]
    assert not any(word.startswith("--since-time") for word in calls(fakes)[0])
    assert sum("started again" in text for text in said) == 2


@pytest.mark.skipif(shutil.which("tail") is None, reason="no tail(1)")
def test_ssh_goes_on_at_the_byte_where_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "it's a log"
    path.write_text("one\ntwo\nthree\n")
    program = program_of(f"ssh://host{str(path).replace(' ', '%20')}")

    def remote(follow: bool, resume: Resume, seconds: float) -> bytes:
        script = program.command(follow, resume)[-1]
        with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            try:
                return process.communicate(timeout=seconds)[0]
            except subprocess.TimeoutExpired as expired:
                process.kill()
                return expired.stdout or b""

    assert remote(False, Resume(), 5) == b"one\ntwo\nthree\n"
    assert remote(True, Resume(1.0, 6), 0.5) == b"o\nthree\n"
    path.write_text("new\n")
    assert remote(True, Resume(1.0, 14), 0.5) == b"new\n"


def test_what_a_program_started_ends_with_the_source(fakes: Path) -> None:
    fake(fakes, "docker", '(here / "pid").write_text(str(os.getpid())); print("x", flush=True); time.sleep(60)')
    with open_url("docker://web", follow=True) as source:
        until(lambda: content(source) == b"x\n")
    pid = (fakes / "pid").read_text()
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
