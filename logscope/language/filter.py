"""The filter language: text to an expression tree.

Grammar, side by side meaning `and`:

    either  := both ("or" both)*
    both    := single (["and"] single)*
    single  := "not" single | "-" single | "(" [either] ")" | term
    term    := word | phrase | regex | NAME op value | NAME "~" regex | NAME ":" "(" values ")" | aggregate
"""

from __future__ import annotations

from collections.abc import Callable

from logscope.errors import FilterError
from logscope.language.expressions import (
    AGGREGATES,
    COUNT,
    Aggregate,
    And,
    Everything,
    Expression,
    FieldTerm,
    HasField,
    Not,
    Or,
    Regex,
    Value,
    Word,
    columns_of,
)
from logscope.language.lexer import Lexer
from logscope.language.writing import to_text

__all__ = [
    "Aggregate", "And", "Everything", "Expression", "FieldTerm", "HasField", "Not", "Or", "Regex", "Value", "Word",
    "columns_of", "parse_bracketed", "parse_filter", "to_text",
]  # fmt: skip

DEPTH_CAP = 100
"""Levels of nesting; more is a mistake, and Python's stack is not for the user to exhaust."""

_TEXT_SCOPES = ("message",)


def parse_filter(text: str) -> Expression:
    """The expression a filter's text stands for.

    Args:
        text: One line of the filter language; empty matches everything.

    Raises:
        FilterError: With the 1-based column where it does not compile.
    """
    parser = _Parser(Lexer(text))
    return parser.whole()


def parse_bracketed(text: str, at: int) -> tuple[Expression, int]:
    """The filter that begins at position `at` and ends before an unquoted `]`.

    Args:
        text: A sequence's whole text; columns of errors count in it.
        at: Just behind the opening bracket.

    Returns:
        The expression and the position of the closing bracket.

    Raises:
        FilterError: It does not compile, or the bracket is not closed.
    """
    parser = _Parser(Lexer(text, at, bracketed=True))
    expression = parser.whole()
    if parser.lexer.at >= len(text):
        raise FilterError("the bracket is not closed", column=max(1, at), mend="add ]")
    return expression, parser.lexer.at


