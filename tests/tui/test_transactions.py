from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from logscope.engine.answers import Absence
from logscope.engine.api import Cancel
from logscope.tui.screens.detections import DetectionsScreen
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.screens.transaction import TransactionScreen
from logscope.tui.screens.transactions import TransactionsScreen
from tests.tui.conftest import Opened
from tests.tui.fake import FakeInvestigation


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_failed_payments_are_two_keys_away(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("D")
        assert isinstance(driver.screen, DetectionsScreen)
        assert "ORD-4742" in driver.text()
        assert "psp_ref PSP8843" in driver.text()
        await driver.press("enter")
        assert isinstance(driver.screen, TransactionScreen)
        text = driver.text()
        assert "✖ settled: expected within 30 s" in text
        assert "╱ 1 m 20 s ╱" in text
        assert "payments" in text
        await driver.press("q", "q")
        assert isinstance(driver.screen, RecordsScreen)


async def test_list_sorts_and_filters(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T")
        screen = driver.screen
        assert isinstance(screen, TransactionsScreen)
        assert screen.main_list.rows == 40
        assert "p50" in driver.text()
        await driver.press("greater_than_sign")
        assert "duration▼" in driver.text()
        assert screen.main_list.row(0)["duration"] >= screen.main_list.row(39)["duration"]
        await driver.press("r")
        assert "duration▲" in driver.text()
        assert screen.main_list.row(0)["duration"] <= screen.main_list.row(39)["duration"]
        await driver.press("&")
        await driver.type('has("charge begin") not has("charge settled")')
        await driver.press("enter")
        assert screen.main_list.rows == 4
        assert all(screen.main_list.row(place)["rules"] for place in range(4))
        await driver.press("enter")
        assert isinstance(driver.screen, TransactionScreen)
        await driver.press("escape")
        assert driver.screen is screen
        await driver.press("backspace")
        assert screen.main_list.rows == 40


async def test_what_is_usual_and_missing_is_offered_as_a_filter(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", "&")
        assert '↓ 22 of 200  has("charge begin") not has("charge settled")' in driver.text()
        await driver.press("down", "enter")
        screen = driver.screen
        assert isinstance(screen, TransactionsScreen)
        assert screen.main_list.rows == 4


class Waiting(FakeInvestigation):
    """Lists and what is offered come when they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.listed, self.offered = threading.Event(), threading.Event()

    def prepare_transactions(self, *, cancel: Cancel) -> None:
        self.listed.wait(20)

    def absences(self, *, cancel: Cancel) -> Sequence[Absence]:
        self.offered.wait(20)
        return super().absences(cancel=cancel)


async def test_keys_typed_before_there_is_an_offer_wait_for_it(opened: Opened) -> None:
    fake = Waiting()
    async with opened(fake) as driver:
        for key in ("T", "ampersand", "down", "enter", "enter"):
            driver.app.simulate_key(key)
        for _ in range(200):
            await driver.pilot.pause(0.01)
            if "looking for what is usual" in driver.text():
                break
        assert "looking for what is usual" in driver.text()
        fake.listed.set()
        while driver.screen.queries.busy("list"):
            await driver.pilot.pause(0.01)
        assert driver.screen.bar.is_open
        fake.offered.set()
        await driver.until(lambda: isinstance(driver.screen, TransactionScreen))
        assert "ORD-4715" in driver.text()


async def test_a_list_that_arrives_leaves_the_bar_to_who_types_in_it(opened: Opened) -> None:
    fake = Waiting()
    fake.listed.set()
    fake.offered.set()
    async with opened(fake) as driver:
        await driver.press("T", "&")
        await driver.type("errors")
        screen = driver.screen
        assert isinstance(screen, TransactionsScreen)
        screen.reload()
        await driver.settle()
        assert screen.bar.is_open
        await driver.type("errors>0")
        await driver.press("enter")
        assert not screen.bar.is_open


async def test_keys_typed_ahead_of_a_screen_do_no_harm(opened: Opened) -> None:
    async with opened() as driver:
        for key in ("D", "enter", "x", "i", "e", "q", "T", "t", "x", "question_mark"):
            driver.app.simulate_key(key)
        await driver.settle()
        assert driver.app.is_running
        assert driver.app.return_code in (None, 0)


async def test_a_broken_transaction_filter_is_told_under_the_input(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", "&")
        await driver.type("has(")
        await driver.press("enter")
        assert "never closed" in driver.text()
        await driver.press("escape")
        assert isinstance(driver.screen, TransactionsScreen)
        assert driver.screen.main_list.rows == 40


async def test_moving_in_the_records_moves_the_waterfall_and_back(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("6", "j", "t")
        screen = driver.screen
        assert isinstance(screen, TransactionScreen)
        assert screen.main_list.cursor == 6
        laid = screen.fall.laid()
        assert laid is not None
        await driver.press("k")
        axis = screen.fall.render_line(0).text
        assert axis.index("▾") == laid.columns[5] + screen.fall.label_width + 3
        await driver.press("tab", "l")
        assert screen.main_list.cursor == 6
        await driver.press("k")
        current = screen.main_list.current
        assert current is not None
        assert current.member is not None
        await driver.press("escape")
        assert isinstance(driver.screen, RecordsScreen)
        assert driver.screen.main_list.cursor == 6


async def test_absent_steps_are_rows_and_have_their_place(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("D", "enter", "x")
        screen = driver.screen
        assert isinstance(screen, TransactionScreen)
        rows = screen.main_list.shown
        place = next(index for index, row in enumerate(rows) if row.absent)
        assert "psp response" in rows[place - 1].member.line.message  # type: ignore[union-attr]  # a record stands there
        lane = next(line for line in driver.text().splitlines() if line.strip().startswith("payments ") and "●" in line)
        assert "✖ settled" in lane
        await driver.press("i")
        assert "both hold order_id" in driver.text()
        await driver.press("escape", *str(place + 1), "G", ".")
        assert not driver.app.step_marks
        assert "it did not happen here" in driver.text()


async def test_from_the_waterfall_to_its_records(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("D", "enter", "*")
        assert isinstance(driver.screen, RecordsScreen)
        assert driver.screen.trail.pivot is not None
        assert driver.screen.trail.pivot.label == "order_id ORD-4742"


async def test_errors_differ_by_shape(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("e", "t")
        assert isinstance(driver.screen, TransactionScreen)
        lane = next(line for line in driver.text().splitlines() if "mailer" in line)
        assert "▲" in lane


async def test_grain_says_why(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", "plus")
        assert "grain order_id" in driver.text() or "no coarser key" in driver.text()


async def test_no_transactions_teach(opened: Opened) -> None:
    async with opened(FakeInvestigation(0)) as driver:
        await driver.press("T")
        assert "no identifier was found" in driver.text()
        await driver.press("q", "D")
        assert "Nothing found" in driver.text()
