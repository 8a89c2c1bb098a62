"""Why two records stand in one transaction, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.correlation.explain import chain
from logscope.engine.answers import Line
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.linking.correlating import Correlating


def explained(linked: Correlating, row: int, other: int, lines_of: Callable[[pl.Series], Sequence[Line]]) -> list[str]:
    """The chain that ties two records together, in words.

    Args:
        linked: The transactions.
        row: One record.
        other: Another one.
        lines_of: Records by row.
    """
    assert linked.plan is not None
    both = (linked.groups_of(pl.Series([each], dtype=pl.UInt32)).get_column("transaction") for each in (row, other))
    texts = []
    for number in sorted(set.intersection(*map(set, both)))[:1]:
        for first, key, value, second in chain(linked.linker.evidence(number), linked.plan, row, other):
            ends = lines_of(pl.Series(schema.ROW, [first, second], dtype=pl.UInt32))
            places = " ⇄ ".join(f"{line.source}:{line.line}" for line in ends)
            texts.append(f"{places} by {key}={value}")
    return texts or ["nothing ties these two records together"]
