"""What a file of separated values looks like: its separator, whether it has a header, what its columns are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_SEPARATORS = {".csv": ",;\t|", ".tsv": "\t", ".tab": "\t", ".psv": "|"}
_COMPRESSED = frozenset([".gz", ".bz2", ".xz", ".zst", ".zstd", ".lz4"])
_TRIED = 100
_NAME = re.compile(r"[^\W\d][^\n\r\t]{0,79}|[@#$][\w.@-]{1,79}")
_VALUE = re.compile(r"[\d.:+\-T Z/]+|[0-9a-fA-F-]{16,}|true|false|null|none", re.IGNORECASE)
_SURE_NAMES = 3
_SURE_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How the records of one file are cut into cells."""

    separator: str
    names: tuple[str, ...]
    """Of the columns, in their order."""
    head: int
    """Lines of the header; 0 if there is none, and the columns are `column_1` and so on."""
    objects: bool = False
    """Each record is a JSON object, of a file whose columns are known: nothing is separated."""


def csv_layout(lines: Sequence[str], name: str, *, forced: bool = False) -> CsvLayout | None:
    """The layout of a file; None if it holds no separated values.

    A name that ends so (behind a compression's ending) is believed. Of any other file the first line must be a header
    of three names at least, of which one is a time's, and nine in ten lines must have as many cells.

    Args:
        lines: Its first lines.
        name: The source; behind `!` a member's.
        forced: Whether the user says that it does.
    """
    lines = [line.rstrip("\r\n") for line in lines[:_TRIED]]
    if not any(lines):
        return None
    lines[0] = lines[0].removeprefix("\ufeff")
    separators = _separators(name)
    known = forced or separators is not None
    for separator in _likely(lines, separators or ",;\t|"):
        records = records_of(lines)
        rows = [cells(text, separator) for text, _ in records]
        rows = [row for row in rows if row != [""]]
        width = len(rows[0])
        if width < 2:
            continue
        head = records[0][1] if _is_header(rows[0]) else 0
        if known or (head and _is_sure(rows, width)):
            names = tuple(cell.strip() for cell in rows[0]) if head else _numbered(max(map(len, rows)))
            return CsvLayout(separator, names, head)
    return None


def _separators(name: str) -> str | None:
    suffixes = PurePosixPath(name.rsplit("!", 1)[-1]).suffixes
    while suffixes and suffixes[-1].lower() in _COMPRESSED:
        suffixes.pop()
    return _SEPARATORS.get(suffixes[-1].lower()) if suffixes else None


def _likely(lines: Sequence[str], separators: str) -> list[str]:
    """Separators of the first line, the most frequent one first."""
    counts = Counter({separator: lines[0].count(separator) for separator in separators})
    return [separator for separator, count in counts.most_common() if count]


def _is_header(row: Sequence[str]) -> bool:
    texts = [cell.strip() for cell in row]
    names = all(_NAME.fullmatch(text) and not _VALUE.fullmatch(text) for text in texts)
    return names and len({*texts}) == len(texts)


def _is_sure(rows: Sequence[Sequence[str]], width: int) -> bool:
    same = sum(1 for row in rows if len(row) == width)
    timed = any(plain_name(cell) in TIME_NAMES for cell in rows[0])
    short = all(re.fullmatch(r"[\w.@ /-]{1,40}", cell) for cell in rows[0])
    return width >= _SURE_NAMES and len(rows) > 1 and same >= _SURE_SHARE * len(rows) and timed and short


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(f"column_{number}" for number in range(1, width + 1))


def plain_name(name: str) -> str:
    """A column's name without case and signs, by which it is compared."""
    return re.sub(r"[\W_]+", "", name).lower()


TIME_NAMES = (
    "timestamp", "time", "ts", "datetime", "eventtime", "logtime", "timeunixnano", "starttime", "starttimeunixnano",
    "createdat", "created", "receivedat", "date", "t",
)  # fmt: skip
"""Plain names of columns that hold a time, the likeliest first."""


def records_of(lines: Sequence[str]) -> list[tuple[str, int]]:
    """Records, those whose quotes go over lines joined, and how many lines each has."""
    records: list[tuple[str, int]] = []
    begun: list[str] = []
    for line in lines:
        begun.append(line)
        if "\n".join(begun).count('"') % 2 == 0:
            records.append(("\n".join(begun), len(begun)))
            begun = []
    return records + [(line, 1) for line in begun]


def cells(text: str, separator: str) -> list[str]:
    """The cells of a record (RFC 4180), whatever it looks like: a quote that is never closed ends with the record."""
    out: list[str] = []
    place = 0
    while True:
        if text.startswith('"', place):
            cell, place = _quoted(text, place + 1)
            end = text.find(separator, place)
            end = len(text) if end < 0 else end
            cell += text[place:end]
        else:
            end = text.find(separator, place)
            end = len(text) if end < 0 else end
            cell = text[place:end]
        out.append(cell)
        if end >= len(text):
            return out
        place = end + 1


def _quoted(text: str, place: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        end = text.find('"', place)
        if end < 0:
            return "".join([*parts, text[place:]]), len(text)
        parts.append(text[place:end])
        if not text.startswith('""', end):
            return "".join(parts), end + 1
        parts.append('"')
        place = end + 2
