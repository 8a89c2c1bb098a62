"""Expression trees back to filter text; what is written reads as the same tree."""

from __future__ import annotations

import re

from logscope.language.expressions import (
    Aggregate,
    And,
    Everything,
    Expression,
    FieldTerm,
    HasField,
    Not,
    Or,
    Regex,
    Value,
    Word,
)
from logscope.language.lexer import Lexer

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_UNSAFE = re.compile(r'[\s()"\[\]~]')
_PATH = re.compile(r"/[\w.-]+/[\w./-]*[\w.-]")


def to_text(expression: Expression) -> str:
    """The canonical text of a filter: `parse_filter(to_text(e)) == e` for every tree it makes."""
    return "" if isinstance(expression, Everything) else _write(expression)


def _write(expression: Expression) -> str:
    match expression:
        case Everything():
            return "()"
        case And(items):
            return " ".join(_inner(item, And | Or) for item in items)
        case Or(items):
            return " or ".join(_inner(item, Or) for item in items)
        case Not(item):
            return f"not {_inner(item, And | Or)}"
        case Aggregate():
            return _aggregate(expression)
        case _:
            return _leaf(expression)


def _inner(expression: Expression, grouped: object) -> str:
    text = _write(expression)
    return f"({text})" if isinstance(expression, grouped) else text  # type: ignore[arg-type]  # a union of classes


def _leaf(expression: Word | Regex | FieldTerm | HasField) -> str:
    match expression:
        case Word(text, _, scope):
            if scope == "raw":
                return text if _bare_word(text) else quoted(text)
            bare = _bare_value(text) and not set("*?") & set(text)
            return f"{scope}:{text if bare else quoted(text)}"
        case Regex(pattern, cased, name):
            return f"{'' if name is None else name + '~'}/{_escaped(pattern)}/{'c' if cased else ''}"
        case HasField(name):
            return f"{name}:*"
        case FieldTerm(name, op, values):
            if len(values) == 1:
                return f"{name}{op}{_value(values[0])}"
            return f"{name}{op}({' or '.join(_value(value) for value in values)})"


def _aggregate(expression: Aggregate) -> str:
    inner = to_text(expression.inner)
    call = f"{expression.kind}({inner})"
    if expression.test is None:
        return call
    test = _leaf(expression.test)
    if expression.kind == "count":
        return call + test.removeprefix("count")
    return f"{call}.{test}"


def _escaped(pattern: str) -> str:
    return re.sub(r"\\.|/", lambda found: "\\/" if found[0] == "/" else found[0], pattern, flags=re.S)


def quoted(text: str) -> str:
    """A phrase: `text` between quotes, escaped."""
    return f'"{text.translate(_ESCAPES)}"'


def _value(value: Value) -> str:
    return value.text if not value.quoted and _bare_value(value.text) else quoted(value.text)


def _bare_value(text: str) -> bool:
    return bool(text) and not re.search(r"[\s()]", text) and text[0] not in '"=' and not text.startswith("//")


def _bare_word(text: str) -> bool:
    if not text or _UNSAFE.search(text) or text.lower() in ("and", "or", "not"):
        return False
    if text[0] == "/":
        return bool(_PATH.fullmatch(text)) and not text.endswith("/c")
    if text[0] in "-=<>!:":
        return False
    lexer = Lexer(text)
    name = lexer.name()
    return name is None or lexer.operator_after(name) is None
