"""From members to the frame of transactions that lists, filters and rules see.

What is a number per transaction is made at once for all; what is text or a list only for those that
someone wants it of.
"""

from __future__ import annotations

import polars as pl

from logscope.correlation.plan import Plan
from logscope.correlation.runs import Runs
from logscope.correlation.vocabulary import Vocabulary
from logscope.records.owntimes import own_times
from logscope.records.schema import KEY_PREFIX, ROW, TIME
from logscope.records.severity import ERROR
from logscope.text import clean, human_duration

_HIGH = 1 << 32
_LEVELS = 6

FIGURES: dict[str, pl.DataType | type[pl.DataType]] = {
    "number": pl.UInt32,
    "start": TIME,
    "end": TIME,
    "duration": pl.Duration("us"),
    "records": pl.UInt32,
    "errors": pl.UInt32,
    "level": pl.UInt8,
    "cut": pl.String,
    "state": pl.String,
}
"""Columns that `figures` makes."""


def figures(runs: Runs, records: pl.DataFrame, plan: Plan, now_us: int) -> pl.DataFrame:
    """What is a number per transaction (FIGURES), in order of start and number.

    Args:
        runs: Their records.
        records: `time`, `time_from`, `level` by row: the place is the row.
        plan: Limits.
        now_us: The instant against which a transaction is idle, microseconds.
    """
    start, end = _bounds(runs, records)
    levels = records["level"].gather(runs.rows).fill_null(0)
    errors = _counted(levels >= ERROR, runs)
    level = pl.repeat(0, len(runs.number), dtype=pl.UInt8, eager=True)
    for number in range(1, _LEVELS + 1):
        level += (_counted(levels >= number, runs) > 0).cast(pl.UInt8)
    table = pl.DataFrame(
        {"number": runs.number, "start": start, "end": end, "records": runs.length, "errors": errors, "level": level}
    )
    return (
        table.with_columns(
            duration=pl.col("end") - pl.col("start"),
            state=pl.when(now_us - pl.col("end").dt.epoch("us") > plan.idle_us)
            .then(pl.lit("closed"))
            .otherwise(pl.lit("open")),
            cut=pl.lit(None, pl.String),
        )
        .select(pl.col(name).cast(kind) for name, kind in FIGURES.items())
        .sort("start", "number")
    )


