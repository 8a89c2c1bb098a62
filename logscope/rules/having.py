"""`having`: a condition over the values of a match's steps, tested after pairing.

    psp.code >= 400 or psp.amount != begin.amount
    settled.time - begin.time > 5s and not psp.status = declined

Grammar (blanks stand around + and -; `-` is also part of names)::

    either     = both {"or" both}
    both       = negation {"and" negation}
    negation   = "not" negation | comparison
    comparison = sum [("=" | "!=" | "<" | "<=" | ">" | ">=") sum]
    sum        = operand {("+" | "-") operand}
    operand    = STEP.FIELD | number | duration | word | "text" | "(" either ")"

Values are coerced one by one as in the filter language; a comparison with a missing value, or of
values that cannot be ordered, is false. Nothing is evaluated but Polars expressions built here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from logscope.errors import LogscopeError, RuleError
from logscope.language.units import parse_duration
from logscope.rules.nearest import nearest
from logscope.rules.operands import (
    BOOLEAN,
    DURATION,
    NUMBER,
    TEXT,
    Operand,
    add,
    compare,
    field_operand,
)

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')
    |(?P<operator>!=|<=|>=|==|=|<|>|\(|\)|\+|-)
    |(?P<number>\d+(?:\.\d+)?[A-Za-z]*)(?![\w.])
    |(?P<name>[A-Za-z_@][\w@]*(?:[.-][\w@]+)*)
    |(?P<end>$))""",
    re.VERBOSE | re.ASCII,
)
_COMPARISONS = {"=", "==", "!=", "<", "<=", ">", ">="}
_DEPTH = 50


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Having:
    """A compiled condition; make one with `compile_having`."""

    text: str
    names: frozenset[tuple[str, str]]
    """(step, field) of every value it reads."""
    expression: pl.Expr

    def mask(self, matches: pl.DataFrame) -> pl.Series:
        """Which matches meet the condition.

        Args:
            matches: With columns `value_column(step, field)` (String) of each of `names`.

        Returns:
            Boolean, never null, of the frame's height.
        """
        if not matches.height:
            return pl.Series([], dtype=pl.Boolean)
        return matches.select(self.expression.fill_null(False)).to_series()


def compile_having(text: str, steps: Collection[str], absent: Collection[str] = ()) -> Having:
    """Compile a condition.

    Args:
        text: The condition.
        steps: Names of the positive steps.
        absent: Names of the absent ones, for a better word.

    Raises:
        RuleError: With the 1-based column.
    """
    parser = _Parser(text, steps, absent)
    expression = parser.parse()
    return Having(text, frozenset(parser.names), expression)


class _Parser:
    def __init__(self, text: str, steps: Collection[str], absent: Collection[str]) -> None:
        self.tokens = _tokens(text)
        self.place = 0
        self.depth = 0
        self.steps = steps
        self.absent = absent
        self.names: set[tuple[str, str]] = set()

    def parse(self) -> pl.Expr:
        found = self.truth(self.either, self.peek())
        if self.peek().kind != "end":
            raise _error(f"{self.peek().text} is not expected here", self.peek())
        return found.expression

    def peek(self) -> _Token:
        return self.tokens[self.place]

    def take(self, *texts: str) -> _Token | None:
        token = self.peek()
        if token.kind in ("operator", "name") and token.text.lower() in texts:
            self.place += 1
            return token
        return None

    def truth(self, rule: Callable[[], Operand], token: _Token) -> Operand:
        found = rule()
        if found.kind != BOOLEAN:
            raise _error("a condition is expected here", token, "compare it: STEP.FIELD = value")
        return found

    def either(self) -> Operand:
        return self.joined("or", self.both)

    def both(self) -> Operand:
        return self.joined("and", self.negation)

    def joined(self, word: str, rule: Callable[[], Operand]) -> Operand:
        token = self.peek()
        found = rule()
        while self.take(word):
            if found.kind != BOOLEAN:
                raise _error("a condition is expected here", token, "compare it: STEP.FIELD = value")
            other = self.truth(rule, self.peek())
            joined = found.expression | other.expression if word == "or" else found.expression & other.expression
            found = Operand(BOOLEAN, joined)
        return found

    def negation(self) -> Operand:
        if self.take("not"):
            self.deeper()
            found = self.truth(self.negation, self.peek())
            self.depth -= 1
            return Operand(BOOLEAN, ~found.expression)
        return self.comparison()

    def comparison(self) -> Operand:
        left = self.sum()
        token = self.peek()
        if token.kind != "operator" or token.text not in _COMPARISONS:
            return left
        self.place += 1
        right = self.sum()
        try:
            return compare(left, "=" if token.text == "==" else token.text, right)
        except ValueError as error:
            raise _error(str(error), token) from None

    def sum(self) -> Operand:
        found = self.operand()
        while token := self.take("+", "-"):
            try:
                found = add(found, token.text, self.operand())
            except ValueError as error:
                raise _error(str(error), token) from None
        return found

    def operand(self) -> Operand:
        token = self.peek()
        self.place += 1
        if token.kind == "end":
            raise _error("the condition ends here", token, "a value is missing")
        if token.kind == "text":
            return Operand(TEXT, pl.lit(token.text[1:-1]), literal=token.text[1:-1])
        if token.kind == "number":
            return self.number(token)
        if token.kind == "name":
            return self.name(token)
        if token.text == "-" and self.peek().kind == "number":
            inner = self.operand()
            return Operand(inner.kind, -inner.expression, literal=f"-{inner.literal}")
        if token.text == "(":
            self.deeper()
            found = self.either()
            if not self.take(")"):
                raise _error("a ) is missing", self.peek())
            self.depth -= 1
            return found
        raise _error(f"{token.text} is not expected here", token, "a value is missing")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEPTH:
            raise _error(f"more than {_DEPTH} levels deep", self.peek())

    def number(self, token: _Token) -> Operand:
        try:
            return Operand(NUMBER, pl.lit(float(token.text)), literal=token.text)
        except ValueError:
            pass
        try:
            return Operand(DURATION, pl.lit(float(parse_duration(token.text))), literal=token.text)
        except (LogscopeError, ValueError):
            raise _error(
                f"{token.text} is neither a number nor a duration", token, "durations are 250ms, 2s, 5m, 1h, 1d"
            ) from None

    def name(self, token: _Token) -> Operand:
        if token.text.lower() in ("and", "or", "not"):
            raise _error(f"{token.text} is not expected here", token, "a value is missing")
        step, dot, field = token.text.partition(".")
        if step in self.absent:
            raise _error(f"step {step} is absent and has no values", token, "name a step that happens")
        if not dot and step not in self.steps:
            return Operand(TEXT, pl.lit(token.text), literal=token.text)
        if step not in self.steps:
            raise _error(f"there is no step {step}", token, nearest(step, self.steps, "steps are"))
        if not dot:
            raise _error(f"{step} is a step", token, f"name a field of it: {step}.FIELD")
        self.names.add((step, field))
        return field_operand(step, field)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place = 0
    while True:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            blank = len(text[place:]) - len(text[place:].lstrip())
            sign = text[place + blank : place + blank + 1]
            raise _error(f"{sign} is not expected here", _Token("", sign, place + blank + 1))
        kind = found.lastgroup
        tokens.append(_Token(kind, found[kind], found.start(kind) + 1))
        if kind == "end":
            return tokens
        place = found.end()


def _error(message: str, token: _Token, mend: str | None = None) -> RuleError:
    return RuleError(f"having: {message}", column=token.column, mend=mend)
