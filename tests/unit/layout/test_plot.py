from __future__ import annotations

import pytest

from logscope.layout.plot import bars, columns, lines


def test_values_are_put_together_and_spread() -> None:
    assert columns([1, 2, 3, 4], 2, add=True) == [3, 7]
    assert columns([1, 2, None, 4], 2, add=False) == [2, 4]
    assert columns([1, None], 4, add=False) == [1, 1, None, None]
    assert columns([], 2, add=False) == [None, None]


def test_bars_reach_from_an_eighth_to_the_top() -> None:
    assert bars([0, 1, 8, 16, None], 2) == ["   █ ", " ▁██ "]
    assert bars([4], 1, top=8) == ["▄"]
    assert bars([], 2) == ["", ""]


def test_a_line_is_of_braille_dots_with_gaps() -> None:
    assert lines([0, 3], 1, 1) == ["⣸"]
    assert lines([0, 0, None, None], 2, 1) == ["⣀ "]
    drawn = lines([0, 10, 0], 6, 3)
    assert [len(row) for row in drawn] == [6, 6, 6]


@pytest.mark.parametrize("width", [1, 7, 200])
def test_a_plot_is_as_wide_as_asked(width: int) -> None:
    values = [float(value % 13) for value in range(97)]
    assert {len(row) for row in lines(values, width, 5)} == {width}
    assert {len(row) for row in bars(columns(values, width, add=False), 5)} == {width}
