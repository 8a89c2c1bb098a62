"""What a correlation's slots match: records of the hits, and alerts of correlations below it."""

from __future__ import annotations

import polars as pl

from logscope.rules.model.windows import NUMERIC, Slot, Windows
from logscope.rules.windows.evidence import made_of
from logscope.rules.windows.hits import WindowHits, folded
from logscope.rules.windows.matches import GROUP, KEYS, Alerts, Matches

_BIG = 1e20


def collect(node: Windows, hits: pl.DataFrame, selector: WindowHits, children: tuple[Alerts | None, ...]) -> Matches:
    """The matches of a correlation.

    Args:
        node: The correlation.
        hits: In order of time.
        selector: Knows the hits' columns.
        children: Per slot the alerts of the correlation that stands there, None for a rule over records.
    """
    parts = []
    for place, (slot, alerts) in enumerate(zip(node.slots, children, strict=True)):
        rows = (
            _of_records(node, slot, hits, selector)
            if alerts is None
            else _of_alerts(node, slot, alerts, hits, selector)
        )
        parts.append(rows.with_columns(pl.lit(place, dtype=pl.UInt8).alias("slot")))
    columns = [f"{KEYS}{place}" for place in range(len(node.by))]
    frame = pl.concat(parts).unique()
    frame = frame.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in columns)) if columns else frame
    if node.threshold is not None and node.kind in NUMERIC:
        frame = frame.with_columns(_number(pl.col("v")))
    keys = frame.select(columns).unique(maintain_order=True) if columns else pl.DataFrame({"none": [0]})
    keys = keys.with_row_index(GROUP)
    if columns:
        frame = frame.join(keys, on=columns, how="left").drop(columns)
    else:
        frame, keys = frame.with_columns(pl.lit(0, dtype=pl.UInt32).alias(GROUP)), keys.drop("none")
    return Matches(frame.sort(GROUP, "ts", "eid", "slot"), keys, children)


def _wanted(node: Windows, slot: Slot) -> dict[str, str]:
    """Column to the name of the field as the slot calls it."""
    wanted = {f"{KEYS}{place}": slot.field(name) for place, name in enumerate(node.by)}
    if node.threshold is not None and node.threshold.field is not None:
        wanted["v"] = slot.field(node.threshold.field)
    return wanted


def _of_records(node: Windows, slot: Slot, hits: pl.DataFrame, selector: WindowHits) -> pl.DataFrame:
    texts = {column: pl.col(selector.field(name)) for column, name in _wanted(node, slot).items()}
    texts.setdefault("v", pl.lit(None, dtype=pl.String))
    at = pl.int_range(pl.len(), dtype=pl.UInt32).alias("at")
    return (
        hits.select(
            pl.col("time").to_physical().alias("ts"),
            at.cast(pl.UInt64).alias("eid"),
            at,
            *(folded(text).alias(column) for column, text in texts.items()),
            pl.col(selector.leaf(slot)).alias("hit"),
        )
        .filter("hit")
        .drop("hit")
        .select("ts", "eid", "at", *sorted(texts))
    )


def _of_alerts(node: Windows, slot: Slot, alerts: Alerts, hits: pl.DataFrame, selector: WindowHits) -> pl.DataFrame:
    """A child's alerts; what it does not group by is read from the records that it is made of."""
    child = alerts.node
    frame = alerts.frame.filter(~pl.col("pending")).join(
        alerts.matches.keys, on=GROUP, how="left", maintain_order="left"
    )
    wanted = _wanted(node, slot)
    from_records = {
        column: name
        for column, name in wanted.items()
        if name not in child.by and name not in (child.kind, "sigma_metric")
    }
    texts: dict[str, pl.Expr] = {}
    for column, name in wanted.items():
        if column in from_records:
            continue
        own = pl.col(f"{KEYS}{child.by.index(name)}") if name in child.by else pl.col("metric").cast(pl.String)
        texts[column] = folded(own)
    if from_records:
        evidence = made_of(alerts, frame["place"]).select("place", "at").unique()
        read = {column: hits[selector.field(name)].gather(evidence["at"]) for column, name in from_records.items()}
        evidence = evidence.select(
            "place", *(folded(pl.lit(text)).alias(f"r:{column}") for column, text in read.items())
        ).unique()
        frame = frame.join(evidence, on="place", how="left")
        texts |= {column: pl.col(f"r:{column}") for column in from_records}
    texts.setdefault("v", pl.lit(None, dtype=pl.String))
    return frame.select(
        pl.col("end").alias("ts"),
        (pl.col("place").cast(pl.UInt64) + (alerts.number << 40)).alias("eid"),
        pl.col("place").alias("at"),
        *(texts[column].alias(column) for column in sorted(texts)),
    )


def _number(text: pl.Expr) -> pl.Expr:
    value = text.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite() & (value.abs() <= _BIG)).then(value)