class _Parser:
    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.depth = 0

    def whole(self) -> Expression:
        self.lexer.blanks()
        if self.lexer.ended():
            return Everything()
        expression = self._either(self._single)
        if not self.lexer.ended():
            raise FilterError("a ) that nothing opens", column=self.lexer.column, mend='remove it or quote it: ")"')
        return expression

    def _keyword(self) -> str | None:
        """`and`, `or`, `not` here; a field's name if an operator is attached to it."""
        name = self.lexer.name()
        if name is None or name.lower() not in ("and", "or", "not"):
            return None
        if not (self.lexer.ends_at(self.lexer.at + len(name)) or self.lexer.text[self.lexer.at + len(name)] == "("):
            return None
        return name.lower()

    def _take_keyword(self, keyword: str) -> bool:
        self.lexer.blanks()
        if self._keyword() != keyword:
            return False
        self.lexer.at += len(keyword)
        return True

    def _either(self, single: Callable[[], Expression]) -> Expression:
        items = [self._both(single)]
        while self._take_keyword("or"):
            items.append(self._both(single))
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _both(self, single: Callable[[], Expression]) -> Expression:
        items = [self._deeper(single)]
        while True:
            self.lexer.blanks()
            if self.lexer.ended() or self.lexer.peek(")") or self._keyword() == "or":
                return items[0] if len(items) == 1 else And(tuple(items))
            self._take_keyword("and")
            items.append(self._deeper(single))

    def _deeper(self, single: Callable[[], Expression]) -> Expression:
        self.depth += 1
        if self.depth > DEPTH_CAP:
            raise FilterError(f"nested more than {DEPTH_CAP} levels deep", column=self.lexer.column)
        try:
            return single()
        finally:
            self.depth -= 1

    def _missing(self, what: str) -> FilterError:
        return FilterError(f"{what} is missing", column=self.lexer.column, mend="complete it, or quote the word before")

    def _group(self, single: Callable[[], Expression], *, empty: bool) -> Expression:
        start = self.lexer.at + 1
        self.lexer.at += 1
        self.lexer.blanks()
        if empty and self.lexer.peek(")"):
            self.lexer.at += 1
            return Everything()
        expression = self._either(single)
        self.lexer.blanks()
        if not self.lexer.peek(")"):
            raise FilterError("the parenthesis is not closed", column=start, mend="add )")
        self.lexer.at += 1
        return expression

    def _single(self) -> Expression:
        lexer = self.lexer
        lexer.blanks()
        if lexer.ended() or lexer.peek(")"):
            raise self._missing("a term")
        keyword = self._keyword()
        if keyword == "not":
            lexer.at += 3
            return Not(self._deeper(self._single))
        if keyword is not None:
            raise FilterError(
                f"`{keyword}` has nothing before it",
                column=lexer.column,
                mend=f'quote it to search for it: "{keyword}"',
            )
        if lexer.peek("-") and not lexer.ends_at(lexer.at + 1):
            lexer.at += 1
            return Not(self._deeper(self._single))
        if lexer.peek("("):
            return self._group(self._single, empty=True)
        return self._term()

    def _term(self) -> Expression:
        lexer = self.lexer
        column = lexer.column
        if lexer.peek('"'):
            return Word(lexer.phrase(), column)
        if lexer.peek("/"):
            pattern = lexer.pattern()
            if pattern is not None:
                return Regex(pattern.text, pattern.cased, None, column)
        name = lexer.name()
        if name is not None:
            if name in AGGREGATES and lexer.text.startswith("(", lexer.at + len(name)):
                return self._aggregate(name)
            found = lexer.operator_after(name)
            if found is not None:
                op, lexer.at, _ = found
                return self._field_term(name, op, column)
        return Word(lexer.word(), column)

    def _field_term(self, name: str, op: str, column: int) -> Expression:
        lexer = self.lexer
        if op == "~":
            place = lexer.column
            pattern = lexer.pattern()
            if pattern is None:
                raise FilterError("the regex is not closed", column=place, mend="end it with / or /c")
            return Regex(pattern.text, pattern.cased, name, column)
        if lexer.peek("("):
            if op not in (":", "="):
                raise FilterError(f"{op} takes one value", column=lexer.column, mend=f"use not {name}:(...)")

            def single() -> Expression:
                return self._listed(name, op, column)

            listed = self._group(single, empty=False)
            return _gathered(listed, name, op, column)
        return _value_term(name, op, self._value(), column)

    def _listed(self, name: str, op: str, column: int) -> Expression:
        """One item of `field:(a or b)`."""
        lexer = self.lexer
        lexer.blanks()
        if lexer.ended() or lexer.peek(")"):
            raise self._missing("a value")
        if self._keyword() == "not":
            lexer.at += 3

            def single() -> Expression:
                return self._listed(name, op, column)

            return Not(self._deeper(single))
        if self._keyword() is not None:
            raise self._missing("a value")
        if lexer.peek("("):

            def inner() -> Expression:
                return self._listed(name, op, column)

            return self._group(inner, empty=False)
        return _value_term(name, op, self._value(), column)

    def _value(self) -> Value:
        lexer = self.lexer
        column = lexer.column
        if lexer.peek('"'):
            return Value(lexer.phrase(), True, column)
        if lexer.peek("="):
            raise FilterError(
                "a value that begins with =", column=column, mend='write = once, or quote the value: "=..."'
            )
        text = lexer.word()
        if not text:
            raise self._missing("a value")
        return Value(text, False, column)

    def _aggregate(self, kind: str) -> Expression:
        lexer = self.lexer
        column = lexer.column
        lexer.at += len(kind)
        inner = self._group(self._single, empty=True)
        if kind == "has":
            return Aggregate(kind, inner, None, column)
        if kind == "count":
            return self._count(inner, column)
        if not lexer.peek("."):
            raise FilterError(f"{kind}(...) needs a field", column=lexer.column, mend=f"write {kind}(...).NAME")
        lexer.at += 1
        name = lexer.name()
        if name is None:
            raise self._missing("a field's name")
        found = lexer.operator_after(name)
        if found is None:
            lexer.at += len(name)
            return Aggregate(kind, inner, HasField(name, column), column)
        op, lexer.at, _ = found
        test = self._field_term(name, op, column)
        return _spread(kind, inner, test, column)

    def _count(self, inner: Expression, column: int) -> Expression:
        lexer = self.lexer
        found = lexer.operator_after("")
        if found is None or found[0] == "~":
            raise FilterError("count(...) needs a comparison", column=lexer.column, mend="write count(...)>2")
        op, lexer.at, _ = found
        value = self._value()
        if not value.text.isascii() or not value.text.isdigit() or len(value.text) > 9 or value.quoted:
            raise FilterError(
                "count(...) is compared with a whole number", column=value.column, mend="write count(...)>2"
            )
        return Aggregate(COUNT, inner, FieldTerm(COUNT, op, (value,), column), column)


def _value_term(name: str, op: str, value: Value, column: int) -> Expression:
    if op == ":" and not value.quoted and value.text == "*":
        return HasField(name, column)
    wild = not value.quoted and ("*" in value.text or "?" in value.text)
    if op == ":" and name in _TEXT_SCOPES and not wild:
        return Word(value.text, value.column, scope=name)
    return FieldTerm(name, op, (value,), column)


def _gathered(listed: Expression, name: str, op: str, column: int) -> Expression:
    """`field:(a or b)` as one term with two values, where nothing but `or` stands between."""
    if isinstance(listed, Or) and all(isinstance(item, FieldTerm) and len(item.values) == 1 for item in listed.items):
        values = tuple(item.values[0] for item in listed.items if isinstance(item, FieldTerm))
        return FieldTerm(name, op, values, column)
    return listed


def _spread(kind: str, inner: Expression, test: Expression, column: int) -> Expression:
    """`first(F).field:(a or not b)`: the aggregate of each single test."""
    if isinstance(test, And | Or):
        return type(test)(tuple(_spread(kind, inner, item, column) for item in test.items))
    if isinstance(test, Not):
        return Not(_spread(kind, inner, test.item, column))
    if isinstance(test, Word):
        test = FieldTerm(test.scope, ":", (Value(test.text, True, test.column),), test.column)
    if not isinstance(test, FieldTerm | Regex | HasField):
        raise FilterError(f"{kind}(...) cannot be asked that", column=column)
    return Aggregate(kind, inner, test, column)
