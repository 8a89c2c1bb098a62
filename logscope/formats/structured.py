"""Members of JSON objects, one object a record: vectorised where the whole block is sound.

One bad record fails a whole Polars batch, so the fast way (`read_ndjson` of the wanted members as
text, 0.4 µs a record) has a way out: rows that msgspec refuses are set aside, and if that does not
help every row is read by msgspec. A member's value is text, and a number or a boolean where the
block's rows have it so throughout; arrays are JSON text; nested objects have dotted names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl

from logscope.formats import frames
from logscope.formats.keyvalue import BOOLEAN, NUMBER, TEXT, escape

_DECODER = msgspec.json.Decoder(dict[str, Any])
_SAMPLE = 40
_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_DEPTH = 12
_LEAD = 8
_PLAIN = r'[^"\\\x00-\x1f]*'
_STRING = f'"{_PLAIN}"'
_SCALAR = rf"(?:{_STRING}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"
_MEMBERS = {blank: re.compile(rf'"([A-Za-z_@][\w@-]*)":{blank}"[^"\\]*",{blank}', re.ASCII) for blank in ("", " ")}
"""A text member and the comma behind it, by what stands behind colons and commas: nothing, or Python's blank."""

Value = tuple[str, int]
"""A member's text and its kind (TEXT, NUMBER, BOOLEAN)."""


def decode(text: str | None) -> dict[str, Any] | None:
    """The object a text holds; None if it holds none."""
    if text is None:
        return None
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError, ValueError):
        return None


class Unsound(ValueError):
    """Some text of a block is not one JSON object."""


def is_sound(raw: pl.Series) -> pl.Series:
    """Which texts are JSON objects (Boolean); one vectorised pass if all are."""
    if _ndjson(raw, {"": pl.String()}) is not None:
        return pl.Series([True]).new_from_index(0, len(raw))
    return pl.Series([decode(text) is not None for text in raw], dtype=pl.Boolean)


