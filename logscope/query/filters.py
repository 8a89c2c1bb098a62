"""Filters on records: text to a mask over any record frame."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

import polars as pl

from logscope.errors import FilterError
from logscope.language.filter import (
    Aggregate,
    And,
    Expression,
    FieldTerm,
    HasField,
    Not,
    Or,
    Regex,
    Word,
    parse_filter,
    to_text,
)
from logscope.language.units import Unit, unit_named
from logscope.query.columns import Scope
from logscope.query.comparison import check, no_unit
from logscope.query.plan import constant, evaluate, leaf_expression
from logscope.records.schema import FIELD_PREFIX, KEY_PREFIX, USER_COLUMNS

Term = Word | Regex | FieldTerm | HasField

_RELATIVE = re.compile(r"\bnow\b|[-+][0-9]")
"""What may count from the moment at which a filter was compiled."""


class Filter:
    """A compiled filter on records.

    Attributes:
        text: The filter as written (canonical if it was compiled from a tree).
        expression: What it says.
        columns: Columns that frames must hold for it: schema names, `fields.NAME`, `keys.NAME`.
        field_terms: Names of the fields it uses and where each first stands (1-based).
    """

    def __init__(self, text: str, expression: Expression, scope: Scope) -> None:
        """See the class; made by the compile function."""
        self.text = text
        self.expression = expression
        self._scope = scope
        names: dict[str, int] = {}
        columns: set[str] = set()
        for term in terms_of(expression):
            if isinstance(term, Word):
                columns.add(term.scope)
            elif term.field is None:
                columns.add("raw")
            else:
                names.setdefault(term.field, term.column)
                columns.add(scope.column(term.field))
        self.columns: frozenset[str] = frozenset(columns)
        self.field_terms: tuple[tuple[str, int], ...] = tuple(names.items())
        # Which expression a term becomes depends on the dtypes that a frame has for its columns.
        self._compiled: dict[tuple[int, pl.DataType | None], pl.Expr | None] = {}

    @cached_property
    def literals(self) -> frozenset[tuple[str, str]] | None:
        """(column, ASCII text in lower case): a record that matches holds one of them, letter case ignored.

        None: it may hold none.
        """
        return _literals(self.expression)

    @cached_property
    def meaning(self) -> object:
        """Equal for filters that match the same records; None where a time may count from when it was compiled."""
        if any(name == "time" for name, _ in self.field_terms) or _RELATIVE.search(self.text):
            return None
        return self.text, self._scope.zone, str(sorted(self._scope.units.items())), self._scope.transactions

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"

    def mask(self, frame: pl.DataFrame) -> pl.Series:
        """Which rows match: Boolean, never null, in the frame's order.

        Args:
            frame: A record frame with any of `columns`; a missing one is all null.

        Raises:
            FilterError: Numbers of no known unit are compared with a duration or size.
        """
        used = [name for name in frame.columns if name in self.columns]
        if used:
            frame = frame.select(used)
        return evaluate(self.expression, frame, self._scope, self._leaf).alias("mask")

    def by_key(self) -> tuple[dict[str, Filter], Filter | None]:
        """What it asks of keys alone, and the rest.

        Returns:
            By column (`keys.NAME`) a filter on that key's values, which a record must hold one of; and a
            filter that it must match besides, None if there is nothing besides.
        """
        items = self.expression.items if isinstance(self.expression, And) else (self.expression,)
        keyed: dict[str, list[Expression]] = {}
        rest: list[Expression] = []
        for item in items:
            field = item.field if isinstance(item, FieldTerm | Regex | HasField) else None
            if field is not None and field.startswith(KEY_PREFIX):
                keyed.setdefault(field, []).append(item)
            else:
                rest.append(item)
        filters = {field: self._of(terms) for field, terms in keyed.items()}
        return filters, self._of(rest) if rest else None

    def _of(self, items: list[Expression]) -> Filter:
        expression = items[0] if len(items) == 1 else And(tuple(items))
        return Filter(to_text(expression), expression, self._scope)

    def exactly(self) -> str | None:
        """The text that a field must be, if the filter asks nothing else."""
        term = self.expression
        if isinstance(term, FieldTerm) and term.op == "=" and len(term.values) == 1 and term.values[0].quoted:
            return term.values[0].text
        return None

    def _leaf(self, expression: Expression, frame: pl.DataFrame) -> pl.Series:
        if not isinstance(expression, Word | Regex | FieldTerm | HasField):
            raise FilterError("has, count, first and last are for transactions")
        column = (
            expression.scope
            if isinstance(expression, Word)
            else "raw"
            if expression.field is None
            else self._scope.column(expression.field)
        )
        place = (id(expression), frame.schema.get(column))
        if place not in self._compiled:
            self._compiled[place] = leaf_expression(expression, frame.schema, self._scope)
        compiled = self._compiled[place]
        if compiled is None:
            return constant(False, frame.height)
        return select(frame, compiled, expression)


_SHORTEST = 3
"""Shorter words stand in too many records to be worth seeking."""


def _literals(expression: Expression) -> frozenset[tuple[str, str]] | None:
    if isinstance(expression, Word):
        text = expression.text
        return frozenset([(expression.scope, text.lower())]) if text.isascii() and len(text) >= _SHORTEST else None
    if isinstance(expression, Or):
        found = [_literals(item) for item in expression.items]
        known = [each for each in found if each is not None]
        return frozenset[tuple[str, str]]().union(*known) if len(known) == len(found) else None
    if isinstance(expression, And):
        # Of what must hold together the words that are found least: long ones, then few.
        known = [each for item in expression.items if (each := _literals(item))]
        return max(known, key=lambda each: (min(len(text) for _, text in each), -len(each)), default=None)
    return None


def select(frame: pl.DataFrame, expression: pl.Expr, term: Term) -> pl.Series:
    """One term's expression over a frame, the frame's height.

    Raises:
        FilterError: Numbers of no known unit are compared with a duration or size.
    """
    try:
        found = frame.select(expression.alias("mask")).to_series()
    except FilterError:
        # Polars makes the error anew from its text alone, so what it knew of the place is lost.
        if isinstance(term, FieldTerm):
            raise no_unit(term, term.values[0]) from None
        raise
    return found if found.len() == frame.height else constant(bool(found.first()), frame.height)


def terms_of(expression: Expression) -> list[Term]:
    """The single terms of a filter, those within `has(...)` and its like left out."""
    if isinstance(expression, And | Or):
        return [term for item in expression.items for term in terms_of(item)]
    if isinstance(expression, Not):
        return terms_of(expression.item)
    return [expression] if isinstance(expression, Word | Regex | FieldTerm | HasField) else []


def aggregates_of(expression: Expression) -> list[Aggregate]:
    """The `has(...)` and its like of a filter, in order."""
    if isinstance(expression, And | Or):
        return [term for item in expression.items for term in aggregates_of(item)]
    if isinstance(expression, Not):
        return aggregates_of(expression.item)
    return [expression] if isinstance(expression, Aggregate) else []


def make_scope(now_us: int | None, zone: str, units: Mapping[str, str] | None, *, transactions: bool = False) -> Scope:
    """What values mean; `units` are names of units by field, as formats give them."""
    known: dict[str, Unit] = {}
    for name, unit in (units or {}).items():
        found = unit_named(unit)
        if found is not None:
            known[name] = found
    return Scope(time.time_ns() // 1000 if now_us is None else now_us, zone, known, transactions)


def compile_filter(
    text: str | Expression,
    *,
    now_us: int | None = None,
    known_fields: Collection[str] | None = None,
    allow_aggregates: bool = False,
    units: Mapping[str, str] | None = None,
    zone: str = "UTC",
) -> Filter:
    """A filter on records, ready to be run.

    Args:
        text: The filter language, or what it was parsed to.
        now_us: What `time>-15m` counts from, microseconds since 1970 UTC; default this moment.
        known_fields: All fields there are; another name is an error.
        allow_aggregates: Let `has(...)` and its like stand (their masks need a `TransactionFilter`).
        units: Unit by field's name (`{"took": "ms"}`), as formats declare them.
        zone: Zone of times that name none.

    Raises:
        FilterError: With the 1-based column where it does not compile.
    """
    expression = parse_filter(text) if isinstance(text, str) else text
    scope = make_scope(now_us, zone, units)
    for aggregate in aggregates_of(expression):
        if not allow_aggregates:
            raise FilterError(
                f"{aggregate.kind}(...) is for transactions",
                column=aggregate.column,
                mend="quote the word to search for it",
            )
    for term in terms_of(expression):
        if not isinstance(term, Word):
            check(term, scope)
    compiled = Filter(text if isinstance(text, str) else to_text(text), expression, scope)
    if known_fields is not None:
        unknown = check_fields(compiled, known_fields)
        if unknown:
            raise unknown[0]
    return compiled


def check_fields(compiled: Filter, known: Collection[str]) -> list[FilterError]:
    """One error per field that nothing has, with the nearest names.

    Args:
        compiled: A filter.
        known: Names of all fields (with or without `fields.`) and of keys (`keys.NAME`).
    """
    columns: dict[str, int] = {}
    for name, column in compiled.field_terms:
        columns.setdefault(name, column)
    faults = {name: found for name in columns for found in unknown_names([name], known)}
    return [FilterError(text, column=columns[name], mend=mend) for name, (text, mend) in faults.items()]


def once(names: Sequence[str], *, as_key: bool) -> list[str]:
    """Names worth proposing, without those that say of a key or field what another one says: `x` and `keys.x`.

    Args:
        names: In order.
        as_key: Whether `keys.x` is kept of the two.
    """
    if as_key:
        return [one for one in names if KEY_PREFIX + one not in names]
    return [one for one in names if not (one.startswith(KEY_PREFIX) and one.removeprefix(KEY_PREFIX) in names)]


def unknown_names(wanted: Iterable[str], known: Collection[str]) -> list[tuple[str, str]]:
    """In words which of some names no record has, and what to do about each.

    Args:
        wanted: Names of columns, fields and keys, as filters have them.
        known: Names of all fields (with or without `fields.`) and of keys (`keys.NAME`).
    """
    names = {name.removeprefix(FIELD_PREFIX) for name in known}
    faults = []
    for name in wanted:
        bare = name.removeprefix(FIELD_PREFIX)
        if bare in names or name in USER_COLUMNS:
            continue
        if name.startswith(KEY_PREFIX) and not any(each.startswith(KEY_PREFIX) for each in names):
            continue
        folded = {each.lower(): each for each in sorted({*names, *USER_COLUMNS})}
        near = [folded[each] for each in difflib.get_close_matches(bare.lower(), folded, n=3, cutoff=0.6)]
        near += [
            folded[each] for each in folded if bare.lower() in re.split(r"[._-]", each) and folded[each] not in near
        ]
        near = once(near, as_key=name.startswith(KEY_PREFIX))
        mend = (
            f"did you mean {' or '.join(near[:3])}?"
            if near
            else "logscope stats and the detail pane show the fields there are"
        )
        faults.append((f"no record has a field {bare}", mend))
    return faults
