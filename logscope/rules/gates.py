"""Which rules can match in a frame at all, told by a few of its columns before those that the rules read are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import polars as pl

from logscope.rules.model.rule import Rule
from logscope.rules.sharing import filters_of


@runtime_checkable
class Gated(Protocol):
    """A filter that is about some kind of records only."""

    @property
    def kind(self) -> object:
        """Equal for filters about the same kind."""

    @property
    def gate_columns(self) -> frozenset[str]:
        """Columns that tell whether there is such a record."""

    def admits(self, frame: pl.DataFrame) -> bool:
        """Whether a frame holds such a record; columns it lacks count as null."""


class Gates:
    """What some rules are about.

    Args:
        rules: The rules.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Collects their filters."""
        self._by_kind: dict[object, Gated] = {}
        self._kinds: dict[str, frozenset[object]] = {}
        for rule in rules:
            filters = list(filters_of(rule))
            gated = [each for each in filters if isinstance(each, Gated)]
            if filters and len(gated) == len(filters):
                self._by_kind |= {each.kind: each for each in gated}
                self._kinds[rule.name] = frozenset(each.kind for each in gated)
        self.columns: frozenset[str] = frozenset().union(*(each.gate_columns for each in self._by_kind.values()))
        """Columns that `closed` reads."""

    def __bool__(self) -> bool:
        """Whether there is a rule that is about some records only."""
        return bool(self._kinds)

    def closed(self, frame: pl.DataFrame) -> frozenset[str]:
        """Names of the rules that can match no record of a frame."""
        inside = {kind for kind, each in self._by_kind.items() if each.admits(frame)}
        return frozenset(name for name, kinds in self._kinds.items() if not kinds & inside)
