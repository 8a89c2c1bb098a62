from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logscope.layout.histogram import BLOCKS, bars, eighths, sparkline


@given(st.lists(st.integers(0, 10**9), max_size=80), st.integers(1, 3))
def test_bars_keep_the_order_of_values_and_show_everything(values: list[int], height: int) -> None:
    high = eighths(values, height)
    assert all((one > 0) == (value > 0) for one, value in zip(high, values, strict=True))
    assert all(0 <= one <= 8 * height for one in high)
    pairs = sorted(zip(values, high, strict=True))
    assert [one for _, one in pairs] == sorted(high)


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 7), max_size=40))
def test_a_bar_knows_its_worst_level(counts: list[tuple[int, ...]]) -> None:
    for bar, levels in zip(bars(counts, [0] * len(counts), 2), counts, strict=True):
        assert len(bar.cells) == 2
        assert bar.records == sum(levels)
        assert all(not count for count in levels[bar.level + 1 :])


def test_sparkline() -> None:
    assert sparkline([0, 1, 8]) == " ▁█"
    assert sparkline([]) == ""
    assert len(BLOCKS) == 9
