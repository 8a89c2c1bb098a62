"""What keys that the user gave do in a sample, and what of them would only glue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from logscope.correlation.columns import shape_of, statistics
from logscope.correlation.extract import extract
from logscope.correlation.keys import Key, fits_all, parts_of
from logscope.correlation.plan import Plan
from logscope.records.schema import FIELD_PREFIX, KEY_VALUES, ROW
from logscope.text import clean

MOST_HITS = 32
"""Values that a record may hold on average of a key that links: `(\\w)` is no id."""
_LOOKED_AT = 1000
EVERYWHERE = 0.5
"""A value in more of the records than this ties what other keys keep apart."""
_FEW = 20


def given_values(
    sample: pl.DataFrame, pairs: pl.DataFrame, plan: Plan, given: Sequence[Key]
) -> tuple[Plan, pl.DataFrame, list[str]]:
    """The values of keys that the user gave, and what of them does not link.

    Args:
        sample: A complete sample.
        pairs: Fields of its records.
        plan: With these keys.
        given: The keys.

    Returns:
        The plan, with keys switched off that tell nothing apart and hubs named, so that other keys go on; KEY_VALUES
        without these; and what is said about it.
    """
    notices: list[str] = []
    usable = []
    for key in given:
        text = sample["raw"].head(_LOOKED_AT)
        hits = sum(int(text.str.count_matches(pattern).sum()) for pattern in key.patterns) / max(len(text), 1)
        if hits > MOST_HITS or any(fits_all(pattern) for pattern in key.patterns):
            words = f"it finds something in any record ({hits:,.0f} values in each) and does not link"
            notices.append(f"key {key.name}: {words}")
            plan = plan.with_keys([replace(key, active=False, why=words)])
        else:
            usable.append(key)
    if not usable:
        return plan, pl.DataFrame(schema=KEY_VALUES), notices
    values = extract(_with_fields(sample, pairs, usable), plan, [key.name for key in usable])
    several = [key.name for key in plan.keys if key.links and key.klass == "strong"]
    for key in usable:
        place = plan.place(key.name)
        counts = values.filter(pl.col("key") == place).group_by("value").agg(n=pl.col(ROW).n_unique())
        if counts.height == 1:
            notices.append(
                f"key {key.name} has one value only in the first {sample.height:,} records: it tells nothing apart"
            )
        elif counts.is_empty():
            notices.append(f"key {key.name} has no value in the first {sample.height:,} records")
        wide = counts.filter((pl.col("n") > EVERYWHERE * sample.height) & (sample.height >= _FEW)).sort(
            "n", "value", descending=[True, False]
        )
        if wide.is_empty() or several in ([], [key.name]):
            continue
        share = wide["n"].to_list()[0] / sample.height
        shown = ", ".join(clean(value, cap=80) for value in wide["value"].head(3))
        words = f"{shown} in up to {share:.0%} of the records: what is so frequent does not link, so that other keys do"
        notices.append(f"key {key.name}: {words}")
        hubs = tuple(dict.fromkeys((*key.hubs, *wide["value"])))
        plan = plan.with_keys([replace(key, hubs=hubs, active=wide.height < counts.height, why=f"{key.why}; {words}")])
        values = values.filter((pl.col("key") != place) | ~pl.col("value").is_in(wide["value"].implode()))
    return plan, values, notices


def _with_fields(sample: pl.DataFrame, pairs: pl.DataFrame, keys: Sequence[Key]) -> pl.DataFrame:
    """The sample with a column per field of the keys; the first of several in a record."""
    wanted = {part for key in keys for field in key.fields for part in parts_of(field)}
    wide = pairs.filter(pl.col("name").is_in(list(wanted))).unique(
        subset=[ROW, "name"], keep="first", maintain_order=True
    )
    for name in sorted(wanted):
        column = f"{FIELD_PREFIX}{name}"
        if column not in sample.columns:
            part = wide.filter(pl.col("name") == name).select(
                pl.col(ROW).cast(pl.UInt32), pl.col("value").alias(column)
            )
            sample = sample.join(part, on=ROW, how="left")
    return sample


def given_statistics(
    sample: pl.DataFrame, values: pl.DataFrame, plan: Plan, given: Sequence[Key]
) -> dict[str, dict[str, float]]:
    """`columns.statistics` of keys that the user gave, by name.

    Args:
        sample: A complete sample.
        values: KEY_VALUES of it.
        plan: Places of the keys.
        given: The keys.
    """
    places = {plan.place(key.name): key.name for key in given}
    part = values.filter(pl.col("key").is_in(list(places)))
    if part.is_empty():
        return {}
    held = part.select(
        ROW, group=pl.col("key").cast(pl.String), value="value", shape=shape_of(pl.col("value")),
        length=pl.col("value").str.len_chars(),
    )  # fmt: skip
    order = sample.select(ROW, "time", "place", "template").with_row_index("rank")
    return {places[int(row["group"])]: row for row in statistics(held, order).iter_rows(named=True)}
