"""Filter text to tokens, by the rules of the filter language (docs/filters.md).

A token is made where the parser stands, since what a character means depends on it: after an
operator a value is read, elsewhere a term.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from logscope.errors import FilterError

_NAME = re.compile(r"[A-Za-z_@][\w.@-]*")
_OPERATOR = re.compile(r"!=|>=|<=|[:=<>~]")
_BLANKS = re.compile(r"\s*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}

PATTERN_CAP = 4096
"""Characters of a regular expression."""

TEXT_CAP = 65536
"""Characters of a whole filter."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression between slashes."""

    text: str
    cased: bool


class Lexer:
    """A place in a filter's text and what can be read there.

    Args:
        text: The whole text that columns count in.
        at: Where to begin.
        bracketed: A `]` that closes nothing within a word ends the filter (sequences).
    """

    def __init__(self, text: str, at: int = 0, *, bracketed: bool = False) -> None:
        """See the class."""
        if len(text) > TEXT_CAP:
            raise FilterError(f"the filter is longer than {TEXT_CAP} characters", column=TEXT_CAP)
        for place, sign in enumerate(text):
            if "\ud800" <= sign <= "\udfff":
                raise FilterError("half a character (a lone surrogate)", column=place + 1, mend="type it again")
        self.text = text
        self.at = at
        self.bracketed = bracketed

    @property
    def column(self) -> int:
        """1-based, within the text even at its end."""
        return max(1, min(self.at + 1, len(self.text)))

    def blanks(self) -> None:
        """Skip blanks."""
        found = _BLANKS.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def ended(self) -> bool:
        """Nothing is left (or the closing bracket comes)."""
        return self.at >= len(self.text) or (self.bracketed and self.text[self.at] == "]")

    def peek(self, text: str) -> bool:
        """Whether `text` comes next."""
        return self.text.startswith(text, self.at)

    def ends_at(self, at: int) -> bool:
        """Whether a token ends before position `at`."""
        if at >= len(self.text):
            return True
        sign = self.text[at]
        return sign.isspace() or sign == ")" or (self.bracketed and sign == "]")

    def name(self) -> str | None:
        """A field's name here, not yet taken."""
        found = _NAME.match(self.text, self.at)
        return found.group() if found else None

    def operator_after(self, name: str) -> tuple[str, int, bool] | None:
        """The operator behind a name: itself, where its value begins, and whether it is attached.

        `http://x` has none; `~` is one only before a regular expression.
        """
        behind = self.at + len(name)
        blank = _BLANKS.match(self.text, behind)
        start = blank.end() if blank else behind
        found = _OPERATOR.match(self.text, start)
        if found is None:
            return None
        op = found.group()
        blank = _BLANKS.match(self.text, found.end())
        value = blank.end() if blank else found.end()
        if op == ":" and self.text.startswith("//", value):
            return None
        if op == "~" and not self.text.startswith("/", value):
            return None
        return op, value, start == behind

    def phrase(self) -> str:
        """The quoted text that begins here."""
        start = self.at
        signs: list[str] = []
        at = start + 1
        while at < len(self.text):
            sign = self.text[at]
            if sign == '"':
                self.at = at + 1
                return "".join(signs)
            if sign == "\\" and at + 1 < len(self.text):
                after = self.text[at + 1]
                signs.append(_ESCAPES.get(after, "\\" + after))
                at += 2
                continue
            signs.append(sign)
            at += 1
        raise FilterError("the quote is not closed", column=start + 1, mend='add "')

    def word(self) -> str:
        """The run of characters up to a blank or parenthesis; empty if there is none."""
        start, depth = self.at, 0
        at = start
        while at < len(self.text):
            sign = self.text[at]
            if sign.isspace() or sign in "()":
                break
            if self.bracketed and sign == "[":
                depth += 1
            elif self.bracketed and sign == "]":
                if depth == 0:
                    break
                depth -= 1
            at += 1
        self.at = at
        return self.text[start:at]

    def pattern(self) -> Pattern | None:
        """The `/regex/` or `/regex/c` that begins here; None (and nothing taken) if it is a word.

        A slash within the token that does not end it is part of it (`/var/log/`), unless a blank
        comes between: `/api/orders /x/` is a word and a regex.

        Raises:
            FilterError: It is longer than `PATTERN_CAP`.
        """
        close = self._pattern_end(classes=True)
        if close is None:
            close = self._pattern_end(classes=False)
        if close is None or close == self.at + 1:
            return None
        if close - self.at > PATTERN_CAP:
            raise FilterError(f"the regex is longer than {PATTERN_CAP} characters", column=self.at + 1)
        text = re.sub(
            r"\\(.)", lambda found: "/" if found[1] == "/" else found[0], self.text[self.at + 1 : close], flags=re.S
        )
        cased = self.text.startswith("c", close + 1) and not self.ends_at(close + 1)
        self.at = close + (2 if cased else 1)
        return Pattern(text, cased)

    def _pattern_end(self, *, classes: bool) -> int | None:
        blank = inner = False
        depth = 0
        at = self.at + 1
        while at < len(self.text):
            sign = self.text[at]
            if sign == "\\":
                at += 2
                continue
            if classes and sign == "[":
                depth += 1
                # A bracket that comes first stands for itself.
                first = at + (2 if self.text.startswith("^", at + 1) else 1)
                at = first if self.text.startswith("]", first) else at
            elif sign == "]" and depth:
                depth -= 1
            elif sign == "/" and not depth:
                if self.ends_at(at + 1) or (self.text.startswith("c", at + 1) and self.ends_at(at + 2)):
                    return at
                inner = True
            elif sign.isspace() and not depth:
                blank = True
            if blank and inner:
                return None
            at += 1
        return None
