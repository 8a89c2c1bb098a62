"""What a stranger gave you does no harm: a rules folder, a theme, a log, an archive, a plan, a format, a case."""

from __future__ import annotations

import io
import json
import os
import socket
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App

from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from tests.cli.conftest import Command
from tests.cli.test_hostile import harmless
from tests.tui.test_engine import settle

TERMINAL = "\x1b]52;c;aGFja2Vk\x07\x1b]0;own\x1b\\\x9b31m\u202e"
MARKUP = "[@click=app.quit]x[/] [/red] [link=file:///etc/passwd]y[/]"


class Gift:
    """Everything that a stranger could give, in a folder; nothing of it may touch `marker` or call `port`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marker = folder / "HARMED"
        self.outside = folder / "outside"
        self.work = folder / "work"
        for place in (self.outside, self.work / ".logscope/rules", self.work / "rules"):
            place.mkdir(parents=True)
        (self.outside / "precious").write_text("precious")
        self._trap = socket.create_server(("127.0.0.1", 0))
        self._trap.setblocking(False)
        self.port = self._trap.getsockname()[1]
        self._config()
        self._rules()
        self._log()
        self._archives()
        self._case()

    def _config(self) -> None:
        (self.work / ".logscope/logscope.toml").write_text(
            f"""
[actions.run]
type = "command"
argv = ["/usr/bin/touch", "{self.marker}"]
[actions.call]
type = "webhook"
url = "http://127.0.0.1:{self.port}/"
"""
        )

    def _rules(self) -> None:
        rule = f"""
title: "{MARKUP} \\e]0;own\\a"
name: gift
record:
  where: 'order'
emit:
  message: '{{message.__class__.__init__.__globals__}} $(touch {self.marker}) {{message}}'
