"""How pySigma treats the regexes of rules that it reads: it asks the engine that will run them.

Its own choice, Google's RE2, writes a pattern that it refuses to the process's standard error from C++, as it
stands: a rule of a stranger could send the terminal any sequence. It also accepts what Polars does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import polars as pl
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RE2RegexEngine

from logscope.language.lexer import PATTERN_CAP

if TYPE_CHECKING:
    from sigma.policy.regex_engine import RegexPattern

_FLAGS = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}


class RefusedPattern(ValueError):
    """A regex that cannot be run, in words that do not repeat it."""


class _Matcher:
    """RE2's pattern, made when pySigma itself wants to match: names of a condition, never what a rule seeks."""

    def __init__(self, pattern: str, flags: int, engine: RE2RegexEngine) -> None:
        self._made = pattern, flags, engine

    def __getattr__(self, name: str) -> Any:
        pattern, flags, engine = self._made
        return getattr(RE2RegexEngine.compile(engine, pattern, flags), name)


class RustRegexEngine(RE2RegexEngine):
    """Checks patterns with Polars, which runs them over columns."""

    def compile(self, pattern: str, flags: int = 0) -> RegexPattern:
        """Check a pattern.

        Args:
            pattern: In Rust's syntax.
            flags: Those of `re`.

        Raises:
            RefusedPattern: It is too long, or the engine refuses it.
        """
        if len(pattern) > PATTERN_CAP:
            raise RefusedPattern(f"it is longer than {PATTERN_CAP} characters")
        signs = "".join(sign for flag, sign in _FLAGS.items() if flags & flag)
        try:
            pl.Series([""]).str.contains(f"(?{signs}){pattern}" if signs else pattern)
        except pl.exceptions.ComputeError as error:
            lines = [line.strip() for line in str(error).strip().splitlines()]
            why = next((line.removeprefix("error: ") for line in lines if line.startswith("error:")), lines[0])
            raise RefusedPattern(f"{why.rstrip('.')} (write it without look-around and back-references)") from None
        return cast("RegexPattern", _Matcher(pattern, flags, self))

    @property
    def error(self) -> type[Exception]:
        """What `compile` raises."""
        return RefusedPattern


POLICY = SigmaPolicy(regex_engine=RustRegexEngine())
"""For everything that pySigma reads from a rule."""

_QUOTED = 200


def words_of(error: Exception) -> str:
    """What pySigma says of a rule, a long quotation from the rule left out of its middle."""
    words = str(error)
    return words if len(words) <= 2 * _QUOTED else f"{words[:_QUOTED]} … {words[-_QUOTED:]}"
