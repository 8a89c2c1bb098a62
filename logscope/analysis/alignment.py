"""Two transactions side by side: which steps both have, which only one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

Step = tuple[Hashable, Hashable]
"""Service and template."""


def alignment(mine: Sequence[Step], other: Sequence[Step]) -> list[tuple[int | None, int | None]]:
    """Pairs of places in the two, None where only one has the step; in order.

    Services are aligned each by itself: which of two that work side by side logs first is chance.

    Args:
        mine: Steps of this transaction in order.
        other: Steps of the other one.
    """
    pairs: list[tuple[int | None, int | None]] = []
    for service in dict.fromkeys([*(step[0] for step in mine), *(step[0] for step in other)]):
        left = [place for place, step in enumerate(mine) if step[0] == service]
        right = [place for place, step in enumerate(other) if step[0] == service]
        matcher = SequenceMatcher(None, [mine[p][1] for p in left], [other[p][1] for p in right], autojunk=False)
        for kind, low, high, other_low, other_high in matcher.get_opcodes():
            if kind == "equal":
                pairs += zip(left[low:high], right[other_low:other_high], strict=True)
            else:
                pairs += [(place, None) for place in left[low:high]]
                pairs += [(None, place) for place in right[other_low:other_high]]
    return _in_order(pairs)


def _in_order(pairs: list[tuple[int | None, int | None]]) -> list[tuple[int | None, int | None]]:
    """By the place in this transaction; what only the other has comes where it stands there."""
    partners = {there: here for here, there in pairs if here is not None and there is not None}

    def place(pair: tuple[int | None, int | None]) -> tuple[int, int, int]:
        here, there = pair
        if here is not None:
            return (here, 0, 0)
        assert there is not None
        before = max((partners[other] for other in partners if other < there), default=-1)
        return (before, 1, there)

    return sorted(pairs, key=place)


def likeness(mine: Sequence[Step], other: Sequence[Step]) -> float:
    """How alike two sequences are, 0 to 1."""
    both = sum(here is not None and there is not None for here, there in alignment(mine, other))
    return 2 * both / (len(mine) + len(other)) if mine or other else 1.0
