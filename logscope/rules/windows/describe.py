"""From alerts to detections: identity, steps, members, output."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from logscope.rules.description import Key, detection_id
from logscope.rules.model.rule import MATCHED, PENDING, Detection, Rule, StepRecord
from logscope.rules.model.windows import TEMPORAL, TEMPORAL_ORDERED
from logscope.rules.values import Value
from logscope.rules.windows.evidence import made_of
from logscope.rules.windows.hits import WindowHits
from logscope.rules.windows.matches import Alerts
from logscope.text import human_duration

MOST_MEMBERS = 10_000
"""Members of a detection that are named; the newest ones."""


@dataclass(frozen=True, slots=True)
class AlertReport:
    """Reads what a correlation says of its alerts out of the hits."""

    rule: Rule
    selector: WindowHits
    hits: pl.DataFrame
    alerts: Alerts

    def detections(self, chosen: pl.DataFrame, watermark_us: int) -> list[tuple[int, Detection]]:
        """(place of the alert, detection) of each.

        Args:
            chosen: Rows of the alerts' frame.
            watermark_us: Tells how long what is pending has still to wait.
        """
        if not chosen.height:
            return []
        evidence = made_of(self.alerts, chosen["place"])
        members = (
            evidence.select("place", "at").unique().sort("place", "at").group_by("place", maintain_order=True).agg("at")
        )
        newest = evidence.group_by("place", "slot").agg(pl.col("at").max())
        steps: dict[int, dict[int, int]] = {}
        for place, slot, at in newest.sort("place", "slot").iter_rows():
            steps.setdefault(place, {})[slot] = at
        positions = dict(members.iter_rows())
        keys = self.alerts.matches.keys.rows_by_key("g", unique=True) if self.alerts.node.by else {}
        return [
            (row["place"], self._detection(row, steps[row["place"]], positions[row["place"]], keys, watermark_us))
            for row in chosen.iter_rows(named=True)
            if row["place"] in steps
        ]

    def _detection(
        self,
        row: dict[str, object],
        steps: dict[int, int],
        members: list[int],
        keys: dict[int, tuple[str, ...]],
        watermark_us: int,
    ) -> Detection:
        node, rule = self.alerts.node, self.rule
        end, group = _int(row["end"]), _int(row["g"])
        folded = dict(zip(node.by, _values(keys.get(group, ())), strict=True))
        times, rows, texts = self.hits["time"].to_physical(), self.hits["row"], self.hits["text"]
        named = {node.slots[slot].name: StepRecord(rows[at], times[at]) for slot, at in steps.items()}
        # Every record counted is part of what it is: one more that comes late makes it another.
        moments, words = times.gather(members).to_list(), texts.gather(members).to_list()
        parts = [(moment, text or "") for moment, text in zip(moments, words, strict=True)]
        if not row["rises"]:
            # Told with `--every` alone: it may be made of the very records of the one before.
            parts.append((end, ""))
        shown = {name: self._cased(name, folded[name], steps) for name in node.by}
        pending = bool(row["pending"])
        return Detection(
            id=detection_id(rule.key, Key(None, None, folded).identity(), parts),
            rule=rule.name,
            title=rule.title,
            level=rule.level,
            time=end,
            start=times[members[0]],
            end=times[members[-1]],
            number=None,
            transaction=None,
            keys={name: (value,) for name, value in shown.items()},
            output={**shown, **self._measured(row["metric"])},
            message=rule.title,
            steps=named,
            state=PENDING if pending else MATCHED,
            reason=f"the data ends {human_duration(max(end - watermark_us, 0))} before the window does"
            if pending
            else None,
            members=tuple(rows.gather(members[-MOST_MEMBERS:])),
        )

    def _measured(self, metric: object) -> dict[str, Value]:
        kind = self.alerts.node.kind
        if kind in (TEMPORAL, TEMPORAL_ORDERED) or not isinstance(metric, float):
            return {}
        return {kind: int(metric) if metric.is_integer() else metric}

    def _cased(self, name: str, value: str, steps: dict[int, int]) -> str:
        """A group's value as the newest record writes it."""
        for slot, at in sorted(steps.items(), key=lambda step: -step[1]):
            field = self.alerts.node.slots[slot].field(name)
            if field in self.selector.fields:
                text = self.hits[self.selector.field(field)][at]
                if isinstance(text, str) and pl.Series([text]).str.to_lowercase()[0] == value:
                    return text
        return value


def _values(row: object) -> tuple[str, ...]:
    return row if isinstance(row, tuple) else (str(row),)


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number is expected, not {value!r}")
    return value
