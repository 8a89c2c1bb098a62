"""Keys among the columns of a sample: classes, aliases, names and patterns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from logscope.correlation.aliases import alias_groups
from logscope.correlation.classes import Verdict, at_sight, classify
from logscope.correlation.columns import (
    LINKABLE,
    begins,
    drawn_from_few,
    group_label,
    occurrences,
    shape_pattern,
    statistics,
)
from logscope.correlation.composite import composite
from logscope.correlation.keys import (
    CANONICAL,
    Key,
    bound,
    idlikeness,
    is_id_name,
    is_measure,
    is_scoped_name,
    normalise,
    snake_case,
)
from logscope.correlation.slots import is_positional, pattern_of, word_of
from logscope.records.schema import KEY_VALUES, ROW
from logscope.text import clean

REDUNDANT = 0.98
"""A place in the text is not looked at where a key's other names hold so much of what it holds."""
MOST_REFUSED = 40
ALONE = 0.05
"""Where no strong key stands in so many of a service's records, pairs of columns are looked at."""

Found = tuple[list[Key], dict[str, dict[str, float]], pl.DataFrame, tuple[str, ...]]


@dataclass(frozen=True)
class _Columns:
    """What stands behind each group: field names with counts, and labels in text with values."""

    fields: dict[str, list[tuple[str, int]]]
    texts: dict[str, str]
    values: pl.DataFrame
    """`label`, `value` of what was found in text, distinct."""
    dictionary: pl.DataFrame
    """`value` (a number), `text`, `shape`, `length`."""

    def text(self, numbers: pl.Series) -> pl.Series:
        """The texts that distinct values stand for."""
        texts: pl.Series = self.dictionary["text"].gather(numbers.unique())
        return texts


def find_keys(sample: pl.DataFrame, pairs: pl.DataFrame) -> Found:
    """All keys of a sample, the one that ties most first.

    Args:
        sample: A complete sample, in order.
        pairs: Fields of its records.

    Returns:
        Keys; statistics by key name; KEY_VALUES by place among the keys; what is no key and why.
    """
    order = sample.select(ROW, "time", "place", "template").with_row_index("rank")
    every, columns = _columns(*occurrences(sample, pairs))
    held, refused = _without_hopeless(every, columns)
    stats = statistics(held, order)
    groups, why = _alias(held, stats, columns, order)
    member_of = {name: group[0] for group in groups for name in group}
    columns = _without_redundant(held, columns, groups)
    several = [name for group in groups if len(group) > 1 for name in group]
    joined, rest = held.filter(pl.col("group").is_in(several)), ~pl.col("group").is_in(several)
    joined = joined.with_columns(pl.col("group").replace(member_of)).unique()
    merged = pl.concat([held.filter(rest), joined])
    stats = pl.concat([stats.filter(rest), statistics(joined, order)])
    seconds = _seconds(sample)
    by_root = {group[0]: group for group in groups}
    named: dict[str, tuple[Key, dict[str, Any]]] = {}
    total = max(sample.height, 1)
    for row in sorted(stats.iter_rows(named=True), key=lambda each: (-score(each, total), each["group"])):
        mine = merged.filter(pl.col("group") == row["group"])
        values = columns.text(mine["value"])
        row["drawn"] = row["shape"] == "int" and drawn_from_few(_in_order(mine, order, columns))
        classed = partial(classify, stats=row, seconds=seconds, begins=partial(begins, mine, order))
        key = _key(by_root.get(row["group"], (row["group"],)), columns, values, why, classed)
        if isinstance(key, str):
            refused.append((row["support"], key))
        elif key.name not in named:
            named[key.name] = (key, row)
    keys = [key for key, _ in named.values()]
    for key, row in named.values():
        if key.shape is not None:
            mine = pl.col("group") == row["group"]
            numbers = merged.filter(mine)["value"].unique()
            strays = numbers.filter(~columns.dictionary["text"].gather(numbers).str.contains(key.shape))
            merged = merged.filter(~(mine & pl.col("value").is_in(strays.implode())))
    places = {row["group"]: place for place, (_, row) in enumerate(named.values())}
    table = _key_values(merged.drop("shape", "length"), columns, places, keys, sample)
    if all(row["cover"] < ALONE or not key.links or key.klass != "strong" for key, row in named.values()):
        best = {group: found[0][0] for group, found in columns.fields.items()}
        pair = composite(every, best, columns.dictionary["text"], order)
        if pair is not None and pair[0].name not in named:
            key, row, joined_values = pair
            named[key.name] = (key, row)
            keys.append(key)
            more = joined_values.join(sample.select(ROW, "time"), on=ROW)
            more = more.with_columns(key=pl.lit(len(keys) - 1, pl.UInt16), scope=pl.lit(None, pl.String))
            table = pl.concat([table, more.select(KEY_VALUES.keys()).cast(KEY_VALUES)])  # type: ignore[arg-type]
    said = tuple(text for _, text in sorted(refused, key=lambda each: (-each[0], each[1]))[:MOST_REFUSED])
    return keys, {name: row for name, (_, row) in named.items()}, table, said


