"""Screens as SVG files: `python -m tests.tui.shots FOLDER [THEME]`, to be looked at."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from logscope.tui.app import LogscopeApp
from tests.tui.fake import FakeInvestigation

SIZES = ((80, 24), (160, 50))
SHOTS: dict[str, tuple[str, ...]] = {
    "records": ("j", "j", "j"),
    "detail": ("5", "j", "enter", "tab", "tab"),
    "filter": ("ampersand", *"service:payments", "enter", "ampersand", *"psp", "enter"),
    "error": ("ampersand", *'service:payments ("oops'),
    "pivot": ("6", "j", "asterisk", "1"),
    "chooser": ("6", "j", "asterisk"),
    "search": ("slash", *"charge", "enter"),
    "trail": ("ampersand", *"payments", "enter", "6", "j", "asterisk", "1", "tilde"),
    "detections": ("D",),
    "transaction": ("D", "enter", "j", "j"),
    "transactions": ("T",),
    "where": ("T", "ampersand", *'has("charge begin") not has("charge settled")', "enter"),
    "help": ("question_mark",),
    "keys": ("colon", *"keys", "enter"),
    "sources": ("colon", *"sources", "enter"),
    "palette": ("ctrl+p",),
    "brush": ("3", "0", "j", "B", "shift+right", "shift+right"),
}


async def shoot(name: str, keys: tuple[str, ...], size: tuple[int, int], folder: Path, theme: str) -> None:
    """One screen."""
    app = LogscopeApp(FakeInvestigation(live=name == "records"), theme=theme, zone="UTC")
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.3)
        for key in keys:
            await pilot.press({" ": "space"}.get(key, key))
            await pilot.pause(0.02 if len(key) == 1 and key not in "DT*" else 0.15)
        if name == "error":
            await pilot.press("enter")
        await pilot.pause(0.4)
        (folder / f"{name}-{size[0]}.svg").write_text(app.export_screenshot(), encoding="utf-8")


async def main() -> None:
    """All screens at all sizes; those named after the theme only."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    theme = sys.argv[2] if len(sys.argv) > 2 else "dark"
    wanted = sys.argv[3:] or list(SHOTS)
    for name in wanted:
        for size in SIZES:
            await shoot(name, SHOTS[name], size, folder, theme)


if __name__ == "__main__":
    asyncio.run(main())
