"""A filter over a session, segment by segment and cached, gives what plain Python gives record by record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logscope.engine.api import Cancel
from logscope.engine.options import Options
from logscope.engine.session import Session
from logscope.records.severity import LEVELS

Record = dict[str, Any]
Check = Callable[[Record], bool]

WORDS = ("charge", "begin", "Settled", "größe", "50%", "a_b")
LEVEL_NAMES = ("debug", "info", "warn", "error")


def _texts() -> dict[str, str]:
    """Two files whose records interleave, in three formats, with equal times."""
    lines: dict[str, list[str]] = {"a.log": [], "b.log": []}
    for number in range(160):
        time = f"2026-11-01T10:00:{number // 3 % 60:02}.000000Z"
        level = LEVEL_NAMES[number * 7 % 4]
        message = " ".join(WORDS[number * step % len(WORDS)] for step in (1, 3, 5))
        entry = {"time": time, "level": level, "service": f"s{number % 3}", "message": message}
        if number % 2:
            entry["order"] = f"ORD-{number % 5}"
            lines["a.log"].append(json.dumps(entry | {"amount": number % 7}, ensure_ascii=False))
        else:
            order = f" order=ORD-{number % 5}" if number % 4 else ""
            lines["b.log"].append(
                f'ts={time} level={level} service=s{number % 3} msg="{message}"{order} amount={number % 7}'
            )
    return {name: "".join(f"{line}\n" for line in found) for name, found in lines.items()}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, list[tuple[int, Record]]]]:
    """The session, and its records in order with their rows."""
    folder: Path = tmp_path_factory.mktemp("filters")
    for name, text in _texts().items():
        (folder / name).write_text(text)
    opened = Session(Options(sources=(str(folder / "a.log"), str(folder / "b.log"))))
    opened.open()
    opened.read_all()
    rows = opened.view("", cancel=Cancel()).rows
    view = opened.store.view
    fields = opened.frames.fields(rows, view)
    frame = opened.frames.rows(rows, view, ["time", "source_id", "line", "level", "service", "raw"])
    known = [
        (record["row"], {str(entry["name"]): entry["value"] for entry in values} | record)
        for record, values in zip(frame.iter_rows(named=True), fields, strict=True)
    ]
    assert len(known) == 160
    order = [(record["time"], record["source_id"], record["line"]) for _, record in known]
    assert order == sorted(order)
    yield opened, known
    opened.close()


def _word(text: str) -> tuple[str, Check]:
    quoted = f'"{text}"'
    return quoted, lambda record: text.lower() in record["raw"].lower()


def _level(name: str) -> tuple[str, Check]:
    number = LEVELS.index(name) + 1
    return f"level>={name}", lambda record: record["level"] >= number


def _amount(number: int) -> tuple[str, Check]:
    return f"amount<{number}", lambda record: "amount" in record and int(record["amount"]) < number


def _order(number: int) -> tuple[str, Check]:
    return f"order:ord-{number}", lambda record: record.get("order", "").lower() == f"ord-{number}"


LEAVES = (
    st.sampled_from(WORDS).map(_word)
    | st.sampled_from(LEVEL_NAMES).map(_level)
    | st.integers(0, 7).map(_amount)
    | st.integers(0, 4).map(_order)
    | st.sampled_from(("s0", "s1")).map(lambda name: (f"service={name}", lambda record: record["service"] == name))
    | st.just(("order:*", lambda record: "order" in record))
    | st.just(("not order=ORD-1", lambda record: record.get("order") != "ORD-1"))
    | st.just(("order!=ORD-1", lambda record: record.get("order", "ORD-1") != "ORD-1"))
)


def _both(parts: list[tuple[str, Check]]) -> tuple[str, Check]:
    return " ".join(f"({text})" for text, _ in parts), lambda record: all(check(record) for _, check in parts)


def _either(parts: list[tuple[str, Check]]) -> tuple[str, Check]:
    return " or ".join(f"({text})" for text, _ in parts), lambda record: any(check(record) for _, check in parts)


def _negated(part: tuple[str, Check]) -> tuple[str, Check]:
    return f"-({part[0]})", lambda record: not part[1](record)


FILTERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(_both)
        | st.lists(inner, min_size=2, max_size=3).map(_either)
        | inner.map(_negated)
    ),
    max_leaves=6,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILTERS, FILTERS)
def test_index_is_naive_filter(
    session: tuple[Session, list[tuple[int, Record]]], first: tuple[str, Check], second: tuple[str, Check]
) -> None:
    opened, known = session
    wide = opened.view(first[0], cancel=Cancel())
    assert wide.rows.to_list() == [row for row, record in known if first[1](record)]
    within = opened.view(second[0], cancel=Cancel(), base=wide)
    expected = [row for row, record in known if first[1](record) and second[1](record)]
    assert within.rows.to_list() == expected
    found = opened.find(opened.view("", cancel=Cancel()), second[0], -1, backwards=False, cancel=Cancel())
    assert found == next((place for place, (_, record) in enumerate(known) if second[1](record)), None)
