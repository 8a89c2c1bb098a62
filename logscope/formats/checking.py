"""What a user's definition of a format may get wrong beyond the types of its keys, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from logscope.formats.pieces import PIECES, expand

Fault = tuple[str, str, str]
"""What is wrong, how to mend it, and the key."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
GROUP = re.compile(r"\(\?P<([A-Za-z_][A-Za-z0-9_]*)>")
"""A named group of a regex."""
_TEXTS = ("patterns", "layouts", "needs", "members")
_TABLES = ("samples", "keys")


def faults(table: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with a definition whose keys have the right types.

    Args:
        table: The TOML file's content.
    """
    if not _NAME.fullmatch(table.get("name", "x")):
        yield "the name has other signs than letters, digits, _ . -", "name it as in `till` or `shop-api`", "name"
    for key in _TEXTS:
        if not all(isinstance(each, str) for each in table.get(key, ())):
            yield f"'{key}' holds something that is no text", "write each in quotes", key
    for key in _TABLES:
        if not all(isinstance(each, dict) for each in table.get(key, ())):
            yield f"'{key}' holds something that is no table", f"begin each with [[{key}]]", key
    for sample in table.get("samples", ()):
        if isinstance(sample, dict) and not (
            isinstance(sample.get("line", ""), str) and isinstance(sample.get("expect", {}), dict)
        ):
            yield "a sample is no line with what to expect of it", 'write line = "..." and [samples.expect]', "samples"
    for column, names in table.get("names", {}).items():
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            yield f"names of '{column}' are no list of texts", f'write {column} = ["a", "b"]', "names"
    for key in ("levels", "renames"):
        if not all(isinstance(each, str) for each in table.get(key, {}).values()):
            yield f"'{key}' maps to something that is no text", "write each in quotes", key
    if table.get("separator") == "":
        yield "the separator is empty", 'write one sign, as in "\\t"', "separator"
    yield from _of_regexes(table)
    yield from _of_parts(table.get("parts", {}))


def _of_regexes(table: Mapping[str, Any]) -> Iterator[Fault]:
    for key, groups in (("header", ("names",)), ("pairs", ("name", "value"))):
        written = table.get(key, "")
        if not written or (key == "pairs" and written == "spaced"):
            continue
        wanted = " and ".join(f"(?P<{group}>...)" for group in groups)
        try:
            regex = expand(written)
        except KeyError as error:
            yield f"there is no piece {error}", f"pieces are {', '.join(PIECES)}", key
            continue
        if any(regex.count(f"(?P<{group}>") != 1 for group in groups):
            yield f"'{key}' does not have each of its groups once", f"it needs {wanted}", key
        elif (fault := _broken(regex)) is not None:
            yield f"'{key}' is no regex: {fault}", "mend it", key


def _of_parts(table: Mapping[str, Any]) -> Iterator[Fault]:
    for name, written in table.items():
        for each in [written] if isinstance(written, str) else written if isinstance(written, list) else [None]:
            if not isinstance(each, str):
                yield f"parts of '{name}' are neither a text nor a list of texts", "write each in quotes", "parts"
                continue
            try:
                regex = expand(each)
            except KeyError as error:
                yield f"there is no piece {error}", f"pieces are {', '.join(PIECES)}", "parts"
                continue
            groups = GROUP.findall(regex)
            if not groups or len(set(groups)) < len(groups):
                yield f"parts of '{name}' have no group, or one twice", "name each field (?P<name>...) once", "parts"
            elif (fault := _broken(regex)) is not None:
                yield f"parts of '{name}' are no regex: {fault}", "mend it", "parts"


def _broken(regex: str) -> str | None:
    """Why Rust's syntax has no such regex."""
    try:
        pl.Series([""]).str.contains(regex)
    except pl.exceptions.ComputeError as error:
        return str(error).split("\n\nThis error")[0].replace("\n", " ")
    return None
