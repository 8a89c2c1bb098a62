"""A first batch of very many records takes shortcuts: it must give what the slow way gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from logscope.correlation.keys import Key
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Level, Plan

KEYS = (Key("order_id"), Key("request_id"), Key("ref"), Key("session_id"), Key("pid", "scoped"))
LEVELS = (
    Level("order_id", ("request_id", "ref"), ("session_id",)),
    Level(None, ("order_id", "request_id", "ref", "pid")),
)
RECORDS = 90_000


def log(shuffled: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Requests of three records, an order in every second, a reference beside it, sessions, reused pids."""
    time = (pl.col("row").cast(pl.Int64) * 700_000).cast(pl.Datetime("us", "UTC"))
    rows = pl.DataFrame({"row": pl.int_range(RECORDS, dtype=pl.UInt32, eager=True)})
    number = pl.col("row")
    request = number // 3 + number % 7 // 6
    parts = [
        (1, number % 5 < 4, pl.format("r{}", request)),
        (0, number % 6 < 2, pl.format("ORD-{}", request // 2)),
        (0, number % 997 == 0, pl.format("ORD-{}", request // 2 + 40)),
        (2, number % 6 == 1, pl.format("PSP{}", request // 2)),
        (2, number % 6 == 5, pl.format("PSP{}", request // 2)),
        (3, number % 50 == 0, pl.format("s-{}", number // 200)),
        (4, number % 11 == 0, pl.format("{}", number // 11 % 300)),
    ]
    scope = pl.when(pl.col("key") == 4).then(pl.lit("h/s"))
    values = pl.concat(
        [
            rows.filter(which).select("row", time=time, key=pl.lit(key, pl.UInt16), value=value)
            for key, which, value in parts
        ]
    ).with_columns(scope=scope)
    source = (number % 2).cast(pl.UInt16)
    records = rows.select("row", time=time.dt.truncate("5s"), source_id=source, line=(RECORDS - number).cast(pl.UInt32))
    values = (
        values.drop("time").join(records.select("row", "time"), on="row").select("row", "time", "key", "value", "scope")
    )
    if shuffled:
        return values.sample(fraction=1, shuffle=True, seed=1), records.sample(fraction=1, shuffle=True, seed=2)
    return values.unique().sort("row", "key", "value", "scope"), records


def outcome(linker: Linker) -> pl.DataFrame:
    ids = linker.identities()
    assert ids["id"].is_unique().all()
    return (
        linker.members().join(ids.select("transaction", "id"), on="transaction").select("id", "row").sort("id", "row")
    )


@pytest.mark.parametrize("grain", ["order_id", None])
def test_one_batch_or_several_sorted_or_not(grain: str | None) -> None:
    plan = Plan(keys=KEYS, grain=grain, levels=LEVELS)
    values, records = log(shuffled=False)
    whole = Linker(plan)
    delta = whole.add(values, records)
    expected = outcome(whole)
    assert delta.rows.to_list() == expected["row"].unique().sort().to_list()
    assert delta.transactions.to_list() == whole.members()["transaction"].unique().sort().to_list()
    mixed = Linker(plan)
    mixed.add(*log(shuffled=True))
    assert outcome(mixed).equals(expected)
    several = Linker(plan)
    several.add(values.filter(pl.col("row") % 100 == 99), records)
    for part in range(3):
        several.add(values.filter((pl.col("row") % 100 != 99) & (pl.col("row") % 3 == part)), records)
    assert outcome(several).equals(expected)


_MILLION = """
import resource
import polars as pl
from logscope.correlation.keys import Key
from logscope.correlation.linker import Linker
from logscope.correlation.plan import Level, Plan

rows = pl.DataFrame({"row": pl.int_range(1_000_000, dtype=pl.UInt32, eager=True)})
time = pl.lit(0).cast(pl.Datetime("us", "UTC"))
values = rows.select("row", time=time, key=pl.lit(0, pl.UInt16), value=pl.format("request-{}", "row"), scope=pl.lit(None, pl.String))
records = rows.select("row", time=time, source_id=pl.lit(0, pl.UInt16), line="row")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
linker = Linker(Plan(keys=(Key("request_id"),), grain="request_id", levels=(Level("request_id", ()),)))
linker.add(values, records)
assert linker.identities().height == 1_000_000
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_million_distinct_values_take_bounded_memory() -> None:
    root = Path(__file__).resolve().parents[2]  # an earlier test of this worker may have gone elsewhere
    run = subprocess.run(
        [sys.executable, "-c", _MILLION], capture_output=True, text=True, timeout=120, check=True, cwd=root
    )
    assert int(run.stdout) < 600
