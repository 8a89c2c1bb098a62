"""Rich styles by role, resolved once per theme: looking CSS up per row costs a quarter of a frame."""

from __future__ import annotations

from collections.abc import Mapping

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color, ColorParseError

from logscope.records import severity

ROLES: dict[str, str] = {
    "log-trace": "#7a8394",
    "log-debug": "#8a93a5",
    "log-info": "#7fb4a5",
    "log-warn": "#e0b04c",
    "log-error": "#f07178",
    "log-fatal": "#ff5d8f",
    "log-time": "#8fa1b8",
    "log-dim": "#6c7686",
    "log-name": "#7f8ea3",
    "log-service": "#82aaff",
    "log-match": "#5a4a12",
    "log-match-text": "#ffe9a8",
    "log-key": "#c3a6ff",
    "log-cursor": "#26364d",
    "log-mark": "#e8c35a",
    "log-detection": "#ff8f57",
    "log-gap": "#2b2f3a",
    "log-strip": "#5f7fa8",
    "log-hint": "#9fc3ff",
    "lane-1": "#82aaff",
    "lane-2": "#7fd1ae",
    "lane-3": "#e0b04c",
    "lane-4": "#c3a6ff",
    "lane-5": "#6fd0e0",
    "lane-6": "#f29ac0",
}
"""Roles beyond Textual's, with the colours of a theme that leaves them out."""

LANES = 6

_WHITE = RichColor.parse("bright_white")

_LEVEL_ROLES = ("log-dim", "log-trace", "log-debug", "log-info", "log-warn", "log-error", "log-fatal")

LEVEL_WORDS = ("     ", "TRACE", "DEBUG", "INFO ", "WARN ", "ERROR", "FATAL")
"""Levels as rows show them: words, so that colour is never the only sign."""

DETECTION_SIGNS = {"critical": "✖", "high": "✖", "medium": "▲", "low": "△", "informational": "·"}
"""A detection's level as a shape."""

DETECTION_ROLES = {"critical": "log-fatal", "high": "log-error", "medium": "log-warn", "low": "log-info"}
"""A detection's level as a colour."""


class StyleTable:
    """Styles of one theme."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Colours by name, as `App.theme_variables` has them."""
        self._variables = variables
        self._colors: dict[str, RichColor] = {}
        self._styles: dict[tuple[str, str, bool, bool], Style] = {}

    def color(self, role: str) -> RichColor:
        """The colour of a role; the terminal's own where it cannot be read."""
        found = self._colors.get(role)
        if found is None:
            value = self._variables.get(role) or ROLES.get(role, "ansi_default")
            try:
                found = Color.parse(value).rich_color
            except ColorParseError:
                found = RichColor.default()
            self._colors[role] = found
        return found

    def style(self, role: str, behind: str = "background", *, bold: bool = False, underline: bool = False) -> Style:
        """The style of a role on another role's colour."""
        name = (role, behind, bold, underline)
        found = self._styles.get(name)
        if found is None:
            color, under = self.color(role), self.color(behind)
            if behind == "log-cursor" and under.is_system_defined:
                # Of 16 colours most cannot be read on another one: the cursor's row is white on its colour.
                color = _WHITE
            found = Style(color=color, bgcolor=under, bold=bold, underline=underline)
            self._styles[name] = found
        return found

    def level(self, level: int, behind: str = "background", *, bold: bool = False) -> Style:
        """The style of a level number."""
        return self.style(_LEVEL_ROLES[level], behind, bold=bold or level >= severity.ERROR)

    def lane(self, number: int, behind: str = "background", *, bold: bool = False) -> Style:
        """The style of the lane at a place; six colours in turn."""
        return self.style(f"lane-{number % LANES + 1}", behind, bold=bold)


def level_role(level: int) -> str:
    """The role of a level number."""
    return _LEVEL_ROLES[level]
