r"""Further pairs of a record where they are not written as `keyvalue` has it: CEF's, LEEF's, `Name: value, ...`.

Two ways: a regex with the groups `name` and `value`, all of whose matches are pairs; or `spaced`, CEF's
extension: `name=value` where a value holds blanks and goes on to the next ` name=`; `\=` and `\\` are escapes.
Of equal names the first wins, as everywhere.
"""

from __future__ import annotations

import re
from functools import cache, cached_property

import polars as pl

from logscope.formats import frames, keyvalue

SPACED = "spaced"
_NAME = r"[A-Za-z_][A-Za-z0-9_.\[\]-]*"
_MARK = "\x1e"
_LABEL = "Label"
_QUOTED = r'^"((?s:.*))"$'


class Written:
    """Texts of which several names are asked for: their pairs are found once."""

    def __init__(self, text: pl.Series, how: str) -> None:
        """Nothing is looked at yet."""
        self.text = text
        self._how = how

    @cached_property
    def _long(self) -> pl.DataFrame:
        return long(self.text, self._how)

    def column(self, name: str) -> pl.Series:
        """The first value of `name` in each text; null where there is none."""
        if not self.text.str.contains(name, literal=True).any():
            return frames.nothing(len(self.text)).alias(name)
        rows = pl.DataFrame({"row": frames.rows(len(self.text))})
        found = self._long.filter(pl.col("name") == name).unique("row", keep="first", maintain_order=True)
        return rows.join(found, on="row", how="left", maintain_order="left")["value"].alias(name)


def long(text: pl.Series, how: str) -> pl.DataFrame:
    """All pairs of each text in order, in `frames.LONG` form."""
    if how == SPACED:
        marked = text.str.replace_all(rf"(?:^|[ \t|])({_NAME})=", _MARK + "$1=")
        found, split = marked.str.split(_MARK), (rf"^({_NAME})=", rf"(?s)^{_NAME}=(.*)$")
    else:
        whole, split = _split(how)
        found = text.str.extract_all(whole)
    frame = pl.DataFrame({"row": frames.rows(len(text)), "pair": found}).explode("pair").drop_nulls("pair")
    frame = frame.select(
        "row",
        pl.col("pair").str.extract(split[0], 1).alias("name"),
        pl.col("pair").str.extract(split[1], 1).str.strip_chars().alias("value"),
        pl.lit(keyvalue.TEXT, pl.UInt8).alias("kind"),
    ).drop_nulls("name")
    value = frame["value"].str.replace(_QUOTED, "$1")
    if how == SPACED and value.str.contains("\\", literal=True).any():
        value = value.str.replace_all(r"\\([=\\|])", "$1")
    frame = frame.with_columns(value.alias("value"))
    return _labelled(frame) if how == SPACED else frame


def _labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """CEF's custom fields by the labels that the record gives them too: `cs1Label=Policy cs1=staff` is `Policy`."""
    labels = frame.filter(pl.col("name").str.ends_with(_LABEL) & (pl.col("value") != ""))
    if not labels.height:
        return frame
    labels = labels.select("row", pl.col("name").str.strip_suffix(_LABEL), label="value")
    found = labels.join(frame, on=["row", "name"], how="inner", maintain_order="left").filter(pl.col("value") != "")
    return pl.concat([frame, found.select("row", pl.col("label").alias("name"), "value", "kind")])


@cache
def _split(how: str) -> tuple[str, tuple[str, str]]:
    """The regex without its groups, and with one of them each."""
    whole = re.sub(r"\(\?P<(?:name|value)>", "(?:", how)
    name = how.replace("(?P<value>", "(?:").replace("(?P<name>", "(")
    value = how.replace("(?P<name>", "(?:").replace("(?P<value>", "(")
    return whole, (name, value)
