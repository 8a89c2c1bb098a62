"""How long the interface's thread is kept from its next turn while somebody works with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from tests.perf.inputs import shop
from tests.perf.measuring import Figure, Settings, as_bytes, job
from tests.perf.terminal import HEIGHT, WIDTH

BUDGET_MS = 16
KEYS = (
    ("scrolling", ["j"] * 30 + ["space"] * 8 + ["b"] * 4),
    ("jumping", ["G", "g", "G", "e", "e"]),
    ("filtering", ["ampersand", *"level>=warn", "enter", "backspace"]),
    ("searching", ["slash", *"order", "enter", "n", "n"]),
    ("transactions", ["T", "j", "j", "space", "enter", "j", "j", "escape", "escape"]),
    ("help", ["question_mark", "escape"]),
)
"""What is done, and the keys for it."""


class Beats:
    """Notes how much processor time the thread spends between two turns of its loop that are due at once."""

    def __init__(self) -> None:
        """Nothing is noted yet."""
        self.worst = 0.0
        self._cpu = 0.0
        self._on = False

    def start(self) -> None:
        """Begin on the running loop."""
        self._on, self.worst, self._cpu = True, 0.0, time.thread_time()
        asyncio.get_running_loop().call_later(0.001, self._beat)

    def stop(self) -> float:
        """The longest stretch so far, in seconds of the thread's own processor time."""
        self._on = False
        return self.worst

    def _beat(self) -> None:
        now = time.thread_time()
        self.worst, self._cpu = max(self.worst, now - self._cpu), now
        if self._on:
            asyncio.get_running_loop().call_later(0.001, self._beat)


def stalls(settings: Settings) -> Iterator[Figure]:
    """The longest stretch of the interface's thread per kind of work."""
    files = shop(settings.data, size=min(settings.size, 180 << 20))
    run, found = job("stretches", files=files.arguments, width=WIDTH, height=HEIGHT)
    for what, _ in KEYS:
        yield Figure(
            f"longest stretch of the interface's thread: {what}, {found['records'] / 1e6:.2f} M records",
            "logscope",
            f"{found[what] * 1000:.0f} ms CPU",
            memory=as_bytes(run.memory),
            budget=f"{BUDGET_MS} ms",
        )
