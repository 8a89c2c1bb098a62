"""What is said stands where it hides nothing, and keys that are typed fast reach what they are meant for."""

from __future__ import annotations

import time
from dataclasses import replace

from textual import events

from logscope.tui.screens.transaction import TransactionScreen
from tests.tui.conftest import NAMES, Driver, Opened
from tests.tui.fake import FakeInvestigation
from tests.tui.test_browsing import home


def last(driver: Driver) -> str:
    return driver.text().splitlines()[-1]


async def corner(driver: Driver) -> list[str]:
    await driver.pilot.pause()
    return [one.message for one in driver.app._notifications]


async def at_once(driver: Driver, *keys: str) -> None:
    """As a slow line delivers them: all in one packet."""
    for key in keys:
        driver.app.post_message(events.Key(NAMES.get(key, key), key if len(key) == 1 else None))
    await driver.until(lambda: driver.app.ahead.idle)


async def test_short_words_stand_in_the_status_line_and_all_are_listed(opened: Opened) -> None:
    async with opened(size=(120, 40)) as driver:
        await driver.press("r")
        assert "3 records before and after each" in last(driver)
        assert "row 1 of" in last(driver)
        await driver.press("n")
        assert "nothing searched yet" in last(driver)
        await driver.press("j")
        assert "row 2 of" in last(driver)
        assert not await corner(driver)
        driver.app.say("a" * 150)
        driver.app.say("broken", "error")
        assert await corner(driver) == ["a" * 150, "broken"]
        await driver.press(":")
        await driver.type("messages")
        await driver.press("enter")
        text = driver.text()
        assert text.index("✖") < text.index("nothing searched yet") < text.index("3 records before")


async def test_what_the_engine_says_is_told_once_and_many_words_are_counted(opened: Opened) -> None:
    async with opened(size=(120, 30)) as driver:
        known = driver.app.snapshot
        found = "keys and grain as found before"

        async def told(messages: tuple[str, ...]) -> list[str]:
            driver.app.telling.snapshot_changed(replace(known, messages=messages, remarks=(found,)))
            return await corner(driver)

        assert await told(("one passed over",)) == ["one passed over"]
        assert found in last(driver)
        # An error of a source comes before what was told already.
        assert await told(("a.log: gone", "one passed over")) == ["one passed over", "a.log: gone"]
        many = await told(("a.log: gone", "one passed over", "b", "c", "d", "e"))
        assert many[2:] == ["b", "c", "and 2 more such messages: :messages lists them"]
        assert [one.text for one in driver.app.telling.kept][-3:] == [
            "b",
            "c",
            "and 2 more such messages: :messages lists them",
        ]
        assert {"d", "e"} <= {one.text for one in driver.app.telling.kept}


async def test_a_command_that_is_none_names_its_neighbours(opened: Opened) -> None:
    async with opened(size=(120, 30)) as driver:
        await driver.press(":")
        await driver.type("mesages")
        await driver.press("enter")
        assert "perhaps messages" in (await corner(driver))[0]
        assert "^P lists them all" in (await corner(driver))[0]


async def test_keys_in_one_packet_reach_the_line_that_the_first_of_them_opens(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        await at_once(driver, "&", *"Created", "enter")
        await driver.until(lambda: not screen.bar.is_open)
        assert screen.trail.filter_text == "Created"


async def test_keys_typed_while_a_list_is_made_are_for_that_list(opened: Opened) -> None:
    class Slow(FakeInvestigation):
        def field_names(self, view, *, cancel):  # type: ignore[no-untyped-def]
            for _ in range(40):
                time.sleep(0.01)
                cancel.check()
            return super().field_names(view, cancel=cancel)

    async with opened(Slow(), size=(120, 30)) as driver:
        screen = home(driver)
        await at_once(driver, "c", *"order", "tab", "enter")
        await driver.until(lambda: bool(screen.main_list.columns))
        assert screen.main_list.columns == ("order_id",)
        # Esc gives up what was asked, and what was typed for it.
        await driver.pilot.press("c")
        driver.app.post_message(events.Key("T", "T"))
        driver.app.post_message(events.Key("escape", None))
        await driver.until(lambda: driver.app.ahead.idle)
        assert driver.app.screen is screen


async def test_what_follows_a_jump_is_for_where_it_leads(opened: Opened) -> None:
    async with opened() as driver:
        await at_once(driver, "/", *"charge", "enter", "t")
        await driver.until(lambda: isinstance(driver.app.screen, TransactionScreen))
        line = home(driver).line
        assert line is not None
        assert "charge" in line.message


async def test_keys_that_need_a_record_say_so_where_there_is_none(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        await driver.press("&")
        await driver.type("zzzz")
        await driver.press("enter")
        assert screen.main_list.records == 0
        for keys in (
            "number_sign",
            "m a",
            "y",
            "Y",
            "p",
            ".",
            "P",
            "t",
            "*",
            "o",
            "tab",
            "z",
            "B",
            "right_parenthesis",
        ):
            driver.app.telling._until = 0.0
            await driver.press(*keys.split())
            assert "no record here: ⌫ goes a step back" in last(driver), keys
        assert not screen.bar.is_open
        await driver.press("c", "z", "z")
        assert "nothing of that name" in driver.text()


async def test_a_note_stays_with_the_record_it_was_begun_on(opened: Opened) -> None:
    async with opened() as driver:
        screen = home(driver)
        first = screen.line
        await driver.press("number_sign")
        screen.main_list.go_to(7)
        await driver.type("seen #odd")
        await driver.press("enter")
        assert [(one.line, one.text) for one in screen.noting.notes.values()] == [
            (first.line if first else 0, "seen #odd")
        ]
