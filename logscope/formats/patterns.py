r"""A format's regex, compiled for speed: only the wanted groups capture, and never the tail.

Measured on 100,000 lines: `\d \s \S` with Unicode classes keep the engine from its one-pass
automaton (0.30 s instead of 0.06), a group `(.*)` at the end costs 0.68 s where cutting off what
stands before it costs 0.03. So classes become ASCII and the message is what remains.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

import polars as pl

_CLASSES = {"d": ("[0-9]", "0-9"), "s": (r"[ \t]", r" \t"), "S": (r"[^ \t\r\n]", None)}
_LAZY = re.compile(r"[*+}]\?")
# An escaped sign and a class are passed over; what is left is a run of anything.
_RUN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<run>\.[*+])")
_SIGNS = re.compile(r"(?s)\\.|[\[\]()]")
_UNLIKE = re.compile(r"\\[dsS]|\[\^?\]")
"""What `_ascii` would write in another way."""
_BOUND = re.compile(r"(?:\\.|[^\\*?+)}\]]|\[ \\t\]\+)$")
_TAILS = (r"(?P<message>.*)$", r"(?P<message>.*)")


class PatternError(ValueError):
    """A regex that cannot serve as a line pattern; the text says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One anchored line regex."""

    regex: str
    """As written, with ASCII classes, without a `message` group at its end."""
    groups: tuple[str, ...]
    """Names of its groups, in order; `message` too if it is not at the end."""
    tail: bool
    """The message is what follows the match on the first line."""
    plain: str
    """`regex` without any capturing group."""
    cuts: tuple[int, ...] = ()
    """Places in `regex` where it may end when nothing behind is wanted (shipped formats only)."""
    quick: str = ""
    """A narrower regex with some of the groups that stays one-pass: what it matches `regex` matches too, and its
    groups, none of them optional, are the same; what it misses goes through `regex`."""

    def match(self, raw: pl.Series) -> pl.Series:
        """Which texts it reads (Boolean, null text: false)."""
        return certain(raw.str.contains(self.plain))

    def captures(self, raw: pl.Series, names: Collection[str]) -> dict[str, pl.Series]:
        """The named groups' texts, in one pass; null where a group took no part."""
        wanted = [name for name in self.groups if name in names]
        if not wanted:
            return {}
        found = self.quick_captures(raw, names)
        if found is None:
            return self._captured(raw, self._cut(wanted[-1]), wanted)
        missed = found[wanted[0]].is_null()
        for name in wanted[1:]:
            missed = missed & found[name].is_null()
        rows = missed.arg_true()
        if not len(rows):
            return found
        slow = self._captured(raw.gather(rows), self._cut(wanted[-1]), wanted)
        if len(rows) == len(raw):
            return slow
        return {name: found[name].clone().scatter(rows, slow[name]) for name in wanted}

    def quick_captures(self, raw: pl.Series, names: Collection[str]) -> dict[str, pl.Series] | None:
        """The named groups' texts where `quick` matches, all null elsewhere; None if it does not have them."""
        wanted = [name for name in self.groups if name in names]
        if not wanted or not self.quick or not all(f"(?P<{name}>" in self.quick for name in wanted):
            return None
        return self._captured(raw, self.quick, [name for name in _groups(self.quick) if name in wanted])

    def _captured(self, raw: pl.Series, regex: str, wanted: list[str]) -> dict[str, pl.Series]:
        """The wanted groups, given in the order in which they stand in the regex."""
        for name in self.groups:
            regex = regex.replace(f"(?P<{name}>", "(" if name in wanted else "(?:", 1)
        if len(wanted) == 1:
            return {wanted[0]: raw.str.extract(regex, 1)}
        found = raw.str.extract_groups(regex)
        return {name: found.struct.field(str(place)) for place, name in enumerate(wanted, start=1)}

    def _cut(self, last: str) -> str:
        """The regex up to the part behind the last wanted group: a short one stays one-pass."""
        start = self.regex.index(f"(?P<{last}>")
        return next((self.regex[:cut] for cut in self.cuts if cut > start), self.regex)

    def message(self, raw: pl.Series) -> pl.Series:
        """The record's message: its `message` group, the first line's rest, or the whole first line."""
        if "message" in self.groups:
            told = self.captures(raw, {"message"})["message"]
            return first_line(told.zip_with(told.is_not_null(), raw) if told.null_count() else told)
        return first_line(raw.str.replace(self.plain, "") if self.tail else raw)


