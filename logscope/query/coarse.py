r"""Whether a stretch of text can hold a record that a filter matches, told without making records of it.

A search of 16 MiB of text in stretches of 64 KiB takes 1 to 2 ms, for there the engine's prefilters run freely; the
same in records of 150 bytes takes 3 to 6, and cutting the text into them 5 more. A match within a record is one within the stretch that
holds it, once what tells the ends of a record (`^`, `$`) tells ends of lines instead; `\b` and `\B` see a line end
where they saw none, and neither is part of a word.
"""

from __future__ import annotations

import re

import polars as pl

from logscope.language.expressions import And, Expression, Or, Regex, Word
from logscope.query import text

_TOKEN = re.compile(r"\\.|\[\^?\]?|\]|\(\?[^:<>P]*?[:)]|\(\?P?<\w+>|\(\?:|[\^$]|.", re.DOTALL)
_FLAGS = re.compile(r"\(\?[is]*[:)]")
_ENDS = {"^": "(?m:^)", "$": "(?mR:$)"}


def coarse(expression: Expression) -> pl.Expr | None:
    """Where a stretch of whole records may hold a match: an expression over the column `raw`.

    Args:
        expression: A filter on records.

    Returns:
        False only for stretches of which no record matches; None where every one could hold a match.
    """
    match expression:
        case Word(scope="raw", text=word):
            return text.contains(pl.col("raw"), word) if word else None
        case Regex(field=None | "raw", pattern=pattern, cased=cased):
            within = within_lines(pattern)
            return None if within is None else text.matches_regex(pl.col("raw"), within, cased=cased)
        case And(items):
            known = [each for item in items if (each := coarse(item)) is not None]
            return pl.all_horizontal(known) if known else None
        case Or(items):
            known = [each for item in items if (each := coarse(item)) is not None]
            return pl.any_horizontal(known) if len(known) == len(items) else None
    return None


def within_lines(pattern: str) -> str | None:
    r"""A regex that matches within a text of several records wherever one matches one of them.

    Args:
        pattern: Rust syntax.

    Returns:
        None where that is not sure: `\A`, `\z`, flags other than `i` and `s`.
    """
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.findall(pattern):
        if depth:
            depth += (token[0] == "[") - (token == "]")
        elif token[0] == "[":
            depth = 1
        elif (token in {"\\A", "\\z", "\\b", "\\B"} and (token in {"\\A", "\\z"} or "\\b{" in pattern)) or (
            token.startswith("(?") and token[2:3] not in {"<", "P"} and not _FLAGS.fullmatch(token)
        ):
            return None
        else:
            token = _ENDS.get(token, token)
        parts.append(token)
    return "".join(parts)
