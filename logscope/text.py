"""The one border that text from a log crosses on its way to a terminal.

Rich and Textual strip five control characters and let ESC, OSC 52 and all of C1 through, so a log
line could drive the operator's terminal. Whatever is painted, printed for people or named in an
error goes through `clean`. What is stored stays raw.
"""

from __future__ import annotations

ROW_CAP = 4096
"""Characters of one record that a row on screen shows at most; the rest is in the detail pane."""

TAB_STOP = 8

_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
_SEPARATORS = (0x0085, 0x2028, 0x2029)
_INVISIBLE = (0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x180E)


def _visible() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20)}
    table[0x7F] = "\u2421"
    table |= {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    table |= {code: f"<U+{code:04X}>" for code in (*_BIDI, *_SEPARATORS)}
    table |= {code: f"<U+{code:04X}>" for code in _INVISIBLE if code != 0x200D}
    table |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
    table |= {code: f"<U+{code:05X}>" for code in range(0xE0000, 0xE0080)}
    return table


_TABLE = _visible()
HIDDEN = frozenset(code for code in _TABLE if code >= 0x7F and not 0xD800 <= code < 0xE000)
"""Characters beyond the printable ones of ASCII that act upon a terminal or are not seen."""
_LINES = {code: sign for code, sign in _TABLE.items() if code != 0x0A}


def clean(text: str, *, lines: bool = False, cap: int | None = None) -> str:
    """Text that no terminal acts upon: controls, C1, bidi and separators as visible signs.

    Args:
        text: Anything, from anywhere.
        lines: Keep LF (for text that is shown on several lines).
        cap: Cut to so many characters first, with an ellipsis.

    Returns:
        Text of printable characters only (and LF with `lines`), tabs expanded to blanks.
    """
    if cap is not None and len(text) > cap:
        text = text[: cap - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    if "\t" in text:
        text = text.expandtabs(TAB_STOP)
    return text.translate(_LINES if lines else _TABLE)


def human_count(number: int) -> str:
    """`1.2 M`, `16.2 k`, `812`: a count for people."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if number >= limit:
            return f"{number / (1_000 if unit == 'k' else limit):.1f} {unit}"
    return f"{number:,}"


def several(number: int, noun: str) -> str:
    """`1 rule`, `7 rules`: a number of things that are called so."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def human_duration(microseconds: int) -> str:
    """`412 ms`, `1.9 s`, `1 m 21 s`, `3 h 5 m`: a span of time for people.

    Args:
        microseconds: The span; a negative one is shown with its sign.
    """
    if microseconds < 0:
        return "-" + human_duration(-microseconds)
    if microseconds < 1_000:
        return f"{microseconds} µs" if microseconds else "0"
    if microseconds < 1_000_000:
        return f"{microseconds // 1_000} ms"
    seconds = microseconds / 1_000_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, second = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {second} s" if second else f"{minutes} m"
    hours, minute = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minute} m" if minute else f"{hours} h"
    days, hour = divmod(hours, 24)
    return f"{days} d {hour} h" if hour else f"{days} d"
