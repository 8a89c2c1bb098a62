"""Standard input, FIFOs and process substitutions: read as they come, never waited for."""

from __future__ import annotations

import os
import re
import select
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from logscope.errors import SourceError
from logscope.sources.base import POLL_INTERVAL
from logscope.sources.copied import CopiedSource
from logscope.sources.trouble import source_error

_CHUNK = 1 << 20
_INHERITED = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_piped: list[int] = []


def stdin_is_pipe() -> bool:
    """Whether standard input holds a log: a pipe, a FIFO, a socket or a redirected file."""
    try:
        mode = os.fstat(_piped[0] if _piped else 0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def keyboard_from_terminal() -> bool:
    """Put the terminal on descriptor 0 where a pipe is, which `-` goes on reading from a spare one.

    Returns:
        False if there is no terminal to take keys from; nothing has changed then.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not _piped:
            _piped.append(os.dup(0))
        os.dup2(terminal, 0, inheritable=True)
        if sys.__stdin__ is not None and sys.stdin is not sys.__stdin__:
            sys.stdin = sys.__stdin__
    finally:
        os.close(terminal)
    return True


def standard_input(name: str) -> int:
    """A descriptor of our own for what was piped in, even after `keyboard_from_terminal`.

    Raises:
        SourceError: It is a terminal or closed.
    """
    try:
        fd = os.dup(_piped[0] if _piped else 0)
    except OSError as error:
        raise source_error(error, name) from error
    if os.isatty(fd):
        os.close(fd)
        raise SourceError("standard input is a terminal", where=name, mend="pipe a log into it, or name a file")
    return fd


def inherited_pipe(path: Path) -> int | None:
    """The descriptor behind `/dev/fd/N` (a shell's process substitution), duplicated; None for another path.

    Opening the path anew would hide that its writer has already gone.
    """
    match = _INHERITED.fullmatch(str(path))
    if match is None:
        return None
    try:
        return os.dup(int(match[1]))
    except OSError:
        return None


def pipe_chunks(source: CopiedSource, stop: threading.Event, fd: int, path: Path | None) -> Iterator[bytes]:
    """What is written into a pipe until its last writer closes it.

    Args:
        source: Whose pipe it is; if it follows, a FIFO is waited on for further writers.
        stop: Ends it within a quarter of a second.
        fd: Of the pipe, blocking or not.
        path: Of the FIFO; None for one that nobody can open again.
    """
    again = path is not None and source.follow
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    while not stop.is_set():
        events = poller.poll(POLL_INTERVAL * 1000)
        if not events:
            continue
        if events[0][1] & (select.POLLERR | select.POLLNVAL):
            return
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            continue
        if chunk:
            yield chunk
        elif again:
            # The hang-up stays readable until the next writer comes: without a pause this would spin.
            stop.wait(POLL_INTERVAL)
        else:
            return
