"""JSON documents that hold many records in one array, as lines with a record each.

CloudTrail delivers `{"Records": [...]}`, OpenTelemetry's file exporter and OTLP over HTTP
`{"resourceLogs": [{"resource", "scopeLogs": [{"scope", "logRecords": [...]}]}]}`, one document a line or one
over many lines. A record of OTLP gets its resource's attributes, its own stand under their names.
Sources: CloudTrail user guide, "CloudTrail log file examples"; opentelemetry-proto 1.x, logs/v1/logs.proto in JSON.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from logscope.records.documents import DOCUMENT

LARGEST = 256 << 20
"""Bytes of one document; what is larger is left as it is."""

_DEPTH = 8
_BOM = b"\xef\xbb\xbf"
_PATIENCE = 8
"""How often, by bytes, a document that grows is looked at for its end."""
_TELLING = 40
"""Bytes that tell whether a text begins with a document."""


class _Trail(msgspec.Struct):
    Records: list[msgspec.Raw]


class _Scope(msgspec.Struct, rename="camel"):
    log_records: list[dict[str, Any]] = []
    scope: dict[str, Any] = {}


class _Resource(msgspec.Struct, rename="camel"):
    scope_logs: list[_Scope] = []
    resource: dict[str, Any] = {}


class _Otlp(msgspec.Struct, rename="camel"):
    resource_logs: list[_Resource]


_TRAIL = msgspec.json.Decoder(_Trail)
_OTLP = msgspec.json.Decoder(_Otlp)


class Documents:
    """Takes documents apart, wherever a source's text comes from."""

    def begins(self, head: bytes) -> bool:
        """Whether a text that begins so is such a document."""
        return DOCUMENT.match(head.removeprefix(_BOM)) is not None

    def lines(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text, each document as lines of one record; text that does not begin with one as it is."""
        left = iter(pieces)
        head = b""
        for piece in left:
            head += piece
            if self.begins(head) or not _may_begin(head):
                break
        rest = itertools.chain([head] if head else [], left)
        return records_apart(rest) if self.begins(head) else rest


def _may_begin(head: bytes) -> bool:
    """Whether more has to come to tell: a brace alone, in whatever blanks."""
    begun = head.removeprefix(_BOM).lstrip()
    return len(begun) < _TELLING and b"{".startswith(begun[:1]) and b"\n" not in begun[1:].strip()


def records_apart(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text with each such document as lines of one record; anything else as it is.

    Args:
        pieces: UTF-8 text that begins with a document, cut anywhere.
    """
    held: list[bytes] = []
    size = tried = 0
    whole, first = False, True
    left = iter(pieces)
    for piece in left:
        *lines, rest = [piece] if whole else piece.split(b"\n")
        for place, line in enumerate(lines):
            text = b"".join([*held, line])
            made = _lines_of(text)
            if made is None and (first or DOCUMENT.match(text)):
                whole = True  # a document over many lines: its end tells
                held, rest = [text, b"\n"], b"\n".join([*lines[place + 1 :], rest])
                size = len(text)
                break
            yield text + b"\n" if made is None else made
            held, size, first = [], 0, False
        held.append(rest)
        size += len(rest)
        if whole and piece.rstrip().endswith(b"}") and tried <= _PATIENCE * size:
            tried += size
            made = _lines_of(b"".join(held))
            if made is not None:
                yield made  # of a followed file the end may never come
                held, size, tried, whole, first = [], 0, 0, False, False
                continue
        if size > LARGEST:
            yield from held
            yield from left
            return
    text = b"".join(held)
    made = _lines_of(text) if text else b""
    yield text if made is None else made


def _lines_of(text: bytes) -> bytes | None:
    """A document as lines; None if it is none, or not sound."""
    text = text.removeprefix(_BOM)
    if not DOCUMENT.match(text):
        return None
    try:
        return b"".join(bytes(record).replace(b"\n", b" ").strip() + b"\n" for record in _records(text))
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return None


def _records(text: bytes) -> Iterator[bytes | msgspec.Raw]:
    if b'"resourceLogs"' not in text[: text.index(b"[")]:
        yield from _TRAIL.decode(text).Records
        return
    for each in _OTLP.decode(text).resource_logs:
        resource = _named(each.resource.get("attributes"))
        for scope in each.scope_logs:
            for record in scope.log_records:
                record["attributes"] = _named(record.get("attributes"))
                yield msgspec.json.encode(record | {"resource": resource, "scope": scope.scope.get("name")})


def _named(attributes: Any, depth: int = 0) -> dict[str, Any]:
    """OTLP's list of keys and values as an object."""
    if not isinstance(attributes, list):
        return {}
    return {str(each.get("key")): _plain(each.get("value"), depth) for each in attributes if isinstance(each, dict)}


def _plain(value: Any, depth: int) -> Any:
    """What an AnyValue holds."""
    if not isinstance(value, dict) or depth > _DEPTH:
        return value
    for kind, held in value.items():
        if kind == "kvlistValue" and isinstance(held, dict):
            return _named(held.get("values"), depth + 1)
        if kind == "arrayValue" and isinstance(held, dict):
            return [_plain(each, depth + 1) for each in held.get("values") or []]
        return held
    return None
