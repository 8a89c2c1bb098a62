"""The analytic half of the fake: shapes, peers, the map, clocks and the plan, over the records of the shop."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from logscope.engine.answers import Effect, Line, PlanChange
from logscope.engine.api import Cancel
from logscope.engine.insights import ComparedStep, Comparison, Hop, ServiceLoad, ServiceMap, Shape, Skew, Wait
from logscope.errors import PlanError, UsageError

LEAST_SHARE = 0.05


def template(message: str) -> str:
    """A message without what varies."""
    return re.sub(r"=(\S+)", "=*", message)


class FakeAnalysis:
    """Needs `records`, `extra`, `_rows`, `_having`, `_line`, `_text`, `_wait` and `_by_number` of the fake."""

    records: list[dict[str, Any]]
    extra: list[str]
    grain_name: str

    def __init__(self) -> None:
        self.applied: list[PlanChange] = []
        self.asked_effects: list[PlanChange] = []
        self.shifts: list[tuple[str, int]] = []
        self.saved: list[Path] = []
        self.exported: list[tuple[Path, tuple[int, ...]]] = []

    def _rows(self, number: int) -> list[int]: ...

    def _having(self, where: str) -> set[int]: ...

    def _line(self, row: int) -> Line: ...

    def _text(self, text: str) -> str: ...

    def _wait(self, cancel: Cancel) -> None: ...

    def _way(self, number: int) -> tuple[tuple[str, str], ...]:
        members = [self.records[row] for row in self._rows(number)]
        return tuple((one["service"], template(one["message"])) for one in members)

    def _span(self, number: int) -> int:
        rows = self._rows(number)
        return int(self.records[rows[-1]]["time"] - self.records[rows[0]]["time"])

    def _grouped(self, where: str = "") -> list[list[int]]:
        groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for number in sorted(self._having(where)):
            groups.setdefault(self._way(number), []).append(number)
        return sorted(groups.values(), key=lambda group: (-len(group), group[0]))

    def shape_numbers(self) -> dict[int, int]:
        return {number: place for place, group in enumerate(self._grouped(), start=1) for number in group}

    def shapes(self, where: str = "", *, cancel: Cancel) -> Sequence[Shape]:
        self._wait(cancel)
        groups = self._grouped(where)
        total = sum(map(len, groups))
        found = []
        for place, group in enumerate(groups, start=1):
            spans = sorted(self._span(number) for number in group)
            failed = sum(any(self.records[row]["level"] >= 5 for row in self._rows(number)) for number in group)
            way = self._way(group[0])
            found.append(
                Shape(
                    place, len(group), len(group) / total, tuple(service for service, _ in way), way,
                    int(median(spans)), spans[-1], failed, group[len(group) // 2],
                )
            )  # fmt: skip
        return found

    def compare(self, number: int, peer: int | None = None, *, cancel: Cancel) -> Comparison:
        self._wait(cancel)
        usual = self._grouped()[0]
        if peer is None:
            peer = next((one for one in usual if one != number), None)
        if peer is None:
            raise UsageError("there is nothing to compare it with", mend="load more")
        own, other = self._steps(number), self._steps(peer)
        steps = []
        for service, words in dict.fromkeys([*other, *own]):
            here, there = own.get((service, words)), other.get((service, words))
            kind = "missing" if here is None else "extra" if there is None else "same"
            if here and there and here[1] and there[1] and here[1] > 3 * there[1]:
                kind = "slower"
            steps.append(
                ComparedStep(
                    kind, self._text(service) if self.extra else service, self._text(words), here and here[0], there and there[0], here and here[1],
                    there and there[1], there and there[1], there and there[1] and there[1] * 2,
                )
            )  # fmt: skip
        kinds = [step.kind for step in steps]
        why = self._text(f"goes way 1, as {len(usual)} of {len(self._having(''))} do")
        return Comparison(
            number, peer, why, tuple(steps), kinds.count("missing"), kinds.count("extra"), kinds.count("slower")
        )

    def _steps(self, number: int) -> dict[tuple[str, str], tuple[int, int | None]]:
        found: dict[tuple[str, str], tuple[int, int | None]] = {}
        before: int | None = None
        for row in self._rows(number):
            one = self.records[row]
            found[(one["service"], template(one["message"]))] = (row, None if before is None else one["time"] - before)
            before = one["time"]
        return found

    def service_map(self, where: str = "", *, cancel: Cancel) -> ServiceMap:
        self._wait(cancel)
        spans: dict[str, list[int]] = {}
        pauses: dict[tuple[str, str], list[int]] = {}
        counts: dict[str, int] = {}
        failed: dict[str, int] = {}
        for number in self._having(where):
            members = [self.records[row] for row in self._rows(number)]
            for service in {one["service"] for one in members}:
                own = [one for one in members if one["service"] == service]
                spans.setdefault(service, []).append(own[-1]["time"] - own[0]["time"])
                counts[service] = counts.get(service, 0) + len(own)
                failed[service] = failed.get(service, 0) + any(one["level"] >= 5 for one in own)
            met: set[str] = set()
            for before, after in itertools.pairwise(members):
                met.add(before["service"])
                if after["service"] not in met:
                    pause = after["time"] - before["time"]
                    pauses.setdefault((before["service"], after["service"]), []).append(pause)
        loads = [
            ServiceLoad(name, len(own), counts[name], failed[name], int(median(own)), max(own))
            for name, own in sorted(spans.items(), key=lambda pair: -len(pair[1]))
        ]
        hops = [
            Hop(one, other, len(own), int(median(own)), max(own), failed.get(other, 0))
            for (one, other), own in sorted(pauses.items())
        ]
        return ServiceMap(tuple(loads), tuple(hops))

    def waits(self, number: int) -> tuple[Wait, ...]:
        rows, span = self._rows(number), self._span(number)
        found = []
        for before, after in itertools.pairwise(rows):
            pause = self.records[after]["time"] - self.records[before]["time"]
            if span and pause / span > LEAST_SHARE:
                who, words = self.records[after]["service"], template(self.records[after]["message"])
                found.append(Wait(after, before, pause, pause / span, self._text(f"{who} waited for {words}")))
        return tuple(sorted(found, key=lambda wait: -wait.duration))

    # Clocks

    def skews(self, *, cancel: Cancel) -> Sequence[Skew]:
        self._wait(cancel)
        moved = sum(offset for source, offset in self.shifts if source == self._text("p-1"))
        if moved or not self.records:
            return []
        return [Skew(self._text("p-1"), -120_000, 4_000, 31, self._text("answers come 120 ms before they are asked"))]

    def shift(self, source: str, offset: int) -> None:
        self.shifts.append((source, offset))

    # The plan

    def effect(self, change: PlanChange, *, cancel: Cancel) -> Effect:
        self.asked_effects.append(change)
        self._wait(cancel)
        if change.grain == "nonsense":
            raise PlanError("no key 'nonsense'", mend="order_id, user")
        count = len(self._having(""))
        after = 7 if dict(change.active).get("user") else count
        sizes = [len(self._rows(number)) for number in range(count)] or [0]
        examples = (self._text("6 become one: user=u3"),) if after != count else ()
        return Effect(after, count, int(median(sizes)), max(sizes), self._text("user=u3"), examples, sampled=False)

    def apply(self, change: PlanChange, *, cancel: Cancel) -> None:
        self._wait(cancel)
        self.applied.append(change)
        if change.grain is not None:
            self.grain_name = change.grain

    def plan_changes(self) -> Sequence[PlanChange]:
        return tuple(self.applied)

    def undo_change(self) -> bool:
        if not self.applied:
            return False
        self.applied.pop()
        return True

    def save_plan(self, path: Path) -> None:
        self.saved.append(path)

    def templates(self, filter_text: str = "", *, cancel: Cancel) -> pl.DataFrame:
        return pl.DataFrame({"template": [template(one["message"]) for one in self.records]})
