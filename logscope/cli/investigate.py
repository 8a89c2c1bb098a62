"""The investigator and the demo."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.cli.arguments import options_of
from logscope.cli.cases import take_case
from logscope.cli.listing import listing
from logscope.cli.opening import source_exit, stdin_is_pipe
from logscope.errors import UsageError
from logscope.tui.reopening import Reopen

if TYPE_CHECKING:
    from logscope.engine.pinned import CaseFile
    from logscope.engine.session import Session


def run_investigate(arguments: argparse.Namespace) -> int:
    """Open the investigator on the sources named; without one on what is chosen."""
    piped = stdin_is_pipe()
    case = take_case(arguments)
    _need_terminal(arguments, piped=piped)
    wanted = None
    if not arguments.sources and not piped:
        from logscope.tui.run import choose

        wanted = choose(arguments.theme)
        if wanted is None:
            return 0
    return _open(arguments, wanted, piped=piped, case=case)


def run_demo(arguments: argparse.Namespace) -> int:
    """Open the investigator on the sample logs, with the shipped rules."""
    from logscope.paths import shipped

    _need_terminal(arguments, piped=False, demo=True)
    arguments.id = []
    arguments.sources = [str(path) for path in sorted(shipped("sample_logs").glob("*.log.gz"))]
    return _open(arguments, None, piped=False, demo=True)


def _need_terminal(arguments: argparse.Namespace, *, piped: bool, demo: bool = False) -> None:
    if sys.stdout.isatty() or sys.stderr.isatty():
        return
    if not arguments.sources and not piped and not demo:
        raise UsageError(
            "no source is named", mend="name files, folders, globs, URLs, pipe records in, or try `logscope demo`"
        )
    raise UsageError("the investigator needs a terminal", mend="use `logscope query`, or another command")


def _open(
    arguments: argparse.Namespace,
    wanted: Reopen | None,
    *,
    piped: bool,
    demo: bool = False,
    case: CaseFile | None = None,
) -> int:
    # Nothing that start-up makes is garbage: collecting meanwhile costs a tenth of it. The app settles it.
    gc.disable()
    while True:
        if wanted is not None and wanted.sources == ("?",):
            from logscope.tui.run import choose

            wanted = choose(arguments.theme) or Reopen()
        if wanted is not None:
            arguments.sources = list(wanted.sources) or arguments.sources
            arguments.format = [*(arguments.format or ()), *wanted.formats]
        code = _investigate(arguments, wanted.session if wanted else "", piped=piped, demo=demo, case=case)
        case = None
        if isinstance(code, int):
            break
        wanted = code
    # A query may still run on a daemon thread; an interpreter that is taken down under it can abort,
    # and nobody who typed q wants to wait for it.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _investigate(
    arguments: argparse.Namespace, named: str, *, piped: bool, demo: bool, case: CaseFile | None
) -> int | Reopen:
    from logscope.engine.session import Session
    from logscope.tui.run import run

    session = Session(options_of(arguments, stdin_is_pipe=piped, shipped_rules=demo))
    try:
        with listing(keys=True) as told:
            session.open(told)
        if piped:
            from logscope.sources.streams import keyboard_from_terminal

            keyboard_from_terminal()
        if arguments.id:
            case = _pinned(session, arguments)
        session.start()
        code = run(
            session,
            theme=arguments.theme,
            keymap=arguments.keymap,
            zone=arguments.show_tz,
            driver=arguments.driver or "auto",
            low_bandwidth=arguments.low_bandwidth,
            sources=[_whole(source) for source in arguments.sources] or ["-"],
            session=named,
            keep=not demo,
            can_reopen=not piped,
            tour=demo,
            case=case,
        )
        return code if isinstance(code, Reopen) else code or source_exit(session, arguments)
    finally:
        session.close()


def _pinned(session: Session, arguments: argparse.Namespace) -> CaseFile:
    """A new case that holds the transactions of `--id`; they are found when everything is read."""
    from dataclasses import replace

    from logscope.engine.pinned import Pin

    pins = []
    for wanted in arguments.id:
        key, equals, value = wanted.partition("=")
        if equals:
            pins.append(Pin("transaction", "", 0, title=value, keys=((key, value),)))
        else:
            pins.append(Pin("transaction", "", 0, title=wanted, transaction=wanted))
    return replace(session.new_case(sources=arguments.sources), pins=tuple(pins))


def _whole(source: str) -> str:
    """A source as it can be named from any folder."""
    return source if "://" in source or source == "-" else str(Path(source).absolute())
