"""Logs that a program of the host's hands out: `journalctl`, `docker`, `kubectl`, `ssh`.

The program is run by its argument list, never through a shell, and what the URL names is checked
first, so that no name becomes an option or a command. With `-f` a program that ends is started
again, later and later, from where it was.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from logscope.errors import SourceError
from logscope.sources.base import POLL_INTERVAL, SourceSpec
from logscope.sources.copied import CopiedSource
from logscope.sources.scratch import CopyLimits
from logscope.sources.urls import PROGRAMS, scheme_of

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
_SOUND_SECONDS = 60.0
"""A program that ran so long was well: the next pause is the first again."""

_CHUNK = 1 << 16
_SAID = 400
_NEW_FILE = re.compile(rb"has been replaced|has appeared|truncated")
"""What `tail -F` says when its file is another."""

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@*?][A-Za-z0-9:_.\\@*?-]*")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_KUBERNETES = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_EXAMPLES = {
    "journal": "write journal:// or journal://?unit=nginx.service",
    "docker": "write docker://CONTAINER",
    "k8s": "write k8s://NAMESPACE/POD or k8s://NAMESPACE/POD/CONTAINER",
    "ssh": "write ssh://[USER@]HOST/PATH",
}


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a program that ended is to go on."""

    at: float = 0.0
    """When it ended, seconds since 1970; 0: it runs for the first time."""
    bytes: int = 0
    """Of the file as it was then, how many have come."""

    @property
    def time(self) -> str:
        """`at` as RFC 3339, in UTC."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Program:
    """How a URL's log is asked for."""

    name: str
    command: Callable[[bool, Resume], list[str]]
    """The argument list: whether to go on as the log grows, and from where."""
    merged: bool = False
    """The log comes on standard error too."""


def program_of(url: str) -> Program:
    """The program behind a URL.

    Args:
        url: `journal://[?unit=NAME]`, `docker://CONTAINER`, `k8s://NAMESPACE/POD[/CONTAINER]`,
            `ssh://[USER@]HOST[:PORT]/PATH`.

    Raises:
        SourceError: A name that cannot be one.
    """
    scheme = scheme_of(url)
    rest = url.partition("://")[2]
    if scheme == "journal":
        return _journal(url, rest)
    if scheme == "docker":
        return _docker(_checked(url, rest.rstrip("/"), _CONTAINER))
    if scheme == "k8s":
        return _kubernetes(url, rest.rstrip("/").split("/"))
    if scheme == "ssh":
        return _ssh(url, rest)
    raise SourceError("is read through no program", where=url, mend=f"known are {', '.join(PROGRAMS)}")


def _journal(url: str, rest: str) -> Program:
    place, _, query = rest.partition("?")
    settings = parse_qsl(query, keep_blank_values=True)
    if place.strip("/") or any(name != "unit" for name, _ in settings):
        raise SourceError("the journal takes a unit only", where=url, mend=_EXAMPLES["journal"])
    units = [f"--unit={_checked(url, value, _UNIT)}" for _, value in settings]

    def command(follow: bool, resume: Resume) -> list[str]:
        going_on = ["--follow", "--no-tail"] if follow else []
        since = [f"--since=@{int(resume.at)}"] if resume.at else []
        return ["journalctl", "--no-pager", "--quiet", "--output=short-iso-precise", *units, *going_on, *since]

    return Program("journalctl", command)


def _docker(container: str) -> Program:
    def command(follow: bool, resume: Resume) -> list[str]:
        since = [f"--since={resume.time}"] if resume.at else []
        return ["docker", "logs", *(["--follow"] if follow else []), *since, container]

    return Program("docker", command, merged=True)


def _kubernetes(url: str, parts: list[str]) -> Program:
    if len(parts) not in (2, 3):
        raise SourceError("not NAMESPACE/POD", where=url, mend=_EXAMPLES["k8s"])
    namespace, pod, *container = [_checked(url, part, _KUBERNETES) for part in parts]

    def command(follow: bool, resume: Resume) -> list[str]:
        options = [f"--namespace={namespace}", *(f"--container={name}" for name in container)]
        since = [f"--since-time={resume.time}"] if resume.at else []
        return ["kubectl", "logs", *options, *(["--follow"] if follow else []), *since, pod]

    return Program("kubectl", command)


def _ssh(url: str, rest: str) -> Program:
    place, _, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    host, port = _port(host)
    path = "/" + unquote(path)
    if path == "/" or any(ord(c) < 32 for c in path):
        raise SourceError("no path on the host", where=url, mend=_EXAMPLES["ssh"])
    target = (_checked(url, user, _USER) + "@" if at else "") + _checked(url, host, _HOST).strip("[]")
    options = ["-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o", "ConnectTimeout=15", *port]

    def command(follow: bool, resume: Resume) -> list[str]:
        # What follows the host goes to the user's shell there: the path is quoted for it, twice.
        file = shlex.quote(path)
        script = f"exec tail {'-F ' if follow else ''}-c +1 -- {file}"
        if resume.bytes:
            script = f'n={resume.bytes + 1}; [ "$(wc -c < {file})" -lt {resume.bytes} ] && n=1; exec tail -F -c "+$n" -- {file}'
        return ["ssh", *options, target, f"exec sh -c {shlex.quote(script)}"]

    return Program("ssh", command)


