"""`logscope`: parses the command line, runs a command, turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from logscope.cli.arguments import parse
from logscope.errors import LogscopeError

if TYPE_CHECKING:
    import argparse

_MODULES = {
    "investigate": "investigate",
    "demo": "investigate",
    "query": "search",
    "sql": "search",
    "stats": "statistics",
    "templates": "analysis",
    "export": "analysis",
    "keys": "transactions",
    "transactions": "transactions",
    "scan": "detection",
    "watch": "watch",
    "replay": "replay",
    "rules": "rules",
    "formats": "formats",
    "actions": "actions",
    "spool": "spool",
    "cases": "cases",
}
"""Command -> module of logscope.cli; loaded when it is run, so that --help stays quick."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code of interface section 2.
    """
    if os.name != "posix":
        print("logscope: runs on Linux and macOS", file=sys.stderr)  # noqa: T201
        return 2
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        return _command(arguments)(arguments)
    except LogscopeError as error:
        from logscope.cli.output import say

        say(f"logscope: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone: nothing more to say, and Python must not say it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _command(arguments: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    module = import_module(f"logscope.cli.{_MODULES[arguments.command]}")
    run: Callable[[argparse.Namespace], int] = getattr(module, f"run_{arguments.command}")
    return run
