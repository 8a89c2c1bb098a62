"""Linking is a pure function of records and plan: cuts and order of arrival do not change it."""

from __future__ import annotations

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from logscope.correlation.keys import Key
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Level, Plan
from logscope.records.schema import KEY_VALUES

SCHEMA = {"row": pl.UInt32, "time": pl.Int64, "key": pl.UInt16, "value": pl.String, "scope": pl.String}
KEYS = (Key("order_id"), Key("request_id"), Key("pid", "scoped"), Key("session_id"))
LEVELS = (
    Level("order_id", ("request_id", "pid"), ("session_id",)),
    Level("request_id", ("pid",), ("order_id", "session_id")),
    Level("pid", ("request_id",), ("order_id",)),
    Level(None, ("order_id", "request_id", "pid", "session_id")),
)
MINUTE = 60_000_000


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[int, int, list[tuple[int, str, str | None]]]]:
    """Records: (row, time, [(key, value, scope)])."""
    count = draw(st.integers(1, 10))
    value = st.tuples(st.integers(0, 3), st.sampled_from("abc"))
    records = []
    for row in range(count):
        time = draw(st.integers(0, 12)) * 6 * MINUTE
        held = draw(st.lists(value, max_size=3, unique=True))
        records.append((row, time, [(key, f"{key}{text}", "h/p" if key == 2 else None) for key, text in held]))
    return records


def frames(records: list[tuple[int, int, list[tuple[int, str, str | None]]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    time = pl.from_epoch("time", "us").dt.replace_time_zone("UTC")
    values = pl.DataFrame(
        [(row, at, key, value, scope) for row, at, held in records for key, value, scope in held],
        schema=SCHEMA,
        orient="row",
    ).with_columns(time)
    index = pl.DataFrame(
        [(row, at, row % 2, row + 1) for row, at, _ in records],
        schema={"row": pl.UInt32, "time": pl.Int64, "source_id": pl.UInt16, "line": pl.UInt64},
        orient="row",
    ).with_columns(time)
    assert list(values.schema) == list(KEY_VALUES)
    return values, index


def outcome(linker: Linker) -> dict[str, list[int]]:
    members = linker.members()
    ids = linker.identities()
    assert ids["id"].is_unique().all()
    joined = members.join(ids, on="transaction", how="left")
    assert joined["id"].null_count() == 0
    return {str(name): sorted(part["row"].to_list()) for (name,), part in joined.group_by("id")}


@settings(max_examples=30, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    logs(),
    st.sampled_from(["order_id", "request_id", "pid", None]),
    st.sampled_from([None, 20 * MINUTE]),
    st.sampled_from([1, 50]),
    st.randoms(use_true_random=False),
    st.lists(st.integers(1, 5), max_size=6),
)
def test_cuts_and_order_of_arrival_do_not_matter(records, grain, gap, hub, random, cuts) -> None:  # type: ignore[no-untyped-def]
    plan = Plan(keys=KEYS, grain=grain, levels=LEVELS, max_gap_us=gap, hub_degree=hub)
    batch = Linker(plan)
    batch.add(*frames(records))
    shuffled = list(records)
    random.shuffle(shuffled)
    live = Linker(plan)
    known: dict[int, set[int]] = {}
    while shuffled:
        size = cuts.pop() if cuts else 1
        part, shuffled = shuffled[:size], shuffled[size:]
        delta = live.add(*frames(part))
        now: dict[int, set[int]] = {}
        for number, row in live.members().iter_rows():
            now.setdefault(row, set()).add(number)
        changed = {row for row in now.keys() | known.keys() if now.get(row) != known.get(row)}
        assert set(delta.rows.to_list()) == changed
        numbers = set().union(*now.values()) if now else set()
        assert set(delta.transactions.to_list()) <= numbers
        assert not set(delta.removed) & numbers
        # To none where a value that held them together became a hub.
        assert set(delta.removed.values()) - {None} <= numbers
        known = now
        rows = pl.Series("row", sorted(now), dtype=pl.UInt32)
        assert sorted(live.groups_of(rows).iter_rows()) == sorted((r, n) for r, ns in now.items() for n in ns)
    assert outcome(live) == outcome(batch)
    assert live.hubs().rows() == batch.hubs().rows()
