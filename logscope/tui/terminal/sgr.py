"""From one style to another in few bytes."""

from __future__ import annotations

from functools import lru_cache

_ATTRIBUTES = frozenset(str(code) for code in range(1, 10))
_ON_BLANKS = frozenset("4579")
"""Attributes that show on a blank: underline, blink, reverse, strike."""
_REVERSE = frozenset("7")
_OFF = {code: "22" if code == "1" else "25" if code == "6" else f"2{code}" for code in _ATTRIBUTES}
"""The code that turns an attribute off."""


@lru_cache(maxsize=4096)
def change(old: str | None, new: str) -> str:
    """The sequence that makes the terminal write in style `new`; empty if it does.

    Args:
        old: The parameters in force; None if unknown.
        new: Those wanted.
    """
    if old == new:
        return ""
    whole = f"\x1b[0;{new}m" if new else "\x1b[m"
    if old is None or not new:
        return whole
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        return whole
    if before == after:
        return ""
    codes = _attributes(before[0], after[0])
    for was, now, own in ((before[1], after[1], "39"), (before[2], after[2], "49")):
        if was != now:
            codes.append(now or own)
    step = f"\x1b[{';'.join(codes)}m"
    return step if len(step) < len(whole) else whole


def _attributes(before: frozenset[str], after: frozenset[str]) -> list[str]:
    """What turns attributes off and on; one code turns bold and faint off together."""
    off = {_OFF[each] for each in before - after}
    return [*sorted(off), *sorted(each for each in after if each not in before or _OFF[each] in off)]


@lru_cache(maxsize=4096)
def for_blank(old: str | None, blank: str) -> tuple[str, str]:
    """The shortest sequence after which a blank looks as wanted, and the style in force then.

    The colour of writing does not show on a blank, so it is left as it is for the text that follows.

    Args:
        old: The parameters in force; None if unknown.
        blank: What is to show, as from `of_blank`.
    """
    before, after = None if old is None else _parts(old), _parts(blank)
    if old is None or before is None or after is None or after[0]:
        return change(old, blank), blank
    if blank_fits(old, blank):
        return "", old
    kept = ";".join(filter(None, (*sorted(before[0] - _ON_BLANKS), before[1], after[2])))
    return min(((change(old, style), style) for style in (kept, blank)), key=lambda one: len(one[0]))


@lru_cache(maxsize=4096)
def erases_to(style: str, blank: str) -> bool:
    """Whether what a terminal erases in a style looks like such a blank: it takes the background and nothing else."""
    parts = _parts(style)
    return parts is not None and not parts[0] & _ON_BLANKS and parts[2] == blank


@lru_cache(maxsize=4096)
def of_blank(style: str) -> str:
    """What of a style shows on a blank: its background alone, unless it is drawn upon; reversed the foreground."""
    parts = _parts(style)
    if parts is None:
        return style
    drawn = parts[0] & _ON_BLANKS
    if drawn == _REVERSE and parts[1]:
        return _behind(parts[1])
    return style if drawn else parts[2]


@lru_cache(maxsize=4096)
def front(style: str) -> str:
    """A style without its background."""
    parts = _parts(style)
    return style if parts is None else ";".join(filter(None, (*sorted(parts[0]), parts[1])))


def _behind(foreground: str) -> str:
    """The background of a foreground's colour."""
    code, _, rest = foreground.partition(";")
    return f"{int(code) + 10};{rest}" if rest else str(int(code) + 10)


@lru_cache(maxsize=4096)
def blank_fits(present: str, blank: str) -> bool:
    """Whether a blank of style `blank` may be written in the style that is in force."""
    return of_blank(present) == blank


@lru_cache(maxsize=4096)
def _parts(style: str) -> tuple[frozenset[str], str, str] | None:
    """Attributes, foreground, background; None if there is anything else."""
    attributes, foreground, background = set(), "", ""
    codes = iter(style.split(";") if style else ())
    for code in codes:
        if code in _ATTRIBUTES:
            attributes.add(code)
        elif code in ("38", "48"):
            kind = next(codes, "")
            rest = [next(codes, "") for _ in range({"5": 1, "2": 3}.get(kind, 0))]
            if not rest or "" in rest:
                return None
            color = ";".join((code, kind, *rest))
            foreground, background = (color, background) if code == "38" else (foreground, color)
        elif code.isdigit() and (30 <= int(code) <= 37 or 90 <= int(code) <= 97):
            foreground = code
        elif code.isdigit() and (40 <= int(code) <= 47 or 100 <= int(code) <= 107):
            background = code
        elif code == "39":
            foreground = ""
        elif code == "49":
            background = ""
        else:
            return None
    return frozenset(attributes), foreground, background
