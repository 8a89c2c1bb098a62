"""Long work is done one at a time, and whoever waits hears how far it is."""

from __future__ import annotations

import threading

import pytest

from logscope.engine.api import Cancel, Cancelled
from logscope.engine.turns import Turns


def test_who_waits_hears_how_far_the_one_at_work_is_and_has_the_next_turn() -> None:
    turns, working, heard = Turns(), Cancel(), threading.Event()
    told: list[tuple[str, float | None]] = []
    order: list[str] = []

    def hear(what: str, share: float | None) -> None:
        told.append((what, share))
        heard.set()

    def wait() -> None:
        with turns.of(Cancel(hear)):
            order.append("second")

    with turns.of(working):
        working.tell("linking 3 records", 0.5)
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert heard.wait(10)
        order.append("first")
    waiting.join(10)
    assert set(told) == {("linking 3 records", 0.5)}
    assert order == ["first", "second"]


def test_who_waits_can_give_up_and_the_work_goes_on() -> None:
    turns, waiting = Turns(), Cancel()
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            with turns.of(waiting):
                raise AssertionError("it had no turn")
        except Cancelled as error:
            failed.append(error)

    with turns.of(Cancel()):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.set()
        thread.join(10)
        assert [type(error) for error in failed] == [Cancelled]
    with turns.of(Cancel()):
        pass  # the one that gave up holds nothing


def test_an_error_ends_the_turn() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.of(Cancel()):
        1 / 0  # noqa: B018
    with turns.of(Cancel()):
        pass
