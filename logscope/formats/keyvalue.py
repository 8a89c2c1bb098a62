r"""`name=value` pairs anywhere in free text, by one grammar (docs/formats.md has it for users).

    pair  = before name "=" value
    before= start of text, a blank, or one of , ; ( [ { & ? |
    name  = [A-Za-z_@] [A-Za-z0-9_.@-]*
    value = '"' (any but '"' and '\', or '\' any)* '"'
          | "'" (the same with "'")* "'"
          | any but blanks and , ; ) ] } & (may be empty)

Of equal names the first wins. `column` finds one name in one targeted pass, `long` all of them in
one general pass; both give the same value for every name, since a pair begins at a `before` outside
every pair to its left in both: see `column`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cached_property

import polars as pl

NAME = r"[A-Za-z_@][\w.@-]*"
VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:null|none)\)|[^\s,;)\]}&]*)"""
BEFORE = r"(?:^|[\s,;(\[{&?|])"

_PLAIN = r"[A-Za-z0-9_.:+/-]+"
_LEAD = 12
_LEADING = re.compile(rf"({NAME})={_PLAIN} ", re.ASCII)

PAIR = pl.Struct({"name": pl.String, "value": pl.String, "kind": pl.UInt8})
"""An element of what `RecordParser.fields` returns."""

TEXT, NUMBER, BOOLEAN = range(3)
"""Kinds of a field's value."""

