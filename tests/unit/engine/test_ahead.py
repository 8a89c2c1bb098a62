"""Results come in order, errors at their place, and giving up ends the work."""

from __future__ import annotations

import threading
import time

import pytest

from logscope.engine.loading.ahead import ahead


def test_results_come_in_the_order_of_the_items() -> None:
    """However long each takes."""

    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number * number

    assert list(ahead(work, range(40))) == [number * number for number in range(40)]


def test_an_error_comes_at_its_place() -> None:
    """What lies before it is still told."""

    def work(number: int) -> int:
        return 10 // (number - 3)

    results = ahead(work, range(6))
    assert [next(results) for _ in range(3)] == [10 // -3, 10 // -2, 10 // -1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_who_gives_up_leaves_the_rest_undone() -> None:
    """Only a few items are begun before they are asked for."""
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        return number

    results = ahead(work, range(1000))
    assert next(results) == 0
    results.close()
    assert len(begun) < 20
