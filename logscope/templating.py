"""Text with `{names}` in it: what rules emit and actions send.

Names only: no attributes, no indexing, no conversions, no format specifications, no code. A dot is
part of a name, so `{begin.order_id}` is looked up whole. `{{` and `}}` are braces. Python's own
`str.format` is not used anywhere on such text: it reaches attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from logscope.errors import LogscopeError

_NAME = re.compile(r"[A-Za-z_@][\w.@-]*", re.ASCII)


class TemplateError(LogscopeError):
    """A template that cannot be read; `column` points into its text."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that has been read; make one with `parse_template`."""

    text: str
    """As written."""
    parts: tuple[tuple[bool, str], ...]
    """In order: (is a name, name or literal text)."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order of first use, each once."""
        return tuple(dict.fromkeys(part for is_name, part in self.parts if is_name))

    def render(self, lookup: Callable[[str], str | None]) -> str:
        """The text with each name replaced.

        Args:
            lookup: The text of a name; None for a missing value, which becomes empty. What it
                returns is inserted as it is and not read as a template again.
        """
        return "".join((lookup(part) or "") if is_name else part for is_name, part in self.parts)


def parse_template(text: str) -> Template:
    """Read a template.

    Args:
        text: Literal text with `{name}`, `{{` and `}}`.

    Raises:
        TemplateError: A brace that is not closed or not opened, or something that is no name
            between braces; with its column.
    """
    parts: list[tuple[bool, str]] = []
    literal: list[str] = []
    place = 0
    while place < len(text):
        sign = text[place]
        if sign in "{}" and text[place : place + 2] == sign * 2:
            literal.append(sign)
            place += 2
        elif sign == "}":
            raise TemplateError("a } that closes nothing", column=place + 1, mend="write }} for a brace")
        elif sign == "{":
            end = text.find("}", place)
            if end < 0:
                raise TemplateError("a { that is not closed", column=place + 1, mend="write {{ for a brace")
            name = text[place + 1 : end]
            if not _NAME.fullmatch(name):
                raise TemplateError(
                    f"{{{name}}} is not a name", column=place + 1, mend="names only, such as {begin.order_id}"
                )
            if literal:
                parts.append((False, "".join(literal)))
                literal = []
            parts.append((True, name))
            place = end + 1
        else:
            literal.append(sign)
            place += 1
    if literal:
        parts.append((False, "".join(literal)))
    return Template(text, tuple(parts))
