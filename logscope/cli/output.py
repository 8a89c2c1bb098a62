"""What commands print: JSON lines, lines for people, or a file by its ending.

Standard output is data, standard error is talk. Text for people goes through `text.clean`; JSON
escapes control characters itself.
"""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from logscope.errors import UsageError
from logscope.text import clean

if TYPE_CHECKING:
    import argparse

Object = dict[str, Any]

_COLOURS = {"fatal": "1;31", "error": "31", "warn": "33", "critical": "1;31", "high": "31", "medium": "33"}


def say(text: str) -> None:
    """One line on standard error, cleaned."""
    print(clean(text), file=sys.stderr, flush=True)  # noqa: T201


def write_objects(
    objects: Iterable[Object],
    arguments: argparse.Namespace,
    *,
    people: Callable[[Iterator[Object]], Iterator[str]],
    flat: Callable[[Object], Object] = lambda value: value,
    page: Callable[[Object], Object] | None = None,
    columns: Sequence[str] = (),
) -> None:
    """Print or write objects as the options ask.

    Args:
        objects: JSON objects in ascending order.
        arguments: With `json`, `output`, `limit`, `tail`.
        people: Makes lines of text from them.
        flat: Makes a table's row of an object (`--output` to .csv, .parquet, .html).
        page: Makes the row of the .html one, where people are to see more than programs.
        columns: Of such a table, in order, whatever the rows have; others follow.

    Raises:
        UsageError: The output file cannot be written.
    """
    chosen = iter(_cut(objects, arguments.limit, arguments.tail))
    if arguments.output:
        _write_file(chosen, Path(arguments.output), flat, page, columns)
    elif arguments.json:
        print_lines(map(_json, chosen))
    else:
        print_lines(people(chosen))


def print_lines(lines: Iterable[str]) -> None:
    """Lines to standard output, in large writes."""
    out = sys.stdout
    source = iter(lines)
    while batch := list(islice(source, 2000)):
        out.write("\n".join(batch) + "\n")
    out.flush()


def _json(value: Object) -> str:
    from logscope.engine.rendering import json_line

    return json_line(value)


def _cut(objects: Iterable[Object], limit: int | None, tail: int | None) -> Iterable[Object]:
    if limit is not None:
        return islice(objects, max(0, limit))
    if tail is not None:
        from collections import deque

        return deque(objects, maxlen=max(0, tail))
    return objects


def _write_file(
    objects: Iterator[Object],
    path: Path,
    flat: Callable[[Object], Object],
    page: Callable[[Object], Object] | None,
    columns: Sequence[str],
) -> None:
    writers: dict[str, Callable[[Iterator[Object], Path], None]] = {
        ".ndjson": _write_ndjson,
        ".jsonl": _write_ndjson,
        ".csv": lambda rows, to: _write_csv(*_rows(map(flat, rows), columns), to),
        ".parquet": lambda rows, to: _write_parquet(*_rows(map(flat, rows), columns), to),
        ".html": lambda rows, to: _write_html(*_rows(map(page or flat, rows), () if page else columns), to),
    }
    try:
        writers[path.suffix.lower()](objects, path)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", str(path), mend="choose another --output") from error


def _write_ndjson(objects: Iterator[Object], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(_json(value) + "\n" for value in objects)


def _rows(objects: Iterator[Object], columns: Sequence[str]) -> tuple[list[str], list[Object]]:
    rows = list(objects)
    names: dict[str, None] = dict.fromkeys(columns)
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names), rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(value)


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula; the full-width signs do, too, where they are typed."""


def _harmless(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, and no terminal for a command: a log's text is anybody's."""
    text = "\t".join(clean(part, lines=True) for part in _cell(value).replace("\r\n", "\n").split("\t"))
    if not isinstance(value, str) or not text.lstrip("\t\n\r").startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _write_csv(names: list[str], rows: list[Object], path: Path) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(map(_harmless, names))
        writer.writerows([_harmless(row.get(name)) for name in names] for row in rows)


def _write_parquet(names: list[str], rows: list[Object], path: Path) -> None:
    import polars as pl

    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        plain = all(value is None or isinstance(value, int | float) for value in values)
        columns[name] = pl.Series(values if plain else [None if v is None else _cell(v) for v in values], strict=False)
    pl.DataFrame(columns).write_parquet(path)


def _write_html(names: list[str], rows: list[Object], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "<!doctype html><meta charset='utf-8'><title>logscope</title>"
            "<style>body{font:14px sans-serif}table{border-collapse:collapse}"
            "td,th{border:1px solid #ccc;padding:2px 6px;text-align:left;vertical-align:top;white-space:pre-wrap}"
            "</style><table><tr>" + "".join(f"<th>{html.escape(clean(name))}</th>" for name in names) + "</tr>\n"
        )
        for row in rows:
            cells = "".join(f"<td>{html.escape(clean(_cell(row.get(name)), lines=True))}</td>" for name in names)
            file.write(f"<tr>{cells}</tr>\n")
        file.write("</table>\n")


def coloured(stream: IO[str]) -> bool:
    """Whether text for people may have colour there."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def level_text(level: str | None, width: int = 5) -> str:
    """A level's name in its colour, padded."""
    name = (level or "").upper().ljust(width)
    colour = _COLOURS.get(level or "")
    return f"\x1b[{colour}m{name}\x1b[0m" if colour and coloured(sys.stdout) else name


def table(rows: Sequence[Sequence[str]], header: Sequence[str], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Aligned lines of cleaned cells.

    Args:
        rows: Text of the cells.
        header: Titles.
        right: Numbers of the columns that are aligned right.
    """
    from rich.cells import cell_len

    cleaned = [[clean(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[column]) for row in cleaned) for column in range(len(header))]
    for row in cleaned:
        cells = [
            " " * (width - cell_len(cell)) + cell if column in right else cell + " " * (width - cell_len(cell))
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
