"""Candidate columns of a sample: named fields, and ids that stand in free text by their shape alone."""

from __future__ import annotations

from typing import Any

import polars as pl

from logscope.correlation.extract import MAX_VALUE
from logscope.correlation.keys import AT, CANONICAL, VALUE_PATTERNS, ignored, is_generic, normalise
from logscope.correlation.slots import in_text
from logscope.records.schema import ROW

SAMPLE = 200_000
"""Records that discovery looks at, at most."""

SHAPES: tuple[tuple[str, str], ...] = (
    ("uuid", r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
    ("date", r"^\d{4}-\d\d-\d\d|^\d\d:\d\d:\d\d|^\d{1,2}/\w{3}/\d{4}"),
    ("ip", r"^\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?$|^[0-9a-fA-F:]*::[0-9a-fA-F:]*$"),
    ("int", r"^\d+$"),
    ("float", r"^[-+]?\d+\.\d+\w{0,2}$|^[-+]?\d+(?:ms|us|ns|s|m|h|[kKMG]i?B?|%)$|^-\d+$"),
    ("hex", r"^[0-9a-fA-F]{16,}(?:@[\w.-]+|(?:\.\w+)*)$"),
    ("address", r"^[^@\s]+@[^@\s]+\.\w+$"),
    (
        "prefixed",
        r"^[A-Za-z]{1,12}[-_:]?[0-9][0-9A-Za-z]*(?:-[0-9A-Za-z]+)*$|^[A-Za-z]{1,12}[-_][0-9a-f]{6,}(?:-[0-9a-f]+)*$",
    ),
    ("text", r"\s"),
    ("token", r"^[\w.:@+=~-]*\d[\w.:@+=~-]*$"),
)
"""Shapes of values, the first that fits."""

LINKABLE = ("uuid", "hex", "prefixed", "token", "int")
"""Shapes of ids."""
MODAL = 0.8
"""From this share of distinct values on, a shape is the rule and others are strays."""

COMMON = 3
"""Values of which something is said, for it to be what transactions begin with."""
SMALL_PLACE = 20
"""Records that a service counts for at least when shares of it are taken."""
SIXTEEN_BITS = 65_535
_DRAWN = 100
"""Numbers that must be seen,"""
_ASCENDING = 0.6
"""and the share of them that is greater than the one before, below which they are drawn."""

OCCURRENCES = {ROW: pl.UInt32, "label": pl.String, "value": pl.String, "text": pl.Boolean}


def occurrences(sample: pl.DataFrame, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All candidate values of a sample.

    Args:
        sample: Record frame with `row`, `place`, and `raw` or `message`, and if known `pid`.
        pairs: Fields of these records: `row`, `name`, `value`.

    Returns:
        Distinct `row`, `label` (a field's name as keys have it, or a label of `slots`), `text`, `value` (a number);
        and by that number `value`, `text`, `shape`, `length`, in the order of the texts.
    """
    named = pairs.select(pl.col(ROW).cast(pl.UInt32), label=pl.col("name"), value=pl.col("value"))
    for label in named["label"].unique().to_list():
        inner = VALUE_PATTERNS.get(normalise(label))
        if inner is not None:
            part = pl.when(pl.col("label") == label).then(pl.col("value").str.extract(inner, 1))
            named = named.with_columns(pl.coalesce(part, "value").alias("value"))
    named = _bound(named, sample)
    parts = [named.with_columns(text=pl.lit(False))]
    if "pid" in sample.columns:
        parts.append(sample.select(ROW, label=pl.lit("pid"), value=pl.col("pid").cast(pl.String), text=pl.lit(False)))
    body = "raw" if "raw" in sample.columns else "message"
    if body in sample.columns:
        # What a field holds needs no place in the text.
        texts = in_text(sample, body).join(named, on=[ROW, "value"], how="anti")
        parts.append(texts.with_columns(text=pl.lit(True)))
    return _numbered(pl.concat([part.select(*OCCURRENCES).cast(OCCURRENCES) for part in parts]))  # type: ignore[arg-type]


def _numbered(found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Values as numbers; what is no id is left out. Each distinct text is looked at once."""
    raw = found.select("value").unique()
    clean = raw.with_columns(clean=pl.col("value").str.strip_chars(" \t\r\n\"'"))
    clean = clean.filter(
        ~ignored(pl.col("clean"))
        & (pl.col("clean").str.len_bytes() <= MAX_VALUE)
        & (pl.col("clean").str.len_chars() >= 2)
    )
    texts = clean.select(text="clean").unique().sort("text").with_row_index("value")
    texts = texts.with_columns(shape=shape_of(pl.col("text")), length=pl.col("text").str.len_chars())
    number = clean.join(texts, left_on="clean", right_on="text").select("value", number="value_right")
    held = found.join(number, on="value").select(ROW, "label", "text", value="number")
    return held.unique(), texts


def _bound(named: pl.DataFrame, sample: pl.DataFrame) -> pl.DataFrame:
    """Fields whose name says nothing (`id`) are one for each service that writes them."""
    generic = [label for label in named["label"].unique().to_list() if is_generic(label)]
    places = sample.select(pl.col(ROW).cast(pl.UInt32), pl.col("place").fill_null(""))
    held = named.filter(pl.col("label").is_in(generic)).join(places, on=ROW)
    several = held.group_by("label").agg(pl.col("place").n_unique()).filter(pl.col("place") > 1)
    if several.is_empty():
        return named
    held = held.join(several, on="label", how="semi")
    held = held.with_columns(label=pl.concat_str("label", pl.lit(AT), "place"))
    return pl.concat([named.join(several, on="label", how="anti"), held.select(named.columns)])


def shape_of(values: pl.Expr) -> pl.Expr:
    """The shape of each value, by SHAPES; else `word`."""
    chain: Any = pl.when(values.str.contains(SHAPES[0][1])).then(pl.lit(SHAPES[0][0]))
    for name, pattern in SHAPES[1:]:
        chain = chain.when(values.str.contains(pattern)).then(pl.lit(name))
    result: pl.Expr = chain.otherwise(pl.lit("word"))
    return result


def shape_pattern(values: pl.Series) -> str | None:
    """The regex that tells a column's ids from other values that stray into it (`guest` among long hex).

    Args:
        values: Its values.

    Returns:
        None where all values are alike, or where no shape is the rule.
    """
    table = pl.DataFrame({"value": values.unique()}).with_columns(shape=shape_of(pl.col("value")))
    modal, count = table["shape"].value_counts().sort(["count", "shape"], descending=[True, False]).row(0)
    if modal not in LINKABLE or count < 5:
        return None
    length = int(table.filter(pl.col("shape") == modal)["value"].str.len_chars().mode().min())  # type: ignore[arg-type]
    # Hex that happens to be all letters or all digits is no other shape, if it is as long.
    pattern = rf"{dict(SHAPES)[modal]}|^[\w.:@+=~-]{{{max(length - 1, 1)},{length + 1}}}$"
    share = float(table["value"].str.contains(pattern).mean() or 0)  # type: ignore[arg-type]  # of a Boolean: a float
    return pattern if MODAL <= share < 1 else None


def group_label(label: str, text: bool) -> str:
    """Labels that are one by name alone: spelling does not matter, and well-known ids have one name."""
    if text:
        return "~" + label
    plain = normalise(label)
    return CANONICAL.get(plain, plain)


def drawn_from_few(values: pl.Series) -> bool:
    """Whether numbers are drawn from 16 bits, like the ids of DNS queries: with time all of them come again.

    Args:
        values: Distinct texts in the order in which they are first seen. A counter ascends; drawn ones do as often
            as not.
    """
    numbers = values.cast(pl.Int64, strict=False).drop_nulls()
    if len(numbers) < _DRAWN or not SIXTEEN_BITS // 2 < int(numbers.max() or 0) <= SIXTEEN_BITS:  # type: ignore[arg-type]
        return False
    return float((numbers.diff().drop_nulls() > 0).mean() or 0) < _ASCENDING  # type: ignore[arg-type]


def statistics(held: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """What the values of each group look like.

    Args:
        held: Distinct `row`, `group`, `value`, `shape`, `length`.
        order: `row`, `rank` (place in time), `time`, `source`, `service`, `template`.

    Returns:
        Per `group`: distinct, support, repeat, p99, median, most, xs, xt, novelty, span (share of
        the log), recurs (the same over what records anywhere in the log would span: 0 to about 1), recurs_most (what three of
        four values reach of that), cover (the largest
        share of a place's records that hold it), lasting (median seconds between a value's first and last record),
        shape, length.
    """
    table = held.join(order, on=ROW).sort("group", "rank")
    # Where in a group's records a value stands: of those before it, as a share.
    group, rank = pl.col("group"), pl.col("rank")
    step = ((group != group.shift(1)) | (rank != rank.shift(1))).fill_null(True)
    table = table.with_columns(at=step.cum_sum())
    table = table.join(table.group_by("group").agg(first_at=pl.col("at").min(), last_at=pl.col("at").max()), on="group")
    at = (pl.col("at") - pl.col("first_at")) / (pl.col("last_at") - pl.col("first_at") + 1)
    total = max(order.height, 1)
    per_value = table.group_by("group", "value").agg(
        n=pl.len(), first=at.min(), templates=pl.col("template").n_unique(), places=pl.col("place").n_unique(),
        ranks=(pl.col("rank").max() - pl.col("rank").min()) / total,
        lasts=(pl.col("time").max() - pl.col("time").min()).dt.total_milliseconds() / 1000,
        shape=pl.col("shape").first(), length=pl.col("length").first(),
    )  # fmt: skip
    several = pl.col("n") >= 2
    apart = pl.col("ranks") * (pl.col("n") + 1) / (pl.col("n") - 1)
    values = per_value.group_by("group").agg(
        distinct=pl.len(), repeat=several.mean(), p99=pl.col("n").quantile(0.99), median=pl.col("n").median(),
        most=pl.col("n").max(), xs=(pl.col("places") >= 2).mean(), xt=(pl.col("templates") >= 2).mean(),
        novelty=(pl.col("first") >= 0.5).mean(),
        span=pl.col("ranks").filter(pl.col("n") >= 3).median().fill_null(0.0),
        recurs=apart.filter(several).median().fill_null(0.0),
        recurs_most=apart.filter(several).quantile(0.25).fill_null(0.0),
        lasting=pl.col("lasts").filter(several).median().fill_null(0.0),
        shape=pl.col("shape").mode().sort().first(), length=pl.col("length").median(),
    )  # fmt: skip
    here = table.group_by("group", "place").agg(n=pl.col(ROW).n_unique())
    totals = order.group_by("place").agg(total=pl.len())
    share = pl.col("n") / pl.max_horizontal("total", pl.lit(min(total, SMALL_PLACE)))
    support = (
        here.join(totals, on="place", nulls_equal=True)
        .group_by("group")
        .agg(cover=share.max())
        .join(table.group_by("group").agg(support=pl.col(ROW).n_unique()), on="group")
    )
    return values.join(support, on="group").sort("group")


def begins(held: pl.DataFrame, order: pl.DataFrame) -> float:
    """How surely the values of one group begin with what is said once of each, as transactions do and users do not.

    Args:
        held: Distinct `row`, `value` of the group.
        order: As for `statistics`.

    Returns:
        0 to 1: for the values in several records, the mean share of values with that first template which begin with it,
        0 where it comes again, or is said of hardly any other.
    """
    table = held.select(ROW, "value").unique().join(order, on=ROW).sort("rank")
    said = table.group_by("value", "template").agg(n=pl.len(), first=pl.col("rank").min())
    said = said.filter(pl.len().over("value") + pl.col("n").max().over("value") > 2)
    if said.is_empty():
        return 0.0
    said = said.with_columns(begins=pl.col("first") == pl.col("first").min().over("value"))
    said = said.with_columns(share=pl.col("begins").mean().over("template"), values=pl.len().over("template"))
    firsts = said.filter("begins")
    once = pl.when((pl.col("n") == 1) & (pl.col("values") >= COMMON)).then("share").otherwise(0.0)
    return float(firsts.select(once.mean()).item() or 0)
