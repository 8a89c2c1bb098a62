"""Jobs of the interface: frames painted, texts that arrive, the longest stretches of its thread."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import polars as pl

from tests.perf.timing import Result, timed


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
