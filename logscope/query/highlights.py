"""What a filter looks for in the text, as patterns to paint hits with."""

from __future__ import annotations

import polars as pl

from logscope.language.expressions import And, Expression, FieldTerm, Or, Regex, Word
from logscope.language.filter import parse_filter
from logscope.query.text import check_regex, wildcard_pattern


def highlights(text: str) -> tuple[str, ...]:
    """Rust regexes of the words, phrases, regexes and field values that a record may match by.

    Args:
        text: The filter; what stands under `not` is left out.

    Raises:
        FilterError: With the column where it does not compile.
    """
    return tuple(dict.fromkeys(_patterns(parse_filter(text))))


def _patterns(expression: Expression) -> list[str]:
    if isinstance(expression, And | Or):
        return [pattern for item in expression.items for pattern in _patterns(item)]
    if isinstance(expression, Word):
        return ["(?i)" + pl.escape_regex(expression.text)]
    if isinstance(expression, Regex):
        check_regex(expression.pattern, cased=expression.cased, column=expression.column)
        return [expression.pattern if expression.cased else "(?i)" + expression.pattern]
    if isinstance(expression, FieldTerm) and expression.op in (":", "="):
        return [
            "(?i)" + (pl.escape_regex(value.text) if value.quoted else wildcard_pattern(value.text))
            for value in expression.values
            if value.text.strip("*?")
        ]
    return []
