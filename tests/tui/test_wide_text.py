"""Letters of two cells, of none, and of several signs: every row is as wide as the screen (case E05)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp

SIZE = (80, 24)
TEXTS = (
    "世界" * 200,
    "한국어 " * 40 + "end",
    "e" + "\u0301" * 10_000 + " after ten thousand accents",
    "👩\u200d👩\u200d👧 family, ❤\ufe0f heart, 🇩🇪 flag, 👍🏽 skin",
    "\u200b\u200c\u200d\u2060 nothing to see",
    "ａｂｃ wide latin " * 10,
    "x" * 77 + "界",  # a wide letter at the very edge
    "x" * 78 + "界",
    "مرحبا بالعالم",
)


async def test_rows_are_as_wide_as_the_screen_whatever_letters_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    log = tmp_path / "a.log"
    log.write_text("".join(f"2026-11-01T10:00:{at:02}Z INFO {text}\n" for at, text in enumerate(TEXTS)))
    session = Session(Options(sources=(str(log),), cache=False))
    session.open()
    session.start()
    try:
        app = LogscopeApp(session, zone="UTC")
        async with app.run_test(size=SIZE) as pilot:
            end = time.monotonic() + 20
            while app.home.main_list.records < len(TEXTS) and time.monotonic() < end:
                await pilot.pause(0.02)
            for keys in ((), ("enter",), *[("j",)] * len(TEXTS), ("right", "right"), ("slash", *"end", "enter")):
                await pilot.press(*keys)
                await pilot.pause()
                strips = app.screen._compositor.render_strips()
                assert [strip.cell_length for strip in strips] == [SIZE[0]] * SIZE[1]
    finally:
        session.close()
