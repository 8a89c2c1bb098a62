"""From a frame of records to the few that matter to a rule, with all it needs of them."""

from __future__ import annotations

import polars as pl

from logscope.records.schema import FROM_FILE, LINE, TIME
from logscope.rules.model.filters import DETECTION_COLUMN, RULE_COLUMN, RuleFilter
from logscope.rules.model.rule import Rule, Sequence, Step, Until
from logscope.rules.seeking import mask_of
from logscope.rules.sequence import DETECTION, UNTIL, hit_column
from logscope.rules.values import candidates, constant, value_of

TAKES_PART, UNTIMED, KEYLESS = range(3)
"""Column `part`: whether a hit takes part, or why it is passed over."""

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "time": TIME,
    "source_id": pl.UInt16,
    "line": LINE,
}

_DENSE = 4
"""Of a frame of which one record in so many is a hit the texts are kept as they are."""


def by_column(place: int) -> str:
    """The hits' column of the key `by[place]`."""
    return f"by{place}"


class HitSelector:
    """Finds a rule's hits in record frames.

    Args:
        rule: One with a sequence.
    """

    def __init__(self, rule: Rule, sequence: Sequence) -> None:
        """Collect what it needs of a record."""
        self.sequence = sequence
        needs = {need.field for need in rule.emit.needs}
        if sequence.having is not None:
            needs |= {name for _, name in sequence.having.names}
        self.payload = tuple(sorted(needs))
        self.by = () if sequence.by_transaction else sequence.by
        filters = [step.filter for step in sequence.steps]
        if sequence.until is not None:
            filters.append(sequence.until.filter)
        named = [column for name in (*self.payload, *self.by) for column in candidates(name)]
        own = frozenset(["row", "source_id", "line", "time", "time_from", "message", *named])
        self.columns: frozenset[str] = own.union(*(filter_.columns for filter_ in filters))
        self._kept = own | {DETECTION_COLUMN, RULE_COLUMN}
        self._nothing: dict[bool, pl.DataFrame] = {}

    def text_column(self, name: str) -> str:
        """The hits' column with the text of a value."""
        return f"v{self.payload.index(name)}"

    def kind_column(self, name: str) -> str:
        """The hits' column with the kind of a value."""
        return f"k{self.payload.index(name)}"

    def select(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The hits among records.

        Args:
            frame: Record frame with at least `row`, `time`, `source_id`, `line`; other columns of
                `columns` that it lacks count as null. With `RULE_COLUMN` its rows are detections of
                other rules, which only steps that name their rule match.

        Returns:
            `row`, `time`, `source_id`, `line`, `part`, Boolean `s0`, ... per step and `until`,
            `by0`, ..., of records that positive steps match `text` and the values, and of
            detections their id, `detection`.
        """
        masks = self._masks(frame)
        positive = _any([masks[hit_column(place)] for place, step in enumerate(self.sequence.steps) if not step.absent])
        chosen = _any(list(masks.values()))
        if frame["time"].null_count():
            chosen &= frame["time"].is_not_null()
        derived = DETECTION_COLUMN in frame.columns
        if not chosen.any():
            # Most rules find nothing in most frames: making their columns would cost more than looking.
            if derived not in self._nothing:
                self._nothing[derived] = self._hits(
                    frame.clear(), {name: mask.clear() for name, mask in masks.items()}, positive.clear(), dense=False
                )
            return self._nothing[derived]
        kept = frame[[name for name in frame.columns if name in self._kept]].filter(chosen)
        found = {name: mask.filter(chosen) for name, mask in masks.items()}
        return self._hits(kept, found, positive.filter(chosen), dense=kept.height * _DENSE >= frame.height)

    def _hits(
        self, frame: pl.DataFrame, masks: dict[str, pl.Series], positive: pl.Series, *, dense: bool
    ) -> pl.DataFrame:
        """The hits' columns, of the records that are hits; `dense` if those are many of the frame's."""
        columns = [frame[name].cast(dtype) for name, dtype in _COLUMNS.items()]
        hits = pl.DataFrame(
            [
                *columns,
                constant(TAKES_PART, frame.height, pl.UInt8).alias("part"),
                *(mask.alias(name) for name, mask in masks.items()),
                _only(_text(frame), positive, dense=dense).alias("text"),
                *self._values(frame, positive, dense=dense),
            ]
        )
        if DETECTION_COLUMN in frame.columns:
            hits = hits.with_columns(frame[DETECTION_COLUMN].alias(DETECTION))
        for place, name in enumerate(self.by):
            key = value_of(frame, name)[0].alias(by_column(place))
            hits = hits.with_columns(key).with_columns(
                part=pl.when(pl.col(by_column(place)).is_null()).then(KEYLESS).otherwise("part").cast(pl.UInt8)
            )
        if "time_from" in frame.columns:
            untimed = (frame["time_from"] == FROM_FILE).fill_null(False)
            hits = hits.with_columns(part=pl.when(untimed).then(UNTIMED).otherwise("part").cast(pl.UInt8))
        return hits

    def _masks(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        known: dict[tuple[type[object], str], pl.Series] = {}
        derived = RULE_COLUMN in frame.columns

        def mask(step: Step | Until) -> pl.Series:
            if derived and not isinstance(step.filter, RuleFilter):
                return constant(False, frame.height)
            # Equal texts of one kind mean the same; of a rule the text is its name, not its condition.
            text = (type(step.filter), step.where)
            if text not in known:
                known[text] = mask_of(step.filter, frame)
            return known[text]

        masks = {hit_column(place): mask(step) for place, step in enumerate(self.sequence.steps)}
        if self.sequence.until is not None:
            masks[UNTIL] = mask(self.sequence.until)
        return {name: found.alias(name) for name, found in masks.items()}

    def _values(self, frame: pl.DataFrame, positive: pl.Series, *, dense: bool) -> list[pl.Series]:
        columns: list[pl.Series] = []
        for name in self.payload:
            text, kind = value_of(frame, name)
            columns += [
                _only(text, positive, dense=dense).alias(self.text_column(name)),
                kind.alias(self.kind_column(name)),
            ]
        return columns


def _text(frame: pl.DataFrame) -> pl.Series:
    """What stands for a record in a detection's id."""
    return frame[DETECTION_COLUMN] if DETECTION_COLUMN in frame.columns else value_of(frame, "message")[0]


def _any(masks: list[pl.Series]) -> pl.Series:
    found = masks[0]
    for mask in masks[1:]:
        found = found | mask
    return found


def _only(values: pl.Series, wanted: pl.Series, *, dense: bool) -> pl.Series:
    """The values where they are wanted, else null: texts that nobody reads are not kept.

    Of a frame that is mostly hits the texts stay where they are, once for all rules: copies are most of what a rule
    keeps. Of few hits they are copied, or each would keep the texts of the whole frame.
    """
    if dense:
        return values.gather(pl.int_range(values.len(), dtype=pl.UInt32, eager=True).set(~wanted, None))
    return values.zip_with(wanted, constant(None, values.len(), values.dtype))
