"""Shapes, peers, the map, the keys, clocks, the critical path: by keys, as one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from logscope.actions.event import Event
from logscope.actions.outbox import Outbox
from logscope.engine.answers import PlanChange
from logscope.tui.screens.chooser import ChooserScreen
from logscope.tui.screens.clocks import ClocksScreen
from logscope.tui.screens.compare import CompareScreen
from logscope.tui.screens.facts import FactsScreen
from logscope.tui.screens.keys import KeysScreen
from logscope.tui.screens.records import RecordsScreen
from logscope.tui.screens.service_map import MapScreen
from logscope.tui.screens.transaction import TransactionScreen, file_name
from logscope.tui.screens.transactions import TransactionsScreen
from tests.tui.conftest import Driver, Opened
from tests.tui.fake import FakeInvestigation

SIZES = [(80, 24), (160, 50)]


def listed(driver: Driver) -> TransactionsScreen:
    assert isinstance(driver.screen, TransactionsScreen)
    return driver.screen


@pytest.mark.parametrize("size", SIZES)
async def test_an_odd_way_is_chosen_and_given_up_again(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("T", "tab", "j", "enter")
        screen = listed(driver)
        assert screen.where == "shape=2"
        assert screen.main_list.rows == 4
        assert screen.main_list.has_focus
        assert "10.0%" in driver.text()
        await driver.press("backspace")
        assert screen.main_list.rows == 40
        await driver.press("right_curly_bracket")
        assert screen.main_list.rows == 4
        await driver.press("tab", "enter")
        assert screen.main_list.rows == 40


async def test_the_list_sorts_by_every_column_it_has(opened: Opened) -> None:
    async with opened(size=(160, 50)) as driver:
        await driver.press("T")
        screen, seen = listed(driver), []
        for _ in range(10):
            await driver.press("greater_than_sign")
            heading = driver.text().splitlines()[1]
            seen.append(next((word for word in heading.split() if word[-1] in "▲▼"), "level"))
        assert seen == [
            "duration▼", "rec▼", "err▼", "level", "way▲", "order_id▲", "services▲", "→", "rules▼", "start▲",
        ] or len(set(seen)) == 10  # fmt: skip
        await driver.press("colon")
        await driver.type("sort rec")
        await driver.press("enter")
        counts = [screen.main_list.row(place)["records"] for place in range(40)]
        assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("size", SIZES)
async def test_a_failed_one_beside_a_normal_one(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("T", *"jjjj", "equals_sign")
        screen = driver.screen
        assert isinstance(screen, CompareScreen)
        text = driver.text()
        assert "ORD-4715 1 m 21 s  beside  ORD-4711 1.9 s" in text
        assert "− 1 missing" in text
        step = screen.main_list.step
        assert step is not None
        assert step.kind == "missing"
        assert "charge settled" in step.template
        assert "usual 1.1 s" in text
        await driver.press("x")
        assert screen.main_list.step is not None
        assert screen.main_list.step.kind == "slower"
        await driver.press("enter")
        assert isinstance(driver.screen, TransactionScreen)
        current = driver.screen.main_list.current
        assert current is not None
        assert current.member is not None
        assert current.member.line.row == screen.main_list.step.row


async def test_another_peer_is_chosen_by_its_way_or_from_the_list(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", *"jjjj", "equals_sign", "p")
        assert isinstance(driver.app.screen, ChooserScreen)
        await driver.press("4")
        assert "beside  ORD-4729" in driver.text()
        await driver.press("p", "5")
        assert "⏎ chooses" in driver.text()
        await driver.press("j", "j", "enter")
        assert isinstance(driver.screen, CompareScreen)
        assert "beside  ORD-4713" in driver.text()
        await driver.press("p", "5", *"jjjj", "enter")
        assert "the transaction itself" in driver.text()


@pytest.mark.parametrize("size", SIZES)
async def test_the_map_names_the_service_that_fails(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("M")
        screen = driver.screen
        assert isinstance(screen, MapScreen)
        rows = [screen.main_list._rows[place] for place in range(screen.main_list.rows)]
        assert [row.caller for row in rows if row.hop is None][:2] == ["gateway", "auth"]
        lines = driver.text().splitlines()
        assert any(line.strip().startswith("▲ mailer") for line in lines)
        await driver.press("ampersand")
        await driver.type("shape=2")
        await driver.press("enter")
        text = driver.text()
        assert "others' p95" in text
        current = screen.main_list.current
        assert current is not None
        assert current.caller == "orders"
        assert current.slower is not None
        assert current.slower > 10
        await driver.press("enter")
        assert listed(driver).where == 'shape=2 services:"orders"'
        assert listed(driver).main_list.rows == 4
        await driver.press("q", "backspace")
        assert "others' p95" not in driver.text()


async def test_a_stretch_of_time_goes_with_one_to_the_list_and_the_map(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("colon")
        await driver.type("until 10:00:30")
        await driver.press("enter", "T")
        screen = listed(driver)
        assert screen.where == "start<2026-11-01T10:00:30.000000Z"
        assert 0 < screen.main_list.rows < 20
        await driver.press("M")
        assert isinstance(driver.screen, MapScreen)
        assert driver.screen.where == screen.where
        await driver.press("q", "backspace")
        assert screen.main_list.rows == 40


@pytest.mark.parametrize("size", SIZES)
async def test_a_change_of_keys_is_counted_applied_and_undone(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("K", "j", "x")
        screen, fake = driver.screen, driver.fake
        assert isinstance(screen, KeysScreen)
        text = driver.text()
        assert "✎ user on: 40 → 7 transactions" in text
        assert "6 become one: user=u3" in text
        assert fake.applied == []
        assert "⏎ apply" in text
        await driver.press("escape")
        assert "✎" not in driver.text()
        await driver.press("x", "enter")
        assert fake.applied == [PlanChange(active=(("user", True),))]
        assert "1 changed" in driver.text()
        await driver.press("U")
        assert fake.applied == []
        await driver.press("U")
        assert "nothing was changed yet" in driver.text()


async def test_classes_aliases_hubs_and_the_grain_are_changed_by_keys(opened: Opened) -> None:
    async with opened(size=(160, 50)) as driver:
        await driver.press("K", "c", "3", "a", "1", "A", "1", "B", "-")
        text = driver.text()
        assert "no finer key" in text
        assert "order_id: weak · user = order_id · orderId apart from order_id · user=user=u3" not in text
        assert (
            "✎ order_id: weak · user = order_id · orderId apart from order_id · user=u3 does not link: 40 → 40" in text
        )
        await driver.press("enter", "j", "enter", "enter")
        assert driver.fake.applied == [
            PlanChange(
                classes=(("order_id", "weak"),), join=(("order_id", "user"),), split=(("order_id", "orderId"),),
                hubs=(("user", "u3"),),
            ),
            PlanChange(grain="user"),
        ]  # fmt: skip
        await driver.press("asterisk")
        assert isinstance(driver.screen, RecordsScreen)
        assert driver.screen.trail.pivot is not None
        assert driver.screen.trail.pivot.label == "user u3"


async def test_a_change_that_names_what_is_not_there_is_told_and_dropped(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("K", "colon")
        await driver.type("grain nonsense")
        await driver.press("enter")
        assert "no key 'nonsense'" in driver.text()
        assert "✎" not in driver.text()


async def test_the_plan_is_saved(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("K", "s")
        await driver.type("mine.toml")
        await driver.press("enter")
        assert driver.fake.saved == [Path("mine.toml")]
        assert "saved mine.toml" in driver.text()


@pytest.mark.parametrize("size", SIZES)
async def test_a_clock_is_moved_and_moved_back(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("C")
        assert isinstance(driver.screen, ClocksScreen)
        text = driver.text()
        assert "−120 ms" in text
        assert "--offset 'p-1=-120ms'" in text
        await driver.press("enter")
        assert driver.fake.shifts == [("p-1", -120_000)]
        assert "● p-1" in driver.text()
        await driver.press("enter")
        assert driver.fake.shifts[-1] == ("p-1", 120_000)
        assert "● p-1" not in driver.text()
        await driver.press("U")
        assert "no clock was moved" in driver.text()


@pytest.mark.parametrize("size", SIZES)
async def test_what_the_end_waited_for(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(size=size) as driver:
        await driver.press("T", "enter")
        screen = driver.screen
        assert isinstance(screen, TransactionScreen)
        text = driver.text()
        assert "waited for ◷ 56% payments waited for charge settled" in text
        assert "━" in text
        await driver.press("c")
        current = screen.main_list.current
        assert current is not None
        assert current.member is not None
        assert "charge begin" in current.member.line.message
        await driver.press("c", "c")
        assert "charge settled" in screen.main_list.current.member.line.message  # type: ignore[union-attr]  # as above
        await driver.press("c")
        assert screen.main_list.cursor == current.index


async def test_why_compare_and_save_from_a_transaction(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", "enter", "j", "w")
        assert isinstance(driver.app.screen, FactsScreen)
        assert "both hold order_id" in driver.text()
        await driver.press("escape", "equals_sign")
        assert isinstance(driver.screen, CompareScreen)
        await driver.press("q", "s", "enter")
        assert driver.fake.exported == [(Path("ORD-4711.html"), (0,))]
        await driver.press("s")
        await driver.type("case.txt")
        await driver.press("enter")
        assert "no kind of report" in driver.text()


def test_a_report_is_called_by_letters_digits_and_few_signs() -> None:
    assert file_name("ORD-4711") == "ORD-4711"
    assert file_name("../../etc/x\x1b[31m y") == "etc-x-31m-y"
    assert file_name("—") == "transaction"


async def test_pivots_from_the_fields_of_a_transaction_and_from_lists(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T", "j", "asterisk")
        home = driver.screen
        assert isinstance(home, RecordsScreen)
        assert home.trail.pivot is not None
        assert home.trail.pivot.label == "order_id ORD-4712"
        await driver.press("D", "asterisk")
        assert home.trail.pivot.label == "order_id ORD-4742"
        await driver.press("T", "enter", "j", "enter", "tab", "tab", "j", "asterisk")
        assert driver.screen is home
        assert home.trail.pivot.label.split()[0] in ("user", "req")
        await driver.press("M", "asterisk")
        assert home.trail.pivot.text == "service:gateway"
        await driver.press("U", "U")
        assert home.trail.pivot.label == "order_id ORD-4742"


async def test_undo_brings_back_steps_that_were_switched_or_forgotten(opened: Opened) -> None:
    async with opened() as driver:
        screen = driver.screen
        assert isinstance(screen, RecordsScreen)
        for text in ("level>=warn", "psp"):
            await driver.press("&")
            await driver.type(text)
            await driver.press("enter")
        rows = screen.main_list.rows
        way = driver.text().splitlines()[1]
        await driver.press("tilde", "1", "escape")
        assert screen.main_list.rows > rows
        assert "❯ ☐ level>=warn ❯ psp" in driver.text()
        await driver.press("U")
        assert screen.main_list.rows == rows
        assert driver.text().splitlines()[1] == way  # with the counts of all its steps
        await driver.press("backspace", "&")
        await driver.type("error")
        await driver.press("enter")
        assert [step.text for step in screen.trail.steps] == ["level>=warn", "error"]
        await driver.press("U", "U")
        assert [step.text for step in screen.trail.steps] == ["level>=warn", "psp"]
        assert screen.main_list.rows == rows


async def test_lists_keep_up_with_what_comes(opened: Opened) -> None:
    async with opened(FakeInvestigation(20, live=True)) as driver:
        await driver.press("T")
        screen = listed(driver)
        assert screen.main_list.rows == 20
        driver.fake.records += FakeInvestigation(30).records[160:]
        driver.fake._index()
        driver.fake.publish()
        await driver.until(lambda: screen.main_list.rows == 30)
        assert screen.main_list.rows == 30


async def test_what_takes_long_is_stopped_by_escape_and_the_screen_stays(opened: Opened) -> None:
    async with opened() as driver:
        await driver.press("T")
        driver.fake.delay = 30
        await driver.pilot.press("equals_sign")
        await driver.pilot.pause(0.4)
        assert isinstance(driver.screen, CompareScreen)
        assert "⏳" in driver.text()
        await driver.pilot.press("escape")
        await driver.pilot.pause(0.1)
        assert isinstance(driver.screen, CompareScreen)
        assert "⏳" not in driver.text()
        assert "Stopped." in driver.text()
        await driver.pilot.press("escape")
        await driver.pilot.pause(0.1)
        assert isinstance(driver.screen, TransactionsScreen)


async def test_empty_screens_teach(opened: Opened) -> None:
    async with opened(FakeInvestigation(0)) as driver:
        await driver.press("M")
        assert "No services" in driver.text()
        await driver.press("q", "C")
        assert "No clock is off" in driver.text()
        await driver.press("q", "T", "tab")
        assert "no way that they go" in driver.text()


async def test_all_that_a_screen_does_is_in_its_help_and_by_name(opened: Opened) -> None:
    async with opened(size=(120, 60)) as driver:
        await driver.press("colon")
        await driver.type("map shape=2")
        await driver.press("enter")
        assert isinstance(driver.screen, MapScreen)
        assert driver.screen.where == "shape=2"
        await driver.press("question_mark")
        assert "Its transactions with errors" in driver.text()
        await driver.press("escape", "ctrl+p")
        await driver.type("clocks that are")
        await driver.pilot.pause(0.5)
        await driver.press("enter")
        assert isinstance(driver.screen, ClocksScreen)


async def test_what_waits_in_the_outbox_is_shown(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with opened() as driver:
        await driver.press("colon")
        await driver.type("actions")
        await driver.press("enter")
        assert "Nothing was ever dispatched" in driver.text()
        await driver.press("escape")
        outbox = Outbox()
        outbox.put([("page-oncall", Event(f"d{n}", "matched", "r", b"{}")) for n in range(3)])
        outbox.buried("page-oncall", outbox.waiting("page-oncall", 1), "answered 422: [/] [@click=app.quit]x[/]")
        outbox.close()
        await driver.press("colon")
        await driver.type("actions")
        await driver.press("enter")
        text = driver.text()
        assert "page-oncall" in text
        assert "2 wait · 1 dead" in text
        assert "answered 422: [/] [@click=app.quit]x[/]" in text
