"""The action `command`: runs a program for each event, without a shell.

The detection's JSON is its standard input. Templates stand for single arguments: what a log says is
one argument or a part of one, whatever it holds.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from logscope.actions.base import Down, Failed
from logscope.actions.event import Event
from logscope.actions.secret import Hidden, Secret
from logscope.actions.settings import Reader
from logscope.templating import Template
from logscope.text import clean

_LONGEST = 32_768
"""Characters of one argument; the system takes 128 KiB at most."""
_KEPT = 4096
"""Bytes of output that are kept for the reason."""
_GRACE = 2.0
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")


class CommandSender:
    """Runs a program.

    Args:
        argv: The program and its arguments; the first has no names in it.
        environment: More variables than the few it inherits.
        folder: To run in.
        timeout: Seconds until its process group is ended.
    """

    TRIES = 5
    FLOOD = "600/m"

    def __init__(
        self, argv: Sequence[Template], environment: Mapping[str, Secret], folder: Path, timeout: float
    ) -> None:
        """Nothing runs yet."""
        self._argv = tuple(argv)
        self._configured = dict(environment)
        self._folder = folder
        self._timeout = timeout
        self._hidden = Hidden()
        self._environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self.batch = 1
        self.patient = False
        self.target = " ".join(part.text for part in argv)

    @classmethod
    def read(cls, table: Reader) -> CommandSender:
        """From its settings.

        Raises:
            ConfigError: A setting that cannot be used.
        """
        argv = [table.parsed("argv", text) for text in table.texts("argv")]
        program = argv[0]
        if program.names or not program.text or any("\0" in part.text for part in argv):
            raise table.error("argv", "the program is fixed: no names in it", 'write argv = ["/path/to/program", ...]')
        if shutil.which(program.text) is None:
            raise table.error("argv", f"there is no program {program.text!r}", "name one by its whole path")
        environment = table.table_of_texts("env")
        return cls(
            argv,
            {name: table.secret(f"env.{name}", value) for name, value in environment.items()},
            table.path("cwd") if table.value("cwd") is not None else Path("/"),
            table.seconds("timeout", "30s"),
        )

    def open(self, origin: str) -> None:
        """Look up secrets.

        Raises:
            ConfigError: One is not there.
        """
        self._closed = False
        self._hidden = Hidden()
        self._environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._environment |= {name: self._hidden.reveal(secret) for name, secret in self._configured.items()}

    def arguments(self, event: Event) -> list[str]:
        """The arguments for an event."""
        data = event.data()
        return [self._argv[0].text, *(_argument(part, event, data) for part in self._argv[1:])]

    def send(self, events: Sequence[Event]) -> None:
        """Run it once for each; exit code 0 is its word that it was done.

        Raises:
            Down: It could not be started.
            Failed: It took too long or ended otherwise.
        """
        for event in events:
            self._run(event)

    def _run(self, event: Event) -> None:
        arguments = self.arguments(event)
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise Down(f"cannot be started: {error.strerror}") from error
        self._process = process
        output = bytearray()
        threads = [
            threading.Thread(target=_feed, args=(process, event.body + b"\n"), daemon=True),
            threading.Thread(target=_listen, args=(process, output), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            if self._closed:
                _end_group(process)
            code = process.wait(self._timeout)
        except subprocess.TimeoutExpired as error:
            _end_group(process)
            raise Failed(f"not done in {self._timeout:g} s: its processes were ended{self._said(output)}") from error
        finally:
            self._process = None
            # A child that goes on may hold the pipes for ever.
            threads[1].join(0.2)
        if code:
            ended = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise Failed(f"{ended}{self._said(output)}")

    def _said(self, output: bytearray) -> str:
        text = self._hidden.without(bytes(output).decode("utf-8", "replace")).strip()
        return f": {clean(text, cap=200)}" if text else ""

    def close(self) -> None:
        """End what runs, with all that it has started in its group."""
        self._closed = True
        if process := self._process:
            _end_group(process)


def _argument(part: Template, event: Event, data: Mapping[str, object]) -> str:
    """One argument. A name that stands alone becomes the value as it is.

    One that begins with a name and goes on with text gets a blank before a leading dash: what a log says shall not
    turn the rest of the text into an option.
    """
    text = part.render(lambda name: event.lookup(data, name))[:_LONGEST].replace("\0", "")
    text = text.encode("utf-8", "replace").decode()
    begins_with_name = bool(part.parts) and part.parts[0][0]
    if begins_with_name and len(part.parts) > 1 and text.startswith("-"):
        return f" {text}"
    return text


def _feed(process: subprocess.Popen[bytes], body: bytes) -> None:
    assert process.stdin is not None
    with suppress(OSError, ValueError):
        process.stdin.write(body)
    with suppress(OSError, ValueError):
        process.stdin.close()


def _listen(process: subprocess.Popen[bytes], output: bytearray) -> None:
    """Keep the first of what it says, and read on so that it never waits."""
    assert process.stdout is not None
    with suppress(OSError, ValueError), process.stdout as stream:
        while chunk := os.read(stream.fileno(), 65_536):
            output += chunk[: _KEPT - len(output)]


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the process group to end, then make it."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
