"""From matched positions to detections: ids, values, messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import polars as pl

from logscope.rules.emit import StepField
from logscope.rules.hits import HitSelector
from logscope.rules.model.rule import MATCHED, PENDING, Detection, Rule, Sequence, StepRecord
from logscope.rules.operands import value_column
from logscope.rules.sequence import GROUP, WHY_LEADING, WHY_TRAILING, place_column
from logscope.rules.values import Value, to_python
from logscope.text import human_duration


@dataclass(frozen=True, slots=True)
class Key:
    """What a group stands for."""

    transaction: str | None
    number: int | None
    values: Mapping[str, str]

    def identity(self) -> str:
        """Its part of a detection's id."""
        if self.transaction is not None:
            return self.transaction
        return json.dumps([*self.values.items()], ensure_ascii=False)


def detection_id(rule: str, key: str, steps: list[tuple[int, str]]) -> str:
    """blake2b-64 in hex of what makes a detection itself.

    Args:
        rule: The rule's id or name.
        key: The transaction's id, or the key's names and values.
        steps: Time (microseconds) and text of each positive step's record.
    """
    digest = blake2b(digest_size=8)
    for part in (rule, key, *(piece for time, text in steps for piece in (str(time), text))):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


class Describer:
    """Reads what a rule says of its matches out of the hits."""

    def __init__(self, rule: Rule, sequence: Sequence, selector: HitSelector) -> None:
        """For one rule."""
        self.rule = rule
        self.names = [step.name for step in sequence.positive]
        self.selector = selector
        self.needs = sorted(rule.emit.needs, key=str)
        self.having = sequence.having

    def having_values(self, hits: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
        """The values that `having` reads, one row per match."""
        names = self.having.names if self.having is not None else frozenset()
        return pl.DataFrame(
            {
                value_column(step, field): hits[self.selector.text_column(field)][self._places(matches, step)]
                for step, field in sorted(names)
            }
        )

    def of(self, hits: pl.DataFrame, matches: pl.DataFrame, key: Callable[[int], Key]) -> Description:
        """Detections of matches.

        Args:
            hits: In the order that the matches' positions mean.
            matches: As `match_sequence` gives them.
            key: A group's number to what it stands for.
        """
        columns: dict[str, pl.Series] = {name: matches[name] for name in (GROUP, "start", "last", "due", "why")}
        time = hits["time"].cast(pl.Int64)
        for name in self.names:
            places = self._places(matches, name)
            columns[f"r:{name}"] = hits["row"][places]
            columns[f"t:{name}"] = time[places]
            columns[f"m:{name}"] = hits["text"][places]
        for place, need in enumerate(self.needs):
            places = self._places(matches, need.step)
            columns[f"e{place}"] = hits[self.selector.text_column(need.field)][places]
            columns[f"k{place}"] = hits[self.selector.kind_column(need.field)][places]
        return Description(self, pl.DataFrame(columns), key)

    def _places(self, matches: pl.DataFrame, step: str) -> pl.Series:
        return matches[place_column(self.names.index(step))]


class Description:
    """The matches of one recomputation, as detections made one by one."""

    def __init__(self, describer: Describer, frame: pl.DataFrame, key: Callable[[int], Key]) -> None:
        """Nothing is made until it is asked for."""
        self._describer = describer
        self._frame = frame
        self._key = key

    def matched(self) -> list[tuple[int, Detection]]:
        """(group, detection) of each match, as decided."""
        return [(row[GROUP], self._detection(row, key, MATCHED, self._decided_early(row))) for row, key in self._rows()]

    def pending(self, watermark_us: int, begin_us: int) -> list[tuple[int, Detection]]:
        """(group, detection) of each match, as not decided yet."""
        found = []
        for row, key in self._rows():
            if row["why"] == WHY_TRAILING:
                reason = f"the data ends {human_duration(max(row['due'] - watermark_us, 0))} before the window does"
            else:
                reason = "the data begins after the window does"
            found.append((row[GROUP], self._detection(row, key, PENDING, reason)))
        return found

    def _rows(self) -> Iterator[tuple[dict[str, Any], Key]]:
        keys: dict[int, Key] = {}
        for row in self._frame.iter_rows(named=True):
            group = row[GROUP]
            if group not in keys:
                keys[group] = self._key(group)
            yield row, keys[group]

    @staticmethod
    def _decided_early(row: dict[str, Any]) -> str | None:
        if row["why"] == WHY_TRAILING:
            return "decided at the end of the data"
        if row["why"] == WHY_LEADING:
            return "decided although the data begins after the window does"
        return None

    def _detection(self, row: dict[str, Any], key: Key, state: str, reason: str | None) -> Detection:
        rule, names = self._describer.rule, self._describer.names
        values: dict[StepField, Value | None] = {
            need: to_python(row[f"e{place}"], row[f"k{place}"]) for place, need in enumerate(self._describer.needs)
        }
        message, output = rule.emit.render(values, rule.title)
        texts = [(row[f"t:{name}"], row[f"m:{name}"] or "") for name in names]
        return Detection(
            id=detection_id(rule.key, key.identity(), texts),
            rule=rule.name,
            title=rule.title,
            level=rule.level,
            time=row["due"],
            start=row["start"],
            end=row["last"],
            number=key.number,
            transaction=key.transaction,
            keys={name: (value,) for name, value in key.values.items()},
            output=output,
            message=message,
            steps={name: StepRecord(row[f"r:{name}"], row[f"t:{name}"]) for name in names},
            state=state,
            reason=reason,
            suppress_us=rule.emit.suppress_us,
        )
