"""The one family of errors that users see.

Every error names what is wrong, where (source or file, line, column) and how to mend it, and knows
the exit code a command ends with (interface: 2 for wrong usage or what does not compile, 1 for a
source that could not be read).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class LogscopeError(Exception):
    """Something the user can mend.

    Args:
        message: What is wrong, one sentence without a final stop.
        where: The source, file or option it concerns.
        line: 1-based line within `where`.
        column: 1-based column within the text concerned.
        mend: What to do about it.
    """

    message: str
    where: str | None = None
    line: int | None = None
    column: int | None = None
    mend: str | None = None

    exit_code: ClassVar[int] = 2

    def __str__(self) -> str:
        """One line: `where:line:column: message: mend`."""
        place = self.where or ""
        for number in (self.line, self.column):
            if number is not None:
                place = f"{place}:{number}" if place else str(number)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.mend}" if self.mend else text


class UsageError(LogscopeError):
    """Options or arguments that do not fit together."""


class FilterError(LogscopeError):
    """A filter or sequence that does not compile; `column` points into its text."""


class RuleError(LogscopeError):
    """A rule file that does not compile."""


class FormatError(LogscopeError):
    """A format definition that does not compile, or whose samples disagree with it."""


class PlanError(LogscopeError):
    """A correlation key or plan that cannot be used."""


class ConfigError(LogscopeError):
    """A configuration, theme or keymap file that cannot be used."""


class SourceError(LogscopeError):
    """A source that cannot be read; the others go on."""

    exit_code: ClassVar[int] = 1
