"""A thread that writes to the terminal. While the terminal is slow, only the newest frame waits."""

from __future__ import annotations

import threading
from typing import IO

from logscope.tui.terminal.screen import TerminalScreen

_WAITING_MOST = 32
"""Writes that wait as they came; more are read at once, so that memory stays bounded."""


class Outbox:
    """Takes writes without ever waiting for the terminal.

    Args:
        file: The terminal.
        screen: Turns writes into what the terminal needs.
    """

    def __init__(self, file: IO[str], screen: TerminalScreen) -> None:
        """The thread runs at once."""
        self._file = file
        self._screen = screen
        self._waiting: list[str] = []
        self._taken = False
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="logscope-output", daemon=True)
        self._thread.start()

    def send(self, text: str) -> None:
        """Write, some time soon."""
        with self._news:
            self._waiting.append(text)
            if len(self._waiting) >= _WAITING_MOST:
                self._take()
            self._news.notify_all()

    def close(self) -> None:
        """Write what waits, then end."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join()

    def _take(self) -> None:
        for text in self._waiting:
            self._screen.take(text)
        self._waiting.clear()
        self._taken = True

    def _run(self) -> None:
        while True:
            with self._news:
                while not (self._waiting or self._taken or self._closing):
                    self._news.wait()
                closing = self._closing
                self._take()
                self._taken = False
                text = self._screen.render()
            if text:
                try:
                    self._file.write(text)
                    self._file.flush()
                except OSError:
                    return  # the terminal is gone; the app ends by its own means
            if closing:
                return
