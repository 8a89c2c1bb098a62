"""All that a detector remembers between steps, as frames that can be saved and restored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from logscope.rules.retained import RetainedHits
from logscope.rules.told import ToldDetections

DEFAULT_MAX_HITS = 1_000_000

OPEN = {"group": pl.UInt32, "start": pl.Int64, "due": pl.Int64, "why": pl.UInt8}
"""Matches that are not decided yet."""


@dataclass(slots=True)
class State:
    """State of one rule; `frames` and `restore` carry it over a restart."""

    hits: RetainedHits = field(default_factory=lambda: RetainedHits(DEFAULT_MAX_HITS))
    unreleased: pl.DataFrame | None = None
    """Hits that the watermark has not passed."""
    groups: pl.DataFrame | None = None
    """Number of each key seen: `group`, `by0`, ... (rules over plain keys)."""
    open: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OPEN))
    told: ToldDetections = field(default_factory=ToldDetections)
    watermark_us: int | None = None
    begin_us: int | None = None
    frozen_us: int | None = None
    """Matches that start earlier are settled: some of their hits may be evicted."""
    late: int = 0
    """Hits that came behind the watermark."""
    evicted: int = 0
    """Hits dropped because there were too many; above 0 the rule is incomplete."""
    untimed: int = 0
    """Hits passed over because their time is only their file's."""
    keyless: int = 0
    """Hits passed over because they lack a key."""
    next_group: int = 0
    """Number of the next key that is new."""

    @property
    def incomplete(self) -> bool:
        """Whether evictions may have cost detections."""
        return self.evicted > 0

    def copy(self) -> State:
        """One that changes by itself, but for what was told, of which there may be much."""
        return State(
            self.hits.copy(), self.unreleased, self.groups, self.open, self.told, self.watermark_us,
            self.begin_us, self.frozen_us, self.late, self.evicted, self.untimed, self.keyless, self.next_group,
        )  # fmt: skip

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything as frames by name; those that are empty from the start are left out."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        frames: dict[str, pl.DataFrame | None] = {
            "numbers": pl.DataFrame([numbers], schema=dict.fromkeys(_NUMBERS, pl.Int64), orient="row"),
            "hits": self.hits.frame(),
            "unreleased": self.unreleased,
            "groups": self.groups,
            "open": self.open,
            "told": self.told.frame(),
        }
        return {name: frame for name, frame in frames.items() if frame is not None}

    @classmethod
    def restore(cls, frames: Mapping[str, pl.DataFrame], *, max_hits: int = DEFAULT_MAX_HITS) -> State:
        """What `frames` had saved.

        Args:
            frames: As `frames` gave them.
            max_hits: Hits kept at most from here on.
        """
        numbers = frames["numbers"].row(0, named=True)
        return cls(
            hits=RetainedHits(max_hits, frames.get("hits")),
            unreleased=frames.get("unreleased"),
            groups=frames.get("groups"),
            open=frames["open"],
            told=ToldDetections.restore(frames["told"]),
            **numbers,
        )


_NUMBERS = ("watermark_us", "begin_us", "frozen_us", "late", "evicted", "untimed", "keyless", "next_group")
