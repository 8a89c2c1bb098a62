"""What is measured inside a process of its own: `python -m tests.perf.jobs NAME JSON` prints JSON.

A process each, so that peak memory is one job's and no cache of one warms another.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import polars as pl

from tests.perf.bigjobs import within
from tests.perf.linkjobs import discover, link_files, link_values
from tests.perf.livejobs import live_stages
from tests.perf.restartjobs import restart
from tests.perf.rulejobs import live_blocks, transaction_rules
from tests.perf.screenjobs import frames, jumps, stretches
from tests.perf.sigmajobs import live_sigma, sigma_rules
from tests.perf.timing import Result, timed


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
