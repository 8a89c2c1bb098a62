"""An expression tree evaluated over one frame: cheap terms first, the dear ones on what is left.

Measured on 1 M records of 167 bytes, 2 cores: `timeout customer handled` 135 ms so, 760 ms with every
term over all rows; `level>=error timeout` 69 against 114 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from logscope.language.filter import And, Everything, Expression, Not, Or, Word
from logscope.query import text
from logscope.query.columns import Scope
from logscope.query.comparison import Test, build

Leaf = Callable[[Expression, pl.DataFrame], pl.Series]

SURVIVORS = 0.5
"""Below this share of rows left, the rest of an `and` is tested on those alone."""


def leaf_expression(term: Word | Test, schema: pl.Schema, scope: Scope) -> pl.Expr | None:
    """A term as an expression that is never null; None if the frame lacks the column."""
    if isinstance(term, Word):
        return text.contains(pl.col(term.scope), term.text).fill_null(False) if term.scope in schema else None
    column = "raw" if term.field is None else scope.column(term.field)
    if column not in schema:
        return None
    return build(term, pl.col(column), column, schema[column], scope).fill_null(False)


def cost(expression: Expression, schema: pl.Schema, scope: Scope) -> int:
    """How dear an expression is: 0 numbers, 1 short text, 2 literals in the text, 3 regexes over it."""
    match expression:
        case Everything():
            return 0
        case And(items) | Or(items):
            return max(cost(item, schema, scope) for item in items)
        case Not(item):
            return cost(item, schema, scope)
        case Word():
            return 2
    name = getattr(expression, "field", None)
    column = "raw" if name is None else scope.column(name)
    if column in ("raw", "message"):
        return 3
    dtype = schema.get(column)
    return 0 if dtype is None or dtype.is_numeric() or dtype.is_temporal() else 1


def _length(expression: Expression) -> int:
    """Longer words are rarer: among equally dear terms they go first."""
    return len(expression.text) if isinstance(expression, Word) else 0


def evaluate(expression: Expression, frame: pl.DataFrame, scope: Scope, leaf: Leaf) -> pl.Series:
    """Which rows match: Boolean, never null, the frame's height.

    Args:
        expression: The tree.
        frame: Any of the columns it uses; a missing one is all null.
        scope: What names mean.
        leaf: Evaluates a single term.
    """
    match expression:
        case Everything():
            return constant(True, frame.height)
        case Not(item):
            return ~evaluate(item, frame, scope, leaf)
        case And(items):
            return _narrowed(items, frame, scope, leaf, every=True)
        case Or(items):
            return _narrowed(items, frame, scope, leaf, every=False)
        case _:
            return leaf(expression, frame)


def constant(value: bool, height: int) -> pl.Series:
    """A Boolean Series of one value."""
    return pl.repeat(value, height, dtype=pl.Boolean, eager=True)


def _narrowed(items: Sequence[Expression], frame: pl.DataFrame, scope: Scope, leaf: Leaf, *, every: bool) -> pl.Series:
    ordered = sorted(items, key=lambda item: (cost(item, frame.schema, scope), -_length(item)))
    mask = evaluate(ordered[0], frame, scope, leaf)
    for place, item in enumerate(ordered[1:], start=1):
        left = mask if every else ~mask
        count = left.sum()
        if count == 0:
            return mask
        if count < SURVIVORS * frame.height and cost(item, frame.schema, scope) > 0:
            rest = ordered[place:]
            indices = left.arg_true()
            few = frame[indices]
            found = (
                evaluate(rest[0], few, scope, leaf)
                if len(rest) == 1
                else _narrowed(rest, few, scope, leaf, every=every)
            )
            rows = indices.filter(found)
            if every:
                return constant(False, frame.height).scatter(rows, True)
            return mask.scatter(rows, True)
        other = evaluate(item, frame, scope, leaf)
        mask = mask & other if every else mask | other
    return mask
