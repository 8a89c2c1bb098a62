"""YAML that rules may come in: the core schema of YAML 1.2, and nothing that surprises or explodes.

`no`, `on`, `12:30:45` and dates stay text. Duplicate keys, anchors, aliases and tags are refused,
so are documents that are too large or too deep. Every value knows its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from logscope.errors import RuleError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Located:
    """A value of a document."""

    value: Any
    """dict[str, Located], list[Located], str, int, float, bool or None."""
    line: int
    """1-based; a mapping's values carry the line of their key."""
    style: str = ""
    """How a scalar was written: empty (plain), `'`, `"`, `|` or `>`."""

    def plain(self) -> Any:
        """The value without lines."""
        if isinstance(self.value, dict):
            return {key: entry.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value


def read_text(path: Path) -> str:
    """The text of a rule file.

    Raises:
        RuleError: It cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise RuleError("larger than 1 MiB", where=str(path), mend="split it into several files")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError("not UTF-8", where=str(path), line=line, mend="save it as UTF-8") from None


_SIGN = (
    "a text that begins with one of [ ] { } * & ! | > % @ ` or a quote is written as a block, NAME: |- and the text "
    "indented on the next line"
)
_SIGNED = re.compile(r"^[\s-]*[\w.|-]+:\s+[\[\]{}*&!|>%@`'\"]")


def _begins_with_sign(text: str, line: int | None) -> bool:
    """Whether the value on a line begins with what YAML takes for its own."""
    lines = text.splitlines()
    return line is not None and line <= len(lines) and _SIGNED.match(lines[line - 1]) is not None


_COLON = "a text with `: ` in it is written as a block, NAME: |- and the text indented on the next line"

_KEYS = "a key ends with `: `, and what belongs to it stands behind or indented below"


def documents(text: str, where: str) -> Iterator[Located]:
    """The documents of a YAML text, one by one; empty ones are left out.

    Args:
        text: The file's text.
        where: The file's name, for errors.

    Raises:
        RuleError: At the first thing that is not as it should be; the documents before it have
            been given by then.
    """
    composer = _Composer(text, where)
    while True:
        try:
            found = composer.document()
        except yaml.MarkedYAMLError as error:
            problem = str(error.problem or error.context)
            # A key without its colon is found out at the next line; it stands where the key began.
            mark = error.context_mark if "expected ':'" in problem else error.problem_mark or error.context_mark
            line = None if mark is None else mark.line + 1
            mend = _COLON if "mapping values" in problem else _KEYS if "expected ':'" in problem else None
            if mend is None and _begins_with_sign(text, line):
                mend = _SIGN
            raise RuleError(f"not YAML: {problem}", where=where, line=line, mend=mend) from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise RuleError(f"not YAML: {words}", where=where, line=composer.line) from None
        if found is None:
            return
        if found.value is not None:
            yield found


class _Composer:
    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.line = 1
        self._events: Iterator[yaml.Event] | None = None

    def next(self) -> yaml.Event:
        if self._events is None:
            self._events = yaml.parse(self.text, Loader=yaml.SafeLoader)
        event = next(self._events)
        self.line = _line(event)
        return event

    def document(self) -> Located | None:
        event = self.next()
        while not isinstance(event, yaml.DocumentStartEvent):
            if isinstance(event, yaml.StreamEndEvent):
                return None
            event = self.next()
        return self.node(self.next(), 0)

    def node(self, event: yaml.Event, depth: int) -> Located:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self.error("anchors and aliases are not allowed", line, f"write the value out; {_SIGN}")
        if getattr(event, "tag", None):
            raise self.error(f"the tag {event.tag} is not allowed", line, _SIGN)  # type: ignore[attr-defined]  # tested by getattr
        if depth > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} levels deep", line)
        if isinstance(event, yaml.MappingStartEvent):
            return Located(self.mapping(depth), line)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Located] = []
            while not isinstance(event := self.next(), yaml.SequenceEndEvent):
                items.append(self.node(event, depth + 1))
            return Located(items, line)
        if not isinstance(event, yaml.ScalarEvent):
            raise self.error("a value is expected", line)
        style = event.style or ""
        return Located(event.value if style else _scalar(event.value), line, style)

    def mapping(self, depth: int) -> dict[str, Located]:
        found: dict[str, Located] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            name = key.value if isinstance(key.value, str) else None
            if isinstance(key.value, (bool, int, float)) and isinstance(event, yaml.ScalarEvent):
                name = event.value
            if name is None:
                raise self.error("a key is not text", key.line)
            if name in found:
                raise self.error(
                    f"key {name} stands twice, first on line {found[name].line}", key.line, "keep one of them"
                )
            value = self.node(self.next(), depth + 1)
            found[name] = Located(value.value, key.line, value.style)
        return found

    def error(self, message: str, line: int, mend: str | None = None) -> RuleError:
        return RuleError(message, where=self.where, line=line, mend=mend)


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def reads_as_text(text: str) -> bool:
    """Whether a bare scalar stays the text it is: no number, truth or nothing."""
    return isinstance(_scalar(text), str)


def _scalar(text: str) -> str | int | float | bool | None:
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