def score(stats: dict[str, Any], total: int) -> float:
    """How much a key ties together: records that it covers, services that it crosses, values that repeat."""
    return float(stats["support"] / total * (0.5 + 0.5 * stats["xs"]) * stats["repeat"])


def _columns(held: pl.DataFrame, dictionary: pl.DataFrame) -> tuple[pl.DataFrame, _Columns]:
    counts = held.group_by("label", "text").len().sort("len", "label", descending=[True, False])
    names = pl.Series("group", [group_label(label, text) for label, text, _ in counts.iter_rows()], dtype=pl.String)
    counts = counts.with_columns(names)
    kinds = pl.Enum(names.unique().sort())
    fields: dict[str, list[tuple[str, int]]] = {}
    texts: dict[str, str] = {}
    for label, text, count, group in counts.iter_rows():
        if text:
            texts[group] = label
        else:
            fields.setdefault(group, []).append((label, count))
    values = held.filter("text").select("label", "value").unique().join(dictionary.select("value", "text"), on="value")
    held = held.join(counts.select("label", "text", pl.col("group").cast(kinds)), on=["label", "text"])
    held = held.select(ROW, "group", "value").unique()
    frequent = held.group_by("group").agg(pl.col("value").n_unique().alias("n")).filter(pl.col("n") > 1)
    held = held.join(frequent, on="group", how="semi").join(dictionary.drop("text"), on="value")
    return held, _Columns(fields, texts, values.select("label", value="text"), dictionary)


def _without_hopeless(held: pl.DataFrame, columns: _Columns) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """What is seen at once to be no key, nor a name of one, is not followed through the log."""
    light = (
        held.group_by("group", "value").agg(n=pl.len(), shape=pl.col("shape").first())
        .group_by("group").agg(distinct=pl.len(), shape=pl.col("shape").mode().sort().first(), support=pl.col("n").sum())
    )  # fmt: skip
    refused: list[tuple[int, str]] = []
    hopeless = []
    for row in light.sort("group").iter_rows(named=True):
        group = row["group"]
        names = [bound(name)[0] for name, _ in columns.fields.get(group, [])]
        labels = [columns.texts[group]] if group in columns.texts else []
        words = [label.strip() for label in labels if label.endswith(" ")]
        verdict = at_sight(names or words, row)
        linkable = (
            row["shape"] in LINKABLE and row["distinct"] >= 3 and "measure" not in (verdict.why if verdict else "")
        )
        if verdict is not None and verdict.klass is None and not linkable:
            hopeless.append(group)
            refused.append((row["support"], f"{_name(columns.fields.get(group, []), labels)} ({verdict.why})"))
    return held.filter(~pl.col("group").is_in(hopeless)), refused


def _alias(
    held: pl.DataFrame, stats: pl.DataFrame, columns: _Columns, order: pl.DataFrame
) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """Alias groups among columns that could hold ids; all others by themselves."""

    def could(group: str, shape: str, length: float, distinct: int) -> bool:
        names = [name for name, _ in columns.fields.get(group, [])]
        if distinct < 3 or shape not in LINKABLE or any(is_scoped_name(name) for name in names):
            return False
        id_name = any(is_id_name(name) for name in names)
        if any(is_measure(name) for name in names) and not id_name:
            return False
        return shape != "int" or length >= 6 or id_name

    def alone(group: str) -> bool:
        if group in columns.texts:
            return is_positional(columns.texts[group])
        return any(bound(name)[1] is not None for name, _ in columns.fields.get(group, []))

    able = [
        row["group"]
        for row in stats.iter_rows(named=True)
        if could(row["group"], row["shape"], row["length"], row["distinct"])
    ]
    at = order.select(ROW, at=pl.col("rank") / max(order.height, 1))
    part = held.filter(pl.col("group").is_in(able)).select(ROW, "group", "value").join(at, on=ROW)
    return alias_groups(part, stats.filter(pl.col("group").is_in(able)), columns.dictionary["text"], alone=alone)


