from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from logscope.sources.base import OpenSource


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not come in time"
        time.sleep(0.02)


def content(source: OpenSource) -> bytes:
    source.poll()
    return source.pread(source.size(), 0)


def read_out(source: OpenSource) -> bytes:
    until(source.finished)
    with source:
        return content(source)