def certain(found: pl.Series) -> pl.Series:
    """A Boolean column without nulls: they are false."""
    return found.fill_null(False) if found.null_count() else found


def first_line(text: pl.Series) -> pl.Series:
    """Up to the first line end, without a carriage return before it."""
    if text.str.contains("\n", literal=True).any():
        text = text.str.replace(r"(?s)\r?\n.*$", "")
    if text.str.ends_with("\r").any():
        text = text.str.strip_chars_end("\r")
    return text


@cache
def compile_pattern(written: str, quick: str = "", *, trusted: bool = True) -> Pattern:
    """Check a regex and make a `Pattern` of it; once per regex, since every source asks for all of them.

    Args:
        written: As in the definition.
        quick: See `Pattern.quick`.
        trusted: It is known to compile (the shipped ones are tested; compiling costs milliseconds).

    Raises:
        PatternError: Not anchored, an unnamed group, a name given twice, or not Rust's syntax.
    """
    if not written.startswith("^"):
        raise PatternError("a pattern begins with '^'")
    regex, tail = _ascii(written), False
    for ending in _TAILS:
        if regex.endswith(ending):
            regex, tail = regex[: -len(ending)], True
            break
    groups = _groups(regex)
    if len(set(groups)) != len(groups):
        raise PatternError("a group's name is given twice")
    plain = regex
    for name in groups:
        plain = plain.replace(f"(?P<{name}>", "(?:", 1)
    if not trusted:
        _refuse_bad(regex)
    return Pattern(regex, groups, tail, plain, _cuts(regex) if trusted else (), quick)


def _parentheses(regex: str) -> Iterator[tuple[int, str]]:
    """Place and sign of each parenthesis that groups: not escaped, not in a class."""
    inside = False
    for found in _SIGNS.finditer(regex):
        sign = found[0]
        if sign == "[":
            inside = True
        elif sign == "]":
            inside = False
        elif sign in "()" and not inside:
            yield found.start(), sign


def _cuts(regex: str) -> tuple[int, ...]:
    """Where groups open that stand in no other group; none behind what the rest of the regex bounds.

    That is a lazy repetition, which would end too early, and a run of anything, which would go on too far. Before a
    cut stands a sign or blanks that have to be there, so that the group before it ends where it does in the whole.
    """
    if _LAZY.search(regex):
        return ()
    end = next((found.start() for found in _RUN.finditer(regex) if found["run"]), len(regex))
    cuts: list[int] = []
    depth = 0
    for position, sign in _parentheses(regex):
        if sign == "(" and depth == 0 and position <= end and _BOUND.search(regex, 0, position):
            cuts.append(position)
        depth += 1 if sign == "(" else -1
    return tuple(cuts)


def _refuse_bad(regex: str) -> None:
    try:
        pl.Series([""]).str.contains(regex)
    except pl.exceptions.ComputeError as error:
        raise PatternError(str(error).split("\n\nThis error")[0].replace("\n", " ")) from None


def _ascii(regex: str) -> str:
    if not _UNLIKE.search(regex):
        return regex
    out: list[str] = []
    inside = False
    position = 0
    while position < len(regex):
        sign = regex[position]
        if sign == "\\" and position + 1 < len(regex):
            follower = regex[position + 1]
            outer, inner = _CLASSES.get(follower, (None, None))
            chosen = inner if inside else outer
            out.append(chosen if chosen is not None else sign + follower)
            position += 2
            continue
        if sign == "[" and not inside:
            inside = True
            # A bracket right after the opening one (or after ^) is itself a member.
            for lead in ("[^]", "[]"):
                if regex.startswith(lead, position):
                    out.append(lead[:-1] + r"\]")
                    position += len(lead)
                    break
            else:
                out.append(sign)
                position += 1
            continue
        if sign == "]" and inside:
            inside = False
        out.append(sign)
        position += 1
    return "".join(out)


def _groups(regex: str) -> tuple[str, ...]:
    names: list[str] = []
    for position, sign in _parentheses(regex):
        if sign == ")":
            continue
        if regex.startswith("(?P<", position):
            names.append(regex[position + 4 : regex.index(">", position)])
        elif not regex.startswith("(?", position):
            raise PatternError("groups have names, `(?P<name>...)`, or do not capture, `(?:...)`")
        elif regex.startswith("(?<", position):
            raise PatternError("name groups `(?P<name>...)`; look-behind does not exist in Rust's syntax")
    return tuple(names)
