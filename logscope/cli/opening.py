"""How commands open a session and say what could not be read."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import fstat
from typing import TYPE_CHECKING, Any

from logscope.cli.arguments import options_of
from logscope.cli.listing import listing
from logscope.cli.output import say
from logscope.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from logscope.engine.session import Session
    from logscope.errors import LogscopeError


def stdin_is_pipe() -> bool:
    """Whether standard input brings data: a pipe or a file, not a terminal or nothing."""
    try:
        mode = fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


@contextmanager
def opened(arguments: argparse.Namespace, **more: Any) -> Iterator[Session]:
    """An open session; sources that cannot be opened are said on standard error.

    Args:
        arguments: Of a command that reads.
        more: Options that the command sets itself.

    Raises:
        UsageError: No source is named and none is piped in.
    """
    from logscope.engine.session import Session

    piped = stdin_is_pipe()
    if not arguments.sources and not piped:
        raise UsageError("no source is named", mend="name files, folders, globs, URLs, or pipe records in")
    session = Session(options_of(arguments, stdin_is_pipe=piped, **more))
    try:
        with listing() as told:
            session.open(told)
        for error in session.loading.errors:
            say(f"logscope: {error}")
        if not hasattr(arguments, "strict"):  # `scan` and `watch` say more of their rules
            for fault in _unusable(session, arguments):
                say(f"logscope: {fault}")
        yield session
    finally:
        session.close()


@contextmanager
def loaded(
    arguments: argparse.Namespace, read: Callable[[Session], object] | None = None, **more: Any
) -> Iterator[Session]:
    """A session with everything read that is there; what was noticed is said at the end.

    Args:
        arguments: Of a command that reads.
        read: Reads, where the command does not need everything.
        more: Options that the command sets itself.
    """
    with opened(arguments, **more) as session:
        said = len(session.loading.errors)
        if read is None:
            session.read_all()
        else:
            read(session)
        for error in session.loading.errors[said:]:
            say(f"logscope: {error}")
        yield session
        for notice in session.notices():
            say(f"logscope: {notice}")


def source_exit(session: Session, arguments: argparse.Namespace) -> int:
    """2 if a format definition or a rule named could not be used, else 1 if a source could not be read, else 0."""
    from logscope.errors import FormatError, SourceError

    if _unusable(session, arguments) or any(isinstance(error, FormatError) for error in session.loading.errors):
        return 2
    return 1 if any(isinstance(error, SourceError) for error in session.loading.errors) else 0


def _unusable(session: Session, arguments: argparse.Namespace) -> Sequence[LogscopeError]:
    """What is wrong with the rules that were named; those of the configuration are `scan`'s and `watch`'s business."""
    return session.detecting.rule_errors if arguments.rules else ()