_ANY = rf"(?s){BEFORE}{NAME}={VALUE}"
_QUOTED = rf"""(?s)({BEFORE}{NAME}=)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ODD = rf"""[(\[{{?|]{NAME}=["']|=[^\s"',;)\]}}&]+["']|["'][^\s,;)\]}}&=]*["'][^\s,;)\]}}&]|=["'][^"']*$"""
"""Quotes in places where masking and the general pass may part: after another value's beginning, unclosed."""
_SPLIT = rf"(?s)^[\s,;(\[{{&?|]?({NAME})=(.*)$"


def escape(name: str) -> str:
    """A regex that matches `name` alone (Rust syntax)."""
    return "".join(_literal(sign) for sign in name)


def _literal(sign: str) -> str:
    if sign.isalnum() or sign == "_":
        return sign
    return "\\" + sign if sign.isprintable() and sign.isascii() else f"\\x{{{ord(sign):x}}}"


def is_name(name: str) -> bool:
    """Whether the grammar can yield a pair of this name."""
    return bool(name) and pl.Series([name]).str.contains(rf"^{NAME}$")[0] is True


def masked(text: pl.Series) -> pl.Series:
    """The texts with the insides of quoted values taken out."""
    if not text.str.contains(r"""=["']""").any():
        return text
    return text.str.replace_all(_QUOTED, '$1""')


def column(text: pl.Series, name: str) -> pl.Series:
    """The first value of `name` in each text, null where there is none: see `Pairs.column`."""
    return Pairs(text).column(name)


class Pairs:
    """Texts of which several names are asked for: what each of them needs is worked out once.

    Args:
        text: String column.
    """

    def __init__(self, text: pl.Series) -> None:
        """Nothing is looked at yet."""
        self.text = text

    def column(self, name: str) -> pl.Series:
        """The first value of `name` in each text; null where there is none.

        What stands in another pair's quotes is no pair. Texts without quotes, and those with one plain quoted
        value, are told by what stands around it; others by the masked text; the rare ones that this does not
        settle (the name's own value is quoted and the name occurs again, or an unquoted value holds a quote)
        take the general pass.

        Args:
            name: The pair's name, letter case counts.
        """
        text = self.text
        if not is_name(name) or not text.str.contains(f"{name}=", literal=True).any():
            return pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(text))
        if not self._quotes:
            return _unquoted(text, text, name).alias(name)
        simple, head, tail = self._around
        if not simple.any():
            return _by_mask(text, self._mask, name).alias(name)
        # Its own value is quoted, or an unquoted one, `url=/a?name=1`, may hold what looks like the pair.
        doubtful = head.str.ends_with(f"{name}=") | text.str.contains(rf"[(\[{{?|]{escape(name)}=")
        simple = simple & ~doubtful.fill_null(False)
        found = _value(head, name)
        found = found.zip_with(found.is_not_null(), _value(tail, name))
        rows = (~simple).arg_true()
        if len(rows):
            some = text.gather(rows)
            mask = self._mask.gather(rows) if len(rows) > len(text) // 2 else masked(some)
            found = found.scatter(rows, _by_mask(some, mask, name))
        return found.alias(name)

    @cached_property
    def _quotes(self) -> bool:
        return bool(self.text.str.contains(r"""=["']""").any())

    @cached_property
    def _mask(self) -> pl.Series:
        return masked(self.text)

    @cached_property
    def _around(self) -> tuple[pl.Series, pl.Series, pl.Series]:
        """Which texts hold no quotes, or one plain value in them; what stands before it, and behind."""
        parts = self.text.str.splitn('"', 3).struct
        head, inside, tail = (parts.field(f"field_{place}") for place in range(3))
        none = inside.is_null()
        one = (
            tail.str.contains(r'^(?:\s[^"]*)?$')
            & ~inside.str.contains("\\", literal=True)
            & head.str.contains(rf"(?:^|[\s,;&]){NAME}=$")
        )
        simple = (none | one) & ~self.text.str.contains("'", literal=True)
        return simple.fill_null(False), head, tail


def _value(text: pl.Series, name: str) -> pl.Series:
    """The value of the first pair of a name as it stands; a capture would cost four times what the hit does."""
    hit = text.str.extract(rf"(?s){BEFORE}{escape(name)}={VALUE}", 0)
    first = hit.str.starts_with(f"{name}=").fill_null(False)
    value = hit.str.slice(len(name) + 2)
    return hit.str.slice(len(name) + 1).zip_with(first, value) if first.any() else value


def _unquoted(text: pl.Series, mask: pl.Series, name: str) -> pl.Series:
    """The first value of a name in masked texts; in an unquoted value what looks like a pair is none."""
    found = _value(mask, name)
    if mask.str.contains(rf"[(\[{{?|]{escape(name)}=").any():
        within = mask.str.contains(rf"=[^\s,;)\]}}&]*[(\[{{?|]{escape(name)}=").fill_null(False).arg_true()
        found = found.clone().scatter(within, _first_of(text.gather(within), name))
    return found


def _by_mask(text: pl.Series, mask: pl.Series, name: str) -> pl.Series:
    """The first value of a name, in texts with quotes."""
    found = _unquoted(text, mask, name)
    quoted = found.str.contains(r"""["']""")
    doubtful = text.str.contains(_ODD)
    if quoted.any():
        doubtful = doubtful | (quoted & text.str.contains(rf"(?s){escape(name)}=.*{escape(name)}="))
    doubtful = doubtful.fill_null(False)
    simple = (quoted & ~doubtful).fill_null(False)
    if simple.any():
        found = unquote(_value(text, name)).zip_with(simple, found)
    rows = doubtful.arg_true()
    if len(rows):
        found = found.clone().scatter(rows, _first_of(text.gather(rows), name))
    return found


def leading(text: pl.Series, names: Collection[str]) -> dict[str, pl.Series]:
    """Values of pairs that all texts begin with, in the order of the first text: one pass instead of one a name.

    Only plain values after plain pairs, one blank apart, are taken, so nothing to the left can be another
    pair of the name or hold it in quotes.

    Args:
        text: String column.
        names: What is wanted.

    Returns:
        By name, where the first text has it among its leading pairs; null where a text begins otherwise.
    """
    if not len(text) or text[0] is None:
        return {}
    first, place = str(text[0]), 0
    parts: list[str] = []
    seen: list[str] = []
    wanted: list[str] = []
    end = 0
    while (pair := _LEADING.match(first, place)) and pair[1] not in seen and len(seen) < _LEAD:
        seen.append(pair[1])
        inside = "(" if pair[1] in names else "(?:"
        parts.append(f"{escape(pair[1])}={inside}{_PLAIN}) ")
        if pair[1] in names:
            wanted.append(pair[1])
            end = len(parts)
        place = pair.end()
    if not wanted:
        return {}
    regex = "^" + "".join(parts[:end])
    if len(wanted) == 1:
        return {wanted[0]: text.str.extract(regex, 1)}
    groups = text.str.extract_groups(regex)
    return {name: groups.struct.field(str(place)) for place, name in enumerate(wanted, start=1)}


def long(text: pl.Series) -> pl.DataFrame:
    """All pairs of each text in order: row, name, value, kind."""
    found = text.str.extract_all(_ANY)
    frame = pl.DataFrame({"row": pl.int_range(len(text), dtype=pl.UInt32, eager=True), "pair": found})
    frame = frame.explode("pair").drop_nulls("pair")
    return frame.select(
        "row",
        pl.col("pair").str.extract(_SPLIT, 1).alias("name"),
        unquote(frame["pair"].str.extract(_SPLIT, 2)).alias("value"),
        pl.lit(TEXT, pl.UInt8).alias("kind"),
    )


def _first_of(text: pl.Series, name: str) -> pl.Series:
    found = long(text).filter(pl.col("name") == name).unique("row", keep="first", maintain_order=True)
    rows = pl.DataFrame({"row": pl.int_range(len(text), dtype=pl.UInt32, eager=True)})
    return rows.join(found, on="row", how="left", maintain_order="left")["value"]


def unquote(value: pl.Series) -> pl.Series:
    r"""Quotes off and escapes resolved (`\n` and `\t` too), where a value is quoted at both ends."""
    quoted = value.str.contains(r"""(?s)^(?:".*"|'.*')$""").fill_null(False) & (value.str.len_bytes() >= 2).fill_null(
        False
    )
    if not quoted.any():
        return value
    inner = value.str.slice(1).str.head(-1)
    if inner.str.contains("\\", literal=True).any():
        inner = inner.str.replace_all(r"\\n", "\n").str.replace_all(r"\\t", "\t").str.replace_all(r"(?s)\\(.)", "$1")
    return inner.zip_with(quoted, value)
