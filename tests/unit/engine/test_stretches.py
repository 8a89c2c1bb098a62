"""Which records of a block may match, found by its stretches."""

from __future__ import annotations

import polars as pl
import pytest

from logscope.engine.viewing import stretches
from logscope.records.blocks import line_bounds


@pytest.mark.parametrize("every", [1, 2, 40, 400, 10_000], ids=lambda every: f"one in {every}")
def test_records_that_hold_a_word_are_found_wherever_they_stand(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "LONG", 300)
    lines = [f"record {n} {'settled' if n % every == every // 2 else 'begun'}\n" for n in range(4000)]
    block = "".join(lines).encode()
    offsets = line_bounds(block)
    held = stretches.Held(block, offsets)
    test = pl.col("raw").str.contains("settled", literal=True)
    assert held.rows(lambda: offsets, test).to_list() == [n for n, line in enumerate(lines) if "settled" in line]
