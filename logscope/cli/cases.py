"""`--case`: what a case names is opened the way the case says; and the list of cases."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from logscope.cli.output import Object, say, table, write_objects
from logscope.errors import UsageError

if TYPE_CHECKING:
    from logscope.engine.pinned import CaseFile


def take_case(arguments: argparse.Namespace) -> CaseFile | None:
    """The case that `--case` names; the arguments are made to open it. None: none is named.

    Sources and options that are typed win over the case's.

    Raises:
        UsageError: There is none, or it names what a file may not open.
    """
    if not arguments.kept:
        return None
    from logscope.engine.cases.casefile import plain_sources
    from logscope.engine.cases.folder import Cases

    case = Cases().load(arguments.kept)
    if not arguments.sources:
        arguments.sources = list(plain_sources(case))
    arguments.case_options = dict(case.options)
    return case


def run_cases(arguments: argparse.Namespace) -> int:
    """List the cases, or forget some."""
    from logscope.engine.cases.folder import Cases

    cases = Cases()
    if arguments.action == "list":
        objects: list[Object] = [
            {
                "case": one.name, "pins": len(one.pins), "saved": _saved(one.saved), "sources": list(one.sources),
                "notes": one.notes or None,
            }
            for one in cases.all()
        ]  # fmt: skip
        write_objects(objects, arguments, people=_people)
        return 0
    if not arguments.names:
        raise UsageError("no case is named", "cases drop", mend="see `logscope cases list`")
    for name in arguments.names:
        if not cases.drop(name):
            raise UsageError(f"no case {name!r}", "cases drop", mend="see `logscope cases list`")
        say(f"{name}: dropped")
    return 0


def _saved(seconds: float) -> str:
    from logscope.engine.rendering import iso

    return iso(round(seconds * 1_000_000)) or ""


def _people(objects: Iterator[Object]) -> Iterator[str]:
    rows = [[one["case"], str(one["pins"]), one["saved"][:19], ", ".join(one["sources"])] for one in objects]
    yield from table(rows, ["case", "pins", "saved", "sources"], right=(1,))
