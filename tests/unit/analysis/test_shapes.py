"""Shapes: the same work is the same shape, whichever of two services logs first, and however often it is repeated."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from logscope.analysis.alignment import alignment, likeness
from logscope.analysis.services import hops
from logscope.analysis.shapes import signatures
from logscope.analysis.waits import critical_path

Steps = list[tuple[int, int]]


def rows(transactions: list[Steps]) -> pl.DataFrame:
    """Records of transactions given as (service, template) in order."""
    told = [(number, lane, step) for number, steps in enumerate(transactions) for lane, step in steps]
    frame = pl.DataFrame(told, schema={"number": pl.UInt32, "lane": pl.UInt32, "step": pl.UInt32}, orient="row")
    return frame.with_row_index("rank")


def signed(transactions: list[Steps]) -> list[int]:
    return signatures(rows(transactions)).sort("number").get_column("signature").to_list()


def test_services_side_by_side_do_not_split_a_shape() -> None:
    one, other, changed = signed([
        [(1, 10), (2, 20), (1, 11), (2, 21)],
        [(1, 10), (1, 11), (2, 20), (2, 21)],
        [(1, 11), (1, 10), (2, 20), (2, 21)],
    ])  # fmt: skip
    assert one == other != changed


def test_repeats_are_told_once() -> None:
    once, thrice, looped, twice, back = signed([
        [(1, 10), (1, 11), (1, 12)],
        [(1, 10), (1, 11), (1, 11), (1, 11), (1, 12)],
        [(1, 10), (1, 11), (1, 10), (1, 11), (1, 12)],
        [(1, 10), (1, 11), (1, 12), (1, 10), (1, 11), (1, 12)],
        [(1, 10), (1, 11), (1, 12), (1, 10)],
    ])  # fmt: skip
    assert once == thrice == looped == twice != back


steps = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=8)


@given(st.lists(steps, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_shapes_do_not_depend_on_the_order_or_number_of_rows(transactions: list[Steps], chance: object) -> None:
    frame = rows(transactions)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=7)
    whole = signatures(frame).sort("number")
    assert signatures(shuffled).sort("number").equals(whole)
    parts = [signatures(part) for part in frame.partition_by("number")]
    assert pl.concat(parts).sort("number").equals(whole)


@given(steps, steps)
def test_alignment_holds_every_step_once_and_equal_ones_only(mine: Steps, other: Steps) -> None:
    pairs = alignment(mine, other)
    assert sorted(here for here, _ in pairs if here is not None) == list(range(len(mine)))
    assert sorted(there for _, there in pairs if there is not None) == list(range(len(other)))
    assert all(mine[here] == other[there] for here, there in pairs if here is not None and there is not None)
    assert likeness(mine, mine) == 1.0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_waits_are_pauses_of_the_transaction_longest_first(times: list[int]) -> None:
    times = sorted(times)
    waits = critical_path(times)
    assert [wait.duration for wait in waits] == sorted((wait.duration for wait in waits), reverse=True)
    assert sum(wait.duration for wait in waits) <= times[-1] - times[0]
    assert all(times[wait.after] - times[wait.before] == wait.duration for wait in waits)


def test_the_way_back_is_no_hand_over() -> None:
    frame = pl.DataFrame({
        "number": [1] * 5, "rank": [0, 1, 2, 3, 4], "service": ["web", "shop", "stock", "shop", "web"],
        "at": [0, 10, 30, 70, 80], "error": [False, False, True, False, False],
    })  # fmt: skip
    told = hops(frame).select("caller", "callee", "transactions", "p50", "errors").rows()
    assert told == [("shop", "stock", 1, 20, 1), ("web", "shop", 1, 10, 0)]
