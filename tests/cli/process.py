"""Commands as users run them: processes of their own, with folders of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = str(ROOT / "logscope" / "rules" / "builtin" / "silent_payment_failure.yml")
PATIENCE = 90.0
"""Seconds until something that must come is missed; generous, since machines are shared."""


@dataclass(frozen=True)
class Result:
    """What a finished command left."""

    code: int
    out: bytes
    err: bytes

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def talk(self) -> str:
        return self.err.decode()


@dataclass
class Program:
    """Runs `python -m logscope` with private folders.

    Args:
        home: Holds configuration, state and cache.
    """

    home: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    limits: Sequence[tuple[int, int]] = ()
    """Limits of what `start` starts: a `resource.RLIMIT_*` and its value."""

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        folders = {f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("CONFIG", "STATE", "CACHE", "DATA")}
        return own | folders | {"HOME": str(self.home), "TZ": "UTC", "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}

    @property
    def config(self) -> Path:
        return self.home / "config" / "logscope"

    def __call__(
        self, *arguments: str | Path, stdin: bytes | None = None, cwd: Path | None = None, **environment: str
    ) -> Result:
        """Run a command to its end, without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "logscope", *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            cwd=cwd or self.home,
            env=self.environment | environment,
            timeout=PATIENCE,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path, **how: Any) -> subprocess.Popen[bytes]:
        """Start a command; it is killed when the test is over."""
        process = subprocess.Popen(
            [sys.executable, "-m", "logscope", *map(str, arguments)],
            **({"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how),
            cwd=self.home,
            env=self.environment,
            preexec_fn=self._limit if self.limits else None,
        )
        self.started.append(process)
        return process

    def _limit(self) -> None:
        for what, most in self.limits:
            resource.setrlimit(what, (most, most))

    def on_terminal(
        self, *arguments: str | Path, cwd: Path | None = None, keys: tuple[bytes, bytes] | None = None
    ) -> tuple[int, bytes]:
        """Run a command under a pseudo terminal; everything it wrote there. `keys`: what it shows first, what is typed then."""
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "logscope", *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd or self.home,
            env=self.environment,
            start_new_session=True,
        )
        self.started.append(process)
        os.close(slave)
        written = bytearray()
        with suppress(OSError):  # a terminal whose other side is gone reads as an error
            while chunk := os.read(master, 1 << 16):
                written += chunk
                if keys is not None and keys[0] in written:
                    os.write(master, keys[1])
                    keys = None
        os.close(master)
        return process.wait(PATIENCE), bytes(written)

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()


class Watch:
    """A running `watch`: what it says and tells is collected as it comes.

    Args:
        program: Runs it.
        arguments: Sources and options.
    """

    def __init__(self, program: Program, *arguments: str | Path) -> None:
        self.process = program.start("watch", "--json", *arguments)
        self.said: list[str] = []
        self.told: list[dict[str, Any]] = []
        self._threads = [
            threading.Thread(target=self._collect, args=(stream, take), daemon=True)
            for stream, take in (
                (self.process.stderr, self.said.append),
                (self.process.stdout, lambda line: self.told.append(json.loads(line))),
            )
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream: Any, take: Any) -> None:
        with suppress(ValueError):
            for line in stream:
                take(line.decode().rstrip("\n"))

    def url(self) -> str:
        """Where it listens, once it says so."""
        found = self.until(lambda: next((line for line in self.said if line.startswith("listening on ")), None))
        return str(found).removeprefix("listening on ")

    def until(self, condition: Any) -> Any:
        """Wait for something true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if value := condition():
                return value
            if self.process.poll() is not None:
                self._join()
                if value := condition():
                    return value
                break
            time.sleep(0.02)
        raise AssertionError(f"did not come; said: {self.said}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._join()
        return code

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)

    @property
    def counters(self) -> dict[str, int]:
        """The last line it said."""
        counted: dict[str, int] = json.loads(self.said[-1])
        return counted


def readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read in time."""
    return bool(select.select([descriptor], [], [], seconds)[0])


def story(detection: dict[str, Any]) -> tuple[Any, ...]:
    """What must be equal of a detection: id, rule, times, output."""
    return (
        detection["detection"], detection["rule"], detection["time"], detection["start"], detection["end"],
        json.dumps(detection["output"], sort_keys=True),
    )  # fmt: skip


def stories(detections: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Detections to compare, sorted."""
    return sorted(map(story, detections))


ESCAPES = re.compile(rb"\x1b\[[0-9;]*m")
"""Colours, the one thing of a terminal's language that commands write."""
