"""Sigma rules measured: over what is there, and in blocks as they come live."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import polars as pl

Result = dict[str, Any]

BLOCK = 5_000


def _rules(folder: str, count: int) -> tuple[Any, ...]:
    from logscope.engine.detection.ruleset import load_files

    files = sorted(Path(folder).rglob("*.yml"))
    return tuple(rule for rule in load_files(files).rules if rule.sequence is not None)[:count]


def sigma_rules(files: list[str], folder: str, count: int) -> Result:
    """Many rules over a session's files: their reading, the index, and all of them over all records."""
    from logscope.engine.api import Cancel
    from logscope.engine.detection.detecting import Detecting
    from logscope.engine.options import Options
    from logscope.engine.session import Session

    result: Result = {}
    marks = [(time.perf_counter(), time.process_time())]

    def mark(name: str) -> None:
        marks.append((time.perf_counter(), time.process_time()))
        result[name], result[name + "_cpu"] = (
            after - before for after, before in zip(marks[-1], marks[-2], strict=True)
        )

    rules = _rules(folder, count)
    mark("load")
    options = Options(sources=tuple(files), grain="none", auto_keys=False, cache=False)
    session = Session(options)
    session.open()
    session.read_all()
    mark("index")
    detecting = Detecting(session.store, session.frames, session.correlating, options, lambda place: str(place), rules)
    told = detecting.update(None, cancel=Cancel(), final=True)
    mark("rules_take")
    result |= {"rules": len(rules), "records": session.store.view.records, "detections": len(told.raised)}
    result["mapped"] = sum(rule.unmapped is None for rule in rules)
    session.close()
    return result


def live_sigma(file: str, folder: str, count: int, blocks: int) -> Result:
    """Blocks of records as they come, every rule stepped after each; their columns are parsed before."""
    from logscope.engine.options import Options
    from logscope.engine.session import Session
    from logscope.rules.detector import Detector
    from logscope.rules.sharing import Sharing

    rules = _rules(folder, count)
    detectors = [Detector(rule) for rule in rules]
    sharing = Sharing(rules)
    columns = {name for detector in detectors for name in detector.columns if not name.startswith("keys.")}
    session = Session(Options(sources=(file,), cache=False))
    session.open()
    session.read_all()
    view = session.store.view
    frame = pl.concat(
        [session.frames.segment(each, view, columns) for each in view.since(0)][:4], how="diagonal_relaxed"
    )
    blocks = min(blocks, frame.height // BLOCK)
    times: list[float] = []
    cpu = time.process_time()
    for number in range(blocks):
        block = frame.slice(number * BLOCK, BLOCK)
        newest = block["time"].to_physical().max()
        assert isinstance(newest, int)
        begun = time.perf_counter()
        with sharing.over(block):
            for detector in detectors:
                detector.step(detector.hits(block), watermark=newest - 2_000_000, begin=0)
        times.append(time.perf_counter() - begun)
    spent = (time.process_time() - cpu) / max(blocks, 1)
    session.close()
    ordered = sorted(times)
    return {"median": ordered[len(ordered) // 2], "worst": ordered[-1], "cpu": spent, "blocks": blocks}
