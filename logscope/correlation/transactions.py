"""From members to the frame of transactions that lists, filters and rules see."""

from __future__ import annotations

import polars as pl

from logscope.correlation.plan import Plan
from logscope.records.schema import KEY_PREFIX, KEY_VALUES, ROW, TRANSACTIONS
from logscope.records.severity import ERROR
from logscope.text import clean, human_duration

_SPREAD = 0x9E37_79B9_7F4A_7C15
"""Odd constant that spreads small numbers over 64 bits."""

_ORDER = ("time", "source_id", "line", ROW)


def summarise(
    members: pl.DataFrame,
    records: pl.DataFrame,
    values: pl.DataFrame,
    plan: Plan,
    *,
    identities: pl.DataFrame,
    only: pl.Series | None = None,
    now_us: int | None = None,
) -> pl.DataFrame:
    """One row per transaction, in order of start and number.

    Args:
        members: A frame MEMBERS.
        records: `row`, `time`, `source_id`, `line`, `level`, `service`, `source`, and if wanted
            `message` (for the columns first and last), of at least the members.
        values: KEY_VALUES of at least the members.
        plan: Keys and limits.
        identities: What `Linker.identities` gives.
        only: Just these numbers.
        now_us: The instant against which a transaction is idle, microseconds; default the newest
            record's time.

    Returns:
        A frame TRANSACTIONS plus `path` (services in order of hand-over), `was` (List of String) and
        `keys.NAME` (List of String, in order of first appearance) per key of the plan.
    """
    if only is not None:
        members = members.filter(pl.col("transaction").is_in(only.cast(pl.UInt32).implode()))
    for name in ("message", "service", "source"):
        if name not in records.columns:
            records = records.with_columns(pl.lit(None, pl.String).alias(name))
    rows = members.join(records, on=ROW).sort("transaction", *_ORDER)
    now = pl.lit(now_us, pl.Int64) if now_us is not None else rows["time"].dt.epoch("us").max()
    service = pl.col("service").drop_nulls()
    table = rows.group_by("transaction", maintain_order=True).agg(
        start=pl.col("time").first(),
        end=pl.col("time").last(),
        records=pl.len(),
        errors=(pl.col("level") >= ERROR).sum().cast(pl.UInt32),
        level=pl.col("level").max(),
        services=service.unique(maintain_order=True),
        sources=pl.col("source").drop_nulls().unique(maintain_order=True),
        first=pl.col("message").first(),
        last=pl.col("message").last(),
    )
    table = table.join(_paths(rows), on="transaction", how="left").with_columns(
        pl.col("path").fill_null(pl.lit([], pl.List(pl.String)))
    )
    table = table.join(identities.rename({"id": "name"}), on="transaction", how="left").with_columns(
        duration=pl.col("end") - pl.col("start"),
        state=pl.when(now - pl.col("end").dt.epoch("us") > plan.idle_us)
        .then(pl.lit("closed"))
        .otherwise(pl.lit("open")),
        cut=pl.lit(None, pl.String),
    )
    table = table.rename({"transaction": "number", "name": "transaction"})
    table = _with_keys(table, rows, values, plan)
    table = table.join(_oversize(table, rows, values, plan), on="number", how="left")
    keys = [KEY_PREFIX + key.name for key in plan.keys]
    return table.select(*(pl.col(name).cast(kind) for name, kind in TRANSACTIONS.items()), "path", "was", *keys).sort(
        "start", "number"
    )


def _held(rows: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Distinct `number`, `key`, `value` in record order, with `start`, `end` and `records` of each."""
    order = rows.select(ROW, number="transaction", at="time").with_row_index("place")
    held = order.join(values.select(ROW, "key", "value").unique(), on=ROW).sort("place", "key", "value")
    return held.group_by("number", "key", "value", maintain_order=True).agg(
        start=pl.col("at").first(), end=pl.col("at").last(), records=pl.len()
    )


def _paths(rows: pl.DataFrame) -> pl.DataFrame:
    """`transaction`, `path`: services in order of hand-over."""
    known = rows.select("transaction", path="service").filter(pl.col("path").is_not_null())
    stays = (pl.col("transaction") == pl.col("transaction").shift(1)) & (pl.col("path") == pl.col("path").shift(1))
    return known.filter(~stays.fill_null(False)).group_by("transaction").agg("path")


def _with_keys(table: pl.DataFrame, rows: pl.DataFrame, values: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    order = rows.select(ROW, number="transaction")
    for place, key in enumerate(plan.keys):
        mine = values.filter(pl.col("key") == place).select(ROW, "value").sort(ROW, "value")
        # Joined in the order of records, so that a value's first place is where it first appears.
        held = order.join(mine, on=ROW, maintain_order="left_right").select("number", "value")
        apart = held.select(both=pl.col("value").hash() ^ (pl.col("number").cast(pl.UInt64) + 1) * _SPREAD)["both"]
        held = held[apart.arg_unique().sort()]
        column = held.group_by("number").agg(pl.col("value").alias(KEY_PREFIX + key.name))
        table = table.join(column, on="number", how="left", maintain_order="left")
    return table


def _oversize(table: pl.DataFrame, rows: pl.DataFrame, values: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """In words, for transactions longer than the limit: the linking value that spans most of it."""
    long = table.filter(pl.col("duration").dt.total_microseconds() > plan.max_span_us)
    if long.is_empty():
        return pl.DataFrame(schema={"number": pl.UInt32, "oversize": pl.String})
    linking = [plan.place(name) for name in plan.linking]
    part = rows.filter(pl.col("transaction").is_in(long["number"].implode()))
    held = _held(part, values.filter(pl.col("key").is_in(linking)).select(KEY_VALUES.keys()))
    bridge = (
        held.with_columns(span=pl.col("end") - pl.col("start"))
        .sort(["number", "span", "records", "key", "value"], descending=[False, True, True, False, False])
        .unique(subset="number", keep="first", maintain_order=True)
    )
    limit = human_duration(plan.max_span_us)
    words = [
        f"{plan.keys[key].name}={clean(value, cap=80)} spans {human_duration(span)} (limit {limit})"
        for key, value, span in bridge.select("key", "value", pl.col("span").dt.total_microseconds()).iter_rows()
    ]
    return pl.DataFrame({"number": bridge["number"], "oversize": pl.Series(words, dtype=pl.String)})
