"""What is measured inside a process of its own: `python -m tests.perf.jobs NAME JSON` prints JSON.

A process each, so that peak memory is one job's and no cache of one warms another.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from tests.perf.bigjobs import within
from tests.perf.livejobs import live_stages
from tests.perf.restartjobs import restart
from tests.perf.rulejobs import live_blocks, transaction_rules
from tests.perf.sigmajobs import live_sigma, sigma_rules

Result = dict[str, Any]

KEYS = (
    r"request_id=([0-9a-f]{32})",
    r"order_id=(ORD-[0-9]+)",
    r"psp_ref=(PSP[0-9]+)",
    r"session=(s-[0-9a-f]{12})",
)
"""The four keys of the shop, as a user gives them by `--key`."""


@contextmanager
def timed(result: Result, name: str) -> Iterator[None]:
    """Notes wall clock and processor seconds as `name` and `name_cpu`."""
    cpu, wall = _cpu(), time.perf_counter()
    yield
    result[name], result[name + "_cpu"] = time.perf_counter() - wall, _cpu() - cpu


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def filters(files: list[str], literal: str, regex: str) -> Result:
    """Three filters over all text and one over the index, in one session."""
    from logscope.engine.api import Cancel
    from logscope.engine.options import Options
    from logscope.engine.session import Session

    result: Result = {}
    session = Session(Options(sources=tuple(files), cache=False))
    session.open()
    with timed(result, "index"):
        session.read_all()
    asked = {"literal": f'"{literal}"', "regex": f"/{regex}/", "again": '"order_paid"', "level": "level>=warn"}
    for name, text in asked.items():
        with timed(result, name):
            view = session.view(text, cancel=Cancel())
        result[name + "_hits"] = len(view.rows)
    session.close()
    return result


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
    result["link_memory"] = _peak()
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


def _peak() -> int:
    """Peak resident memory so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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


def sequence(records: int) -> Result:
    """Three steps with an absence over transactions of four records; one in a thousand never settles."""
    from logscope.query.filters import compile_filter
    from logscope.records import schema
    from logscope.rules.detector import Detector
    from logscope.rules.loader import rule_from_sequence

    text = 'seq by transaction maxspan 5m: ["charge begin"] ["psp response"] not ["charge settled"] within 30s'
    detector = Detector(rule_from_sequence(text, compile_filter), max_hits=records + 1)
    row = pl.int_range(records, dtype=pl.UInt32, eager=True)
    step, number = row % 4, row // 4
    words = pl.Series(["charge begin", "psp response", "charge settled", "mail queued"])
    lost = (step == 2) & (number % 1000 == 7)
    place = step.zip_with(~lost, pl.Series([3], dtype=step.dtype).new_from_index(0, records))
    frame = pl.DataFrame(
        {
            schema.ROW: row,
            "source_id": pl.Series([0], dtype=pl.UInt16).new_from_index(0, records),
            "line": row + 1,
            "time": (number.cast(pl.Int64) * 400 + step.cast(pl.Int64) * 1_000_000 + 1_800_000_000_000_000).cast(
                schema.TIME
            ),
            "message": words.gather(place),
            "raw": words.gather(place),
        }
    )
    result: Result = {"records": records}
    with timed(result, "select"):
        hits = detector.hits(frame)
    result["hits"] = hits.height
    del frame
    with timed(result, "step"):
        told = detector.step(
            hits,
            watermark=2_000_000_000_000_000,
            begin=1_800_000_000_000_000,
            final=True,
            # A gather, as the linker answers it: who has joined the records before is not what is measured.
            membership=lambda rows: pl.DataFrame({schema.ROW: rows, "transaction": number.gather(rows)}),
        )
    result["detections"] = len(told.raised)
    return result


def frames(file: str, heights: list[int], width: int, height: int) -> Result:
    """Time to paint the records view anew at random places, over stores of several heights."""
    return asyncio.run(_frames(file, heights, width, height))


async def _frames(file: str, heights: list[int], width: int, height: int) -> Result:
    from logscope.engine.options import Options
    from logscope.engine.session import Session
    from logscope.tui.app import LogscopeApp

    session = Session(Options(sources=(file,), cache=False))
    session.open()
    session.read_all()
    session.loading.step()
    result: Result = {}
    for wanted in sorted(heights):
        _grow(session, wanted)
        with timed(result, f"order_{wanted}"):
            session.store.ordered()
        app = LogscopeApp(session)
        result |= await _painted(app, wanted, width, height, random.Random(1))
        result[f"rows_{wanted}"] = len(session.store.ordered())
    session.close()
    return result


