"""A leading time that no format knows: its layout, found on a sample with dateutil's help.

dateutil reads almost anything, at 30 µs a text, so it is asked about a few lines only; what it
finds becomes a strptime layout that Polars runs over all.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl
from dateutil import parser as dateutil

from logscope.formats.model import Format
from logscope.formats.pieces import expand

_TRIED = 20
_WORDS = 6
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"


def leading_time(lines: Sequence[str]) -> tuple[Format, float] | None:
    """A format for lines that begin with a time of one layout, and the share of lines it reads.

    Returns:
        None where fewer than half of the lines begin so.
    """
    best: tuple[str, str, float] | None = None
    for layout, pattern in dict.fromkeys(_layouts(lines[:_TRIED])):
        share = sum(1 for line in lines if _reads(layout, pattern, line)) / len(lines)
        if share >= 0.5 and (best is None or share > best[2]):
            best = (layout, pattern, share)
    if best is None:
        return None
    layout, pattern, share = best
    form = Format(
        name="timed-text",
        kind="regex",
        title=f"text with a time like '{layout}'",
        where="found on a sample",
        order=90,
        patterns=(rf"^[\[(<]?(?P<time>{pattern})[\])>]?[ \t:,|-]*(?P<message>.*)$",),
        multiline=True,
        layouts=(layout,),
    )
    return form, share


_EARLY = 100
_EARLY_SHARE = 0.25
_WITHIN = tuple(expand(shape) for shape in ("{{iso}}", "{{clf}}", "{{ctime}}", "{{bsd}}"))


def early_time(lines: Sequence[str]) -> tuple[Format, float] | None:
    """A format for lines that have a time of a well-known shape among their first signs, and the share it reads.

    Returns:
        None where the first line has none, or fewer than a quarter: what continues a record may look like anything.
    """
    texts = pl.Series(lines, dtype=pl.String)
    best: tuple[float, str] | None = None
    for shape in _WITHIN:
        pattern = rf"^(?P<before>[^\n]{{0,{_EARLY}}}?[^0-9A-Za-z\n])(?P<time>{shape})(?:[^0-9A-Za-z]|$)"
        found = texts.str.contains(pattern)
        share = int(found.sum()) / len(texts)
        if found[0] and share >= _EARLY_SHARE and (best is None or share > best[0]):
            best = share, pattern
    if best is None:
        return None
    form = Format(
        name="timed-text",
        kind="regex",
        title="text with a time behind its first words",
        where="found on a sample",
        order=90,
        patterns=(best[1],),
        multiline=True,
    )
    return form, best[0]


def layout_of(texts: Sequence[str]) -> str | None:
    """The strptime layout of at least half of the texts, each a time and nothing else; None if they have none."""
    for layout, pattern in dict.fromkeys(found for text in texts[:_TRIED] if (found := _layout(text.strip()))):
        if sum(1 for text in texts if _reads(layout, pattern, text)) >= len(texts) / 2:
            return layout
    return None


def _reads(layout: str, pattern: str, line: str) -> bool:
    found = re.match(rf"[\[(<]?({pattern})", line[:80])
    if found is None:
        return False
    try:
        datetime.strptime(found[1].replace(",", "."), layout.replace("%.f", ".%f").replace("%e", "%d"))  # noqa: DTZ007 (only whether it reads)
    except ValueError:
        return False
    return True


def _layouts(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        words = re.split(r"(\s+)", line[:80].lstrip("[(<"))
        for count in range(min(_WORDS, (len(words) + 1) // 2), 0, -1):
            text = "".join(words[: 2 * count - 1]).rstrip("])>,:;|- ")
            found = _layout(text)
            if found is not None:
                yield found
                break


def _layout(text: str) -> tuple[str, str] | None:
    """The strptime layout and the pattern of a text that is a date with a time, whatever the separators."""
    if not re.search(r"\d{1,2}:\d\d:\d\d", text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            when = dateutil.parse(text)
    except (ValueError, OverflowError, TypeError):
        return None
    layout, pattern = "", ""
    seen: set[str] = set()
    for token in re.findall(r"\d+|[A-Za-z]+|.", text):
        directive = _directive(token, when, seen, layout)
        if directive is None:
            return None
        layout += directive[0]
        pattern += directive[1]
    if "%H" not in layout or not ({"%d", "%e"} & seen):
        return None
    return layout.replace(".%.f", "%.f").replace(",%.f", "%.f"), pattern


def _directive(token: str, when: datetime, seen: set[str], layout: str) -> tuple[str, str] | None:
    if token.isdigit():
        for name, value in _numbers(token, when, layout):
            if name not in seen and value:
                seen.add(name)
                return name, r"\d{1,9}" if name == "%.f" else rf"\d{{{len(token)}}}" if len(token) != 1 else r"\d{1,2}"
        return None
    if re.fullmatch(_MONTHS, token):
        return ("%b" if len(token) == 3 else "%B"), r"[A-Z][a-z]+"
    if token[:3] in {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}:
        return ("%a" if len(token) == 3 else "%A"), r"[A-Z][a-z]+"
    if token in {"AM", "PM"}:
        return None
    return (token, re.escape(token)) if not token.isalpha() or token == "T" else None


def _numbers(token: str, when: datetime, layout: str) -> Iterator[tuple[str, bool]]:
    number = int(token)
    if layout.endswith(("%S.", "%S,")):
        yield "%.f", True
        return
    clock = layout.endswith(":") or ("%Y" in layout and ("%d" in layout))
    if len(token) == 4:
        yield "%Y", number == when.year
    if not clock:
        yield "%m", number == when.month and number != when.day
        yield "%d", number == when.day
        yield "%m", number == when.month
        yield "%y", len(token) == 2 and number == when.year % 100
    yield "%H", number == when.hour
    yield "%M", number == when.minute
    yield "%S", number == when.second
