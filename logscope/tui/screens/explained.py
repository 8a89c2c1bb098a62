"""What a screen says of itself in its help; every screen has one, the small questions too."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from textual.binding import Binding
from textual.screen import Screen


class Explained:
    """A screen with a help of its own."""

    ABOUT: ClassVar[tuple[str, str]] = ("", "")
    """Its title, and what it is in a sentence or two."""
    TOPICS: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()
    """Heads with the ids of keys below them; what no head names stands under the last one, `This screen`."""
    PANES: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Heads with groups of keys that a part of the screen has while it has the focus."""

    @classmethod
    def own_bindings(cls) -> list[Binding]:
        """The keys of this kind of screen, without those of all screens."""
        return [one for one in vars(cls).get("BINDINGS", ()) if isinstance(one, Binding)]

    def action_help(self) -> None:
        """All keys of this screen."""
        from logscope.tui.screens.help import HelpScreen

        cast("Screen[Any]", self).app.push_screen(HelpScreen(self))
