"""Screens as SVG files: `python -m tests.tui.shots docs/screenshots [NAME...]` from the shipped sample logs.

`--over FOLDER NAME...` makes those of docs/walkthrough-nezha.md, from the pods' files in a folder.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot

import sample_logs
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.tui.app import LogscopeApp
from logscope.tui.screens.base import InvestigatorScreen

SIZES = ((80, 24), (160, 50))
FAILED = "ORD-104905"
SHOTS: dict[str, tuple[str, ...]] = {
    "records": ("colon", *"goto 10:24:04", "enter", "x"),
    "pivot": ("slash", *f"order_id={FAILED} amount", "enter", "asterisk", "1", *"jjj"),
    "transactions": ("T", "greater_than_sign"),
    "transaction": ("T", "ampersand", "down", "enter", "enter", "enter"),
    "save-as-rule": (
        "T",
        "ampersand",
        "down",
        "enter",
        "enter",
        "equals_sign",
        *"xxxx",
        "full_stop",
        *"5G",
        "full_stop",
        *"9G",
        "full_stop",
        "S",
        *"5G",
    ),
    "rules": ("R", *"2G"),
    "rule": ("R", "enter"),
    "detections": ("D", "j"),
    "compare": ("T", "ampersand", "down", "enter", "enter", "equals_sign"),
    "keys": ("K", "j", "x"),
    "map": ("M",),
    "case": (
        "colon",
        *"case new payments",
        "enter",
        "q",
        "T",
        "ampersand",
        "down",
        "enter",
        "P",
        "j",
        "P",
        "j",
        "P",
        "I",
        "number_sign",
        *"the PSP answered 202 and never settled",
        "enter",
    ),
    "over-time": ("L", *"jjjj", "m", "m", "m"),
    "clocks": ("C",),
}
"""Name -> keys from the records view on."""


SINCE = "start>=2023-01-29T13:31:54Z"
WALK: dict[str, tuple[str, ...]] = {
    "nezha-1-list": ("T", "greater_than_sign"),
    "nezha-2-transaction": ("T", "greater_than_sign", "enter", "c"),
    "nezha-3-compare": ("T", "greater_than_sign", "enter", "equals_sign"),
    "nezha-4-map": ("M", "ampersand", *SINCE, "enter"),
    "nezha-5-its-transactions": ("M", "ampersand", *SINCE, "enter", "j", "enter"),
}
"""Name -> keys from the records view on, over the pods of a faulty stretch."""


async def settle(pilot: Pilot[int], session: Session) -> None:
    """Until everything is read, linked and decided, and no question is under way."""
    quiet = 0
    while quiet < 4:
        await pilot.pause(0.05)
        screens = [one for one in pilot.app.screen_stack if isinstance(one, InvestigatorScreen)]
        busy = any(one.queries.running for one in screens)
        quiet = 0 if busy or session.snapshot.loading or session.snapshot.transactions is None else quiet + 1


async def shoot(session: Session, name: str, size: tuple[int, int], folder: Path) -> None:
    """One screen at one size."""
    app = LogscopeApp(session, theme="dark", keymap="default", zone="UTC")
    async with app.run_test(size=size) as pilot:
        await settle(pilot, session)
        for key in (SHOTS | WALK)[name]:
            await pilot.press(
                {
                    " ": "space",
                    "_": "underscore",
                    "=": "equals_sign",
                    "-": "minus",
                    ">": "greater_than_sign",
                    ":": "colon",
                }.get(key, key)
            )
            if len(key) > 1 or not app.screen.focused or key.isupper():
                await settle(pilot, session)
        await settle(pilot, session)
        # How long a question took differs from run to run.
        screen = app.screen
        if isinstance(screen, InvestigatorScreen):
            screen.queries.took.clear()
            screen.show_status()
            await pilot.pause()
        svg = app.export_screenshot(title=f"logscope · {name}")
        (folder / f"{name}-{size[0]}x{size[1]}.svg").write_text(slim(svg), encoding="utf-8")


def slim(svg: str) -> str:
    """The same picture in less, and the same from run to run."""
    svg = re.sub(r"terminal-\d+-?", "t", svg)  # numbered anew each time
    svg = re.sub(r"(?s)\s*@font-face \{.*?\}", "", svg)  # nothing is fetched
    svg = re.sub(r"""(?s)\s*<clipPath id="tline-\d+">.*?</clipPath>""", "", svg)
    svg = re.sub(r""" clip-path="url\(#tline-\d+\)\"""", "", svg)
    svg = svg.replace(' shape-rendering="crispEdges"', "").replace(
        "<style>", "<style> rect {shape-rendering: crispEdges}"
    )
    return re.sub(r"""<text ([^>]*?) x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)">([^<]*)</text>""", _text, svg)


def _text(found: re.Match[str]) -> str:
    """A run of text without the blanks around it, which some viewers leave out."""
    style, x, y, length, content = found.groups()
    text = html.unescape(content)
    kept = text.strip()
    if not kept:
        return ""
    cell = float(length) / len(text)
    left = float(x) + cell * (len(text) - len(text.lstrip()))
    told = html.escape(kept, quote=False)
    return f'<text {style} x="{left:.1f}" y="{y}" textLength="{cell * len(kept):.1f}">{told}</text>'


def sources(over: str | None) -> Options:
    """What is opened: the pods' files of a folder, else the sample logs with the shipped rules."""
    if over is not None:
        return Options(sources=tuple(sorted(str(path) for path in Path(over).glob("*.log"))))
    folder = Path(os.path.relpath(Path(sample_logs.__file__).parent))  # as one types it from the checkout
    logs = sorted(str(path) for path in folder.glob("*.log.gz"))
    return Options(sources=tuple(logs), shipped_rules=True)


def main() -> None:
    """The screens named, by default all, at both sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--over", help="a folder of log files, for the walkthrough")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    state = tempfile.TemporaryDirectory(prefix="logscope-shots-")
    os.environ["XDG_STATE_HOME"] = state.name  # the user's own cases and sessions are neither shown nor changed
    session = Session(sources(asked.over))
    session.open()
    session.start()
    try:
        for name in asked.names or (WALK if asked.over else SHOTS):
            for size in SIZES:
                asyncio.run(shoot(session, name, size, asked.folder))
    finally:
        session.close()
        state.cleanup()


if __name__ == "__main__":
    main()
