"""Texts of which one must stand in a record if a Sigma condition is to hold: what is sought before any rule is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import SigmaExpansion, SigmaString, SigmaType

SHORTEST = 3
"""Shorter texts stand in too many records to be worth seeking."""


@dataclass(frozen=True, slots=True)
class Needle:
    """A text in lower case, sought in a field without letter case."""

    field: str | None
    """The Sigma field; None: the whole record."""
    text: str


Needles = frozenset[Needle]


def needles_of(node: object) -> Needles | None:
    """The needles of a condition.

    Args:
        node: pySigma's tree.

    Returns:
        A record without any of them cannot match; None: the condition can hold without any.
    """
    if isinstance(node, ConditionOR):
        return _all(needles_of(arg) for arg in node.args)
    if isinstance(node, ConditionAND):
        return _best(needles_of(arg) for arg in node.args)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _of_value(node.field, node.value)
    if isinstance(node, ConditionValueExpression):
        return _of_value(None, node.value)
    return None


def _of_value(field: str | None, value: SigmaType) -> Needles | None:
    if isinstance(value, SigmaExpansion):
        return _all(_of_value(field, each) for each in value.values)
    if not isinstance(value, SigmaString):
        return None
    # Beyond ASCII Polars' search heeds letter case.
    parts = [part for part in value.s if isinstance(part, str) and part.isascii() and len(part) >= SHORTEST]
    return frozenset([Needle(field, max(parts, key=len).lower())]) if parts else None


def _all(found: Iterable[Needles | None]) -> Needles | None:
    """Of alternatives each must have some."""
    together: set[Needle] = set()
    for needles in found:
        if needles is None:
            return None
        together |= needles
    return frozenset(together)


def _best(found: Iterable[Needles | None]) -> Needles | None:
    """Of what must hold together the needles that are found least: long ones, then few."""
    known = [needles for needles in found if needles]
    return max(known, key=lambda needles: (min(len(one.text) for one in needles), -len(needles)), default=None)
