r"""What a field's value is made of, as further fields: `10.0.0.7:51234` an address and a port.

Products put two things into one value (`DOMAIN\user`, `job/user/program`), or name what others call
`client_ip` in a way that only who knows the product can tell. A format of theirs says by a regex a field
what else its value holds; a field that the record has itself wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from logscope.formats import frames, keyvalue
from logscope.formats.model import Part

MESSAGE = "message"
"""Of regex formats: parts of it are parts of the record's message, whatever it is made of."""
_NOTHING = ("", "-")


def names(parts: Sequence[Part]) -> frozenset[str]:
    """All fields that parts may give."""
    return frozenset(group for part in parts for group in part.groups)


def sources(parts: Sequence[Part], wanted: frozenset[str]) -> set[str]:
    """Fields that some wanted ones are made of."""
    return {part.field for part in parts if not wanted.isdisjoint(part.groups)}


def fill(found: pl.Series, name: str, parts: Sequence[Part], source: Callable[[str], pl.Series]) -> pl.Series:
    """A field's values, and where there are none those of the first part that has one.

    Args:
        found: What the records hold themselves.
        name: The field.
        parts: Of the format.
        source: A field's own values by its name.
    """
    for part in parts:
        if name not in part.groups:
            continue
        if not found.null_count():
            break
        values = source(part.field)
        if values.null_count() < len(values):
            found = frames.coalesce(found, _group(values, part, name).alias(found.name))
    return found


def long(found: pl.DataFrame, parts: Sequence[Part], message: pl.Series | None = None) -> pl.DataFrame:
    """Further fields of records whose own are given, both in `frames.LONG` form; these come behind those.

    Args:
        found: The records' own fields.
        parts: Of the format.
        message: The records' messages, of formats where parts of `message` are meant so.
    """
    out = [found]
    told = found.filter(pl.col("name").is_in({part.field for part in parts})) if parts else found
    if message is not None and any(part.field == MESSAGE for part in parts):
        told = pl.concat([frames.long_of(MESSAGE, message, keyvalue.TEXT), told])
    told = told.unique(["row", "name"], keep="first", maintain_order=True)
    for part in parts:
        held = told.filter(pl.col("name") == part.field)
        for group in part.groups if held.height else ():
            values = _group(held["value"], part, group)
            out.append(
                held.select(
                    "row",
                    pl.lit(group).alias("name"),
                    values.alias("value"),
                    pl.lit(keyvalue.TEXT, pl.UInt8).alias("kind"),
                ).drop_nulls("value")
            )
    return pl.concat(out)


def _group(values: pl.Series, part: Part, group: str) -> pl.Series:
    regex = part.regex
    for each in part.groups:
        regex = regex.replace(f"(?P<{each}>", "(" if each == group else "(?:", 1)
    told = values.cast(pl.String).str.extract(regex, 1)
    return told.set(told.is_in(_NOTHING).fill_null(False), None)
