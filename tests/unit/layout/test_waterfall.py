from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from logscope.layout.waterfall import Missing, Point, waterfall

MS = 1_000
points = st.lists(
    st.tuples(st.integers(0, 10**10), st.sampled_from(["a", "b", "c 1", "d"]), st.booleans()), min_size=1, max_size=60
).map(lambda raw: [Point(*one) for one in sorted(raw)])
windows = st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 10**9)), max_size=3).map(
    lambda raw: [Missing(start, start + length, "x", "settled") for start, length in raw]
)


@settings(max_examples=150)
@given(points, st.integers(1, 200), windows)
def test_every_record_has_a_tick_in_its_lane_within_the_width(
    given_points: list[Point], width: int, missing: list[Missing]
) -> None:
    laid = waterfall(given_points, width, missing)
    lanes = {lane.name: lane for lane in laid.lanes}
    for place, (point, column) in enumerate(zip(given_points, laid.columns, strict=True)):
        assert place in lanes[point.lane].cells[column].records
        assert 0 <= column < width
    for lane in laid.lanes:
        for column, cell in lane.cells.items():
            assert cell.error == any(given_points[place].error for place in cell.records)
            assert lane.first <= column <= lane.last


@settings(max_examples=150)
@given(points, st.integers(1, 200))
def test_columns_are_monotone_in_time(given_points: list[Point], width: int) -> None:
    columns = waterfall(given_points, width).columns
    assert list(columns) == sorted(columns)


@settings(max_examples=150)
@given(points, st.integers(1, 200), windows)
def test_nothing_is_drawn_beyond_the_width(given_points: list[Point], width: int, missing: list[Missing]) -> None:
    laid = waterfall(given_points, width, missing)
    taken: set[int] = set()
    for tick in laid.ticks:
        cells = set(range(tick.column, tick.column + len(tick.label)))
        assert not taken & cells
        taken |= cells
    for fold in laid.folds:
        assert fold.column + fold.width <= width
        assert not taken & set(range(fold.column, fold.column + fold.width))
    assert not taken or max(taken) < width
    assert all(shade.column >= 0 and shade.column + shade.width <= width for shade in laid.shades)


def test_a_long_silence_is_folded_with_its_length() -> None:
    times = [0, 2 * MS, 60 * MS, 184 * MS, 816 * MS, 81_000 * MS]
    laid = waterfall([Point(time, "a") for time in times], 100)
    assert [fold.label for fold in laid.folds] == ["╱ 1 m 20 s ╱"]
    # What happened within the first second has most of the width.
    assert laid.columns[4] > 70


def test_two_silences_do_not_hide_each_other() -> None:
    times = [0, 500 * MS, 40_000 * MS, 40_300 * MS, 80_000 * MS, 80_200 * MS]
    assert len(waterfall([Point(time, "a") for time in times], 100).folds) == 2


def test_even_gaps_are_not_folded_and_the_longest_short_one_is_shaded() -> None:
    laid = waterfall([Point(time * MS, "a") for time in (0, 10, 20, 60, 70)], 71)
    assert not laid.folds
    assert laid.gap is not None
    assert laid.columns[2] < laid.gap[0] <= laid.gap[1] <= laid.columns[3]


def test_a_missing_step_after_the_end_makes_room() -> None:
    laid = waterfall([Point(0, "a"), Point(MS, "a")], 60, [Missing(MS, 30_000 * MS, "a", "settled")])
    assert laid.shades[0].width > 5


def test_no_records() -> None:
    assert waterfall([], 10).lanes == ()
