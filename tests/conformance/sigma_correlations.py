"""Sigma correlations against pysigma-backend-sqlite on random streams: the condition at every time."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import yaml

from logscope.query.filters import compile_filter
from logscope.records.schema import TIME
from logscope.rules.loader import load_text
from logscope.rules.windows.detector import WindowDetector
from tests.pipelines import all_records

SECOND = 1_000_000
STREAMS = 300
NAMES = ("a", "b", "c")

Alert = tuple[int, tuple[tuple[str, str], ...]]
"""When its window ends (seconds), and the names and values of its group."""


@dataclass(frozen=True)
class Event:
    """A record of a stream."""

    time: int
    kind: str
    user: str | None
    other: str | None
    value: str | None


def streams(chance: random.Random) -> list[Event]:
    """Records in no order, with equal times, missing keys and values that are no number."""
    return [
        Event(
            chance.randint(0, 60),
            chance.choice((*NAMES, "d")),
            chance.choice(("u1", "U1", "u2", None)),
            chance.choice(("u1", "u2", "u3", None)),
            chance.choice(("1", "2.5", "7", "x", "X", None, "40")),
        )
        for _ in range(chance.randint(1, 70))
    ]


def correlation(chance: random.Random, kind: str, names: tuple[str, ...], *, chained: bool = False) -> dict[str, Any]:
    """A random correlation of a type."""
    several = kind.startswith("temporal")
    rules = list(names) if several else list(names[: chance.randint(1, len(names))])
    found: dict[str, Any] = {"type": kind, "rules": rules, "timespan": f"{chance.choice((1, 3, 5, 10))}s"}
    if chance.random() < 0.8:
        found["group-by"] = ["user"]
        if chance.random() < 0.3 and not chained:
            found["group-by"] = ["who"]
            found["aliases"] = {"who": {name: chance.choice(("user", "other")) for name in rules}}
    operator = chance.choice(("gt", "gte", "gte", "lt", "lte", "eq", "neq"))
    if several:
        found["condition"] = {operator: chance.randint(1, len(rules))}
        if kind == "temporal_ordered" and operator == "gt":
            found["condition"] = {"gte": chance.randint(1, len(rules))}
        if chance.random() < 0.2:
            del found["condition"]
    else:
        bound = chance.randint(1, 4) if kind.endswith("count") else chance.choice((1, 2.5, 5, 7, 12))
        found["condition"] = {operator: bound}
        if kind.startswith("value"):
            found["condition"]["field"] = "value"
        if kind == "value_percentile":
            found["condition"]["percentile"] = chance.choice((0, 25, 50, 90, 100))
    return found


EXTENDED = (
    "a and not b", "a and b and not c", "(a or b) and not c", "a and (b or c)", "a or (b and c)", "a and not (b or c)",
    "(a and not b) or c", "not (not a or b)",
)  # fmt: skip


def documents(chance: random.Random, number: int) -> tuple[list[dict[str, Any]], str]:
    """A collection, and the name of the correlation that is compared."""
    kinds = (
        "event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median", "temporal",
        "temporal_ordered", "extended", "chain",
    )  # fmt: skip
    base = [
        {
            "title": name,
            "name": name,
            "logsource": {"category": "test"},
            "detection": {"selection": {"kind": name}, "condition": "selection"},
        }
        for name in NAMES
    ]
    kind = kinds[number % len(kinds)]
    if kind == "chain":
        first = correlation(chance, chance.choice(("event_count", "temporal", "value_count")), NAMES, chained=True)
        first.setdefault("group-by", ["user"])
        second = correlation(
            chance, chance.choice(("event_count", "temporal", "temporal_ordered")), ("low", "c"), chained=True
        )
        return [*base, _document("low", first), _document("top", second)], "top"
    if kind == "extended":
        expression = chance.choice(EXTENDED)
        body = correlation(chance, chance.choice(("temporal", "temporal_ordered")), NAMES)
        body["condition"] = expression
        body["rules"] = [name for name in NAMES if name in expression.replace("and", "").replace("not", "")]
        if "aliases" in body:
            body["aliases"] = {
                "who": {name: field for name, field in body["aliases"]["who"].items() if name in body["rules"]}
            }
        return [*base, _document("top", body)], "top"
    return [*base, _document("top", correlation(chance, kind, NAMES))], "top"


def _document(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"title": name, "name": name, "correlation": body}


def oracle(collection: list[dict[str, Any]], events: list[Event]) -> set[Alert]:
    """What the reference says."""
    from sigma.backends.sqlite import sqliteBackend
    from sigma.collection import SigmaCollection

    newest = max(event.time for event in events)
    backend = sqliteBackend(timestamp_format="unix")
    # Ours decides an absence when the newest record is later than the window's end.
    backend.observation_end = newest - 0.5
    queries = backend.convert(SigmaCollection.from_dicts(collection))
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE logs (timestamp REAL, kind TEXT, user TEXT, other TEXT, value TEXT)")
    rows = [(event.time, event.kind, event.user, event.other, event.value) for event in events]
    connection.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?)", rows)
    cursor = connection.execute(queries[-1])
    names = [column[0] for column in cursor.description]
    found = set()
    for row in cursor:
        alert = dict(zip(names, row, strict=True))
        group = json.loads(alert["group_keys"])
        found.add((int(alert["occurrence_time"]), tuple(sorted(group.items()))))
    connection.close()
    return found


def ours(collection: list[dict[str, Any]], events: list[Event], name: str) -> set[Alert]:
    """What logscope says.

    Raises:
        ValueError: The collection does not load.
    """
    with all_records():
        loaded = load_text(yaml.safe_dump_all(collection, sort_keys=False), compile_filter)
    if loaded.errors:
        raise ValueError("; ".join(map(str, loaded.errors)))
    rule = next(rule for rule in loaded.rules if rule.name == name)
    detector = WindowDetector(rule, every=True)
    moments = [event.time * SECOND for event in events]
    result = detector.step(detector.hits(frame_of(events)), watermark=max(moments), begin=min(moments), final=True)
    return {
        (one.time // SECOND, tuple(sorted((key, value[0].lower()) for key, value in one.keys.items())))
        for one in result.raised
    }


def frame_of(events: list[Event]) -> pl.DataFrame:
    """The stream as a record frame."""
    count = len(events)
    return pl.DataFrame(
        {
            "row": pl.Series(range(count), dtype=pl.UInt32),
            "source_id": pl.Series([0] * count, dtype=pl.UInt16),
            "line": pl.Series(range(1, count + 1), dtype=pl.UInt32),
            "time": pl.Series([event.time * SECOND for event in events], dtype=pl.Int64).cast(TIME),
            "message": [f"{event.kind} {place}" for place, event in enumerate(events)],
            "fields.kind": [event.kind for event in events],
            "fields.user": pl.Series([event.user for event in events], dtype=pl.String),
            "fields.other": pl.Series([event.other for event in events], dtype=pl.String),
            "fields.value": pl.Series([event.value for event in events], dtype=pl.String),
        }
    )


def cases(count: int = STREAMS) -> Iterator[tuple[int, list[dict[str, Any]], str, list[Event]]]:
    """(seed, collection, name, stream) of each comparison."""
    for seed in range(count):
        chance = random.Random(seed)
        collection, name = documents(chance, seed)
        yield seed, collection, name, streams(chance)


def run() -> int:
    """Compare all streams.

    Returns:
        0, or 1 if one differs.
    """
    wrong = alerts = 0
    for seed, collection, name, events in cases():
        wanted = oracle(collection, events)
        found = ours(collection, events, name)
        alerts += len(wanted)
        if found != wanted:
            wrong += 1
            print(
                f"  wrong: stream {seed}: {collection[-1]['correlation']}: missing {sorted(wanted - found)[:3]}, "
                f"unexpected {sorted(found - wanted)[:3]}"
            )
    print(f"correlations: {STREAMS - wrong} of {STREAMS} streams give the reference's alerts ({alerts} of them)")
    return int(wrong > 0)
