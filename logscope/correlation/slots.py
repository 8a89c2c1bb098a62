"""Ids that stand in free text: by their prefix, after a word, in a list or column, or by their place in the line.

A label says where: `ORD-` (a prefix), `order ` (after a word), `SW_CTX#5#2` (of a list of five after that
name, the third), `tab#1` or `bar#5` (a column of a line cut by tabs or bars), `hex32@1` (the first such in
the line). `pattern_of` gives the regex that finds a label's values again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from logscope.correlation.keys import is_measure
from logscope.records.schema import ROW

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_PREFIXED = rf"\b(?:[A-Za-z]{{1,10}}[-_](?:{_UUID}|[0-9a-f]{{6,}}|\d{{3,}})|[A-Z]{{2,6}}\d{{4,}})\b"
_PREFIX = r"^([A-Za-z]+[-_]?)"
_AFTER = r"[ \[/#:=(]{1,2}"
# Without bounds on the lengths, which would make the search ten times slower; `_worded` looks at them.
_WORDED = rf"[A-Za-z_]+{_AFTER}(?:{_UUID}|[0-9A-Za-z]*[0-9][0-9A-Za-z_-]*)"
_LONGEST_WORD = 21
_LONGEST_VALUE = 64
_LIST = r"(?:[A-Za-z_]\w*[:=]?)?\[[^\[\]\s\"',]+(?:,[^\[\],\"']*){2,15}\]"
_EDGE = r"(?:^|[\s\[({<,;|\"'/=:])"
_EDGE_OFF = r"^[\s\[({<,;|\"'/=:]?(.*)$"
_BARE = rf"{_EDGE}(?:{_UUID}|[0-9a-f]{{16,64}}(?:\.\d+)*(?:@[\w.-]+)?|[0-9A-Z]{{10,40}})\b"
_CUTS = {"tab": ("\t", r"\t"), "bar": ("|", r"|")}
_MOST_COLUMNS = 16
_DIGIT_WITHIN = 12
"""Letters in a row that are prose even where others of the kind have digits; longer ones are no word."""
_LEAST = 5
"""Values that a label must have to be thought about."""
HEADER = 0.5
"""A place in the line counts for all services if so many of the records of at least two hold it."""

_STOP_WORDS = frozenset(
    ["for", "to", "from", "of", "with", "and", "the", "by", "in", "on", "at", "is", "as", "id", "no", "not", "or",
     "http", "https", "was", "an", "a", "after", "before", "than", "http/"]
)  # fmt: skip

FOUND = {ROW: pl.UInt32, "label": pl.String, "value": pl.String}


def in_text(sample: pl.DataFrame, body: str) -> pl.DataFrame:
    """Candidate ids in the text of records.

    Args:
        sample: `row`, `place` (the service, else the source) and the text.
        body: The text's column.

    Returns:
        `row`, `label`, `value`; of labels with hardly any values, nothing.
    """
    parts = [_prefixed(sample, body), _worded(sample, body), _listed(sample, body), *_columns(sample, body)]
    found = pl.concat([part.select(*FOUND).cast(FOUND) for part in parts])  # type: ignore[arg-type]
    bare = _bare(sample, body).join(found, on=[ROW, "value"], how="anti")
    found = pl.concat([found, bare.select(*FOUND).cast(FOUND)])  # type: ignore[arg-type]
    length = pl.col("value").str.len_chars()
    labels = found.group_by("label").agg(
        n=pl.col("value").n_unique(), spread=length.max() - length.min(),
        plain=pl.col("value").str.contains(r"^[0-9a-fA-F-]+$|^\d+$").mean(),
    )  # fmt: skip
    # Small letters and digits of any length after a word are names of files and packages, not ids.
    worded = pl.col("label").str.ends_with(" ")
    good = labels.filter((pl.col("n") >= _LEAST) & (~worded | (pl.col("plain") >= 0.9) | (pl.col("spread") <= 2)))
    return found.join(good, on="label", how="semi")


def _hits(sample: pl.DataFrame, body: str, pattern: str) -> pl.DataFrame:
    hits = sample.select(ROW, hit=pl.col(body).str.extract_all(pattern))
    return hits.explode("hit", empty_as_null=True).drop_nulls()


def _prefixed(sample: pl.DataFrame, body: str) -> pl.DataFrame:
    return _hits(sample, body, _PREFIXED).select(ROW, label=pl.col("hit").str.extract(_PREFIX, 1), value="hit")


def _worded(sample: pl.DataFrame, body: str) -> pl.DataFrame:
    cut = rf"^([A-Za-z_]+){_AFTER}(.*)$"
    table = _hits(sample, body, _WORDED).select(
        ROW,
        label=pl.col("hit").str.extract(cut, 1).str.to_lowercase() + " ",
        value=pl.col("hit").str.extract(cut, 2).str.strip_chars_end("-"),
    )
    words = table["label"].unique().to_list()
    vetoed = [word for word in words if word.strip() in _STOP_WORDS or is_measure(word.strip())]
    # An id with a prefix is found by that, and dates are none.
    own = pl.col("value").str.contains(rf"^{_PREFIXED[2:]}$|^\d{{4}}-\d\d-\d\d")
    length = pl.col("value").str.len_chars()
    fits = length.is_between(4, _LONGEST_VALUE) & pl.col("label").str.len_chars().is_between(3, _LONGEST_WORD + 1)
    return table.filter(fits & ~pl.col("label").is_in(vetoed) & ~own)


def _listed(sample: pl.DataFrame, body: str) -> pl.DataFrame:
    hits = _hits(sample, body, _LIST)
    hits = hits.select(
        ROW,
        name=pl.col("hit").str.extract(r"^([A-Za-z_]\w*)", 1).fill_null(""),
        items=pl.col("hit").str.extract(r"\[(.*)\]$", 1).str.split(","),
    ).with_columns(n=pl.col("items").list.len())
    # A list whose length varies holds equals, not fields.
    usual = hits.group_by("name", "n").len().with_columns(share=pl.col("len") / pl.col("len").sum().over("name"))
    hits = hits.join(usual.filter((pl.col("share") >= 0.9) & (pl.col("len") >= _LEAST)), on=["name", "n"], how="semi")
    hits = hits.with_columns(at=pl.int_ranges("n")).explode("items", "at", empty_as_null=True)
    return hits.select(
        ROW, label=pl.format("{}#{}#{}", "name", "n", "at"), value=pl.col("items").str.strip_chars()
    ).filter(pl.col("value").str.contains(r"^[\w.@+~-]*\d[\w.@+~-]*$") & (pl.col("value").str.len_chars() >= 4))


def _columns(sample: pl.DataFrame, body: str) -> Iterator[pl.DataFrame]:
    """Columns of lines that are cut by tabs or bars throughout."""
    for name, (mark, _) in _CUTS.items():
        marks = sample.select(ROW, "place", text=pl.col(body), n=pl.col(body).str.count_matches(mark, literal=True))
        often = marks.group_by("place").agg((pl.col("n") >= 3).mean()).filter(pl.col("n") >= 0.8)
        cut = marks.join(often, on="place", how="semi").filter(pl.col("n") >= 3)
        if cut.is_empty():
            continue
        cells = cut.select(ROW, value=pl.col("text").str.split(mark).list.head(_MOST_COLUMNS))
        cells = cells.with_columns(at=pl.int_ranges(pl.col("value").list.len())).explode(
            "value", "at", empty_as_null=True
        )
        cells = cells.with_columns(pl.col("value").str.strip_chars())
        id_like = pl.col("value").str.contains(r"^[\w.@+~-]{6,80}$") & ~pl.col("value").str.contains(r"^[\d.]+$")
        # One column of many tables: ids that look alike only.
        kind = pl.when(pl.col("value").str.contains(r"^[0-9a-f]{16,}$")).then(pl.lit("h")).otherwise(pl.lit("t"))
        cells = cells.filter(id_like).with_columns(label=pl.format("{}#{}{}", pl.lit(name), "at", kind))
        ids = cells.group_by("label").agg(pl.col("value").str.contains(r"\d").mean()).filter(pl.col("value") >= 0.9)
        yield cells.join(ids, on="label", how="semi")


def _bare(sample: pl.DataFrame, body: str) -> pl.DataFrame:
    """Ids by shape and place in the line, where that place is one in all services (a header)."""
    hits = _hits(sample, body, _BARE).with_columns(value=pl.col("hit").str.extract(_EDGE_OFF, 1))
    value = pl.col("value")
    kind = (
        pl.when(value.str.contains(rf"^{_UUID}$")).then(pl.lit("uuid"))
        .when(value.str.contains(r"^[0-9a-f]{16,64}$")).then(pl.format("hex{}", value.str.len_chars()))
        .when(value.str.contains(r"^[0-9a-f]{16,64}\.")).then(pl.lit("dotted"))
        .when(value.str.contains(r"@")).then(pl.lit("call"))
        .otherwise(pl.format("upper{}", value.str.len_chars()))
    )  # fmt: skip
    hits = hits.with_columns(kind=kind)
    hits = hits.with_columns(at=pl.int_range(pl.len()).over(ROW, "kind") + 1).filter(pl.col("at") <= 4)
    hits = hits.with_columns(label=pl.format("{}@{}", "kind", "at")).filter(
        value.str.contains(r"\d") & value.str.contains(r"[A-Za-z]")
    )
    totals = sample.group_by("place").agg(total=pl.len())
    held = hits.join(sample.select(ROW, "place"), on=ROW).group_by("label", "place").agg(pl.col(ROW).n_unique())
    share = held.join(totals, on="place").filter(pl.col(ROW) > HEADER * pl.col("total")).group_by("label").len()
    places = totals.height
    header = share.filter(pl.col("len") >= min(2, places)) if places > 1 else held.select("label").unique()
    return hits.join(header, on="label", how="semi")


def values_pattern(values: pl.Series) -> str:
    """The regex of values that look like these: letters, digits, signs and lengths seen, without a group.

    Values without any digit are found by it too, where only the position told the others. Longer ones are, too,
    for numbers grow (99999, 100000); but where all have one length and letters, they are drawn, and keep it.
    """
    if values.str.contains(rf"^{_UUID}$").all():
        return _UUID
    letters = set("".join(values.head(2000).to_list()))
    ranges = "0-9"
    lower, upper = ({c for c in letters if c.islower()}, {c for c in letters if c.isupper()})
    ranges += ("a-f" if lower <= set("abcdef") else "a-z") if lower else ""
    ranges += ("A-F" if upper <= set("ABCDEF") else "A-Z") if upper else ""
    ranges += "".join(rf"\{sign}" for sign in ".@+~-" if sign in letters) + ("_" if "_" in letters else "")
    low, high = pl.DataFrame({"n": values.str.len_chars()}).select(low=pl.min("n"), high=pl.max("n")).row(0)
    drawn = low == high and bool(lower or upper)
    return rf"[{ranges}]{{{low}}}" if drawn else rf"[{ranges}]{{{low},}}"


def _with_digit(pattern: str) -> str:
    """The same values, but none without a digit: after a word these are words (`Mobile Safari` beside `Mobile 15E148`)."""
    parts = re.fullmatch(r"\[(0-9)([^\]]+)\]\{(\d+)(,?)\}", pattern)
    if parts is None or parts[2] == "a-f" or int(parts[3]) > _DIGIT_WITHIN:
        return pattern
    if "a-" not in parts[2] and not parts[4]:
        # Capitals of one length are drawn, and some of them have no digit.
        return pattern
    least, more = int(parts[3]), parts[4]
    letter, any_of = f"[{parts[2]}]", f"[0-9{parts[2]}]"
    # The first digit is the first, second ... character, so many follow.
    after = [f"{_times(letter, at)}[0-9]{_times(any_of, least - at - 1, more)}" for at in range(least)]
    if more:
        after.append(f"{_times(letter, least, more)}[0-9]{any_of}*")
    return f"(?:{'|'.join(after)})"


def _times(one: str, count: int, more: str = "") -> str:
    if count == 0:
        return f"{one}*" if more else ""
    return f"{one}{{{count}{more}}}" if more or count > 1 else one


def pattern_of(label: str, values: pl.Series) -> str:
    """The regex that finds a label's values again: one capture group.

    Args:
        label: As `in_text` gives it.
        values: Distinct values of it.
    """
    if label.endswith(" "):
        return rf"(?i:\b{re.escape(label.strip())}{_AFTER})({_with_digit(values_pattern(values))})\b"
    name, hash_sign, rest = label.partition("#")
    if hash_sign and name in _CUTS:
        mark = _CUTS[name][1]
        return rf"^(?:[^{mark}]*[{mark}]){{{rest[:-1]}}} *({values_pattern(values)}) *(?:[{mark}]|$)"
    if hash_sign:
        at = rest.partition("#")[2]
        lead = rf"\b{re.escape(name)}[:=]?" if name else ""
        return rf"{lead}\[(?:[^,\[\]]*,){{{at}}} *({values_pattern(values)})\b"
    kind, at_sign, number = label.partition("@")
    if at_sign:
        one = _kind_pattern(kind)
        return rf"^(?s:.*?{_EDGE}{one}\b){{{int(number) - 1}}}(?s:.*?){_EDGE}({one})\b"
    rest_of = values.str.slice(len(label))
    if rest_of.str.contains(r"^\d+$").all():
        return rf"\b({re.escape(label)}\d+)\b"
    return rf"\b({re.escape(label)}[0-9a-f][0-9a-f-]{{4,}}[0-9a-f])\b"


def _kind_pattern(kind: str) -> str:
    if kind == "uuid":
        return _UUID
    if kind == "dotted":
        return r"[0-9a-f]{16,64}(?:\.\d+)+"
    if kind == "call":
        return r"[0-9a-f]{16,64}@[\w.-]+"
    length = re.sub(r"\D", "", kind)
    return rf"[0-9{'a-f' if kind.startswith('hex') else 'A-Z'}]{{{length}}}"


def is_positional(label: str) -> bool:
    """Whether a label says a place in the line, not a word or prefix."""
    return "#" in label or "@" in label


def word_of(label: str) -> str:
    """What a key found under that label is called: `order`, `sw_ctx_3`, `column_2`, `hex32_1`."""
    if label.endswith(" "):
        return label.strip()
    name, hash_sign, rest = label.partition("#")
    if hash_sign and name in _CUTS:
        return f"column_{int(rest[:-1]) + 1}"
    if hash_sign:
        return f"{name or 'list'}_{int(rest.partition('#')[2]) + 1}"
    return label.replace("@", "_").strip("-_")