def flatten(members: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Name, text and kind of each member that has a value, nested ones by dotted names."""
    stack: list[tuple[str, Any, int]] = [(name, value, 0) for name, value in reversed(members.items())]
    while stack:
        name, value, depth = stack.pop()
        if isinstance(value, dict) and depth < _DEPTH:
            stack.extend((f"{name}.{inner}", item, depth + 1) for inner, item in reversed(value.items()))
        elif value is not None:
            yield (name, *_text(value))


def long(raw: pl.Series) -> pl.DataFrame:
    """All members of each object in long form, read by msgspec one by one: exact kinds and order."""
    rows: list[int] = []
    names: list[str] = []
    values: list[str] = []
    kinds: list[int] = []
    for row, text in enumerate(raw):
        for name, value, kind in flatten(decode(text) or {}):
            rows.append(row)
            names.append(name)
            values.append(value)
            kinds.append(kind)
    return pl.DataFrame({"row": rows, "name": names, "value": values, "kind": kinds}, schema=frames.LONG)


def columns(raw: pl.Series, names: Sequence[str], *, typed: bool = True, strict: bool = False) -> dict[str, pl.Series]:
    """The named members of each (sound) object.

    Args:
        raw: String column of JSON objects.
        names: Dotted names.
        typed: Numbers as Int64 or Float64 and booleans as Boolean; else all as text.
        strict: Raise where a text is no sound object, rather than read all one by one.

    Returns:
        A column per name, all-null ones too.

    Raises:
        Unsound: With `strict`.
    """
    names = list(dict.fromkeys(names))
    out: dict[str, pl.Series] = {}
    for group in _compatible({name: _paths(raw, name) for name in names}):
        frame = _ndjson(raw, _schema([path for some in group.values() for path in some]))
        if frame is None and strict:
            raise Unsound
        out |= _by_row(raw, [*group], typed=typed) if frame is None else _group(raw, frame, group, typed=typed)
    return out


@dataclass(frozen=True, slots=True)
class Lead:
    """Flat objects that begin with the same text members, the wanted ones among them."""

    plain: str
    """Matches such an object: nothing in it is escaped, and no name that could be wanted instead comes later."""
    regex: str
    """Captures the wanted members of what `plain` matches."""
    names: tuple[str, ...]
    """The wanted members, in the order in which they stand."""

    def values(self, raw: pl.Series) -> dict[str, pl.Series]:
        """The wanted members of objects that `plain` matches."""
        if len(self.names) == 1:
            return {self.names[0]: raw.str.extract(self.regex, 1)}
        found = raw.str.extract_groups(self.regex)
        return {name: found.struct.field(str(number)) for number, name in enumerate(self.names, start=1)}


def lead(first: str | None, choices: Sequence[Sequence[str]]) -> Lead | None:
    """How to read objects that begin as one does; None if it does not begin with what is wanted.

    Args:
        first: An object.
        choices: Names, of each choice the first present one is wanted.
    """
    if not choices or first is None or not first.startswith("{"):
        return None
    place = 1
    order: list[str] = []
    blank = " " if _MEMBERS[" "].match(first, place) else ""
    while (member := _MEMBERS[blank].match(first, place)) and len(order) < _LEAD:
        order.append(member[1])
        place = member.end()
    wanted = [next((name for name in names if name in order), "") for names in choices]
    if "" in wanted or len({*wanted}) < len(wanted) or len({*order}) < len(order):
        return None
    before = {name for names, chosen in zip(choices, wanted, strict=True) for name in names[: names.index(chosen)]}
    if any("." in name for name in before) or before.intersection(order):
        return None
    begun = order[: max(order.index(name) for name in wanted) + 1]
    comma = f",{blank}"
    members = comma.join(f'"{escape(name)}":{blank}{_STRING}' for name in begun)
    other = f'"{_other_than({*wanted, *before})}":{blank}{_SCALAR}'
    captured = comma.join(
        f'"{escape(name)}":{blank}"{"([^" if name in wanted else "[^"}"]*{")" if name in wanted else ""}"'
        for name in begun
    )
    return Lead(
        rf"^\{{{members}(?:{comma}{other})*\}}$", rf"^\{{{captured}", tuple(name for name in begun if name in wanted)
    )


def _other_than(words: Collection[str]) -> str:
    """A regex of the texts without quotes and escapes that are none of some words."""
    heads = sorted({word[0] for word in words if word})
    branches = [escape(head) + _other_than({word[1:] for word in words if word[:1] == head}) for head in heads]
    # A class may hold any of these signs once it is escaped.
    taken = "".join("\\" + head if head in "^-]&~[" else head for head in heads)
    branches.append(rf'[^"\\\x00-\x1f{taken}]{_PLAIN}')
    return f"(?:{'|'.join(branches)}){'' if '' in words else '?'}"


def leading(raw: pl.Series, choices: Sequence[Sequence[str]]) -> dict[str, pl.Series] | None:
    """Text members of flat objects that all begin alike, without a parser: a third of the time of `columns`.

    Args:
        raw: String column.
        choices: Names, of each choice the first present one is wanted.

    Returns:
        One column per choice, by name; None unless every text is as `lead` has it for the first one.
    """
    found = lead(raw[0], choices) if len(raw) else None
    if found is None or not raw.str.contains(found.plain).fill_null(False).all():
        return None
    return found.values(raw)


def _compatible(paths: dict[str, list[tuple[str, ...]]]) -> list[dict[str, list[tuple[str, ...]]]]:
    """Names in groups within which no member is wanted both as a value and as an object."""
    groups: list[dict[str, list[tuple[str, ...]]]] = []
    for name, ways in paths.items():
        for group in groups:
            others = [path for some in group.values() for path in some]
            if not any(_clash(way, other) for way in ways for other in others):
                group[name] = ways
                break
        else:
            groups.append({name: ways})
    return groups


def _clash(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short = min(len(one), len(other))
    return len(one) != len(other) and one[:short] == other[:short]


def _group(
    raw: pl.Series, frame: pl.DataFrame, paths: dict[str, list[tuple[str, ...]]], *, typed: bool
) -> dict[str, pl.Series]:
    out = {}
    for name in paths:
        texts = [_at(frame, path) for path in paths[name]]
        column = texts[0] if texts else frames.nothing(len(raw))
        for further in texts[1:]:
            column = column.zip_with(column.is_not_null(), further)
        column = _exact_composites(raw, name, column)
        out[name] = (_as_typed(raw, name, column) if typed else column).alias(name)
    return out


def _text(value: Any) -> Value:
    if isinstance(value, str):
        return value, TEXT
    if isinstance(value, bool):
        return ("true" if value else "false"), BOOLEAN
    if isinstance(value, int | float):
        return repr(value), NUMBER
    return msgspec.json.encode(value).decode("utf-8", "replace"), TEXT


def _paths(raw: pl.Series, name: str) -> list[tuple[str, ...]]:
    """Where a dotted name may lie: as one key, or nested at each way to cut it that occurs."""
    parts = name.split(".")
    if len(parts) == 1:
        return [(name,)]
    ways: list[tuple[str, ...]] = [(name,)]
    for mask in range(1, 2 ** min(len(parts) - 1, 6)):
        path: list[str] = []
        current = parts[0]
        for place, part in enumerate(parts[1:]):
            if mask >> place & 1:
                path.append(current)
                current = part
            else:
                current += "." + part
        ways.append((*path, current))
    present = {key: bool(raw.str.contains(f'"{key}"', literal=True).any()) for key in {k for way in ways for k in way}}
    return [way for way in ways if all(present[key] for key in way)]


def _schema(paths: Sequence[tuple[str, ...]]) -> dict[str, pl.DataType]:
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for key in path[:-1]:
            inner = node.setdefault(key, {})
            if not isinstance(inner, dict):
                inner = node[key] = {}
            node = inner
        node.setdefault(path[-1], None)

    def dtype(node: dict[str, Any] | None) -> pl.DataType:
        return pl.String() if not node else pl.Struct({key: dtype(inner) for key, inner in node.items()})

    return {key: dtype(node) for key, node in (tree or {"": None}).items()}


def _at(frame: pl.DataFrame, path: tuple[str, ...]) -> pl.Series:
    column = frame[path[0]]
    for key in path[1:]:
        if not isinstance(column.dtype, pl.Struct) or key not in {field.name for field in column.dtype.fields}:
            return frames.nothing(frame.height)
        column = column.struct.field(key)
    return column if column.dtype == pl.String else frames.nothing(frame.height)


def _ndjson(raw: pl.Series, schema: dict[str, pl.DataType]) -> pl.DataFrame | None:
    """The block as a frame; None if a row is not one sound object."""
    if not len(raw):
        return pl.DataFrame(schema=schema)
    if raw.str.contains("\n", literal=True).any():
        raw = raw.str.replace_all("\n", " ", literal=True)
    joined = raw.fill_null("null").str.join("\n").item()
    try:
        frame = pl.read_ndjson(joined.encode(), schema=schema, ignore_errors=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeEncodeError):
        return None
    # Blank rows are skipped by the reader: then rows and records no longer agree.
    return frame if frame.height == len(raw) else None


def _exact_composites(raw: pl.Series, name: str, column: pl.Series) -> pl.Series:
    """Arrays in our spelling, objects not at all: they have no value of their own."""
    rows = column.str.contains(r"^[\[{]").fill_null(False).arg_true()
    if not len(rows):
        return column
    exact = [{n: v for n, v, _ in flatten(decode(text) or {})}.get(name) for text in raw.gather(rows)]
    return column.clone().scatter(rows, pl.Series(exact, dtype=pl.String))


def _as_typed(raw: pl.Series, name: str, column: pl.Series) -> pl.Series:
    """Numbers and booleans where all the block's values look so and a sample of rows has them unquoted."""
    values = column.drop_nulls()
    if not len(values):
        return column
    numeric = bool(values.str.contains(_NUMBER).all())
    if not numeric and not values.is_in(["true", "false"]).all():
        return column
    rows = column.is_not_null().arg_true()
    step = max(1, len(rows) // _SAMPLE)
    kinds: set[int] = set()
    for text in raw.gather(rows.gather_every(step)):
        kinds.update(kind for found, _, kind in flatten(decode(text) or {}) if found == name)
    if kinds == {BOOLEAN} and not numeric:
        return column.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if kinds == {NUMBER} and numeric:
        return as_number(column)
    return column


def as_number(column: pl.Series) -> pl.Series:
    """Texts of numbers as Int64, or Float64 if one is no whole number that fits."""
    whole = column.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == column.null_count() else column.cast(pl.Float64, strict=False)


def _by_row(raw: pl.Series, names: Sequence[str], *, typed: bool) -> dict[str, pl.Series]:
    wanted = set(names)
    values: dict[str, list[str | None]] = {name: [None] * len(raw) for name in names}
    kinds: dict[str, set[int]] = {name: set() for name in names}
    for row, text in enumerate(raw):
        for name, value, kind in flatten(decode(text) or {}):
            if name in wanted and values[name][row] is None:
                values[name][row] = value
                kinds[name].add(kind)
    out = {}
    for name in names:
        column = pl.Series(name, values[name], dtype=pl.String)
        if typed and kinds[name] == {NUMBER}:
            column = as_number(column)
        elif typed and kinds[name] == {BOOLEAN}:
            column = column.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        out[name] = column
    return out
