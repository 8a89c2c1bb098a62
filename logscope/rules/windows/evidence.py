"""The records that alerts are made of."""

from __future__ import annotations

import polars as pl

from logscope.rules.model.windows import NUMERIC, TEMPORAL_ORDERED, Clause, Windows
from logscope.rules.windows.matches import GROUP, Alerts, Matches
from logscope.rules.windows.presence import chain, chained


def made_of(alerts: Alerts, places: pl.Series) -> pl.DataFrame:
    """The records that alerts are made of.

    Args:
        alerts: All of a correlation.
        places: Of the alerts.

    Returns:
        Distinct `place`, `slot` (of this correlation) and `at` (position in the hits).
    """
    chosen = alerts.frame[places]
    parts = []
    for number, clause in enumerate(alerts.node.clauses):
        mine = chosen.filter(f"c{number}")
        if mine.height:
            parts.append(_members(alerts.node, clause, mine, alerts.matches))
    if not parts:
        return pl.DataFrame(schema={"place": pl.UInt32, "slot": pl.UInt8, "at": pl.UInt32})
    found = pl.concat(parts).unique()
    below = []
    for slot, child in enumerate(alerts.matches.children):
        mine = found.filter(pl.col("slot") == slot)
        if child is None or not mine.height:
            below.append(mine)
            continue
        deeper = made_of(child, mine["at"].unique().sort()).select(pl.col("place").alias("child"), "at")
        mine = mine.rename({"at": "child"}).join(deeper, on="child", how="inner")
        below.append(mine.select("place", "slot", "at"))
    return pl.concat(below).unique()


def _members(node: Windows, clause: Clause, alerts: pl.DataFrame, matches: Matches) -> pl.DataFrame:
    """`place`, `slot`, `at` of all matches that alerts of one clause are made of."""
    group, start, end = alerts[GROUP], alerts["start"], alerts["end"]
    line = matches.timeline()
    low, high = line.upto(group, start - 1), line.upto(group, end)
    windows = alerts.select("place").with_columns(at=pl.select(pl.int_ranges(low, high, dtype=pl.UInt32)).to_series())
    found = windows.explode("at", empty_as_null=False)
    rows = matches.frame[found["at"]].select("slot", "at", "ts", "v").with_columns(found["place"])
    if clause.present and (node.extended or node.kind == TEMPORAL_ORDERED):
        rows = rows.filter(pl.col("slot").is_in(clause.present))
    if node.kind == TEMPORAL_ORDERED:
        _, times = chain(node, clause, matches, group, start, end)
        followed = pl.concat(
            pl.DataFrame({"place": alerts["place"], "ts": time}).with_columns(
                pl.lit(slot, dtype=pl.UInt8).alias("slot")
            )
            for slot, time in zip(chained(node, clause), times, strict=True)
        )
        rows = rows.join(followed.drop_nulls(), on=["place", "slot", "ts"], how="semi")
    if node.kind in NUMERIC:
        rows = rows.filter(pl.col("v").is_not_null())
    return rows.select("place", "slot", "at").unique()
