"""Textual's driver for Linux and macOS with a terminal that is sent only what has changed."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.message import Message
from textual.messages import InBandWindowResize

from logscope.tui.terminal.outbox import Outbox
from logscope.tui.terminal.screen import TerminalScreen
from logscope.tui.terminal.terminfo import erases_in_background


class DiffDriver(LinuxDriver):
    """Stock in all but what it writes, and that it never waits for a slow terminal."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """As Textual makes its drivers."""
        super().__init__(*arguments, **settings)
        self._terminal = TerminalScreen(self._get_terminal_size)
        self._outbox: Outbox | None = None

    def write(self, data: str) -> None:
        """Write a frame, or anything else."""
        # While the app is suspended the terminal is somebody else's.
        if self._outbox is not None:
            self._outbox.send(data)

    def forget(self) -> None:
        """Somebody else wrote to the terminal: the next frame is sent whole."""
        self._terminal.forget()

    def start_application_mode(self) -> None:
        """Take the terminal; after a suspension again."""
        if self._outbox is None and self._file is not None:
            erases = erases_in_background(self._file.fileno())
            self._terminal = TerminalScreen(self._get_terminal_size, erases=erases)
            self._outbox = Outbox(self._file, self._terminal)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        resized = signal.getsignal(signal.SIGWINCH)

        def forget_then(number: int, frame: FrameType | None) -> None:
            self.forget()
            if callable(resized):
                resized(number, frame)

        signal.signal(signal.SIGWINCH, forget_then)

    def process_message(self, message: Message) -> None:
        """Terminals that tell their size in band do not signal."""
        if isinstance(message, InBandWindowResize | Resize):
            self.forget()
        super().process_message(message)

    def close(self) -> None:
        """Write what waits, then end the thread."""
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        super().close()