def _bounds(runs: Runs, records: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """When each begins and ends: by the records with a time of the log's own, where it has any."""
    time = records["time"]
    start, end = time.gather(runs.rows.gather(runs.begin)), time.gather(runs.rows.gather(runs.last))
    own = own_times(records)
    if own is None:
        return start, end
    members = runs.members().with_columns(own.gather(runs.rows).alias("own"))
    some = members.filter(~pl.col("own")).get_column("number").unique()
    members = members.filter(pl.col("own") & pl.col("number").is_in(some.implode()))
    told = (
        members.with_columns(time.gather(members[ROW]).alias("at"))
        .group_by("number")
        .agg(first=pl.col("at").min(), last=pl.col("at").max())
    )
    bounds = pl.DataFrame({"number": runs.number, "start": start, "end": end})
    bounds = bounds.join(told, on="number", how="left", maintain_order="left").select(
        start=pl.coalesce("first", "start"), end=pl.coalesce("last", "end")
    )
    return bounds["start"], bounds["end"]


def _counted(marked: pl.Series, runs: Runs) -> pl.Series:
    """How many records of each transaction are marked."""
    so_far = marked.cast(pl.UInt32).cum_sum()
    first = marked.gather(runs.begin).cast(pl.UInt32)
    return so_far.gather(runs.last) - so_far.gather(runs.begin) + first


def named(members: pl.DataFrame, names: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the records of transactions are named: their services, or their sources.

    Args:
        members: `number`, `row` as `Runs.members` gives them.
        names: String, as high as the members.

    Returns:
        `number`, `names` (List of String, each once, in order of first appearance), and
        `number`, `path` (the same in order of hand-over); transactions without any are left out.
    """
    known = members.select("number", path=names).filter(pl.col("path").is_not_null())
    stays = (pl.col("number") == pl.col("number").shift(1)) & (pl.col("path") == pl.col("path").shift(1))
    path = known.filter(~stays.fill_null(False)).group_by("number", maintain_order=True).agg("path")
    return path.select("number", names=pl.col("path").list.unique(maintain_order=True)), path


def key_values(members: pl.DataFrame, values: pl.DataFrame, vocabulary: Vocabulary, name: str) -> pl.DataFrame:
    """`number` and `keys.NAME` (List of String, in order of first appearance); those without any are left out.

    Args:
        members: `number`, `row` as `Runs.members` gives them.
        values: Distinct `row`, `code` of one key, ordered by row, and within it by text.
        vocabulary: Of the codes.
        name: The key's.
    """
    held = _held(members, values)
    both = held.select(both=pl.col("number").cast(pl.UInt64) * _HIGH + pl.col("code"))["both"]
    stays = (both == both.shift(1)).fill_null(False)
    held, both = held.filter(~stays), both.filter(~stays)
    held = held[both.arg_unique().sort()]
    told = held.select("number", vocabulary.describe(held["code"])["value"].alias(KEY_PREFIX + name))
    return told.group_by("number", maintain_order=True).agg(KEY_PREFIX + name)


def _held(members: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """`number`, `row`, `code`: members with what they hold, in the order of members and values."""
    rows = values[ROW]
    if members.height * 8 < len(rows):
        values = values.filter(rows.is_in(members[ROW].unique().implode()))
        rows = values[ROW]
    if rows.is_duplicated().any() or values.is_empty():
        return members.join(values, on=ROW, maintain_order="left_right").select("number", ROW, "code")
    size = max(int(members[ROW].max() or 0), int(rows.max() or 0)) + 1  # type: ignore[arg-type]  # UInt32 maxima are ints
    none = len(rows)
    places = pl.repeat(none, size, dtype=pl.UInt32, eager=True)
    places = places.scatter(rows, pl.int_range(none, dtype=pl.UInt32, eager=True)).gather(members[ROW])
    known = places < none
    return members.filter(known).with_columns(values["code"].gather(places.filter(known)))


def oversize(
    table: pl.DataFrame, runs: Runs, records: pl.DataFrame, values: pl.DataFrame, vocabulary: Vocabulary, plan: Plan
) -> pl.DataFrame:
    """`number`, `oversize` of transactions longer than the limit: in words, the linking value that spans most of it.

    Args:
        table: `number`, `duration`.
        runs: Their records.
        records: `time`, `time_from` by row.
        values: `row`, `key`, `code` of keys that link.
        vocabulary: Of the codes.
        plan: Keys and limits.
    """
    long = table.filter(pl.col("duration").dt.total_microseconds() > plan.max_span_us)
    if long.is_empty():
        return pl.DataFrame(schema={"number": pl.UInt32, "oversize": pl.String})
    members = runs.only(long["number"].sort()).members().with_row_index("place")
    time, own = records["time"], own_times(records)
    time = time if own is None else time.set(~own, None)
    members = members.with_columns(at=time.gather(members[ROW])).filter(pl.col("at").is_not_null())
    held = members.join(values.select(ROW, "code"), on=ROW).sort("place")
    spans = held.group_by("number", "code", maintain_order=True).agg(
        start=pl.col("at").first(), end=pl.col("at").last(), records=pl.len()
    )
    spans = spans.with_columns(span=pl.col("end") - pl.col("start"))
    for name in ("span", "records"):
        spans = spans.filter(pl.col(name) == pl.col(name).max().over("number"))
    told = spans.hstack(vocabulary.describe(spans["code"]).select("key", "value"))
    bridge = told.sort("number", "key", "value").unique(subset="number", keep="first", maintain_order=True)
    limit = human_duration(plan.max_span_us)
    words = [
        f"{plan.keys[key].name}={clean(value, cap=80)} spans {human_duration(span)} (limit {limit})"
        for key, value, span in bridge.select("key", "value", pl.col("span").dt.total_microseconds()).iter_rows()
    ]
    return pl.DataFrame({"number": bridge["number"], "oversize": pl.Series(words, dtype=pl.String)})
