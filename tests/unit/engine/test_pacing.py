"""Turns of a live session rest where that saves work, and not where it would cost time."""

from __future__ import annotations

import pytest

from logscope.engine.service.pacing import IDLE_SECONDS, rest


@pytest.mark.parametrize(
    ("took", "moved", "waiting", "expected"),
    [
        (0.0, False, 0, IDLE_SECONDS),
        (0.01, True, 100, 0.19),  # light rules: five turns a second
        (0.2, True, 100, 0.4),  # dear ones: a third of the time
        (0.6, True, 100, 0.4),  # never longer than a second from turn to turn
        (1.5, True, 100, 0.0),
        (0.2, True, 5 << 20, 0.0),  # catching up
    ],
)
def test_rest(took: float, moved: bool, waiting: int, expected: float) -> None:
    assert rest(took, moved=moved, waiting=waiting) == pytest.approx(expected)


def test_who_looks_on_waits_for_shorter() -> None:
    assert rest(0.2, moved=True, looked_at=True) == pytest.approx(0.1)
    assert rest(0.4, moved=True, looked_at=True) == pytest.approx(
        0.1
    )  # never longer than half a second from turn to turn
    assert rest(0.0, moved=False, looked_at=True) == IDLE_SECONDS
