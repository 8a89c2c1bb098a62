"""Sequences in one line: `seq by transaction maxspan 5m: [a] not [b] within 30s until [c]`.

A step may have a name: `begin=["charge begin"]`, `not settled=["charge settled"]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logscope.errors import FilterError
from logscope.language.filter import parse_bracketed, parse_filter, to_text
from logscope.language.units import parse_duration

_NAME = re.compile(r"[A-Za-z_@][\w.@-]*")
_STEP_NAME = re.compile(r"([A-Za-z_]\w*)\s*=\s*(?=\[)")
_DURATION = re.compile(r"\d+(?:\.\d+)?\s*[A-Za-zµμ]+(?:\d+(?:\.\d+)?[a-zµμ]+)*", re.ASCII)
_HEADER_WORDS = ("by", "maxspan")
_EXAMPLE = 'seq by transaction maxspan 5m: ["a"] not ["b"] within 30s'


@dataclass(frozen=True, slots=True)
class StepSyntax:
    """One step."""

    name: str
    filter_text: str
    absent: bool = False
    within_us: int | None = None
    """How long an absence lasts, microseconds."""
    maxpause_us: int | None = None
    """Longest time since the step before, microseconds."""
    column: int = field(default=1, compare=False)
    """Where its filter begins."""


@dataclass(frozen=True, slots=True)
class SequenceSyntax:
    """A whole sequence."""

    by: tuple[str, ...]
    """`transaction`, or names of keys and fields."""
    maxspan_us: int | None
    steps: tuple[StepSyntax, ...]
    until: str | None = None
    """A filter's text."""


def is_sequence(text: str) -> bool:
    """Whether a line is meant as a sequence, not as a filter: it begins with `seq` and `by`, `maxspan` or `:`."""
    return re.match(r"\s*seq(\s*:|\s+(by|maxspan)\b)", text) is not None


def parse_sequence(text: str) -> SequenceSyntax:
    """The sequence a line stands for.

    Args:
        text: One line that begins with `seq`.

    Raises:
        FilterError: With the 1-based column where it does not compile, also within the brackets.
    """
    return _Reader(text).whole()


def sequence_to_text(sequence: SequenceSyntax) -> str:
    """The line that `parse_sequence` reads as the same sequence.

    Raises:
        FilterError: A filter holds a `]` that cannot be written within brackets.
    """
    head = ["seq"]
    if sequence.by:
        head.append("by " + ", ".join(sequence.by))
    if sequence.maxspan_us is not None:
        head.append(f"maxspan {duration_text(sequence.maxspan_us)}")
    parts = [" ".join(head) + ":"]
    for place, step in enumerate(sequence.steps, start=1):
        name = "" if step.name == f"step{place}" else f"{step.name}="
        parts.append(f"{'not ' if step.absent else ''}{name}[{_bracketed(step.filter_text)}]")
        if step.within_us is not None:
            parts.append(f"within {duration_text(step.within_us)}")
        if step.maxpause_us is not None:
            parts.append(f"maxpause {duration_text(step.maxpause_us)}")
    if sequence.until is not None:
        parts.append(f"until [{_bracketed(sequence.until)}]")
    return " ".join(parts)


def duration_text(microseconds: int) -> str:
    """The shortest exact form that `parse_duration` reads: `5m`, `90s`, `1500us`."""
    for unit, size in (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000)):
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds}us"


