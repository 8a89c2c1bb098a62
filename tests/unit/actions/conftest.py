from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logscope.actions.dispatcher import Dispatcher
from logscope.actions.event import Event
from logscope.actions.outbox import Outbox
from logscope.actions.settings import Action, read_actions
from logscope.config import ActionTable


def event(number: int, state: str = "matched", rule: str = "charge_never_settled", **more: Any) -> Event:
    body = {
        "detection": f"d{number:06}", "rule": rule, "title": "Charge begun, never settled", "level": "high",
        "output": {"order_id": f"ORD-{number}"}, "keys": {"psp_ref": [f"PSP-{number}", "PSP-X"]}, "state": state,
    } | more  # fmt: skip
    return Event(f"d{number:06}", state, rule, json.dumps(body).encode())


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("did not come")


class Bench:
    """Actions at work on an outbox in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outbox = Outbox(folder / "actions" / "outbox.db")
        self.said: list[tuple[str, str, str]] = []
        self._running: list[Dispatcher] = []

    def actions(self, **tables: dict[str, Any]) -> dict[str, Action]:
        config = self.folder / "logscope.toml"
        config.touch()
        quick = {"retry": "20ms", "retry_max": "100ms"}
        return read_actions({name: ActionTable(name, quick | values, config) for name, values in tables.items()})

    def start(self, **tables: dict[str, Any]) -> Dispatcher:
        dispatcher = Dispatcher(self.outbox, self.actions(**tables).values(), lambda *what: self.said.append(what))
        dispatcher.start()
        self._running.append(dispatcher)
        return dispatcher

    def depth(self, action: str) -> Any:
        return next((depth for depth in self.outbox.depths() if depth.action == action), None)

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def close(self) -> None:
        for dispatcher in self._running:
            dispatcher.stop()
        self.outbox.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()
