"""Jobs of correlation: keys found, values linked, and what one does with transactions then."""

from __future__ import annotations

from typing import Any

import polars as pl

from tests.perf.timing import Result, peak, timed

KEYS = (
    r"request_id=([0-9a-f]{32})",
    r"order_id=(ORD-[0-9]+)",
    r"psp_ref=(PSP[0-9]+)",
    r"session=(s-[0-9a-f]{12})",
)
"""The four keys of the shop, as a user gives them by `--key`."""


def link_files(files: list[str]) -> Result:
    """Files over four given keys: index, plan, linking, and what one does with the transactions then."""
    from logscope.engine.api import Cancel
    from logscope.engine.linking.pivots import pivot_filter
    from logscope.engine.options import Options
    from logscope.engine.session import Session

    result: Result = {}
    never = Cancel()
    session = Session(Options(sources=tuple(files), key=KEYS, auto_keys=False, cache=False))
    session.open()
    with timed(result, "index"):
        session.read_all()
    with timed(result, "plan"):
        session.correlating.prepare(cancel=never)
    with timed(result, "link"):
        session.correlating.update(cancel=never)
    result["link_memory"] = peak()
    with timed(result, "figures"):
        figures = session.transactions(cancel=never, columns=())
    with timed(result, "sort"):
        slowest = session.transactions(sort="duration", descending=True, cancel=never, columns=())
    with timed(result, "filter"):
        failing = session.transactions("errors>0 duration>1s", cancel=never, columns=())
    with timed(result, "screen"):
        session.with_columns(slowest.head(64))
    with timed(result, "open"):
        opened = session.transaction(int(slowest["number"][len(slowest) // 2]))
    with timed(result, "ways"):
        result["ways_count"] = len(session.shapes(cancel=never))
    with timed(result, "compare"):
        session.compare(int(slowest["number"][len(slowest) // 2]), cancel=never)
    name, values = next(iter(opened.keys.items()))
    with timed(result, "pivot"):
        pivoted = session.view(pivot_filter(name, name, values[0]), cancel=never)
    result |= {"records": session.store.view.records, "transactions": figures.height, "grain": session.grain()[0]}
    result |= {"failing": failing.height, "pivoted": len(pivoted.rows)}
    for _ in range(5):
        _more(session, 5_000)
        turn: Result = {}
        with timed(turn, "turn"):
            session.correlating.update(cancel=never)
        result["more"] = min(turn["turn"], result.get("more", turn["turn"]))
        result["more_cpu"] = min(turn["turn_cpu"], result.get("more_cpu", turn["turn_cpu"]))
    with timed(result, "table"):
        session.transactions(cancel=never)
    session.close()
    return result


def _more(session: Any, records: int) -> None:
    """Records once more, as if they had just come: the first of the store's longest piece, later than all."""
    store = session.store
    first = max(store.view.pieces, key=lambda one: one.records)
    index = store.view.index.slice(first.row, min(records, first.records - 1))
    end = first.base + int(store.view.index.get_column("offset")[first.row + index.height])
    newest = store.view.index.get_column("time").max()
    shift = newest - index.get_column("time").min()
    store.append(first.binding, first.base, end, index.with_columns(pl.col("time") + shift))


def discover(files: list[str]) -> Result:
    """The search for keys in files with no option at all, and linking by what it found."""
    from logscope.engine.api import Cancel
    from logscope.engine.options import Options
    from logscope.engine.session import Session

    result: Result = {}
    session = Session(Options(sources=tuple(files), cache=False))
    session.open()
    with timed(result, "index"):
        session.read_all()
    with timed(result, "discover"):
        session.correlating.prepare(cancel=Cancel())
    with timed(result, "link"):
        session.correlating.update(cancel=Cancel())
    grain, count = session.grain()[0], session.correlating.count
    result |= {"records": session.store.view.records, "transactions": count, "grain": grain}
    session.close()
    return result


def synthetic_values(records: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """KEY_VALUES of a shop and its records: requests of 3 records, orders of 10, sessions of 40; a tenth holds two keys."""
    from logscope.records import schema

    row = pl.int_range(records, dtype=pl.UInt32, eager=True).alias(schema.ROW)
    base = pl.select(
        row=row,
        time=(pl.lit(row).cast(pl.Int64) * 100 + 1_800_000_000_000_000).cast(schema.TIME),
        place=pl.lit(row) % 10,
    )

    def values(key: int, number: pl.Expr, form: str, where: pl.Expr) -> pl.DataFrame:
        return base.filter(where).select(
            schema.ROW,
            "time",
            key=pl.lit(key, pl.UInt16),
            value=pl.format(form, number),
            scope=pl.lit(None, pl.String),
        )

    parts = [
        values(0, pl.col(schema.ROW) // 10 * 3 + pl.col("place") // 4, "req{}", pl.col("place") < 9),
        values(1, pl.col(schema.ROW) // 10, "ORD-{}", pl.col("place").is_in([0, 4, 8])),
        values(2, pl.col(schema.ROW) // 10, "PSP{}", pl.col("place").is_in([8, 9])),
        values(3, pl.col(schema.ROW) // 40, "s-{}", pl.col("place") == 0),
    ]
    frame = base.select(schema.ROW, "time", source_id=pl.lit(0, pl.UInt16), line=pl.col(schema.ROW) + 1)
    return pl.concat(parts).sort(schema.ROW, "key"), frame


def link_values(records: int) -> Result:
    """The linker alone, on key values made up."""
    from logscope.correlation.keys import Key
    from logscope.correlation.linker import Linker
    from logscope.correlation.plan import Plan

    values, frame = synthetic_values(records)
    names = ("request_id", "order_id", "psp_ref", "session")
    parents = {"request_id": ("order_id",), "psp_ref": ("order_id",), "order_id": ("session",)}
    keys = tuple(Key(name, parents=parents.get(name, ()), origin="user") for name in names)
    linker = Linker(Plan(keys=keys).with_grain("order_id"))
    result: Result = {"records": records, "values": values.height}
    with timed(result, "link"):
        linker.add(values, frame)
    with timed(result, "members"):
        result["transactions"] = linker.members().get_column("transaction").n_unique()
    return result
