"""Which driver writes to the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from logscope.config import load_config
from logscope.errors import ConfigError
from logscope.tui.run import driver_class
from logscope.tui.terminal.driver import DiffDriver


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
