r"""Fields of free text: `name=value` pairs, then the members of JSON that stands in it, by one grammar.

    member = before blanks '"' name '":' blanks value
    before = one of { ,
    name   = [A-Za-z_@] [A-Za-z0-9_.@/-]*
    value  = '"' (any but '"' and '\\', or '\\' any)* '"' | number | true | false

Nothing is parsed as a whole: text may stand before and behind an object, which may be cut off or hold others. A
member's name is its own, not that of the objects round it. Of equal names the first wins, pairs before members.
`column` finds one name in one targeted pass, `long` all of them in a general one. They part where a string's end is
followed by what looks like a member's name (`_DOUBTFUL`, broken JSON): there `column` takes the general pass too.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl

from logscope.formats import frames, keyvalue
from logscope.formats.pairs import Written

_BLANKS = r"[ \t\r\n]*"
_NAME = r"[A-Za-z_@][A-Za-z0-9_.@/-]*"
_STRING = r'"(?:[^"\\]|\\.)*"'
_SCALAR = rf"(?:{_STRING}|-?[0-9][0-9.eE+-]*|true|false)"
_BEFORE = rf"(?s)[{{,]{_BLANKS}"
_MEMBER = rf'{_BEFORE}"{_NAME}":{_BLANKS}{_SCALAR}'
_SPLIT = rf'^{_BEFORE}"({_NAME})":{_BLANKS}(.*)$'
_DOUBTFUL = rf'{_BEFORE}"{_NAME}":{_BLANKS}"(?:[^"\\]|\\.)*\\?[{{,]{_BLANKS}"{_NAME}":'
_HINT = '":'
"""Stands in every member."""


class FreeText(keyvalue.Pairs):
    """Texts of which several names are asked for: pairs, then members."""

    written: Written | None = None
    """Pairs that are written in another way, once they are asked for."""

    def column(self, name: str) -> pl.Series:
        """The first value of `name` in each text; null where there is none: see `Pairs.column`."""
        found = super().column(name)
        if not self._hinted:
            return found
        rows = self.text.str.contains(f'"{name}{_HINT}', literal=True).fill_null(False).arg_true()
        if not len(rows):
            return found
        inside = _first_member(self.text.gather(rows), name)
        return found.clone().scatter(rows, frames.coalesce(found.gather(rows), inside))

    @cached_property
    def _hinted(self) -> bool:
        return bool(self.text.str.contains(_HINT, literal=True).any())


def _first_member(text: pl.Series, name: str) -> pl.Series:
    found = text.str.extract(rf'{_BEFORE}"{keyvalue.escape(name)}":{_BLANKS}({_SCALAR})', 1)
    inside = keyvalue.unquote(found)
    doubtful = text.str.contains(_DOUBTFUL).fill_null(False).arg_true()
    return inside.clone().scatter(doubtful, _first_of(text.gather(doubtful), name)) if len(doubtful) else inside


def long(text: pl.Series) -> pl.DataFrame:
    """All pairs, then all members, of each text in order: row, name, value, kind."""
    return pl.concat([keyvalue.long(text), _members(text)])


def _members(text: pl.Series) -> pl.DataFrame:
    rows = text.str.contains(_HINT, literal=True).fill_null(False).arg_true().cast(pl.UInt32)
    frame = pl.DataFrame({"row": rows, "pair": text.gather(rows).str.extract_all(_MEMBER)})
    frame = frame.explode("pair").drop_nulls("pair")
    pair = frame["pair"]
    return frame.select(
        "row",
        pair.str.extract(_SPLIT, 1).alias("name"),
        keyvalue.unquote(pair.str.extract(_SPLIT, 2)).alias("value"),
        pl.lit(keyvalue.TEXT, pl.UInt8).alias("kind"),
    )


def _first_of(text: pl.Series, name: str) -> pl.Series:
    found = _members(text).filter(pl.col("name") == name).unique("row", keep="first", maintain_order=True)
    rows = pl.DataFrame({"row": frames.rows(len(text))})
    return rows.join(found, on="row", how="left", maintain_order="left")["value"]
