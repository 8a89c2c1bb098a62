"""Format definitions from TOML: the shipped ones and the user's, all errors with file and mend.

Samples are part of a definition, but are run by `check_samples` alone (tests, `formats test`, and
for the user's own files when they are loaded): start-up stays fast.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from logscope.errors import FormatError
from logscope.formats.model import COLUMNS, FIELD_TYPES, KEY_CLASSES, KINDS, Format, FormatKey, Sample
from logscope.formats.patterns import PatternError, compile_pattern
from logscope.records.severity import level_number

BUILTIN = Path(__file__).parent / "builtin"
MAX_PATTERN = 4096
_KNOWN = {
    *("name", "kind", "title", "order", "pattern", "patterns", "quick", "multiline", "inner_only", "layouts", "levels"),
    *("service", "status_levels", "types", "names", "keys", "samples"),
}


def load_formats(extra: Sequence[Path] = ()) -> FormatSet:
    """The shipped formats and those of files and folders; one of the same name replaces a shipped one.

    Args:
        extra: TOML files, or folders of them.

    Raises:
        FormatError: Naming file, format and what to mend, also where a sample disagrees.
    """
    formats = {form.name: form for form in _builtin()}
    own: list[Format] = []
    for path in extra:
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        own += [read_format(file) for file in files]
    formats |= {form.name: form for form in own}
    ordered = tuple(sorted(formats.values(), key=lambda form: (form.kind == "text", form.order, form.name)))
    loaded = FormatSet(ordered)
    if own:
        from logscope.formats.samples import check_samples

        check_samples(loaded, [form.name for form in own])
    return loaded


@dataclass(frozen=True, slots=True)
class FormatSet:
    """All formats that are known, in the order in which they are tried."""

    formats: tuple[Format, ...]

    def get(self, name: str) -> Format:
        """The format of that name.

        Raises:
            FormatError: There is none; says which there are.
        """
        for form in self.formats:
            if form.name == name:
                return form
        names = ", ".join(form.name for form in self.formats)
        raise FormatError(f"there is no format '{name}'", mend=f"known are {names}")

    def detect(self, sample_lines: Sequence[str], *, name: str, forced: str | None = None) -> Assignment:
        """Which formats a source's lines are read by, in order, and why: see `detect.detect`.

        Args:
            sample_lines: Lines from its beginning (and middle), some hundreds.
            name: The source, for the reasons.
            forced: A format's name that the user gave.
        """
        from logscope.formats.detect import detect

        return detect(self, sample_lines, name=name, forced=forced)

    def for_messages(self) -> Assignment:
        """How a listener's messages are read: either syslog, else any format, else text."""
        chosen = [form for form in self.formats if not form.inner_only]
        chosen.sort(key=lambda form: (form.kind not in {"rfc5424", "rfc3164"}, form.kind == "text"))
        return Assignment(
            tuple(chosen),
            self,
            tuple("any message of a listener may be of any format" for _ in chosen),
            messages=True,
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """The formats of one source in the order in which they are tried; the last is always `text`."""

    formats: tuple[Format, ...]
    known: FormatSet
    """All formats, for what wrappers hold."""
    reasons: tuple[str, ...]
    """Per format, in words."""
    scores: tuple[float, ...] = ()
    """Per format the share of sample lines it was the first to match."""
    layouts: tuple[str, ...] = ()
    """strptime layouts found on the sample."""
    messages: bool = False
    """Each line is a message of its own: lines are never joined."""


@cache
def _builtin() -> tuple[Format, ...]:
    return tuple(read_format(path) for path in sorted(BUILTIN.glob("*.toml")))


def read_format(path: Path) -> Format:
    """One definition.

    Raises:
        FormatError: Not readable, not TOML, or not a format.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"is not TOML: {error}", where=str(path), mend="mend the syntax") from None
    return _format(table, path)


def _format(table: dict[str, Any], path: Path) -> Format:
    def fail(message: str, mend: str) -> FormatError:
        return FormatError(f"format '{table.get('name', path.stem)}': {message}", where=str(path), mend=mend)

    unknown = sorted(set(table) - _KNOWN)
    if unknown:
        raise fail(f"unknown key '{unknown[0]}'", f"known are {', '.join(sorted(_KNOWN))}")
    kind = table.get("kind", "regex")
    if kind not in KINDS:
        raise fail(f"unknown kind '{kind}'", f"use one of {', '.join(KINDS)}")
    patterns = tuple(table.get("patterns", ())) or ((table["pattern"],) if "pattern" in table else ())
    if kind == "regex" and not patterns:
        raise fail("no pattern", "add pattern = '^...'")
    for pattern in patterns:
        if len(pattern) > MAX_PATTERN:
            raise fail("the pattern is too long", f"at most {MAX_PATTERN} characters")
        try:
            compile_pattern(pattern, trusted=path.parent == BUILTIN)
        except PatternError as error:
            raise fail(str(error), "mend the pattern") from None
    types = table.get("types", {})
    for name, given in types.items():
        if given not in FIELD_TYPES:
            raise fail(f"field '{name}' has the unknown type '{given}'", f"use one of {', '.join(FIELD_TYPES)}")
    for word, level in table.get("levels", {}).items():
        if level_number(level) is None:
            raise fail(
                f"'{word}' is mapped to the unknown level '{level}'", "use trace, debug, info, warn, error, fatal"
            )
    names = {column: tuple(members) for column, members in table.get("names", {}).items()}
    for column in names:
        if column not in COLUMNS:
            raise fail(f"names has no column '{column}'", f"columns are {', '.join(COLUMNS)}")
    try:
        return Format(
            name=table["name"],
            kind=kind,
            title=table.get("title", table["name"]),
            where=str(path),
            order=table.get("order", 50 if path.parent == BUILTIN else 5),
            patterns=patterns,
            quick=table.get("quick", "") if path.parent == BUILTIN else "",
            multiline=table.get("multiline", False),
            inner_only=table.get("inner_only", False),
            layouts=tuple(table.get("layouts", ())),
            levels={word.lower(): level for word, level in table.get("levels", {}).items()},
            service=table.get("service"),
            status_levels=table.get("status_levels"),
            types=types,
            names=names,
            keys=tuple(_key(key, fail) for key in table.get("keys", ())),
            samples=tuple(Sample(sample["line"], sample["expect"]) for sample in table.get("samples", ())),
        )
    except KeyError as error:
        raise fail(f"{error} is missing", "add it") from None


def _key(table: dict[str, Any], fail: Any) -> FormatKey:
    key_class = table.get("class", "strong")
    if key_class not in KEY_CLASSES:
        raise fail(f"key '{table.get('name')}' has the unknown class '{key_class}'", "use strong, scoped or weak")
    return FormatKey(table["name"], table.get("field", table["name"]), key_class)