def _without_redundant(held: pl.DataFrame, columns: _Columns, groups: list[tuple[str, ...]]) -> _Columns:
    """Places in the text that add nothing to a key's other names are not looked at again."""
    texts = dict(columns.texts)
    for group in groups:
        mine = [name for name in group if name in texts]
        if not mine or len(group) == 1:
            continue
        part = held.filter(pl.col("group").is_in(group)).select(ROW, "group", "value")
        # Positions first: a word or a prefix tells more.
        for name in sorted(mine, key=lambda each: (not is_positional(texts[each]), each)):
            rest = [other for other in group if other != name and (other in texts or other in columns.fields)]
            own = part.filter(pl.col("group") == name)
            others = part.filter(pl.col("group").is_in(rest))
            if rest and own.join(others, on=[ROW, "value"], how="semi").height >= REDUNDANT * own.height:
                del texts[name]
    return replace(columns, texts=texts)


def _in_order(mine: pl.DataFrame, order: pl.DataFrame, columns: _Columns) -> pl.Series:
    """A group's distinct texts in the order in which they are first seen."""
    firsts = mine.join(order.select(ROW, "rank"), on=ROW).group_by("value").agg(pl.col("rank").min())
    found: pl.Series = columns.dictionary["text"].gather(firsts.sort("rank", "value")["value"])
    return found


def _seconds(sample: pl.DataFrame) -> float:
    span = sample.select((pl.col("time").max() - pl.col("time").min()).dt.total_milliseconds()).item()
    return (span or 0) / 1000


def _key(
    group: tuple[str, ...],
    columns: _Columns,
    values: pl.Series,
    why: dict[str, str],
    classed: Callable[[list[str]], Verdict],
) -> Key | str:
    """The key that a group of columns is, or in words why it is none."""
    fields = sorted(
        (item for name in group for item in columns.fields.get(name, [])), key=lambda item: (-item[1], item[0])
    )
    labels = sorted(columns.texts[name] for name in group if name in columns.texts)
    names = [name for name, _ in fields]
    plain = [bound(name)[0] for name in names]
    words = [label.strip() for label in labels if label.endswith(" ")]
    verdict = classed(plain or words)
    name = _name(fields, labels)
    if verdict.klass is None or (not names and verdict.klass == "weak"):
        return f"{name} ({verdict.why.removeprefix('weak: ')})"
    found = {label: columns.values.filter(pl.col("label") == label)["value"] for label in labels}
    ranked = sorted(found, key=lambda each: (-len(found[each]), each))
    patterns = tuple(dict.fromkeys(pattern_of(label, found[label]) for label in ranked))
    aliases = tuple(dict.fromkeys(other for other in (*names, *(word_of(label) for label in labels)) if other != name))
    shared = [why[member] for member in group if member in why]
    told = verdict.why + (f"; aliases by {shared[0]}" if len(group) > 1 and shared else "")
    if not names and any(is_positional(label) for label in labels):
        told += "; found by its place in the line"
    shape = shape_pattern(values) if verdict.klass == "strong" else None
    if shape is not None:
        strays = values.filter(~values.str.contains(shape)).unique().sort()
        told += f"; {len(strays):,} values of another shape do not count, like {clean(strays[0], cap=80)}"
    return Key(
        name, verdict.klass, tuple(names), next(iter(patterns), None), patterns[1:], "found", verdict.active, aliases, (),
        told, shape,
    )  # fmt: skip


def _name(fields: list[tuple[str, int]], labels: list[str]) -> str:
    """What the key is called: by its best field, else by the word before it or its place."""
    if fields:
        best = max(fields, key=lambda item: (idlikeness(item[0]), item[1], item[0]))[0]
        field, place = bound(best)
        plain = normalise(field)
        if place is not None:
            return f"{snake_case(place)}_{plain}"
        return CANONICAL.get(plain, snake_case(best))
    words = sorted(labels, key=is_positional)
    word = snake_case(word_of(words[0]).strip(" -_"))
    if is_positional(words[0]):
        return word
    return CANONICAL.get(normalise(word), word if word.endswith("id") else f"{word}_id")


def _key_values(
    merged: pl.DataFrame, columns: _Columns, places: dict[str, int], keys: list[Key], sample: pl.DataFrame
) -> pl.DataFrame:
    values = (
        merged.filter(pl.col("group").is_in(list(places)))
        .with_columns(
            key=pl.col("group").cast(pl.String).replace_strict(places, return_dtype=pl.UInt16),
        )
        .join(columns.dictionary.select("value", "text"), on="value")
        .drop("value")
        .rename({"text": "value"})
        .join(sample.select(ROW, "time", "host", "service", "source"), on=ROW)
    )
    scoped = [place for place, key in enumerate(keys) if key.klass == "scoped"]
    scope = pl.concat_str(pl.col("host").fill_null(""), pl.lit("/"), pl.coalesce("service", "source").fill_null(""))
    values = values.with_columns(scope=pl.when(pl.col("key").is_in(scoped)).then(scope)).select(KEY_VALUES.keys())
    return values.cast(KEY_VALUES)  # type: ignore[arg-type]
