"""From record frames to key values: one row per (record, key, value)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl

from logscope.correlation.batch import increasing
from logscope.correlation.keys import JOINT, VALUE_PATTERNS, Key, bound, ignored, normalise, parts_of
from logscope.correlation.patterns import lead_of
from logscope.correlation.plan import Plan
from logscope.correlation.vocabulary import LOCAL, Vocabulary
from logscope.records.schema import FIELD_PREFIX, KEY_VALUES, ROW

PLAIN_COLUMNS = frozenset({"host", "service", "pid", "source"})
"""Columns of a record that may feed a key under their own name."""

MAX_VALUE = 512
"""Longer values are no identifiers."""
_SAMPLE = 1000
_OFTEN = 0.4
"""Of more than this share of a sample, all texts are taken to match."""


def column_of(field: str) -> str:
    """The frame column that holds a key's field."""
    name = bound(field)[0]
    return name if name in PLAIN_COLUMNS else FIELD_PREFIX + name


def columns_needed(plan: Plan, keys: Collection[str] | None = None) -> frozenset[str]:
    """What a record frame must hold for `extract`.

    Args:
        plan: The keys.
        keys: Only these keys' columns; None: all of the plan.
    """
    wanted: set[str] = {ROW, "time"}
    for key in plan.keys:
        if keys is not None and key.name not in keys:
            continue
        wanted.update(column_of(part) for field in key.fields for part in {field, *parts_of(field)})
        if any(bound(field)[1] is not None for field in key.fields):
            wanted.update(("service", "source"))
        if key.patterns:
            wanted.add("raw")
        if key.klass == "scoped":
            wanted.update(("host", "service", "source"))
    return frozenset(wanted)


def extract(frame: pl.DataFrame, plan: Plan, keys: Collection[str] | None = None) -> pl.DataFrame:
    """All key values of the records.

    A record that holds two aliases of a key with different values holds both. Values are stripped;
    lists (`["a","b"]`, `a,b`) count one by one; what stands for "none" is left out.

    Args:
        frame: A record frame with `columns_needed(plan)`; what is absent counts as null.
        plan: The keys; column `key` of the result is a key's place in it.
        keys: Only these; None: all of the plan, weak ones too (for pivots).

    Returns:
        A frame KEY_VALUES without duplicates, ordered by row, key and value.
    """
    parts = [part for _, part in _by_key(frame, plan, keys)]
    if not parts:
        return pl.DataFrame(schema=KEY_VALUES)
    return pl.concat(parts).sort(ROW, "key", maintain_order=True)


def extract_codes(frame: pl.DataFrame, plan: Plan, keys: Collection[str], vocabulary: Vocabulary) -> pl.DataFrame:
    """The same as numbers; may run on several threads.

    Args:
        frame: As for `extract`.
        plan: The keys.
        keys: Only these.
        vocabulary: Of the plan's keys; receives what is new.

    Returns:
        Distinct `row`, `key`, `local` (see `Vocabulary.codes`), in the order of `extract`.
    """
    parts = [
        part.select(ROW, "key", vocabulary.locals(place, part["value"], part["scope"]).alias("local"))
        for place, part in _by_key(frame, plan, keys)
    ]
    if not parts:
        return pl.DataFrame(schema=LOCAL)
    table = pl.concat(parts)
    return table.sort(ROW, maintain_order=True) if len(parts) > 1 else table


def _by_key(frame: pl.DataFrame, plan: Plan, keys: Collection[str] | None) -> Iterator[tuple[int, pl.DataFrame]]:
    """Places of keys and their KEY_VALUES, distinct, ordered by row, value and scope."""
    for place, key in enumerate(plan.keys):
        if keys is None or key.name in keys:
            parts = list(_values_of(frame, key, place))
            if parts:
                table = pl.concat(parts)
                # Texts are compared only where a record holds several values.
                if not (table[ROW] > table[ROW].shift(1)).all():
                    table = table if increasing(table) else table.unique().sort(ROW, "value", "scope")
                yield place, table


