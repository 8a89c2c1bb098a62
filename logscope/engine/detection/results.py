"""What the rules have found so far: kept as it is told, and looked up by record and by transaction for the screens."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl

from logscope.engine.answers import Detection, Newest
from logscope.engine.detection.marking import Marks
from logscope.records import schema

if TYPE_CHECKING:
    from logscope.engine.linking.correlating import Correlating

_NEWEST = 64
"""Detections that are kept as the newest."""


class Results:
    """What was told, and what is provisional for now.

    Args:
        correlating: The session's transactions.
    """

    def __init__(self, correlating: Correlating) -> None:
        """Nothing was found yet."""
        self._correlating = correlating
        self.told: dict[str, Detection] = {}
        self.early: list[Detection] = []
        """What would be told if what has come were all."""
        self.marks = Marks()
        self.changes = 0
        """Grows with every change of what was found."""
        self._newest: deque[Detection] = deque(maxlen=_NEWEST)
        self._count = 0
        self._known: set[str] = set()
        """What had been told before rules were begun anew: told again it is no news."""

    def note(self, raised: Sequence[Detection], retracted: Sequence[Detection]) -> None:
        """Some were told, and others are false now."""
        if not raised and not retracted:
            return
        for detection in retracted:
            self.told.pop(detection.detection, None)
        for detection in raised:
            self.told[detection.detection] = detection
        if retracted:
            self.marks.anew(self.told.values())
        else:
            self.marks.add(raised)
        news = [one for one in raised if one.detection not in self._known]
        self._newest.extend(news)
        self._count += len(news)
        self.changes += 1

    def foresee(self, found: list[Detection]) -> None:
        """Those are provisional now, and no others."""
        if found != self.early:
            self.early = found
            self.marks.early(found)
            self.changes += 1

    def keep(self, rules: Collection[str]) -> None:
        """Forget what all but some rules told; what is provisional is found anew."""
        self._known |= self.told.keys()
        self.told = {name: found for name, found in self.told.items() if found.rule in rules}
        self.marks.anew(self.told.values())
        self.foresee([])
        self.changes += 1

    def replace(self, told: Sequence[Detection]) -> None:
        """Those are all that were told, by an earlier run or with other numbers of records; provisional ones are found anew."""
        self.told = {one.detection: one for one in told}
        self.marks.anew(told)
        self.foresee([])
        self.changes += 1

    def newest(self) -> Newest:
        """What was told last."""
        return Newest(self._count, tuple(self._newest))

    # --- by transaction

    def of_transaction(self, number: int) -> list[Detection]:
        """Detections of one transaction: of it as a whole, and of rules by a key or field that its records took part in."""
        rows: set[int] | None = None
        found = []
        for detection in self.told.values():
            if detection.number is None:
                rows = set(self._correlating.members_of([number])[schema.ROW]) if rows is None else rows
                if not rows.isdisjoint(_rows(detection)):
                    found.append(detection)
            elif detection.number == number:
                found.append(detection)
        return found

    def with_rules(self, table: pl.DataFrame) -> pl.DataFrame:
        """A transaction frame with the names of the rules that matched a transaction, or records of it."""
        names: dict[int, dict[str, None]] = {}
        for number, rule in self._numbered():
            names.setdefault(number, {})[rule] = None
        rules = pl.DataFrame(
            {"number": list(names), "rules": [list(found) for found in names.values()]},
            schema={"number": pl.UInt32, "rules": pl.List(pl.String)},
        )
        return table.join(rules, on="number", how="left", maintain_order="left").with_columns(
            pl.col("rules").fill_null([])
        )

    def _numbered(self) -> Iterator[tuple[int, str]]:
        """Transactions' numbers, and rules that matched there."""
        rows: dict[str, set[int]] = {}
        for detection in list(self.told.values()):
            if detection.number is not None:
                yield detection.number, detection.rule
            else:
                rows.setdefault(detection.rule, set()).update(_rows(detection))
        for rule, found in rows.items():
            groups = self._correlating.groups_of(pl.Series(schema.ROW, sorted(found), dtype=pl.UInt32))
            for number in groups["transaction"].drop_nulls().unique(maintain_order=True):
                yield number, rule


def _rows(detection: Detection) -> Iterator[int]:
    """The records that it is made of."""
    yield from (step["row"] for step in detection.steps.values())
    yield from detection.rows
