"""Comparisons with a number, let down: what nearly holds."""

from __future__ import annotations

import re
from dataclasses import replace

from logscope.language.filter import Aggregate, Expression, FieldTerm
from logscope.query.comparison import ORDER

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)")


def relaxed(part: Expression, share: float) -> Expression | None:
    """A comparison with its bound let down; None for what compares no number.

    Args:
        part: `duration>5s`, `errors>=2`, `count(FILTER)>3`.
        share: Of the bound, by which it is let down.
    """
    if isinstance(part, Aggregate):
        test = relaxed(part.test, share) if part.kind == "count" and isinstance(part.test, FieldTerm) else None
        if not isinstance(test, FieldTerm):
            return None
        whole = replace(test.values[0], text=str(int(float(test.values[0].text))))
        return replace(part, test=replace(test, values=(whole,)))
    if not isinstance(part, FieldTerm) or part.op not in ORDER or len(part.values) != 1:
        return None
    found = _NUMBER.fullmatch(part.values[0].text)
    if found is None:
        return None
    sign = -1 if part.op.startswith(">") else 1
    bound = float(found[1]) * (1 + sign * share)
    return replace(part, values=(replace(part.values[0], text=f"{bound:.12g}{found[2]}"),))
