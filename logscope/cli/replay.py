"""`replay`: sends logs to a syslog receiver with their own gaps."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from logscope.cli.opening import loaded, source_exit
from logscope.cli.output import say
from logscope.errors import SourceError, UsageError

if TYPE_CHECKING:
    from logscope.engine.session import Session

_CHUNK = 8192
_COLUMNS = ("time", "level", "host", "service", "pid", "format", "raw")
_SYSLOG = ("rfc5424", "rfc3164")


def run_replay(arguments: argparse.Namespace) -> int:
    """Send every record, in order of time, as a syslog message."""
    from logscope.sources.replay import replay

    speed = _speed(arguments.speed)
    _check_target(arguments.to)
    stop = threading.Event()
    with loaded(arguments) as session:
        sent = replay(_messages(session), arguments.to, speed=speed, framing=arguments.framing, stop=stop)
        say(f"{sent} messages sent to {arguments.to}")
        return source_exit(session, arguments)


def _check_target(url: str) -> None:
    from logscope.sources.urls import parse_address

    try:
        parse_address(url)
    except SourceError as error:
        raise UsageError(error.message, error.where, mend=error.mend) from error


def _speed(text: str) -> float | None:
    """`10x` is 10.0, `max` is None."""
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise UsageError(f"no speed: {text!r}", "--speed", mend="write 10x or max")
    return speed


def _messages(session: Session) -> Iterator[tuple[int | None, bytes]]:
    """Time and message of each record: as it is if it is syslog, else within an RFC 5424 header."""
    import polars as pl

    from logscope.syslog.header import format_rfc5424, severity_of

    view = session.store.view
    rows = session.selection.rows_inside(session.store.ordered(view), view)
    for start in range(0, len(rows), _CHUNK):
        frame = session.frames.rows(rows.slice(start, _CHUNK), view, _COLUMNS)
        for time, level, host, service, pid, kind, raw in frame.select(
            pl.col("time").to_physical(), *_COLUMNS[1:]
        ).iter_rows():
            text = raw or ""
            if kind in _SYSLOG and text.startswith("<"):
                yield time, text.encode()
            else:
                yield time, format_rfc5424(time, host, service, pid, None, text, severity_of(level))
