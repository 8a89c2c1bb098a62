"""Without a source: what was open lately, and the files here, to choose from."""

from __future__ import annotations

import time
from pathlib import Path

from textual.app import App

from logscope.text import human_count, human_duration
from logscope.tui import theming
from logscope.tui.reopening import Reopen
from logscope.tui.screens.picking import Choice, PickScreen
from logscope.tui.sessions import Kept, Sessions
from logscope.tui.styles import ROLES, StyleTable

MOST_FILES = 2_000
RECENT = 12
ALL = "this folder"


class StartApp(App[Reopen]):
    """A list of sessions and files; what is chosen is opened."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, sessions: Sessions, *, theme: str | None = None, folder: Path | None = None) -> None:
        """Choose.

        Args:
            sessions: What was open before.
            theme: A theme's name.
            folder: Where files are looked for; by default the present one.
        """
        super().__init__()
        self._sessions = sessions
        self._folder = folder or Path.cwd()
        self._known: dict[str, Kept | Path] = {}
        self.animation_level = "none"
        for one in theming.load_themes().themes:
            self.register_theme(one)
        wanted = next((name for name in (theme or "", f"logscope-{theme}") if name in self.available_themes), None)
        self.theme = wanted or theming.DEFAULT
        self._table: StyleTable | None = None

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our roles, for themes that leave them out."""
        return {**ROLES, "ansi-background": "ansi_black", "ansi-foreground": "ansi_white"}

    @property
    def style_table(self) -> StyleTable:
        """Styles by role."""
        if self._table is None:
            self._table = StyleTable(self.theme_variables)
        return self._table

    def on_mount(self) -> None:
        """The list."""
        self._ask()

    def _ask(self) -> None:
        choices: list[Choice] = []
        self._known = {}
        here = self._folder.resolve()
        for one in self._sessions.recent()[:RECENT]:
            if not one.sources or one.sources == ("-",):
                continue
            names = [Path(source).name or source for source in one.sources]
            told = f"⟲ {one.name or ', '.join(names[:4])}" + (f" +{len(names) - 4}" if len(names) > 4 else "")
            ago = human_duration(round(max(0.0, time.time() - one.saved)) * 1_000_000)
            self._known[told] = one
            steps = f" · {one.state.position} step{'s' * (one.state.position != 1)}" if one.state.position else ""
            choices.append(Choice(told, f"{ago} ago{steps} · {Path(one.sources[0]).parent}"))
        self._known[ALL] = here
        choices.append(Choice(ALL, "every log in it and the folders below"))
        if here.parent != here:
            self._known["../"] = here.parent
            choices.append(Choice("../", str(here.parent)))
        try:
            entries = sorted(here.iterdir(), key=lambda path: (not path.is_dir(), path.name.lower()))
        except OSError:
            entries = []
        for path in [one for one in entries if not one.name.startswith(".")][:MOST_FILES]:
            name = path.name + ("/" if path.is_dir() else "")
            self._known[name] = path
            choices.append(Choice(name, "folder" if path.is_dir() else _size(path)))
        title = f"Open what? {here}   (Tab ticks several)"
        self.push_screen(PickScreen(title, choices, taken=()), self._chosen)

    def _chosen(self, names: list[str] | None) -> None:
        if names is None:
            self.exit(None)
            return
        found = [self._known[name] for name in names if name in self._known]
        if not found:
            self._ask()
            return
        if len(found) == 1 and isinstance(found[0], Path) and found[0].is_dir() and names != [ALL]:
            self._folder = found[0]
            self._ask()
            return
        sources = [source for one in found for source in (one.sources if isinstance(one, Kept) else (str(one),))]
        named = found[0].name if len(found) == 1 and isinstance(found[0], Kept) else ""
        self.exit(Reopen(tuple(dict.fromkeys(sources)), session=named))


def _size(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError as error:
        return error.strerror or "cannot be read"
    ago = human_duration(round(max(0.0, time.time() - stat.st_mtime)) * 1_000_000)
    return f"{human_count(stat.st_size):>9} bytes · {ago} ago"