def jumps(files: list[str], width: int, height: int) -> Result:
    """How long the text of a random place takes to arrive where each screen holds records of several sources."""
    from logscope.engine.options import Options
    from logscope.engine.session import Session
    from logscope.tui.app import LogscopeApp

    session = Session(Options(sources=tuple(files), cache=False))
    session.open()
    session.read_all()
    session.loading.step()
    records = session.store.view.records
    found = asyncio.run(_painted(LogscopeApp(session), records, width, height, random.Random(1)))
    session.close()
    return {"records": records, "jump": found[f"jump_{records}"], "worst_jump": found[f"worst_jump_{records}"]}


async def _painted(app: Any, wanted: int, width: int, height: int, chance: random.Random) -> Result:
    """Times of frames of a running app whose view has `wanted` records."""
    from textual.geometry import Region

    from logscope.tui.widgets.record_list import RecordList

    async with app.run_test(size=(width, height)):
        await _until(lambda: any(one.rows >= wanted for one in app.screen.query(RecordList)))
        await _until(lambda: not app.screen.queries.running)
        records = app.screen.query(RecordList).first()
        region = Region(0, 0, records.size.width, records.size.height)
        paints, waits, steps = [], [], []
        for _ in range(30):
            begun = time.perf_counter()
            records.go(chance.randrange(wanted), center=True)
            await _until(lambda: records.line() is not None)
            waits.append(time.perf_counter() - begun)
            records.repaint()
            begun = time.perf_counter()
            records.render_lines(region)
            paints.append(time.perf_counter() - begun)
            records.scroll_to(y=records.scroll_offset.y + 1, animate=False, immediate=True, force=True)
            begun = time.perf_counter()
            records.render_lines(region)
            steps.append(time.perf_counter() - begun)
    return {
        f"worst_jump_{wanted}": max(waits),
        f"paint_{wanted}": sorted(paints)[15],
        f"worst_{wanted}": max(paints),
        f"step_{wanted}": sorted(steps)[15],
        f"jump_{wanted}": sorted(waits)[15],
    }


def _grow(session: Any, wanted: int) -> None:
    """Repeat the first piece of the store until it holds `wanted` records, each time later."""
    store = session.store
    first = max(store.view.pieces[:2], key=lambda one: one.records)
    index = store.view.index.slice(first.row, first.records)
    times = index.get_column("time").to_physical()
    step = int(times.max()) - int(times.min()) + 1_000_000
    newest = int(store.view.index.get_column("time").to_physical().max())
    shift = newest - int(times.min()) + 1_000_000
    while store.view.records < wanted:
        rows = min(first.records, wanted - store.view.records)
        part = index.head(rows).with_columns(pl.col("time") + pl.duration(microseconds=shift))
        store.append(first.binding, first.base, first.end, part)
        shift += step


def stretches(files: list[str], width: int, height: int) -> Result:
    """The longest stretch of the interface's thread while keys are pressed, per kind of work."""
    return asyncio.run(_stretches(files, width, height))


async def _stretches(files: list[str], width: int, height: int) -> Result:
    from logscope.engine.options import Options
    from logscope.engine.session import Session
    from logscope.tui.app import LogscopeApp
    from logscope.tui.widgets.record_list import RecordList
    from tests.perf.stalls import KEYS, Beats

    session = Session(Options(sources=tuple(files)))
    session.open()
    session.start()
    app = LogscopeApp(session)
    beats, result = Beats(), Result()
    async with app.run_test(size=(width, height)) as pilot:
        await _until(lambda: not app.snapshot.loading and any(one.rows for one in app.screen.query(RecordList)))
        for what, keys in KEYS:
            beats.start()
            for key in keys:
                await pilot.press(key)
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.0)
            result[what] = beats.stop()
        result["records"] = session.store.view.records
    session.close()
    return result


async def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError("the view was not painted within two minutes")
        await asyncio.sleep(0.002)


def unpack(path: str) -> Result:
    """A compressed file through the source that reads it, to its end."""
    from pathlib import Path

    from logscope.sources.base import SourceSpec
    from logscope.sources.opening import open_source

    result: Result = {}
    with timed(result, "unpack"), open_source(SourceSpec(path, "file", Path(path))) as source:
        while not source.finished():
            time.sleep(0.005)
    return result


JOBS: dict[str, Callable[..., Result]] = {
    job.__name__: job
    for job in (
        filters,
        unpack,
        within,
        link_files,
        link_values,
        discover,
        sequence,
        frames,
        jumps,
        stretches,
        transaction_rules,
        live_blocks,
        sigma_rules,
        live_sigma,
        live_stages,
        restart,
    )
}


if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](**json.loads(sys.argv[2]))))
