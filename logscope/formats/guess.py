"""A leading time that no format knows: its layout, found on a sample with dateutil's help.

dateutil reads almost anything, at 30 µs a text, so it is asked about a few lines only; what it
finds becomes a strptime layout that Polars runs over all.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import polars as pl
from dateutil import parser as dateutil

from logscope.formats.model import Format
from logscope.formats.numericdates import UNIVERSAL, numeric_layouts
from logscope.formats.pieces import expand
from logscope.formats.timestamps import Clock, layout_reader

_TRIED = 20
_WORDS = 6
_CLOCK = Clock(reference_us=4_102_444_800_000_000)
"""Of times that are only counted and compared."""
_SECONDS = r"1[0-9]{9}(?:\.[0-9]{1,9}|[0-9]{3})?"
_AFTER_SECONDS = r"[\])>]?[ \t,;|:]+"
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"


def leading_time(lines: Sequence[str]) -> tuple[Format, float] | None:
    """A format for lines that begin with a time of one layout, and the share of lines it reads.

    Returns:
        None where fewer than half of the lines begin so.
    """
    texts = pl.Series(lines, dtype=pl.String)
    found = _voted(texts, _layouts(lines[:_TRIED]), r"^[\[(<]?({})", 0.5)
    if found is None:
        share = int(texts.str.contains(rf"^[\[(<]?{_SECONDS}{_AFTER_SECONDS}").sum()) / len(texts)
        pattern = rf"^[\[(<]?(?P<time>{_SECONDS}){_AFTER_SECONDS}(?P<message>.*)$"
        return (_format(pattern, "", "text with seconds since 1970"), share) if share >= 0.5 else None
    layout, pattern, share = found
    tail = rf"(?P<time>{pattern})[\])>]?[ \t:,|-]*(?P<message>.*)$"
    return _format(rf"^[\[(<]?{tail}", layout, f"text with a time like '{layout}'"), share


_EARLY = 100
_EARLY_SHARE = 0.25
_WITHIN = tuple(expand(shape) for shape in ("{{iso}}", "{{clf}}", "{{ctime}}", "{{bsd}}"))
_BEFORE = rf"^(?P<before>[^\n]{{0,{_EARLY}}}?[^0-9A-Za-z\n])"
_BEFORE_DIGITS = _BEFORE.replace(r"A-Za-z\n])", r"A-Za-z\n.-])")
_LEVELLED = expand(r"^[\[(<]?(?:{{levels}})\b")
_BEHIND = r"(?:[^0-9A-Za-z:]|:[^0-9]|$)"


def early_time(lines: Sequence[str]) -> tuple[Format, float] | None:
    """A format for lines that have a time among their first signs, of a well-known shape or of digits, and its share.

    Returns:
        None where fewer than half have one, a quarter if the first line has: what continues a record may look like
        anything.
    """
    texts = pl.Series(lines, dtype=pl.String)
    best: tuple[float, str, str] | None = None
    for shape in _WITHIN:
        found = texts.str.contains(f"{_BEFORE}{shape}{_BEHIND}")
        share = int(found.sum()) / len(texts)
        if share >= (_EARLY_SHARE if found[0] else 0.5) and (best is None or share > best[0]):
            best = share, shape, ""
    if best is None:
        before = _BEFORE_DIGITS.replace("?P<before>", "?:").replace("{", "{{").replace("}", "}}")
        layouts = (found for line in lines[:_TRIED] for found in numeric_layouts(line[: 2 * _EARLY], within=True))
        voted = _voted(texts, layouts, f"{before}({{}}){_BEHIND}", 0.5)
        if voted is None:
            return None
        best = voted[2], voted[1], voted[0]
    share, shape, layout = best
    pattern = f"{_BEFORE_DIGITS if layout else _BEFORE}(?P<time>{shape}){_BEHIND}"
    untimed = texts.filter(~texts.str.contains(pattern))
    # Lines that begin with a level are records of their own, whatever they lack.
    joins = not len(untimed) or int(untimed.str.contains(_LEVELLED).sum()) < len(untimed) / 2
    return _format(pattern, layout, "text with a time behind its first words", multiline=joins), share


def _format(pattern: str, layout: str, title: str, *, multiline: bool = True) -> Format:
    return Format(
        name="timed-text",
        kind="regex",
        title=title,
        where="found on a sample",
        order=90,
        patterns=(pattern,),
        multiline=multiline,
        layouts=(layout,) if layout else (),
        zone="UTC" if layout.endswith(UNIVERSAL) else "",
    )


def _voted(
    texts: pl.Series, layouts: Iterable[tuple[str, str]], place: str, least: float
) -> tuple[str, str, float] | None:
    """The layout, its pattern and its share, that reads most lines; of equal ones that of the shortest stretch of time.

    Which of two numbers is the day may be told by one line of many; where none tells, a log's lines lie close together.
    """
    ranked = []
    for rank, (layout, pattern) in enumerate(dict.fromkeys(layouts)):
        times = layout_reader(layout)(texts.str.extract(place.format(pattern), 1), _CLOCK, None)
        share = times.count() / len(texts)
        if share >= least:
            epochs = times.dt.epoch("us").drop_nulls()
            ranked.append((-share, int(epochs.max()) - int(epochs.min()), rank, layout, pattern))  # type: ignore[arg-type]
    if not ranked:
        return None
    share, _, _, layout, pattern = min(ranked)
    return layout, pattern, -share


def layout_of(texts: Sequence[str]) -> str | None:
    """The strptime layout of at least half of the texts, each a time and nothing else; None if they have none."""
    layouts = (found for text in texts[:_TRIED] for found in _all_layouts(text.strip()))
    found = _voted(pl.Series(texts, dtype=pl.String).str.strip_chars(), layouts, "^({})$", 0.5)
    return None if found is None or found[0].endswith(UNIVERSAL) else found[0]


def _all_layouts(text: str) -> Iterator[tuple[str, str]]:
    """Layouts of a text that is a time."""
    yield from numeric_layouts(text)
    found = _layout(text)
    if found is not None:
        yield found


def _layouts(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield from numeric_layouts(line[:80].lstrip("[(<"), begins=True)
        words = re.split(r"(\s+)", line[:80].lstrip("[(<"))
        for count in range(min(_WORDS, (len(words) + 1) // 2), 0, -1):
            text = "".join(words[: 2 * count - 1]).rstrip("])>,:;|- ")
            found = _layout(text)
            if found is not None:
                yield found
                break


def _layout(text: str) -> tuple[str, str] | None:
    """The strptime layout and the pattern of a text that is a date with a time, whatever the separators."""
    if not re.search(r"\d{1,2}:\d\d:\d\d", text) or re.search(r"\d ?[AaPp][Mm]\b", text):
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
