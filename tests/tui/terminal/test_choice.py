"""Which driver writes to the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from logscope.config import load_config
from logscope.errors import ConfigError
from logscope.tui.run import driver_class
from logscope.tui.terminal.driver import DiffDriver

ROOT = Path(__file__).resolve().parents[3]


def test_over_ssh_only_what_has_changed_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert driver_class("auto") is None
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 51000 10.0.0.2 22")
    assert driver_class("auto") is DiffDriver
    assert driver_class("stock") is None
    monkeypatch.setenv("TEXTUAL_DRIVER", "somebody.elses:Driver")
    assert driver_class("auto") is None
    assert driver_class("diff") is DiffDriver


def test_configuration_names_the_driver(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('driver = "stock"\n')
    assert load_config(str(file)).driver == "stock"
    file.write_text('driver = "fast"\n')
    with pytest.raises(ConfigError, match=r"fast.*auto, diff, stock"):
        load_config(str(file))


def erases(term: str, **environment: str) -> bool:
    """As a program finds it that was started so; curses asks once in a process."""
    code = "from logscope.tui.terminal.terminfo import erases_in_background as erases; print(erases(1))"
    told = {name: value for name, value in os.environ.items() if name != "STY"} | {"TERM": term, **environment}
    run = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True, cwd=ROOT)
    return run.stdout == "True\n"


def test_whether_erasing_takes_the_background_is_asked_of_terminfo() -> None:
    assert not any(erases(term) for term in ("vt100", "no-such-terminal"))
    assert not erases("xterm-256color", STY="4711.pts-0.here")
    if not erases("xterm-256color"):
        pytest.skip("no terminfo of xterm-256color on this machine")
