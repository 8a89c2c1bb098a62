"""Which records a row of an SQL result stands for: what the query says of them, as a filter.

Only what can be said exactly is said: columns that are shown under another name, and a WHERE of comparisons, LIKE, IN,
BETWEEN and IS NULL joined by AND, OR and NOT. A query over several tables, or with a condition of another kind, is told
to be not whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from logscope.language.writing import quoted
from logscope.query.sql import Token, sql_tokens

_ENDS = ("group", "order", "limit", "having", "offset", "fetch", "qualify", "window")
_COMPARED = ("=", "!=", "<>", "<", "<=", ">", ">=")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NAME = re.compile(r"[A-Za-z_@][\w.@-]*", re.ASCII)
_META = frozenset("\\.+*?()|[]{}^$#&-~/")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a query says of the records behind its result."""

    columns: dict[str, str] = field(default_factory=dict)
    """Columns of the result that are a column of the records under another name: name here -> name there."""
    where: str = ""
    """Its conditions in the filter language; empty: none, or none that could be said."""
    whole: bool = True
    """Whether that is all it says of them."""


class _Unsaid(Exception):
    """A condition that the filter language has no words for."""


def origin_of(text: str) -> Origin:
    """What a query over `records` says of the records behind a row of its result.

    Args:
        text: One SELECT that has run.
    """
    found = list(sql_tokens(text))
    words = [one.word for one in found]
    if words.count("select") != 1 or "from" not in words or any(one in words for one in ("join", "union", "with")):
        return Origin(whole=False)
    start = words.index("from")
    columns = _columns(found[words.index("select") + 1 : start])
    behind = found[start + 1 :]
    if not behind or behind[0].name != "records" or (len(behind) > 1 and behind[1].text == ","):
        return Origin(columns, whole=False)
    if "where" not in words[start:]:
        return Origin(columns)
    condition = found[words.index("where", start) + 1 :]
    end = next((place for place, one in enumerate(condition) if one.word in _ENDS), len(condition))
    try:
        reader = _Conditions(condition[:end])
        where = reader.either()
        reader.ended()
    except _Unsaid:
        return Origin(columns, whole=False)
    return Origin(columns, where)


def _columns(shown: list[Token]) -> dict[str, str]:
    """`column AS name`, alone between commas."""
    found: dict[str, str] = {}
    part: list[Token] = []
    for one in [*shown, Token("sign", ",", 0)]:
        if one.text != ",":
            part.append(one)
            continue
        if len(part) == 3 and part[1].word == "as" and part[0].name and part[2].name:
            found[part[2].name] = part[0].name
        part = []
    return found


class _Conditions:
    """The conditions of a WHERE, read from left to right."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0

    def _peek(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else Token("end", "", 0)

    def _take(self) -> Token:
        one = self._peek()
        self._at += 1
        return one

    def _word(self, *words: str) -> bool:
        if self._peek().word in words:
            self._at += 1
            return True
        return False

    def _sign(self, sign: str) -> bool:
        if self._peek().text == sign and self._peek().kind == "sign":
            self._at += 1
            return True
        return False

    def ended(self) -> None:
        if self._peek().text == ";":
            self._at += 1
        if self._peek().kind != "end":
            raise _Unsaid

    def either(self) -> str:
        parts = [self._both()]
        while self._word("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else "(" + " or ".join(parts) + ")"

    def _both(self) -> str:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        return " ".join(parts)

    def _one(self) -> str:
        if self._word("not"):
            name = self._peek().name
            if self._peek().kind == "sign" or not name:
                raise _Unsaid  # what is null inside would have to be told, too
            return f"({name}:* not ({self._predicate()}))"
        if self._sign("("):
            inner = self.either()
            if not self._sign(")"):
                raise _Unsaid
            return f"({inner})"
        return self._predicate()

    def _predicate(self) -> str:
        name = self._take().name
        if not name or not _NAME.fullmatch(name):
            raise _Unsaid
        if self._word("is"):
            missing = not self._word("not")
            if not self._word("null"):
                raise _Unsaid
            return f"{'-' if missing else ''}{name}:*"
        # What a record lacks is neither equal nor unequal in SQL: `not` alone would keep it.
        turned = self._word("not")
        told = self._listed(name)
        return f"({name}:* not ({told}))" if turned else told

    def _listed(self, name: str) -> str:
        if self._word("in"):
            if not self._sign("("):
                raise _Unsaid
            values = [self._value(name)]
            while self._sign(","):
                values.append(self._value(name))
            if not self._sign(")"):
                raise _Unsaid
            return "(" + " or ".join(f"{name}={value}" for value in values) + ")"
        if self._word("between"):
            least = self._value(name)
            if not self._word("and"):
                raise _Unsaid
            return f"{name}>={least} {name}<={self._value(name)}"
        if self._peek().word in ("like", "ilike"):
            cased = self._take().word == "like"
            return f"{name}~/{_like(self._text())}/{'c' if cased else ''}"
        return self._compared(name)

    def _compared(self, name: str) -> str:
        sign = self._take().text
        while sign + self._peek().text in _COMPARED:
            sign += self._take().text
        if sign not in _COMPARED or (name == "level" and sign in _TURNED):
            raise _Unsaid  # levels are words in SQL: they compare by the alphabet there
        return f"{name}{'!=' if sign == '<>' else sign}{self._value(name)}"

    def _text(self) -> str:
        one = self._take()
        if one.kind != "text":
            raise _Unsaid
        return one.text[1:-1].replace("''", "'")

    def _value(self, name: str) -> str:
        minus = "-" if self._sign("-") else ""
        if self._peek().kind == "number":
            return minus + self._take().text
        text = self._text()
        if name == "level":
            return text
        return text.replace(" ", "T") if name == "time" else quoted(text)


def _like(pattern: str) -> str:
    """A pattern of LIKE as a regular expression over the whole value."""
    parts = {"%": ".*", "_": "."}
    body = "".join(parts.get(sign) or (f"\\{sign}" if sign in _META else sign) for sign in pattern)
    return f"(?s)^{body}$"
