"""What a filter says, as frozen data: the tree that `filter.parse_filter` makes.

Places (`column`) take no part in equality: two filters that say the same are equal wherever their
words stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as member
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Value:
    """A value as typed, not yet made a number, a level, a time or a network."""

    text: str
    quoted: bool = False
    """A quoted value is text: no wildcards, no numbers, no units."""
    column: int = member(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty filter."""


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Where the inner one is false, a lacking field included."""

    item: Expression


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase somewhere in the text, letter case ignored."""

    text: str
    column: int = member(default=1, compare=False)
    scope: str = "raw"
    """`raw` or `message`."""


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression (Rust syntax) on the raw text or on a field."""

    pattern: str
    cased: bool = False
    field: str | None = None
    column: int = member(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """A field compared with a value; with several values (`:` and `=` only) any of them."""

    field: str
    op: str
    """One of `:`, `=`, `!=`, `>`, `>=`, `<`, `<=`."""
    values: tuple[Value, ...]
    column: int = member(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class HasField:
    """The field is there, with any value."""

    field: str
    column: int = member(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Over a transaction's records: `has(F)`, `count(F)>2`, `first(F).field`, `last(F).field`."""

    kind: str
    """`has`, `count`, `first` or `last`."""
    inner: Expression
    test: FieldTerm | Regex | HasField | None = None
    """What is asked of the count (its field is `count`) or of the record's field; None for `has`."""
    column: int = member(default=1, compare=False)

    @property
    def field(self) -> str | None:
        """The record's field that `first` and `last` ask for."""
        return self.test.field if self.test is not None and self.kind in ("first", "last") else None


Expression: TypeAlias = Everything | And | Or | Not | Word | Regex | FieldTerm | HasField | Aggregate

AGGREGATES = ("has", "count", "first", "last")
COUNT = "count"


def columns_of(expression: Expression) -> frozenset[str]:
    """Names of the fields a filter uses, as the user wrote them (not those within `has(...)` and its like)."""
    if isinstance(expression, And | Or):
        return frozenset().union(*(columns_of(item) for item in expression.items))
    if isinstance(expression, Not):
        return columns_of(expression.item)
    if isinstance(expression, FieldTerm | HasField):
        return frozenset((expression.field,))
    if isinstance(expression, Regex) and expression.field is not None:
        return frozenset((expression.field,))
    return frozenset()
