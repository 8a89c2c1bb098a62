"""Rules measured: many over many transactions, and in blocks as they come live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import polars as pl

Result = dict[str, Any]

_WORDS = ("charge begin", "psp response", "charge settled", "mail queued")
_BEGIN = 1_800_000_000_000_000


def transaction_rules(transactions: int, rules: int) -> Result:
    """Sequences with an absence by transaction, one after the other over the same records."""
    from logscope.rules.detector import Detector

    frame, members = _records(0, 4 * transactions)
    result: Result = {"records": frame.height, "rules": rules, "detections": 0}
    begun, cpu = time.perf_counter(), time.process_time()
    for rule in _rules(rules):
        detector = Detector(rule, max_hits=frame.height + 1)
        told = detector.step(
            detector.hits(frame),
            watermark=2 * _BEGIN,
            begin=_BEGIN,
            final=True,
            membership=lambda rows: (
                members if len(rows) == members.height else members.join(rows.to_frame("row"), on="row", how="semi")
            ),
        )
        result["detections"] += len(told.raised)
    result |= {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
    return result


def live_blocks(blocks: int, height: int, rules: int) -> Result:
    """Blocks of records as they come, every rule stepped after each: the time of a block."""
    from logscope.rules.detector import Detector
    from logscope.rules.sharing import Sharing

    detectors = [Detector(rule) for rule in _rules(rules)]
    sharing = Sharing(detector.rule for detector in detectors)
    times: list[float] = []
    detections = 0
    cpu = time.process_time()
    for block in range(blocks):
        frame, members = _records(block * height, height)
        newest = frame["time"].to_physical().max()
        assert isinstance(newest, int)
        begun = time.perf_counter()
        with sharing.over(frame):
            hits = [detector.hits(frame) for detector in detectors]
        for detector, found in zip(detectors, hits, strict=True):
            told = detector.step(
                found,
                watermark=newest - 2_000_000,
                begin=_BEGIN,
                membership=lambda rows: rows.to_frame("row").with_columns(transaction=pl.col("row") // 4),
                changed=members["row"],
            )
            detections += len(told.raised)
        times.append(time.perf_counter() - begun)
    ordered = sorted(times)
    return {
        "cpu": (time.process_time() - cpu) / blocks, "median": ordered[len(ordered) // 2], "worst": ordered[-1], "detections": detections, "seconds": sum(times)
    }  # fmt: skip


def _rules(count: int) -> Iterator[Any]:
    from logscope.query.filters import compile_filter
    from logscope.rules.loader import rule_from_sequence

    begin, response, settled, _ = _WORDS
    for number in range(count):
        text = (
            f'seq by transaction maxspan {number + 5}m: ["{begin}"] ["{response}"] maxpause {number + 2}s '
            f'not ["{settled}"] within {number + 10}s'
        )
        yield rule_from_sequence(text, compile_filter, name=f"rule{number}")


def _records(first: int, count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records of transactions of four each; one in a thousand never settles."""
    from logscope.records import schema

    row = pl.int_range(first, first + count, dtype=pl.UInt32, eager=True)
    step, number = row % 4, row // 4
    lost = (step == 2) & (number % 1000 == 7)
    place = step.zip_with(~lost, pl.Series([3], dtype=step.dtype).new_from_index(0, count))
    texts = pl.Series(list(_WORDS)).gather(place)
    moment = number.cast(pl.Int64) * 4_000 + step.cast(pl.Int64) * 1_000_000 + _BEGIN
    frame = pl.DataFrame(
        {
            schema.ROW: row,
            "source_id": pl.Series([0], dtype=pl.UInt16).new_from_index(0, count),
            "line": row + 1,
            "time": moment.cast(schema.TIME),
            "message": texts,
            "raw": texts,
        }
    )
    return frame, pl.DataFrame({schema.ROW: row, "transaction": number})
