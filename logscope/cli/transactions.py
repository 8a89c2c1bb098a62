"""`keys` and `transactions`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from logscope.cli.opening import loaded, source_exit
from logscope.cli.output import Object, say, table, write_objects
from logscope.errors import UsageError
from logscope.text import clean, human_count, human_duration

if TYPE_CHECKING:
    import polars as pl

    from logscope.engine.session import Session

_MOST_REFUSED = 12
_MOST_COMPARED = 50_000
_ERROR_SIGN = "✖"


def run_keys(arguments: argparse.Namespace) -> int:
    """Correlation keys, found and configured."""
    from logscope.engine.api import Cancel

    with loaded(arguments) as session:
        session.prepare_keys(cancel=Cancel())
        if arguments.save:
            try:
                Path(arguments.save).write_text(session.plan_text(), encoding="utf-8")
            except OSError as error:
                raise UsageError(
                    f"cannot write: {error.strerror}", arguments.save, mend="choose another --save"
                ) from error
        write_objects(session.keys(), arguments, people=_keys_people)
        if not arguments.json and not arguments.output:
            for label, words in session.grain_lines():
                say(clean(f"{label:>14}  {words}"))
            refused = session.refused_keys()
            if refused:
                say(clean(f"{'no keys':>14}  {', '.join(refused[:_MOST_REFUSED])}"))
        return source_exit(session, arguments)


def _keys_people(objects: Iterator[Object]) -> Iterator[str]:
    rows = [
        [
            "●" if entry["active"] else " ",
            entry["key"] + (" (grain)" if entry.get("grain") else ""),
            entry["class"],
            entry["origin"],
            human_count(entry["records"]),
            human_count(entry["values"]),
            str(len(entry["sources"])),
            str(entry.get("records_per_value_p50", "")),
            str(entry.get("records_per_value_max", "")),
            ", ".join(entry.get("aliases") or []),
            entry.get("why", ""),
        ]
        for entry in objects
    ]
    if not rows:
        yield "no correlation keys found: name one with --key 'order_id=order=(\\w+)'"
        return
    header = ["", "key", "class", "origin", "records", "values", "sources", "p50", "max", "aliases", "why"]
    yield from table(rows, header, right=(4, 5, 6, 7, 8))


def run_transactions(arguments: argparse.Namespace) -> int:
    """Records tied together by their keys."""
    from logscope.engine.api import Cancel

    with loaded(arguments) as session:
        # Texts are in no output, lists and ids of those alone that are shown.
        frame = session.transactions(arguments.where, cancel=Cancel(), columns=())
        if arguments.id:
            frame = by_id(frame, session, arguments.id)
        if arguments.limit is not None:
            frame = frame.head(max(0, arguments.limit))
        elif arguments.tail is not None:
            frame = frame.tail(max(0, arguments.tail))
        frame = session.with_columns(frame, session.correlating.list_columns())
        objects = _objects(session, frame, members=arguments.members)
        write_objects(objects, arguments, people=_people, flat=_flat)
        if not arguments.json and not arguments.output:
            grain, why = session.grain()
            say(f"{human_count(frame.height)} transaction{'' if frame.height == 1 else 's'}, grain {grain} ({why})")
        return source_exit(session, arguments)


def by_id(frame: pl.DataFrame, session: Session, wanted: str) -> pl.DataFrame:
    """Transactions that hold a key's value, or have the id."""
    import polars as pl

    key, equals, value = wanted.partition("=")
    if not equals:
        return session.with_columns(frame, ["transaction"]).filter(pl.col("transaction") == wanted)
    name = session.key_name(key)
    frame = session.with_columns(frame, [f"keys.{name}"])
    hits = frame.filter(pl.col(f"keys.{name}").list.contains(value).fill_null(value=False))
    if hits.is_empty():
        _say_nearest(
            name, value, frame.get_column(f"keys.{name}").explode(empty_as_null=True).drop_nulls().unique().to_list()
        )
    return hits


def _say_nearest(name: str, value: str, known: list[str]) -> None:
    """The key is known, the value is not."""
    near = get_close_matches(value, known[:_MOST_COMPARED], n=3, cutoff=0.5)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    say(f"logscope: no transaction has {name}={value} ({human_count(len(known))} values of {name} have one{hint})")


def _objects(session: Session, frame: pl.DataFrame, *, members: bool) -> Iterator[Object]:
    from logscope.engine.linking.listing import member_places
    from logscope.engine.rendering import transactions_json

    numbers = frame.get_column("number").to_list()
    lists = member_places(session, numbers) if members else {}
    for number, entry in zip(numbers, transactions_json(frame), strict=True):
        if members:
            entry["members"] = [{"source": source, "line": line} for source, line in lists.get(number, [])]
        yield entry


def _people(objects: Iterator[Object]) -> Iterator[str]:
    for entry in objects:
        keys = "  ".join(f"{name}={','.join(values[:3])}" for name, values in (entry.get("keys") or {}).items())
        errors = f"{_ERROR_SIGN}{entry['errors']}" if entry.get("errors") else ""
        yield clean(
            f"{entry['start'][:23]}Z  {human_duration(int(entry['duration_ms'] * 1000)):>10}  {entry['records']:>5}  "
            f"{errors:>4}  {entry['state']:<6}  {' '.join(entry['services'])}  {keys}"
        ).rstrip()


def _flat(entry: Object) -> Object:
    keys = entry.get("keys") or {}
    flat = {name: value for name, value in entry.items() if name != "keys"}
    return flat | {f"keys.{name}": value for name, value in keys.items()}
