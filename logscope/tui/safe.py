"""Where text from a log becomes something a widget may have.

Nothing from a log reaches a widget as `str`: markup in it would crash the app or become a live
action. These are the only makers of `Content` from such text, and they clean it first.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.content import Content

from logscope.text import clean


def content(text: str, style: str = "", *, cap: int | None = None) -> Content:
    """Cleaned text as Content; no markup is read.

    Args:
        text: Anything.
        style: A Textual style for all of it.
        cap: Characters at most.
    """
    return Content.styled(clean(text, cap=cap), style) if style else Content(clean(text, cap=cap))


def line(*parts: Content | str | tuple[str, str]) -> Content:
    """Parts side by side: Content as it is, text (with a style) cleaned."""
    made = [
        part if isinstance(part, Content) else content(part) if isinstance(part, str) else content(part[0], part[1])
        for part in parts
    ]
    return Content("").join(made)


def segment(text: str, style: Style, *, cap: int | None = None) -> Segment:
    """Cleaned text as a Segment."""
    return Segment(clean(text, cap=cap), style)
