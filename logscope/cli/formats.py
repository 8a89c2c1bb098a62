"""`formats list|test`: definitions, and which one a file gets."""

from __future__ import annotations

import argparse
from pathlib import Path

from logscope.cli.output import print_lines, table
from logscope.errors import SourceError, UsageError
from logscope.text import clean

_SAMPLE_BYTES = 1 << 20


def run_formats(arguments: argparse.Namespace) -> int:
    """List the formats, or say which one a file gets and why."""
    from logscope.engine.rendering import json_line
    from logscope.formats.loader import load_formats

    formats = load_formats([Path(path) for path in arguments.formats])
    if arguments.action == "list":
        entries = [{"format": f.name, "title": f.title, "where": f.where} for f in formats.formats]
        if arguments.json:
            print_lines(json_line(entry) for entry in entries)
        else:
            print_lines(table([list(entry.values()) for entry in entries], ["format", "", "defined in"]))
        return 0
    if not arguments.file:
        raise UsageError("no file is named", mend="logscope formats test FILE")
    path = Path(arguments.file)
    try:
        with path.open("rb") as file:
            lines = file.read(_SAMPLE_BYTES).decode("utf-8", "replace").split("\n")
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", arguments.file, mend="name another file") from error
    assignment = formats.detect([line.rstrip("\r") for line in lines if line][:2000], name=arguments.file)
    chosen = [
        {"format": form.name, "why": why} for form, why in zip(assignment.formats, assignment.reasons, strict=True)
    ]
    if arguments.json:
        print_lines(json_line(entry) for entry in chosen)
    else:
        print_lines(clean(f"{entry['format']}: {entry['why']}") for entry in chosen)
    return 0
