"""Layouts of times whose date is written in digits, whatever the order of day and month and what stands between.

`15/04/2024 12:50:04`, `9/27/2013<tab>2:42:39 PM`, `27.05.2019,10:09:04:540`, `08-12-13,02:52:32.976`, `20100720 183814`.
A text may have several: which is meant the lines of a log tell together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

UNIVERSAL = "Z"
"""What a layout ends with whose times are UTC; no other ends so."""

_TIME = re.compile(
    r"(?P<date>(?P<a>\d{1,4})(?P<mark>[-/.])(?P<b>\d{1,2})(?:(?P=mark)(?P<c>\d{2,4}))?)"
    r"(?P<gap>T|[ \t]{0,3}[,;:|_-]?[ \t]{0,3})"
    r"(?P<hour>\d{1,2}):(?P<rest>\d\d:\d\d)(?P<fraction>[.,]\d{1,9}|:\d{3}(?!\d)|:\d{6}(?!\d))?"
    r"(?:(?P<blank>[ \t]?)(?P<half>[AaPp][Mm])\b)?(?P<zone>[ ]?(?:[+-]\d\d:?\d\d\b|Z\b))?(?![\d:])",
    re.ASCII,
)
_COMPACT = re.compile(
    r"(?P<date>(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?P<gap>[ T_-])(?P<clock>[0-2]\d[0-5]\d[0-5]\d)(?!\d)",
    re.ASCII,
)


def numeric_layouts(text: str, *, begins: bool = False, within: bool = False) -> Iterator[tuple[str, str]]:
    """Layouts (strptime's, as Polars reads them) and patterns (Rust's) of the first such time in a text.

    Args:
        text: A time and nothing else, unless said otherwise.
        begins: It stands at the text's beginning.
        within: It stands anywhere, behind a sign that is no letter or digit.
    """
    for found in _found(text, begins=begins, within=within):
        if found.re is _COMPACT:
            yield f"%Y%m%d{found['gap']}%H%M%S", rf"[0-9]{{8}}{re.escape(found['gap'])}[0-9]{{6}}"
            continue
        clock, pattern = _clock(found)
        mark = re.escape(found["mark"])
        for order in _orders(found):
            sizes = (len(found["a"]), len(found["b"]), len(found["c"] or ""))
            digits = [r"[0-9]{4}" if size == 4 else r"[0-9]{1,2}" for size in sizes if size]
            yield found["mark"].join(order) + clock, mark.join(digits) + pattern


def _found(text: str, *, begins: bool, within: bool) -> Iterator[re.Match[str]]:
    for form in (_TIME, _COMPACT):
        if within:
            found = next((each for each in form.finditer(text) if _stands_alone(each)), None)
        else:
            found = form.match(text) if begins else form.fullmatch(text)
        if found is not None:
            yield found


def _stands_alone(found: re.Match[str]) -> bool:
    """Whether a time within a text is no part of an address: a date without a year only in brackets."""
    before = found.string[max(0, found.start() - 1) : found.start()]
    if found.re is _TIME and not found["c"]:
        return before in {"[", "(", "<"}
    return not before.isalnum() and before not in {".", "-"}


def _orders(found: re.Match[str]) -> list[tuple[str, ...]]:
    """In which orders the numbers of a date may stand, the likelier first."""
    if len(found["a"]) == 4:
        return [("%Y", "%m", "%d")] if found["c"] and len(found["c"]) <= 2 else []
    if len(found["a"]) > 2 or (found["c"] and len(found["c"]) == 3):
        return []
    # Dots stand in dates of countries that write the day first.
    pairs = [("%d", "%m"), ("%m", "%d")] if found["mark"] == "." else [("%m", "%d"), ("%d", "%m")]
    if not found["c"]:
        return list(pairs)
    if len(found["c"]) == 4:
        return [(*pair, "%Y") for pair in pairs]
    return [*((*pair, "%y") for pair in pairs), ("%y", "%m", "%d")]


def _clock(found: re.Match[str]) -> tuple[str, str]:
    """Layout and pattern of all that stands behind the date."""
    layout = found["gap"] + ("%I" if found["half"] else "%H") + ":%M:%S"
    pattern = re.escape(found["gap"]) + r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
    fraction = found["fraction"] or ""
    if fraction.startswith(":"):
        layout += f":%{len(fraction) - 1}f"
        pattern += rf":[0-9]{{{len(fraction) - 1}}}"
    elif fraction:
        layout += "%.f"
        pattern += r"[.,][0-9]{1,9}"
    if found["half"]:
        layout += found["blank"] + "%p"
        pattern += re.escape(found["blank"]) + "[AaPp][Mm]"
    if found["zone"]:
        blank = " " if found["zone"][0] == " " else ""
        universal = found["zone"].strip() == UNIVERSAL
        layout += blank + (UNIVERSAL if universal else "%#z")
        pattern += blank + (UNIVERSAL if universal else r"[+-][0-9]{2}:?[0-9]{2}")
    return layout, pattern
