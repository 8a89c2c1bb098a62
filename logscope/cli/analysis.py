"""`templates` and `export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.cli.cases import take_case
from logscope.cli.opening import loaded, source_exit
from logscope.cli.output import Object, level_text, say, write_objects
from logscope.cli.transactions import by_id
from logscope.errors import UsageError
from logscope.text import clean, human_count

if TYPE_CHECKING:
    from logscope.engine.session import Session


def run_templates(arguments: argparse.Namespace) -> int:
    """Message templates with counts, first and last seen."""
    with loaded(arguments) as session:
        write_objects(_objects(session), arguments, people=_people)
        return source_exit(session, arguments)


def _objects(session: Session) -> Iterator[Object]:
    from logscope.engine.api import Cancel
    from logscope.engine.rendering import iso_of, present
    from logscope.records.severity import level_name

    index = session.store.view.index
    for entry in session.templates(cancel=Cancel()).iter_rows(named=True):
        row = entry["row"]
        yield present(
            {
                "template": entry["template"],
                "service": entry["service"],
                "level": level_name(entry["level"]),
                "records": entry["count"],
                "share": round(entry["share"], 6),
                "first": iso_of(entry["first"]),
                "last": iso_of(entry["last"]),
                "source": session.source_name(index.item(row, "source_id")),
                "line": index.item(row, "line"),
            }
        )


def _people(objects: Iterator[Object]) -> Iterator[str]:
    for entry in objects:
        yield (
            f"{human_count(entry['records']):>8}  {entry['share']:>6.1%}  {entry['first'][:19]}Z  "
            f"{entry['last'][:19]}Z  {level_text(entry.get('level'))}  {clean(entry['service'])[:16]:<16}  "
            f"{clean(entry['template'])}"
        )


def run_export(arguments: argparse.Namespace) -> int:
    """A report of some transactions, or of a case."""
    from logscope.engine.api import Cancel
    from logscope.engine.cases.reporting import writer

    path = Path(arguments.report)
    writer(path)  # a wrong ending is said before anything is read
    case = take_case(arguments)
    if case is None and not arguments.id:
        raise UsageError("nothing to tell of", "export", mend="name --id KEY=VALUE or --case NAME")
    with loaded(arguments) as session:
        numbers = numbers_of(session, arguments.id)
        if case is not None and arguments.notes:
            case = replace(case, notes=arguments.notes)
        session.export(
            path,
            numbers,
            case=case,
            kept=arguments.kept or "",
            notes=arguments.notes,
            redact=arguments.redact,
            cancel=Cancel(),
        )
        count = len(numbers) + (len(case.pins) if case else 0)
        say(f"{path}: {count} {'pins' if case else 'transactions'}" if count != 1 else f"{path}: 1 transaction")
        return source_exit(session, arguments)


def numbers_of(session: Session, wanted: Sequence[str]) -> list[int]:
    """Numbers of the transactions that `--id` names.

    Args:
        session: With everything read.
        wanted: `KEY=VALUE`, or a transaction's id.

    Raises:
        UsageError: One of them is not there.
    """
    from logscope.engine.api import Cancel

    numbers: list[int] = []
    table = session.transactions(cancel=Cancel(), columns=()) if wanted else None
    for each in wanted:
        assert table is not None
        found = by_id(table, session, each).get_column("number").to_list()
        if not found:
            raise UsageError(f"no transaction has {each}", "--id", mend="see `logscope transactions`")
        numbers += [number for number in found if number not in numbers]
    return numbers
