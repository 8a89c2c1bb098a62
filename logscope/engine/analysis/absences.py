"""What is usually there in a transaction, and missing in a few: filters worth offering.

Failures that nobody logs show as an absence. Of every pair of messages where the second nearly
always follows the first in a transaction, the transactions without the second are worth a look.
"""

from __future__ import annotations

import polars as pl

from logscope.engine.answers import Absence

MOST_MEMBERS = 400_000
"""Records looked at; of more, the earliest transactions."""
_MOST_MESSAGES = 80
_LEAST_SEEN = 10
_RARE = 0.15
_STOP = ["the", "and", "for", "from", "with", "was", "has", "not"]


def stems(messages: pl.Series) -> pl.Series:
    """The words that a message begins with, up to its first value; null where there are none.

    Args:
        messages: String column.
    """
    cut = messages.str.slice(0, 200).str.replace(r"(?s)[\s:;,(\[{'\"]*\S*[=\d\"'].*$", "").str.strip_chars(" :;,.-")
    usable = cut.str.contains(r"^[A-Za-z][A-Za-z _/.-]{3,60}$").fill_null(False)
    return cut.set(~usable, None)


def absences(frame: pl.DataFrame, most: int = 6) -> list[Absence]:
    """The pairs worth offering, the most telling first.

    Args:
        frame: `transaction`, `time`, `message` of records that stand in transactions.
        most: How many pairs.
    """
    seen = (
        frame.select("transaction", "time", stem=stems(frame.get_column("message")))
        .drop_nulls("stem")
        .group_by("transaction", "stem")
        .agg(at=pl.col("time").min().dt.epoch("us"))
    )
    totals = seen.group_by("stem").agg(seen=pl.len()).filter(pl.col("seen") >= _LEAST_SEEN)
    totals = totals.sort("seen", "stem", descending=[True, False]).head(_MOST_MESSAGES)
    seen = seen.join(totals, on="stem")
    pairs = (
        seen.join(seen.select("transaction", pl.col("stem").alias("missing"), later="at"), on="transaction")
        .filter(pl.col("stem") != pl.col("missing"))
        .group_by("stem", "missing")
        .agg(together=pl.len(), seen=pl.col("seen").first(), gap=(pl.col("later") - pl.col("at")).median())
        .with_columns(without=pl.col("seen") - pl.col("together"))
        .filter((pl.col("without") > 0) & (pl.col("without") <= pl.col("seen") * _RARE) & (pl.col("gap") >= 0))
    )
    if pairs.is_empty():
        return []
    # `charge begin` and `charge settled`: a shared word tells of one thing begun and ended.
    words = (pl.col(name).str.to_lowercase().str.extract_all(r"[a-z]{3,}") for name in ("stem", "missing"))
    shared = next(words).list.set_intersection(next(words)).list.set_difference(pl.lit(_STOP)).list.len() > 0
    ranked = pairs.with_columns(shared=shared).sort(
        "shared", "without", "gap", "stem", "missing", descending=[True, False, False, False, False]
    )
    best = ranked.unique("missing", keep="first", maintain_order=True).head(most)
    return [Absence(*row) for row in best.select("stem", "missing", "without", "seen").iter_rows()]