actions: [run, call]
"""
        for place in ("rules", ".logscope/rules"):
            folder = self.work / place
            (folder / "good.yml").write_text(rule)
            (folder / "tag.yml").write_text(f"!!python/object/apply:os.system ['touch {self.marker}']\n")
            (folder / "bomb.yml").write_text(
                "a: &a [x,x,x,x,x,x,x,x,x]\n"
                + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))
            )
            (folder / "deep.yml").write_text("[" * 5_000)
            (folder / "redos.yml").write_text(
                "title: t\nname: redos\nrecord:\n  where: '/^(([a-z])+.)+[A-Z]([a-z])+$/'\n"
            )
            (folder / f"name{TERMINAL}.yml").write_text("title: [\n")
            (folder / "link.yml").symlink_to("/etc/shadow")

    def _log(self) -> None:
        lines = [
            f"2026-11-01T10:00:{number:02d}Z host-{TERMINAL} shop[1]: INFO order=ORD-{number // 2} {TERMINAL} {MARKUP} "
            f"; touch {self.marker} $(touch {self.marker}) `touch {self.marker}` {{0.__class__}} %s%n =cmd|'/c calc'!A1"
            for number in range(40)
        ]
        (self.work / "gift.log").write_text("\n".join([*lines, "a" * 200_000 + "!", "\x00" * 1_000]) + "\n")

    def _archives(self) -> None:
        with tarfile.open(self.work / "gift.tar.gz", "w:gz") as tar:
            for name in ("../outside/precious", "/tmp/logscope-gift", "ok.log", f"x{TERMINAL}.log"):
                member, data = tarfile.TarInfo(name), b"2026-11-01T10:00:00Z INFO order from tar\n"
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
            for name, kind in (
                ("link.log", tarfile.SYMTYPE),
                ("hard.log", tarfile.LNKTYPE),
                ("null.log", tarfile.CHRTYPE),
            ):
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, str(self.outside / "precious")
                tar.addfile(member)
        with zipfile.ZipFile(self.work / "gift.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("../outside/precious", "2026-11-01T10:00:00Z INFO order from zip\n")
            packed.writestr("bomb.log", "0" * (8 << 20))

    def _case(self) -> None:
        case = {
            "logscope_case": 1, "name": f"../{TERMINAL}", "notes": TERMINAL + MARKUP, "sources": [str(self.work / "gift.log")],
            "pins": [{"kind": "record", "source": str(self.work / "gift.log"), "line": 1, "title": TERMINAL, "note": MARKUP}],
            "view": {"steps": [{"kind": "filter", "text": TERMINAL, "term": MARKUP}], "zone": "../../etc/passwd"},
        }  # fmt: skip
        (self.work / "gift.json").write_text(json.dumps(case))
        calling = case | {"sources": [f"syslog+tcp://0.0.0.0:{self.port}"]}
        (self.work / "calling.json").write_text(json.dumps(calling))

    def did_no_harm(self) -> None:
        assert not self.marker.exists()
        assert not Path("/tmp/logscope-gift").exists()
        assert {path.name: path.read_text() for path in self.outside.iterdir()} == {"precious": "precious"}
        with pytest.raises(BlockingIOError):
            self._trap.accept()

    def close(self) -> None:
        self._trap.close()


@pytest.fixture
def gift(tmp_path: Path) -> Iterator[Gift]:
    made = Gift(tmp_path / "gift")
    yield made
    made.close()


def test_commands_over_a_strangers_gift_do_no_harm(
    gift: Gift, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(gift.work)
    refused = command("scan", "gift.log")
    assert refused.code == 2
    assert "may set no actions" in refused.talk
    (gift.work / ".logscope/logscope.toml").write_text("x = " + "[" * 100_000)
    assert "nested too deeply" in command("scan", "gift.log").talk
    (gift.work / ".logscope/logscope.toml").unlink()
    (gift.work / "rules/zero.yml").symlink_to("/dev/zero")
    everything = ("gift.log", "gift.tar.gz", "gift.zip")
    asked: list[tuple[str | Path, ...]] = [
        ("scan", *everything, "--rules", "rules"),
        ("scan", *everything, "--action", "run"),
        ("export", "out.html", "--case", "gift.json"),
        ("export", "out.md", "--case", "calling.json"),
        ("transactions", *everything),
    ]
    for arguments in asked:
        result = command(*arguments)
        assert result.code in (0, 1, 2), arguments
        harmless(result.out)
        harmless(result.err)
    told = command("scan", "gift.log", "--rules", "rules", "--json")
    assert sum(json.loads(line)["rule"] == "gift" for line in told.out.splitlines()) == 40
    page = (gift.work / "out.html").read_text()
    assert "<script" not in page
    assert "\x1b" not in page
    assert not (gift.work / "out.md").exists()
    gift.did_no_harm()


async def test_the_investigator_over_a_strangers_gift_does_no_harm(
    gift: Gift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.chdir(gift.work)
    themes = tmp_path / "CONFIG/logscope/themes"
    themes.mkdir(parents=True)
    (themes / "gift.toml").write_text(
        f'name = "gift {MARKUP}"\ndark = true\n[colors]\nprimary = "url(http://127.0.0.1:{gift.port}/)"\n'
    )
    (themes / "own.toml").write_text('name = "own\\u001b]0;own\\u0007"\ndark = true\n[colors]\nprimary = "red"\n')
    (themes / "huge.toml").write_text("x = " + "[" * 100_000)
    (themes / "link.toml").symlink_to("/dev/zero")
    (themes / f"n{TERMINAL}.toml").write_text("[")
    (gift.work / "rules/zero.yml").symlink_to("/dev/zero")
    session = Session(Options(sources=("gift.log", "gift.tar.gz", "gift.zip"), rules=("rules",)))
    session.open()
    session.start()
    case = session.cases.load("gift.json")
    app = LogscopeApp(session, zone="UTC", theme="gift", case=case, sources=case.sources)
    seen = ""
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            for keys in ((), ("q",), ("D", "enter"), ("escape", "escape"), ("R",), ("q", "P", "I")):
                await pilot.press(*keys)
                await settle(pilot, session)
                seen += shown(app)
    finally:
        session.close()
    assert "ORD-" in seen
    assert not any(sign in seen for sign in "\x1b\x07\x9b\u202e")
    kept = {path.name for path in (tmp_path / "STATE/logscope/cases").iterdir()}
    assert all(name.endswith(".json") and os.sep not in name for name in kept)
    gift.did_no_harm()


def shown(app: App[int]) -> str:
    """What the screen shows, as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
