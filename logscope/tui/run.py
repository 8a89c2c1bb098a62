"""Start the investigator on an open investigation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from logscope.engine.api import Investigation
from logscope.tui.reopening import Reopen
from logscope.tui.sessions import Sessions

if TYPE_CHECKING:
    from textual.driver import Driver

    from logscope.engine.pinned import CaseFile

SLOW_FRAMES = "15"
"""Frames a second on a slow line."""
SIXTEEN = "ansi16"
"""The theme of the terminal's own 16 colours, which take the fewest bytes too."""


def run(
    investigation: Investigation,
    *,
    theme: str | None = None,
    keymap: str | None = None,
    title: str = "",
    zone: str | None = None,
    driver: str = "auto",
    low_bandwidth: bool = False,
    sources: Sequence[str] = (),
    session: str = "",
    keep: bool = True,
    can_reopen: bool = False,
    tour: bool = False,
    case: CaseFile | None = None,
) -> int | Reopen:
    """Run the investigator until the user leaves.

    Args:
        investigation: Open and started; the caller closes it.
        theme: A theme's name; by default the dark one, and `ansi16` where the terminal says of no more colours.
        keymap: A keymap's name or file.
        title: Shown beside the name.
        zone: Time zone of times shown.
        driver: How the terminal is written to: `diff` sends what has changed, `stock` is Textual's own,
            `auto` is `diff` over SSH.
        low_bandwidth: For slow lines: `diff`, fewer frames, and 16 colours unless a theme is named.
        sources: What is open, as it was typed; paths absolute.
        session: The named session to begin with.
        keep: Whether what was made of the view is kept for the next time, and what was kept is brought back.
        case: The case to begin with.
        can_reopen: Whether the caller opens what a `Reopen` asks for.
        tour: Whether to lead through the tour, which is of the sample logs.

    Returns:
        The exit code, or what to open next.
    """
    if low_bandwidth:
        # Textual reads it when it is imported.
        os.environ.setdefault("TEXTUAL_FPS", SLOW_FRAMES)
        theme = theme or SIXTEEN
        driver = "diff"
    from logscope.tui.app import LogscopeApp
    from logscope.tui.tour import Tour

    app = LogscopeApp(
        investigation,
        theme=theme or (SIXTEEN if sixteen_colours(os.environ) else None),
        keymap=keymap,
        title=title,
        zone=zone,
        driver_class=driver_class(driver),
        sessions=Sessions() if keep else None,
        sources=sources,
        session=session,
        can_reopen=can_reopen,
        tour=Tour() if tour else None,
        case=case,
    )
    code = app.run() or app.return_code or 0
    app.keep_session()
    return code if app.wanted is None else app.wanted


def choose(theme: str | None = None) -> Reopen | None:
    """Let the user choose what to open: a recent session, or files; None if nothing."""
    from logscope.tui.start import StartApp

    return StartApp(Sessions(), theme=theme or (SIXTEEN if sixteen_colours(os.environ) else None)).run()


def sixteen_colours(environ: Mapping[str, str]) -> bool:
    """Whether Rich, which Textual paints by, will use 16 colours: of another theme what is dim would not be seen.

    Args:
        environ: The environment (see `rich.console.Console`).
    """
    told = environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if told != "auto":
        return told == "standard"
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return False
    return environ.get("TERM", "").strip().lower().rpartition("-")[2] not in (
        "256color",
        "kitty",
        "dumb",
        "unknown",
        "",
    )


def driver_class(driver: str) -> type[Driver] | None:
    """The driver that `auto`, `diff` or `stock` means here; None is Textual's choice, which TEXTUAL_DRIVER may set."""
    if driver == "auto":
        driver = "diff" if os.environ.get("SSH_CONNECTION") and not os.environ.get("TEXTUAL_DRIVER") else "stock"
    if driver == "stock":
        return None
    from logscope.tui.terminal.driver import DiffDriver

    return DiffDriver
