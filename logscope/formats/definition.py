"""One format's TOML made into a `Format`; all that is wrong with it is said with file, line and mend."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logscope.datafile import parse_toml, read_small
from logscope.errors import FormatError
from logscope.formats.checking import GROUP, faults
from logscope.formats.model import COLUMNS, FIELD_TYPES, KEY_CLASSES, KINDS, Format, FormatKey, Part, Sample
from logscope.formats.patterns import PatternError, compile_pattern
from logscope.formats.pieces import PIECES, expand
from logscope.records.severity import level_number

BUILTIN = Path(__file__).parent / "builtin"
MAX_PATTERN = 4096
_KNOWN = {
    *("name", "kind", "title", "order", "pattern", "patterns", "quick", "multiline", "inner_only", "layouts", "levels"),
    *("service", "status_levels", "types", "names", "keys", "samples", "inside", "needs", "members", "header"),
    *("separator", "renames", "pairs", "zone", "joins", "goes_on", "alone", "parts"),
}
_SAMPLES = "\n[[samples]]"


def read_format(path: Path, *, samples: bool = True) -> Format:
    """One definition.

    Args:
        path: The TOML file.
        samples: Read them too; without them what follows the first is not even parsed.

    Raises:
        FormatError: Not readable, not TOML, or not a format.
    """
    try:
        text = read_small(path)
        table = parse_toml(text if samples else text.partition(_SAMPLES)[0])
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"is not TOML: {error}", where=str(path), mend="mend the syntax") from None
    return _Definition(table, path, text).format()


def with_samples(form: Format) -> Format:
    """A shipped format that was read without its samples, with them."""
    path = Path(form.where)
    if form.samples or path.parent != BUILTIN:
        return form
    return replace(form, samples=read_format(path).samples)


class _Definition:
    """A format's table while it is checked."""

    def __init__(self, table: dict[str, Any], path: Path, text: str) -> None:
        self.table = table
        self.path = path
        self.text = text
        self.shipped = path.parent == BUILTIN

    def fail(self, message: str, mend: str, key: str = "") -> FormatError:
        """An error that names file, line of the key, and format."""
        line = next(
            (n for n, line in enumerate(self.text.split("\n"), 1) if key and re.match(rf"\s*\[*{key}\b", line)), 0
        )
        where = f"{self.path}:{line}" if line else str(self.path)
        return FormatError(f"format '{self.table.get('name', self.path.stem)}': {message}", where=where, mend=mend)

    def format(self) -> Format:
        """The format.

        Raises:
            FormatError: Something is wrong.
        """
        table = self.table
        unknown = sorted(set(table) - _KNOWN)
        if unknown:
            raise self.fail(f"unknown key '{unknown[0]}'", f"known are {', '.join(sorted(_KNOWN))}", unknown[0])
        kind = table.get("kind", "regex")
        if kind not in KINDS:
            raise self.fail(f"unknown kind '{kind}'", f"use one of {', '.join(KINDS)}", "kind")
        if not self.shipped:
            self._check()
        try:
            return Format(
                name=table["name"],
                kind=kind,
                title=table.get("title", table["name"]),
                where=str(self.path),
                order=table.get("order", 50 if self.shipped else 5),
                patterns=self._patterns(kind),
                quick=expand(table.get("quick", "")) if self.shipped else "",
                multiline=table.get("multiline", False),
                alone=table.get("alone", False),
                joins=table.get("joins", False),
                goes_on=self._goes_on(table.get("goes_on", "")),
                inner_only=table.get("inner_only", False),
                inside=table.get("inside", not self.shipped),
                needs=tuple(table.get("needs", ())),
                members=tuple(table.get("members", ())),
                header=expand(table.get("header", "")),
                separator=table.get("separator", " "),
                renames=table.get("renames", {}),
                pairs=expand(table.get("pairs", "")),
                zone=table.get("zone", ""),
                layouts=tuple(table.get("layouts", ())),
                levels={word.lower(): level for word, level in table.get("levels", {}).items()},
                service=table.get("service"),
                status_levels=table.get("status_levels"),
                types=table.get("types", {}),
                names={column: tuple(members) for column, members in table.get("names", {}).items()},
                parts=tuple(_parts(table.get("parts", {}))),
                keys=tuple(self._key(key) for key in table.get("keys", ())),
                samples=tuple(Sample(sample["line"], sample["expect"]) for sample in table.get("samples", ())),
            )
        except KeyError as error:
            raise self.fail(f"{error} is missing", "add it") from None

    def _patterns(self, kind: str) -> tuple[str, ...]:
        written = tuple(self.table.get("patterns", ())) or ((self.table["pattern"],) if "pattern" in self.table else ())
        if kind in {"regex", "wrapper"} and not written:
            raise self.fail("no pattern", "add pattern = '^...'")
        if kind == "columns" and "header" not in self.table:
            raise self.fail("no header", "add header = '^#Fields: (?P<names>.*)$'")
        try:
            patterns = tuple(expand(each) for each in written)
        except KeyError as error:
            raise self.fail(f"there is no piece {error}", f"pieces are {', '.join(PIECES)}", "pattern") from None
        if not self.shipped:
            for pattern in patterns:
                if len(pattern) > MAX_PATTERN:
                    raise self.fail("the pattern is too long", f"at most {MAX_PATTERN} characters", "pattern")
                try:
                    compile_pattern(pattern, trusted=False)
                except PatternError as error:
                    raise self.fail(str(error), "mend the pattern", "pattern") from None
        return patterns

    def _goes_on(self, written: str) -> str:
        regex = expand(written)
        if regex and not self.shipped:
            try:
                compile_pattern(re.sub(r"(?<!\\)\((?!\?)", "(?P<same>", regex), trusted=False)
            except PatternError as error:
                raise self.fail(str(error), "mend goes_on", "goes_on") from None
        return regex

    def _check(self) -> None:
        """Types of a user's keys and words; ours are tested."""
        table = self.table
        for key, kind in _TYPES.items():
            if key in table and not isinstance(table[key], kind):
                raise self.fail(f"'{key}' is no {_SAID[kind]}", f"write a {_SAID[kind]}", key)
        for message, mend, key in faults(table):
            raise self.fail(message, mend, key)
        for name, given in table.get("types", {}).items():
            if given not in FIELD_TYPES:
                raise self.fail(
                    f"field '{name}' has the unknown type '{given}'", f"use one of {', '.join(FIELD_TYPES)}", "types"
                )
        for word, level in table.get("levels", {}).items():
            if level_number(level) is None:
                mend = "use trace, debug, info, warn, error, fatal"
                raise self.fail(f"'{word}' is mapped to the unknown level '{level}'", mend, "levels")
        if table.get("zone") and not _is_zone(table["zone"]):
            raise self.fail(f"there is no zone '{table['zone']}'", "name one as Europe/Zurich or UTC", "zone")
        for column in table.get("names", {}):
            if column not in COLUMNS:
                raise self.fail(f"names has no column '{column}'", f"columns are {', '.join(COLUMNS)}", "names")

    def _key(self, table: Mapping[str, Any]) -> FormatKey:
        key_class = table.get("class", "strong")
        if key_class not in KEY_CLASSES:
            raise self.fail(
                f"key '{table.get('name')}' has the unknown class '{key_class}'",
                "use strong, scoped or weak",
                "keys",
            )
        return FormatKey(table["name"], table.get("field", table["name"]), key_class)


def _parts(table: Mapping[str, Any]) -> Iterator[Part]:
    for name, written in table.items():
        for each in [written] if isinstance(written, str) else written:
            regex = expand(each)
            yield Part(name, regex, tuple(GROUP.findall(regex)))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


_SAID: dict[type, str] = {str: "text", bool: "true or false", int: "whole number", list: "list", dict: "table"}
_TYPES: dict[str, type] = {
    **dict.fromkeys(
        (
            "name",
            "kind",
            "title",
            "pattern",
            "header",
            "separator",
            "service",
            "status_levels",
            "pairs",
            "zone",
            "goes_on",
        ),
        str,
    ),
    **dict.fromkeys(("multiline", "inner_only", "inside", "joins", "alone"), bool),
    **dict.fromkeys(("patterns", "layouts", "needs", "members", "keys", "samples"), list),
    **dict.fromkeys(("levels", "types", "names", "renames", "parts"), dict),
    "order": int,
}
