from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from logscope.tui.app import LogscopeApp
from logscope.tui.screens.base import InvestigatorScreen
from logscope.tui.sessions import Sessions
from tests.tui.fake import FakeInvestigation

Opened = Callable[..., AbstractAsyncContextManager["Driver"]]
NAMES = {" ": "space", "&": "ampersand", "*": "asterisk", "/": "slash", ":": "colon", "-": "minus", "~": "tilde",
         "!": "exclamation_mark", ".": "full_stop", "=": "equals_sign", "+": "plus"}  # fmt: skip


class Driver:
    """Presses keys and reads the screen."""

    def __init__(self, app: LogscopeApp, pilot: Pilot[int], fake: FakeInvestigation) -> None:
        self.app, self.pilot, self.fake = app, pilot, fake

    @property
    def screen(self) -> InvestigatorScreen:
        assert isinstance(self.app.screen, InvestigatorScreen)
        return self.app.screen

    async def settle(self) -> None:
        """Until no question is under way."""
        for _ in range(200):
            await self.pilot.pause(0.01)
            if not self._asking():
                break
        await self.pilot.pause()

    def _asking(self) -> bool:
        screens = [one for one in self.app.screen_stack if isinstance(one, InvestigatorScreen)]
        return not self.app.ahead.idle or any(one.queries.running for one in screens)

    async def until(self, true: Callable[[], bool]) -> None:
        """Until something is so, ten seconds at most."""
        for _ in range(500):
            if true():
                break
            await self.pilot.pause(0.02)
        await self.settle()

    async def press(self, *keys: str) -> None:
        for place, key in enumerate(keys):
            if place and self._asking():
                await self.settle()  # on a busy machine the list that a key is meant for may not be there yet
            await self.pilot.press(NAMES.get(key, key))
        await self.settle()

    async def type(self, text: str) -> None:
        """Into the open bar; key by key where there is none."""
        if isinstance(self.app.screen, InvestigatorScreen) and self.screen.bar.is_open:
            self.screen.bar.prefill(text)
            await self.pilot.pause()
        else:
            await self.pilot.press(*[NAMES.get(key, key) for key in text])
            await self.settle()

    def text(self) -> str:
        """The whole screen as text."""
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.ljust(width) for strip in lines[:height])


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Opens the investigator on a fake: `async with opened(size=..., **fake) as driver`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    @asynccontextmanager
    async def open_(
        fake: FakeInvestigation | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        theme: str = "dark",
        keymap: str | None = None,
        sessions: Sessions | None = None,
        can_reopen: bool = False,
    ) -> AsyncIterator[Driver]:
        investigation = fake or FakeInvestigation()
        app = LogscopeApp(
            investigation,
            theme=theme,
            keymap=keymap,
            zone="UTC",
            sessions=sessions,
            sources=("/logs",),
            can_reopen=can_reopen,
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot, investigation)
            await pilot.pause()
            await driver.settle()
            yield driver

    return open_
