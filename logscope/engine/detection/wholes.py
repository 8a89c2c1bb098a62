"""Rules over whole transactions: decided when one closes, retracted when it is opened again and false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from logscope.engine.detection.closing import Closing
from logscope.engine.rendering import iso_of
from logscope.records import schema
from logscope.records.renumbering import Kept
from logscope.records.saving import Saved, numbers
from logscope.records.severity import level_name
from logscope.rules.description import detection_id
from logscope.rules.model.filters import TransactionFilter
from logscope.rules.model.rule import MATCHED, RETRACTED, Detection, Rule
from logscope.rules.nearmiss import NEAR, Miss, shown_number
from logscope.rules.retained import RetainedHits
from logscope.rules.state import DEFAULT_MAX_HITS
from logscope.rules.stepping import StepResult
from logscope.rules.told import renumbered, rows_of
from logscope.rules.values import value_of
from logscope.text import human_duration

if TYPE_CHECKING:
    from logscope.correlation.linker import Delta
    from logscope.rules.emit import StepField
    from logscope.rules.values import Value

_INDEX = ("row", "time", "source_id", "line")
_FEWEST = 2
_TOLD = {"number": pl.UInt32, "detection": pl.String}
OPEN_AT_END = "the transaction is still open at the end of the data"


class WholeRule:
    """Runs one rule over transactions as they close.

    Args:
        rule: Of kind `transaction`.
        closing: The transactions of its grain.
        max_hits: Records kept at most that its `has(...)` and the like have found; the oldest are
            evicted, counted, and the rule is incomplete.
    """

    def __init__(self, rule: Rule, closing: Closing, *, max_hits: int = DEFAULT_MAX_HITS) -> None:
        """Ready for the first records."""
        condition = rule.transaction
        if condition is None or condition.filter is None:
            raise ValueError(f"rule {rule.name} is not over transactions")
        self.rule = rule
        self.closing = closing
        self.filter: TransactionFilter = condition.filter
        self.evicted = 0
        """Records given up because there were too many; above 0 the rule is incomplete."""
        # As `_value` looks them up: a column, or a key.
        names = {need.field for need in rule.emit.needs}
        self._told_columns = frozenset({"transaction", *names, *(schema.KEY_PREFIX + name for name in names)})
        self.kept = [RetainedHits(max_hits) for _ in self.filter.record_filters]
        self._told: dict[int, list[Detection]] = {}
        self.columns: frozenset[str] = frozenset(_INDEX).union(
            *(each.columns for each in self.filter.record_filters), *self.filter.hit_columns
        )

    def hits(self, frame: pl.DataFrame) -> list[pl.DataFrame]:
        """Per filter over records those that match; has no effect on the state."""
        found = []
        for record_filter, columns in zip(self.filter.record_filters, self.filter.hit_columns, strict=True):
            matching = frame.filter(record_filter.mask(frame))
            # What a value is, one batch may hold otherwise than the next: its text is kept.
            values = [
                value_of(matching, name)[0].alias(name) if name.startswith(schema.FIELD_PREFIX) else matching[name]
                for name in sorted(columns - {*_INDEX})
                if name in matching.columns or name.startswith(schema.FIELD_PREFIX)
            ]
            found.append(matching.select(_INDEX).hstack(values).unique("row", maintain_order=True))
        return found

    def take(self, hits: list[list[pl.DataFrame]]) -> None:
        """Keep what `hits` gave, frame by frame."""
        for place, kept in enumerate(self.kept):
            for found in hits:
                if found[place].height:
                    kept.add(self._grouped(found[place]))

    def _grouped(self, hits: pl.DataFrame) -> pl.DataFrame:
        members = self.closing.linked.groups_of(hits["row"]).select(
            pl.col(schema.ROW).cast(pl.UInt32), pl.col("transaction").cast(pl.UInt32).alias("group")
        )
        return hits.with_columns(pl.col("row").cast(pl.UInt32)).join(members, on="row", how="left")

    def step(self, due: pl.DataFrame, delta: Delta | None, *, watermark: int, final: bool) -> StepResult:
        """Decide transactions.

        Args:
            due: As `Closing.due` gives them.
            delta: What linking changed since the last step.
            watermark: Microseconds.
            final: The end of the data: nothing has to be bounded any more.
        """
        gone = self._regroup(delta) if delta is not None else []
        now = self._true(due, watermark)
        before = {
            detection.id: detection for number in due["number"].to_list() for detection in self._told.pop(number, [])
        }
        raised: list[Detection] = []
        moved: list[Detection] = []
        for detection in now:
            assert detection.number is not None
            kept = before.pop(detection.id, None)
            if kept is None:
                raised.append(detection)
            elif kept.time != detection.time:
                moved.append(detection)
            self._told.setdefault(detection.number, []).append(detection)
        gone += before.values()
        if not final:
            self.evicted += sum(kept.evict()[0] for kept in self.kept)
        retracted = [replace(one, state=RETRACTED, reason="a later record made it false") for one in gone]
        return StepResult(tuple(sorted(raised, key=_order)), tuple(sorted(retracted, key=_order)), 0, tuple(moved))

    def _regroup(self, delta: Delta) -> list[Detection]:
        """Follow changed memberships; the detections of transactions that went without a successor."""
        for kept in self.kept:
            taken = kept.take_rows(delta.rows.cast(pl.UInt32).alias("row").unique())
            if taken is not None:
                kept.add(self._grouped(taken.unique("row").drop("group")))
        gone: list[Detection] = []
        for number, successor in delta.removed.items():
            told = self._told.pop(number, [])
            if successor is None:
                gone += told
            elif told:
                self._told.setdefault(successor, []).extend(told)
        return gone

    def _true(self, due: pl.DataFrame, watermark: int) -> list[Detection]:
        if due.is_empty():
            return []
        linked = self.closing.linked
        # Texts and lists cost most, and are read of what is told alone if the filter does not ask for them.
        table = linked.summary(due["number"], self.filter.needs).join(
            due.select("number", "closed", until="end"), on="number", how="inner", maintain_order="left"
        )
        table = table.with_columns(
            state=pl.when("closed").then(pl.lit("closed")).otherwise(pl.lit("open")),
            since=pl.col("start").to_physical(),
        )
        hits = self._hits_of(due["number"])
        true = table.filter(self.filter.mask(table, hits))
        if true.is_empty():
            return []
        missing = self._told_columns.difference(table.columns)
        if missing:
            texts = linked.summary(true["number"], missing)
            more = ["number", *(name for name in texts.columns if name not in true.columns)]
            true = true.join(texts.select(more), on="number", how="left", maintain_order="left")
        members = linked.members_of(true["number"].to_list())
        last = members.group_by(number="transaction").agg(pl.col(schema.ROW).last())
        true = true.join(last, on="number", how="left", maintain_order="left")
        return [self._detection(entry, watermark) for entry in true.iter_rows(named=True)]

    def _hits_of(self, numbers: pl.Series) -> list[pl.DataFrame]:
        """Per filter over records its hits in some transactions, in the order of records."""
        wanted = pl.DataFrame({"group": numbers}).with_columns(since=pl.lit(None, dtype=pl.Int64))
        hits = []
        for kept, columns in zip(self.kept, self.filter.hit_columns, strict=True):
            found = kept.of_groups(wanted)
            if found is None:
                found = pl.DataFrame(schema={"row": pl.UInt32, "time": schema.TIME, "group": pl.UInt32,
                                             **dict.fromkeys(columns - {*_INDEX}, pl.String)})  # fmt: skip
            else:
                found = found.sort("group", "time", "source_id", "line")
            hits.append(found.rename({"group": "number"}))
        return hits

    def keep_only(self, rows: Kept, transactions: Kept) -> None:
        """Let go of all other transactions; those that are not decided count as evicted.

        Args:
            rows: Records that stay.
            transactions: Those that stay, whole.
        """
        undecided = self.closing.waiting()
        self.evicted += int((~transactions.mask(undecided)).sum())
        for kept in self.kept:
            kept.change(lambda frame: rows.rows_of(frame, "row"))
            kept.change(lambda frame: frame.with_columns(transactions.new(frame["group"])))
        new = transactions.by_number(self._told)
        self._told = {
            new[number]: [renumbered(one, rows.by_number(rows_of(one)), new[number]) for one in found]
            for number, found in self._told.items()
            if number in new
        }

    def told_ids(self) -> set[str]:
        """Ids of the detections that it might take back."""
        return {one.id for found in self._told.values() for one in found}

    def saved(self) -> Saved:
        """What it keeps of records, and what it told."""
        frames = {f"kept {place}": kept.frame() for place, kept in enumerate(self.kept)}
        told = [(number, msgspec.json.encode(one).decode()) for number, found in self._told.items() for one in found]
        return {
            "evicted": numbers(evicted=self.evicted),
            "told": pl.DataFrame(told, schema=_TOLD, orient="row"),
            **{name: frame for name, frame in frames.items() if frame is not None},
        }

    def restore(self, frames: Saved) -> None:
        """Remember what `saved` told of an equal rule."""
        self.evicted = frames["evicted"].item()
        self.kept = [RetainedHits(kept.limit, frames.get(f"kept {place}")) for place, kept in enumerate(self.kept)]
        self._told = {}
        for number, text in frames["told"].iter_rows():
            self._told.setdefault(number, []).append(msgspec.json.decode(text, type=Detection))

    def misses(self, group: int | None, limit: int = 200) -> list[Miss]:
        """Transactions of which all but one thing holds that must, the newest first.

        Args:
            group: Only this transaction, whatever fails.
            limit: How many at most.
        """
        linked = self.closing.linked
        known = linked.ends() if group is None else pl.DataFrame({"number": pl.Series([group], dtype=pl.UInt32)})
        table = linked.summary(known["number"], self.filter.needs)
        hits = self._hits_of(table["number"])
        failed, nearly = self.filter.failures(table, hits), self.filter.nearly(table, hits, share=NEAR)
        texts = list(failed)
        if group is None and len(texts) < _FEWEST:
            # With one condition every transaction that is none would be near, but where a number says how near.
            failed = {text: mask & nearly[text][0] for text, mask in failed.items() if text in nearly}
        if not failed:
            return []
        wrong = table.select("number", pl.col("end").to_physical()).hstack(
            [mask.alias(f"f{place}") for place, mask in enumerate(failed.values())]
        )
        measured = {text: value for text, (_, value) in nearly.items()}
        count = pl.sum_horizontal(pl.col("^f[0-9]+$").cast(pl.UInt32))
        near = wrong.with_row_index("at").filter(count == 1 if group is None else count > 0)
        found = []
        for at, number, end, *marks in near.sort("end", "number", descending=[True, False]).head(limit).iter_rows():
            reasons = [text for text, mark in zip(failed, marks, strict=True) if mark]
            words = " and ".join(f"{text}: {_missed(measured, text, at)}" for text in reasons)
            more = ", all else does" if len(reasons) < len(texts) else ""
            found.append(Miss(number, " and ".join(reasons), end, (), None, None, f"{words}{more}"))
        return found

    def _detection(self, entry: Mapping[str, Any], watermark: int) -> Detection:
        rule = self.rule
        values: dict[StepField, Value | None] = {need: _value(entry, need.field) for need in rule.emit.needs}
        message, output = rule.emit.render(values, rule.title)
        closed = bool(entry["closed"])
        return Detection(
            id=detection_id(rule.key, entry["transaction"], []),
            rule=rule.name,
            title=rule.title,
            level=rule.level,
            time=entry["until"] + self.closing.idle_us if closed else max(watermark, entry["until"]),
            start=entry["since"],
            end=entry["until"],
            number=entry["number"],
            transaction=entry["transaction"],
            keys={},
            output=output,
            message=message,
            steps={},
            state=MATCHED,
            reason=None if closed else OPEN_AT_END,
            suppress_us=rule.emit.suppress_us,
            row=entry[schema.ROW],
        )


def _value(entry: Mapping[str, Any], name: str) -> Value | None:
    """A transaction's value as `emit` names it: one of its columns, else a key's values."""
    key = name.removeprefix(schema.KEY_PREFIX)
    if name == "duration_ms":
        return float(entry["duration"] / timedelta(milliseconds=1))
    if name == "duration":
        return human_duration(entry["duration"] // timedelta(microseconds=1))
    if name in ("start", "end"):
        return iso_of(entry[name])
    if name == "level":
        return level_name(entry[name])
    value = entry.get(name) if name == key and name in entry else entry.get(schema.KEY_PREFIX + key)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return value if isinstance(value, str | int | float) else None


def _missed(measured: Mapping[str, pl.Series], text: str, at: int) -> str:
    """How a condition failed: the number that it compares, if it compares one."""
    value = measured[text][at] if text in measured else None
    if value is None:
        return "does not hold"
    return f"does not hold, it is {shown_number(value)}"


def _order(detection: Detection) -> tuple[int, str]:
    return detection.time, detection.id