def _bracketed(text: str) -> str:
    for candidate in (text, to_text(parse_filter(text))):
        try:
            _, end = parse_bracketed(candidate + "]", 0)
        except FilterError:
            continue
        if end == len(candidate):
            return candidate
    raise FilterError("the filter holds a ] that brackets cannot hold", mend="quote the value that holds it")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def error(self, message: str, mend: str | None = None, at: int | None = None) -> FilterError:
        place = self.at if at is None else at
        return FilterError(
            message, column=max(1, min(place + 1, len(self.text))), mend=mend or f"for example {_EXAMPLE}"
        )

    def take(self, word: str) -> bool:
        """Take a keyword if it is next."""
        self.blanks()
        found = _NAME.match(self.text, self.at)
        if found is None or found.group() != word:
            return False
        self.at = found.end()
        return True

    def duration(self, what: str) -> int:
        self.blanks()
        found = _DURATION.match(self.text, self.at)
        if found is None:
            raise self.error(f"{what} needs a duration", f"write {what} 30s")
        try:
            value = parse_duration(found.group())
        except FilterError as error:
            raise self.error(error.message, error.mend) from error
        self.at = found.end()
        return value

    def whole(self) -> SequenceSyntax:
        if not self.take("seq"):
            raise self.error("a sequence begins with seq")
        by: tuple[str, ...] = ()
        maxspan: int | None = None
        while True:
            self.blanks()
            start = self.at
            if self.text.startswith(":", self.at):
                self.at += 1
                break
            if self.take("by"):
                if by:
                    raise self.error("by is there twice", at=start)
                by = self.names()
            elif self.take("maxspan"):
                if maxspan is not None:
                    raise self.error("maxspan is there twice", at=start)
                maxspan = self.duration("maxspan")
            else:
                raise self.error("by, maxspan or : is expected here")
        steps, until = self.steps()
        return SequenceSyntax(by, maxspan, steps, until)

    def names(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            self.blanks()
            found = _NAME.match(self.text, self.at)
            if found is None or found.group() in _HEADER_WORDS:
                break
            if found.group() in names:
                raise self.error(f"{found.group()} is there twice")
            names.append(found.group())
            self.at = found.end()
            self.blanks()
            if self.text.startswith(",", self.at):
                self.at += 1
        if not names:
            raise self.error("by needs the name of a key or field", "write by transaction")
        return tuple(names)

    def steps(self) -> tuple[tuple[StepSyntax, ...], str | None]:
        steps: list[StepSyntax] = []
        until: str | None = None
        while True:
            self.blanks()
            if self.at >= len(self.text):
                break
            if until is not None:
                raise self.error("nothing may follow until [...]")
            if self.take("until"):
                until, _ = self.bracket()
            else:
                steps.append(self.step(len(steps) + 1))
                if steps[-1].name in {step.name for step in steps[:-1]}:
                    raise self.error(f"two steps are named {steps[-1].name}", "name them apart", steps[-1].column - 1)
        if not any(not step.absent for step in steps):
            raise self.error("a sequence needs a step that happens", at=len(self.text) - 1)
        return tuple(steps), until

    def step(self, place: int) -> StepSyntax:
        self.blanks()
        name = f"step{place}"
        absent = False
        if not _STEP_NAME.match(self.text, self.at):
            absent = self.take("not")
            self.blanks()
        named = _STEP_NAME.match(self.text, self.at)
        if named:
            name = named.group(1)
            self.at = named.end()
        text, column = self.bracket()
        within: int | None = None
        maxpause: int | None = None
        while True:
            self.blanks()
            start = self.at
            if self.take("within"):
                if not absent or within is not None:
                    raise self.error(
                        "within belongs once to a not [...]", "use maxpause for a step that happens", start
                    )
                within = self.duration("within")
            elif self.take("maxpause"):
                if absent or maxpause is not None:
                    raise self.error("maxpause belongs once to a step that happens", "use within for not [...]", start)
                maxpause = self.duration("maxpause")
            else:
                return StepSyntax(name, text, absent, within, maxpause, column)

    def bracket(self) -> tuple[str, int]:
        """The filter within the next brackets, and its 1-based column."""
        self.blanks()
        if not self.text.startswith("[", self.at):
            raise self.error("a [filter] is expected here")
        start = self.at + 1
        _, end = parse_bracketed(self.text, start)
        self.at = end + 1
        inner = self.text[start:end]
        return inner.strip(), start + len(inner) - len(inner.lstrip()) + 1
