"""A case as a file: pins with notes, and what opens the same logs the same way.

A case file may come from a stranger. It names files to read and how (formats, plan, rules, all of them data); it
starts nothing: no listener, no program, no configuration, no action. docs/cases.md has the format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from logscope.engine.options import Options
from logscope.engine.pinned import CaseFile, Pin
from logscope.errors import UsageError

VERSION = 1
MOST_BYTES = 16 << 20
"""A file beyond it is none of ours."""
MOST_PINS = 1_000
_TUPLES = ("format", "tz", "offset", "encoding", "key", "keys", "formats", "rules")
_TEXTS = ("since", "until", "grain", "plan")
_PATHS = ("formats", "rules", "plan")
_SPANS = ("max_gap", "max_span", "idle")


def kept_options(options: Options) -> tuple[tuple[str, Any], ...]:
    """The options that decide what is read and what belongs together, where they are not the defaults.

    Args:
        options: Of the session.
    """
    usual = Options()
    names = (*_TUPLES, *_TEXTS, *_SPANS)
    told = [(name, _whole(name, options)) for name in names if getattr(options, name) != getattr(usual, name)]
    return (*told, *([("auto_keys", False)] if not options.auto_keys else []))


def whole_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Sources as they can be named from any folder; what came through a pipe is left out."""
    return tuple(source if "://" in source else str(Path(source).absolute()) for source in sources if source != "-")


def _whole(name: str, options: Options) -> Any:
    """An option's value; paths so that they can be read from any folder."""
    value = getattr(options, name)
    if name not in _PATHS:
        return value
    return str(Path(value).absolute()) if isinstance(value, str) else tuple(str(Path(one).absolute()) for one in value)


def to_object(case: CaseFile) -> dict[str, Any]:
    """The case as JSON has it."""
    told: dict[str, Any] = {
        "logscope_case": VERSION,
        "name": case.name,
        "saved": case.saved,
        "sources": list(case.sources),
        "options": {name: list(value) if isinstance(value, tuple) else value for name, value in case.options},
        "notes": case.notes,
        "pins": [_pin_object(pin) for pin in case.pins],
    }
    if case.state is not None:
        told["view"] = case.state
    if case.place is not None:
        told["place"] = list(case.place)
    return told


def _pin_object(pin: Pin) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": pin.kind, "source": pin.source, "line": pin.line, "title": pin.title}
    if pin.kind == "transaction":
        told |= {"transaction": pin.transaction, "keys": [list(key) for key in pin.keys]}
    return told | ({"note": pin.note} if pin.note else {})


def read_case(path: Path) -> CaseFile:
    """A case from a file: one that was kept, or a report as JSON.

    Raises:
        UsageError: It cannot be read, or is no case.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"cannot read the case: {error.strerror}", str(path), mend="name a kept case or a file"
        ) from error
    if len(data) > MOST_BYTES:
        raise UsageError("this is no case: it is larger than 16 MiB", str(path), mend="name a case's file")
    try:
        told = json.loads(data)
        return from_object(told.get("case", told) if isinstance(told, dict) else told)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"this is no case: {error}", str(path), mend="name a kept case, or a report as .json"
        ) from error


def from_object(told: Any) -> CaseFile:
    """A case from JSON; what it does not know is passed over.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(told, dict) or not isinstance(told.get("logscope_case"), int):
        raise ValueError("it has no member logscope_case")
    if told["logscope_case"] > VERSION:
        raise ValueError(f"it is of a later version, {told['logscope_case']}")
    pins = _list(told, "pins")
    if len(pins) > MOST_PINS:
        raise ValueError(f"it pins more than {MOST_PINS:,}")
    place, saved = told.get("place"), told.get("saved")
    stood = isinstance(place, list) and len(place) == 2 and isinstance(place[0], str) and isinstance(place[1], int)
    return CaseFile(
        name=_text(told, "name"),
        sources=tuple(_texts(told, "sources")),
        options=_options(told.get("options") or {}),
        notes=_text(told, "notes"),
        pins=tuple(_pin(one) for one in pins),
        state=told.get("view"),
        place=(place[0], place[1]) if stood and place else None,
        saved=float(saved) if isinstance(saved, int | float) else 0.0,
    )


def _list(told: dict[str, Any], name: str) -> list[Any]:
    value = told.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    return value


def _texts(told: dict[str, Any], name: str) -> list[str]:
    values = _list(told, name)
    if not all(isinstance(one, str) for one in values):
        raise ValueError(f"{name} holds what is no text")
    return values


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name) or ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _options(told: Any) -> tuple[tuple[str, Any], ...]:
    if not isinstance(told, dict):
        raise ValueError("options is no object")
    known: list[tuple[str, Any]] = []
    for name, value in told.items():
        if name in _TUPLES:
            known.append((name, tuple(_texts(told, name))))
        elif (
            (name in _TEXTS and isinstance(value, str))
            or (name in _SPANS and isinstance(value, int) and not isinstance(value, bool) and value >= 0)
            or (name == "auto_keys" and value is False)
        ):
            known.append((name, value))
        else:
            raise ValueError(f"options may not set {str(name)[:40]!r}")
    return tuple(known)


def _pin(told: Any) -> Pin:
    if not isinstance(told, dict) or told.get("kind") not in ("record", "transaction"):
        raise ValueError("a pin is neither record nor transaction")
    line = told.get("line")
    if not isinstance(line, int) or not 0 <= line < 1 << 32:
        raise ValueError("a pin has no line")
    keys = [(str(one[0]), str(one[1])) for one in _list(told, "keys") if isinstance(one, list) and len(one) == 2]
    texts = {
        one.name: _text(told, one.name) for one in fields(Pin) if one.name in ("source", "note", "title", "transaction")
    }
    return Pin(kind=told["kind"], line=line, keys=tuple(keys), **texts)


def plain_sources(case: CaseFile) -> tuple[str, ...]:
    """The sources of a case that may be opened because a file says so: files.

    Args:
        case: From a file.

    Raises:
        UsageError: It names what listens or starts a program: that is always typed by the user.
    """
    for source in case.sources:
        if "://" in source and not source.startswith("spool://"):
            raise UsageError(
                f"the case names {source}",
                case.name,
                mend="a case opens files only: name the sources yourself after it",
            )
    return tuple(source for source in case.sources if source != "-")
