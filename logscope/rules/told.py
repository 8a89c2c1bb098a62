"""The detections that were told, so that a recomputation can be compared with them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Mapping
from dataclasses import replace

import msgspec
import polars as pl

from logscope.records.renumbering import Kept
from logscope.rules.model.rule import Detection

_FEW = 20_000
"""Groups that are looked up one by one; of more it is asked first which of them have told anything."""


def rows_of(detection: Detection) -> tuple[int, ...]:
    """The records that a detection names, repeats among them."""
    own = () if detection.row is None else (detection.row,)
    return (*(step.row for step in detection.steps.values()), *detection.members, *own)


def renumbered(detection: Detection, rows: Mapping[int, int], number: int | None) -> Detection:
    """A detection whose records have other numbers.

    Args:
        detection: Of records that are all among `rows`.
        rows: Old numbers to new ones.
        number: Its transaction's new number.
    """
    return replace(
        detection,
        number=number,
        steps={name: replace(step, row=rows[step.row]) for name, step in detection.steps.items()},
        row=None if detection.row is None else rows[detection.row],
        members=tuple(rows[row] for row in detection.members),
    )


class ToldDetections:
    """Detections by group and the time that recomputations go by (`at`, microseconds)."""

    def __init__(self) -> None:
        """None told yet."""
        self._by_id: dict[str, tuple[int, Detection]] = {}
        self._starts: dict[int, list[tuple[int, str]]] = {}

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._by_id)

    def __contains__(self, detection_id: object) -> bool:
        """Whether it was told."""
        return detection_id in self._by_id

    def add(self, group: int, detection: Detection, at: int) -> None:
        """Remember one."""
        self._by_id[detection.id] = (at, detection)
        insort(self._starts.setdefault(group, []), (at, detection.id))

    def remove(self, group: int, detection_id: str) -> Detection:
        """Forget one and return it."""
        at, detection = self._by_id.pop(detection_id)
        self._starts[group].remove((at, detection_id))
        return detection

    def among(self, dirty: pl.DataFrame) -> dict[str, int]:
        """The detections that a recomputation compares with.

        Args:
            dirty: Distinct `group`s with `since` (microseconds; null: from the beginning).

        Returns:
            Id to group of those at their group's `since` or later.
        """
        if not self._starts:
            return {}
        if dirty.height > max(len(self._starts), _FEW):
            # A scan touches millions of groups at once and has told nothing yet.
            known = pl.DataFrame({"group": pl.Series(list(self._starts), dtype=pl.UInt32)})
            dirty = dirty.join(known, on="group", how="semi")
        found: dict[str, int] = {}
        for group, since in zip(dirty["group"].to_list(), dirty["since"].to_list(), strict=True):
            starts = self._starts.get(group)
            if starts:
                first = 0 if since is None else bisect_left(starts, (since, ""))
                found |= {detection_id: group for _, detection_id in starts[first:]}
        return found

    def forget_before(self, start_us: int) -> None:
        """Forget those that are earlier: nothing can change them any more."""
        for group in list(self._starts):
            starts = self._starts[group]
            first = bisect_left(starts, (start_us, ""))
            for _, detection_id in starts[:first]:
                del self._by_id[detection_id]
            if first == len(starts):
                del self._starts[group]
            else:
                self._starts[group] = starts[first:]

    def keep_only(self, rows: Kept, groups: Kept | None, *, by_transaction: bool) -> None:
        """Forget those of groups and records that were let go; the others are renumbered.

        Args:
            rows: Records that stay.
            groups: Groups that stay; None: all, as they are.
            by_transaction: Groups are transactions, whose numbers detections name.
        """
        known = self._by_id
        at_group = {name: group for group, starts in self._starts.items() for _, name in starts}
        new_groups = None if groups is None else groups.by_number(self._starts)
        new_rows = rows.by_number({row for _, detection in known.values() for row in rows_of(detection)})
        self._by_id, self._starts = {}, {}
        for name, (at, detection) in known.items():
            group = at_group[name] if new_groups is None else new_groups.get(at_group[name])
            if group is not None and all(row in new_rows for row in rows_of(detection)):
                number = group if by_transaction else detection.number
                self.add(group, renumbered(detection, new_rows, number), at)

    def ids(self) -> Collection[str]:
        """Of those that are remembered."""
        return self._by_id.keys()

    def frame(self) -> pl.DataFrame:
        """All of them, to be saved: `group`, `at`, `detection` (JSON)."""
        rows = [
            (group, at, msgspec.json.encode(self._by_id[detection_id][1]).decode())
            for group, starts in self._starts.items()
            for at, detection_id in starts
        ]
        return pl.DataFrame(rows, schema={"group": pl.UInt32, "at": pl.Int64, "detection": pl.String}, orient="row")

    @classmethod
    def restore(cls, frame: pl.DataFrame) -> ToldDetections:
        """What `frame` had saved."""
        told = cls()
        for group, at, text in frame.iter_rows():
            told.add(group, msgspec.json.decode(text, type=Detection), at)
        return told
