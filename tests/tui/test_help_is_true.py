"""The help of each screen names the keys that work there, and no others; so do the hints of its footer."""

from __future__ import annotations

from typing import Any, cast

from textual.screen import Screen

from logscope.tui.keymap import all_bindings
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.screens.explained import Explained
from logscope.tui.screens.trail import TrailScreen
from tests.tui.conftest import Driver, Opened
from tests.tui.test_browsing import home

WALK = {
    "records": (), "trail": ("~",), "keys": ("K",), "map": ("M",), "clocks": ("C",), "case": ("I",), "over time": ("L",),
    "rules": ("R",), "page": ("R", "j", "t"), "transactions": ("T",), "transaction": ("T", "enter"), "compare": ("T", "enter", "="),
    "detections": ("D",), "sources": ("at",), "sql": ("semicolon", "escape"), "draft": (".", "S"),
}  # fmt: skip


def wrong(driver: Driver) -> list[str]:
    """Keys that the help names and that do not work, or that work and that it does not name."""
    screen = cast("Screen[Any]", driver.app.screen)
    assert isinstance(screen, Explained)
    works = {key: one.binding.id for key, one in screen.active_bindings.items()}
    told = [binding.id for binding in screen.own_bindings() if binding.id]
    if isinstance(screen, InvestigatorScreen):
        told += [name for name in all_bindings() if name.split(".")[0] in ("list", "screen", "app")]
        hints = [name for name, _ in screen.hints()]
        assert set(hints) <= set(told), hints
    keys = driver.app.keys
    found = [f"{key} is not {name}" for name in told for key in keys.of(name) if works.get(key) != name]
    return found + [f"{key} is {name}" for key, name in works.items() if name and name not in told]


async def test_on_every_screen(opened: Opened) -> None:
    async with opened(size=(120, 40)) as driver:
        for name, way in WALK.items():
            await driver.press(*way)
            assert name == "records" or driver.app.screen is not home(driver), name
            assert not wrong(driver), name
            if isinstance(driver.app.screen, InvestigatorScreen):
                # What is more than fits goes; the list and the two lines at the bottom stay.
                await driver.pilot.resize_terminal(40, 10)
                await driver.pilot.pause()
                assert driver.text().splitlines()[8].rstrip().endswith("? help"), name
                assert driver.screen.main_list.size.height >= 2, name
                await driver.pilot.resize_terminal(120, 40)
            for _ in range(5):
                if driver.app.screen is not home(driver):
                    await driver.press("escape")


async def test_the_arrows_move_in_the_trail(opened: Opened) -> None:
    async with opened() as driver:
        for word in ("order", "charge"):
            await driver.press("&")
            await driver.type(word)
            await driver.press("enter")
        await driver.press("~", "up")
        assert isinstance(driver.app.screen, TrailScreen)
        await driver.press("space", "escape")
        assert [step.enabled for step in home(driver).trail.steps] == [False, True]