def _values_of(frame: pl.DataFrame, key: Key, place: int) -> Iterator[pl.DataFrame]:
    scope = _scope(frame) if key.klass == "scoped" else pl.lit(None, dtype=pl.String)
    for field in key.fields:
        column = column_of(field)
        together = _together(frame, field)
        if together is not None:
            yield together.select(ROW, "time", key=pl.lit(place, dtype=pl.UInt16), value="value", scope=scope)
        if column not in frame.columns or frame[column].dtype == pl.Boolean or not frame[column].count():
            continue
        name, only = bound(field)
        part = (
            (frame if only is None else frame.filter(_place(frame) == only))
            .select(ROW, "time", key=pl.lit(place, dtype=pl.UInt16), value=pl.col(column).cast(pl.String), scope=scope)
            .filter(pl.col("value").is_not_null())
        )
        part = _clean(_split(part, name))
        yield part if key.shape is None else part.filter(pl.col("value").str.contains(key.shape))
    for pattern in key.patterns if "raw" in frame.columns else ():
        hits, values = _matching(frame, pattern)
        if hits.height:
            part = hits.select(ROW, "time", key=pl.lit(place, dtype=pl.UInt16), value=values, scope=scope).explode(
                "value", empty_as_null=True
            )
            yield _clean(part.with_columns(_group(pattern)))


def _together(frame: pl.DataFrame, field: str) -> pl.DataFrame | None:
    """The records that hold all parts of a field that is made of several, with `value`; None: some are in no record."""
    columns = [column_of(part) for part in parts_of(field)]
    if len(columns) < 2 or not set(columns) <= set(frame.columns):
        return None
    texts = [pl.col(column).cast(pl.String).str.strip_chars(" \t\r\n\"'") for column in columns]
    said = pl.all_horizontal(~ignored(text) for text in texts)
    found = frame.filter(said).with_columns(value=pl.concat_str(texts, separator=JOINT))
    return found.filter(pl.col("value").str.len_bytes() <= MAX_VALUE)


def _matching(frame: pl.DataFrame, pattern: str) -> tuple[pl.DataFrame, pl.Series]:
    """The records whose text a pattern matches, and all that it matches of each."""
    raw = frame["raw"]
    sample = raw.head(_SAMPLE)
    if int(sample.str.contains(pattern).sum()) < _OFTEN * len(sample):
        hits = frame.filter(raw.str.contains(pattern))
        return hits, hits["raw"].str.extract_all(pattern)
    # Where most texts match, finding out which do costs as much as taking what is found.
    found = raw.str.extract_all(pattern)
    mask = found.list.len() > 0
    return frame.filter(mask), found.filter(mask)


def _group(pattern: str) -> pl.Expr:
    """What the capture group holds within a hit; captures cost five times what finding the hit does."""
    lead = lead_of(pattern)
    value = pl.col("value")
    return value.str.extract(pattern, 1) if lead is None else value.str.slice(lead) if lead else value


def _split(part: pl.DataFrame, field: str) -> pl.DataFrame:
    """Ids within a header's value, and the members of a list."""
    inner = VALUE_PATTERNS.get(normalise(field))
    if inner is not None:
        return part.with_columns(pl.coalesce(pl.col("value").str.extract(inner, 1), "value"))
    several = pl.col("value").str.contains(r"^\[|,")
    lists = part.filter(several)
    if lists.is_empty():
        return part
    lists = lists.with_columns(pl.col("value").str.extract_all(r"[^\[\]\"',\s]+")).explode("value", empty_as_null=True)
    return pl.concat([part.filter(~several), lists])


def _clean(part: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value").str.strip_chars(" \t\r\n\"'")
    return (
        part.with_columns(value)
        .filter(~ignored(pl.col("value")) & (pl.col("value").str.len_bytes() <= MAX_VALUE))
        .select(KEY_VALUES.keys())
    )


def _place(frame: pl.DataFrame) -> pl.Expr:
    """The service of each record, else its source."""
    known = [pl.col(name).cast(pl.String) for name in ("service", "source") if name in frame.columns]
    return pl.coalesce(*known) if known else pl.lit(None, dtype=pl.String)


def _scope(frame: pl.DataFrame) -> pl.Expr:
    """Where a scoped value is unique: host and process, or the source where neither is known."""
    absent = pl.lit(None, dtype=pl.String)
    host, service, source = (
        pl.col(n).cast(pl.String) if n in frame.columns else absent for n in ("host", "service", "source")
    )
    known = pl.concat_str(host.fill_null(""), pl.lit("/"), service.fill_null(""))
    return pl.when(host.is_null() & service.is_null()).then(source.fill_null("")).otherwise(known)
