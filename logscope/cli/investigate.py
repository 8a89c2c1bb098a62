"""The investigator and the demo."""

from __future__ import annotations

import argparse
import gc
import os
import sys

from logscope.cli.arguments import options_of
from logscope.cli.opening import stdin_is_pipe
from logscope.errors import UsageError


def run_investigate(arguments: argparse.Namespace) -> int:
    """Open the investigator on the sources named."""
    piped = stdin_is_pipe()
    if not arguments.sources and not piped:
        raise UsageError(
            "no source is named", mend="name files, folders, globs, URLs, pipe records in, or try `logscope demo`"
        )
    return _open(arguments, piped=piped, shipped=False)


def run_demo(arguments: argparse.Namespace) -> int:
    """Open the investigator on the sample logs, with the shipped rules."""
    from logscope.paths import shipped

    arguments.sources = [str(path) for path in sorted(shipped("sample_logs").glob("*.log.gz"))]
    return _open(arguments, piped=False, shipped=True)


def _open(arguments: argparse.Namespace, *, piped: bool, shipped: bool) -> int:
    if not sys.stdout.isatty() and not sys.stderr.isatty():
        raise UsageError("the investigator needs a terminal", mend="use `logscope query`, or another command")
    # Nothing that start-up makes is garbage: collecting meanwhile costs a tenth of it. The app settles it.
    gc.disable()
    from logscope.engine.session import Session
    from logscope.tui.run import run

    session = Session(options_of(arguments, stdin_is_pipe=piped, shipped_rules=shipped))
    code = 1
    try:
        session.open()
        if piped:
            from logscope.sources.streams import keyboard_from_terminal

            keyboard_from_terminal()
        session.start()
        code = run(
            session,
            theme=arguments.theme,
            keymap=arguments.keymap,
            zone=arguments.show_tz,
            driver=arguments.driver or "auto",
            low_bandwidth=arguments.low_bandwidth,
        )
    finally:
        session.close()
    # A query may still run on a daemon thread; an interpreter that is taken down under it can abort,
    # and nobody who typed q wants to wait for it.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