def _port(host: str) -> tuple[str, list[str]]:
    match = re.fullmatch(r"(.*[^:]|\[.*\]):(\d{1,5})", host)
    return (match[1], ["-p", match[2]]) if match else (host, [])


def _checked(url: str, name: str, pattern: re.Pattern[str]) -> str:
    if pattern.fullmatch(name) is None:
        mend = _EXAMPLES[scheme_of(url) or ""]
        raise SourceError(f"{name!r} cannot be a name there" if name else "no name", where=url, mend=mend)
    return name


class ProgramSource(CopiedSource):
    """What a program writes."""

    failed: SourceError | None = None
    """Why a program that does not follow gave nothing."""

    def poll(self) -> bool:
        """Whether more has come.

        Raises:
            SourceError: The program failed; once.
        """
        error, self.failed = self.failed, None
        if error is not None:
            raise error
        return super().poll()


def open_program(spec: SourceSpec, *, follow: bool, limits: CopyLimits | None = None) -> ProgramSource:
    """Run the program behind a URL, its output a stream.

    Raises:
        SourceError: The host has no such program, or a name cannot be one.
    """
    url = spec.url or spec.name
    program = program_of(url)
    if shutil.which(program.name) is None:
        mend = f"install {program.name}, or put it on the PATH"
        raise SourceError(f"this host has no {program.name}", where=url, mend=mend)

    def chunks(source: CopiedSource, stop: threading.Event) -> Iterator[bytes]:
        assert isinstance(source, ProgramSource)
        return _Running(program, source, stop).chunks()

    return ProgramSource(spec, chunks, follow=follow, limits=limits)


class _Running:
    """One program, run as often as it takes."""

    def __init__(self, program: Program, source: ProgramSource, stop: threading.Event) -> None:
        self._program = program
        self._source = source
        self._stop = stop
        self._line_open = False
        self._bytes = 0

    def chunks(self) -> Iterator[bytes]:
        """What it writes, until it ends or, with `follow`, until `stop`."""
        pause = FIRST_PAUSE
        resume = Resume()
        while not self._stop.is_set():
            began = time.monotonic()
            yield from self._once(resume)
            if not self._source.follow or self._stop.is_set():
                return
            resume = Resume(time.time(), self._bytes)
            pause = FIRST_PAUSE if time.monotonic() - began > _SOUND_SECONDS else pause
            self._stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _once(self, resume: Resume) -> Iterator[bytes]:
        command = self._program.command(self._source.follow, resume)
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if self._program.merged else subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._tell(f"{command[0]} cannot be started: {error.strerror}")
            return
        with process:
            try:
                complaint = yield from self._output(process)
            finally:
                _end(process)
        if self._stop.is_set():
            return
        if self._program.merged and not process.returncode:
            complaint = ""
        if process.returncode or self._source.follow:
            self._tell(f"{command[0]} ended with {process.returncode}" + (f": {complaint}" if complaint else ""))

    def _tell(self, text: str) -> None:
        if self._source.follow:
            self._source.say(f"{text}; it is started again")
        else:
            self._source.failed = SourceError(text, where=self._source.name)

    def _output(self, process: subprocess.Popen[bytes]) -> Generator[bytes, None, str]:
        """Its standard output; returns the last that it said on standard error."""
        assert process.stdout is not None
        poller = select.poll()
        pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
        for pipe in pipes:
            poller.register(pipe, select.POLLIN)
        complaint = b""
        open_pipes = len(pipes)
        while open_pipes and not self._stop.is_set():
            for fd, _ in poller.poll(POLL_INTERVAL * 1000):
                piece = os.read(fd, _CHUNK)
                if not piece:
                    poller.unregister(fd)
                    open_pipes -= 1
                elif fd == process.stdout.fileno():
                    self._line_open = not piece.endswith(b"\n")
                    self._bytes += len(piece)
                    if self._program.merged:
                        complaint = (complaint + piece)[-_SAID:]
                    yield piece
                else:
                    complaint = (complaint + piece)[-_SAID:]
                    if _NEW_FILE.search(piece):
                        self._bytes = 0
        if self._line_open and not self._stop.is_set() and self._program.name != "ssh":
            # The next run's first line is a line of its own; tail goes on in the middle of one.
            self._line_open = False
            yield b"\n"
        if not open_pipes:
            process.wait()
        # What went wrong is said last; before it may stand banners and attempts, and of docker the log itself.
        return complaint.decode("utf-8", "replace").strip().rpartition("\n")[2].strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it has started."""
    if process.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
                return
