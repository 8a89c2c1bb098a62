"""`formats list|test|import`: definitions, which one a file gets and what it reads, and starts for own ones."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logscope.cli.output import print_lines, say, table
from logscope.errors import LogscopeError, SourceError, UsageError
from logscope.text import clean

if TYPE_CHECKING:
    from logscope.formats.assignment import FormatSet

_SAMPLE_BYTES = 1 << 20
_SAMPLE_LINES = 2000


def run_formats(arguments: argparse.Namespace) -> int:
    """List the formats, say which one a file gets and why, or make a start for one of grok's or lnav's."""
    from logscope.formats.loader import load_formats

    if arguments.action != "list" and not arguments.file:
        raise UsageError("no file is named", mend=f"logscope formats {arguments.action} FILE")
    if arguments.action == "import":
        return _import(Path(arguments.file))
    errors: list[LogscopeError] = []
    formats = load_formats([*_own(), *(Path(path) for path in arguments.formats)], errors)
    for error in errors:
        say(f"logscope: {error}")
    if arguments.action == "list":
        _list(arguments, formats)
    else:
        _test(arguments, formats)
    return 2 if errors else 0


def _own() -> list[Path]:
    from logscope.paths import config_folder

    folder = config_folder() / "formats"
    return [folder] if folder.is_dir() else []


def _list(arguments: argparse.Namespace, formats: FormatSet) -> None:
    from logscope.engine.rendering import json_line
    from logscope.formats.definition import BUILTIN

    entries = [
        {"format": form.name, "title": form.title, "where": form.where if Path(form.where).parent != BUILTIN else ""}
        for form in formats.formats
    ]
    if arguments.json:
        print_lines(
            json_line({**entry, "where": form.where}) for entry, form in zip(entries, formats.formats, strict=True)
        )
    else:
        print_lines(table([list(entry.values()) for entry in entries], ["format", "", "defined in"]))


def _import(path: Path) -> int:
    from logscope.formats.importing import imported

    print_lines(imported(path).rstrip("\n").split("\n"))
    return 0


def _test(arguments: argparse.Namespace, formats: FormatSet) -> None:
    from logscope.engine.rendering import json_line
    from logscope.formats.detect import detect

    path = Path(arguments.file)
    try:
        with path.open("rb") as file:
            content = file.read(_SAMPLE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", arguments.file, mend="name another file") from error
    lines = [line.rstrip("\r") for line in content.removesuffix("\n").split("\n")]
    assignment = detect(
        formats, [line for line in lines if line][:_SAMPLE_LINES], name=arguments.file, forced=arguments.format
    )
    chosen = [
        {"format": form.name, "why": why} for form, why in zip(assignment.formats, assignment.reasons, strict=True)
    ]
    if arguments.json:
        print_lines(json_line(entry) for entry in chosen)
    else:
        print_lines(clean(f"{entry['format']}: {entry['why']}") for entry in chosen)
    if arguments.lines:
        from logscope.formats.linewise import readings

        told = readings(assignment, lines[: arguments.lines], name=arguments.file)
        if arguments.json:
            print_lines(json_line(entry) for entry in told)
        else:
            print_lines(text for entry in told for text in _said(entry))


def _said(entry: dict[str, Any]) -> Iterator[str]:
    """A line's reading for people: one line, and one with the fields or why there are none."""
    number = f"{entry['line']:>6}"
    if "continues" in entry:
        yield clean(f"{number}  continues line {entry['continues']}")
        return
    columns = " ".join(str(entry[name]) for name in ("time", "level", "host", "service", "pid") if name in entry)
    yield clean(f"{number}  {entry['format']}  {columns} | {entry.get('message', '')}".rstrip())
    fields = "  ".join(f"{name}={value}" for name, value in entry.get("fields", {}).items())
    for text in (fields, *entry.get("why", ())):
        if text:
            yield clean(f"        {text}")
