"""`scan`: what the rules find in what is there."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from logscope.cli.dispatch import SCAN_PATIENCE, dispatched, finish
from logscope.cli.opening import loaded, source_exit
from logscope.cli.output import Object, coloured, print_lines, say, write_objects
from logscope.errors import UsageError
from logscope.text import clean, several

if TYPE_CHECKING:
    from logscope.engine.answers import Detection
    from logscope.engine.session import Session

RULE_LEVELS = ("informational", "low", "medium", "high", "critical")
_COLOURS = {"critical": "1;31", "high": "31", "medium": "33"}


def run_scan(arguments: argparse.Namespace) -> int:
    """Detection over what is there."""
    from logscope.engine.api import Cancel
    from logscope.engine.linking.listing import with_members

    threshold = fail_level(arguments.fail_on)
    with loaded(arguments) as session, dispatched(session, arguments, by_rules=False) as dispatching:
        broken = say_rule_errors(session, strict=arguments.strict)
        session.prepare_transactions(cancel=Cancel(), decide=arguments.at_end == "decide")
        every = session.detections()
        matched = [detection for detection in every if detection.state == "matched"]
        pending = [detection for detection in every if detection.state == "pending"]
        found = [detection for detection in every if detection.state == "matched" or arguments.pending]
        objects = (with_members(session, detection) for detection in found)
        write_objects(objects, arguments, people=people, flat=flat, page=_page, columns=_columns(session))
        if arguments.near_misses:
            _near_misses(session, arguments)
        if arguments.output or not arguments.json:
            _summary(session, matched, len(pending), listed=arguments.pending)
        dispatching.put(matched)
        undelivered = finish(dispatching, SCAN_PATIENCE, patient=True)
        if broken:
            return 2
        return source_exit(session, arguments) or undelivered or failed(matched, threshold)


_SAID_LOGSOURCES = 4
_SAID_UNKNOWN = 5


def fail_level(name: str | None) -> int | None:
    """The number of a rule level (`--fail-on`).

    Raises:
        UsageError: There is no such level.
    """
    if name is None:
        return None
    if name.lower() not in RULE_LEVELS:
        raise UsageError(f"no level {name!r}", "--fail-on", mend=f"one of {', '.join(RULE_LEVELS)}")
    return RULE_LEVELS.index(name.lower())


def failed(found: list[Detection], threshold: int | None) -> int:
    """3 if a detection reaches the level, else 0."""
    if threshold is None:
        return 0
    return 3 if any(RULE_LEVELS.index(detection.level) >= threshold for detection in found) else 0


def say_rule_errors(session: Session, *, strict: bool) -> bool:
    """Say which rules do not compile, and how many of the others no record can match; whether some do not compile.

    Raises:
        RuleError: The first of them, with `strict`.
    """
    errors = session.detecting.rule_errors
    if strict and errors:
        raise errors[0]
    for error in errors:
        say(f"logscope: {error}")
    if not session.detecting.rules and not errors:
        say("logscope: no rules to run; name some with --rules PATH or --rule 'seq ...'")
    idle = Counter(rule.unmapped for rule in session.detecting.rules if rule.unmapped is not None)
    if idle:
        most = "; ".join(f"{source}: {count}" for source, count in idle.most_common(_SAID_LOGSOURCES))
        more = "; ..." if len(idle) > _SAID_LOGSOURCES else ""
        say(
            f"logscope: {idle.total()} of {len(session.detecting.rules)} rules take part in nothing, for no pipeline "
            f"maps their logsource ({most}{more}); logscope rules check names them and where to write one"
        )
    return bool(errors)


_FIXED = ("rule", "time", "level", "transaction")


def _columns(session: Session) -> list[str]:
    """The columns of the CSV, whether or not something was found."""
    fields = dict.fromkeys(name for rule in session.detecting.rules for name in rule.emit.fields)
    return [*_FIXED, *map(_column, fields)]


def _column(field: str) -> str:
    return f"output.{field}" if field in _FIXED else field


def flat(entry: Object) -> Object:
    """A row of the CSV: rule, time, level, transaction, then the emitted fields."""
    row = {name: entry.get(name) for name in _FIXED}
    return row | {_column(name): value for name, value in (entry.get("output") or {}).items()}


def _page(entry: Object) -> Object:
    """A row of the HTML: what a person is told, then the emitted fields."""
    told = {"time": entry["time"], "level": entry["level"], "rule": entry["rule"], "message": entry.get("message")}
    return told | {
        _column(name): value for name, value in (entry.get("output") or {}).items() if value != told.get(name)
    }


def people(objects: Iterator[Object]) -> Iterator[str]:
    """A line per detection."""
    import sys

    for entry in objects:
        level = str(entry["level"])
        colour = _COLOURS.get(level) if coloured(sys.stdout) else None
        shown = f"\x1b[{colour}m{level:<13}\x1b[0m" if colour else f"{level:<13}"
        output = "  ".join(f"{name}={value}" for name, value in (entry.get("output") or {}).items())
        notes = [entry["state"]] if entry["state"] != "matched" else []
        notes += [entry["reason"]] if entry.get("reason") else []
        notes += ["suppressed"] if entry.get("suppressed") else []
        message = entry.get("message") or ""
        if message in ("", entry["title"]):
            # A rule that says nothing of its own: what it is about stands in its output.
            message = f"{message}: {output}" if message and output else message or output
        text = clean(f"{entry['rule']}  {message}")
        yield f"{entry['time'][:23]}Z  {shown}  {text}" + (f"  [{clean(': '.join(notes))}]" if notes else "")


def _near_misses(session: Session, arguments: argparse.Namespace) -> None:
    from logscope.engine.api import Cancel
    from logscope.engine.rendering import json_line, near_miss_json

    for rule in session.detecting.rules:
        found = session.near_misses(rule.name, cancel=Cancel())
        if arguments.json:
            print_lines(json_line(near_miss_json(miss)) for miss in found)
        else:
            print_lines(clean(f"near miss  {miss.rule}  {miss.subject}: {miss.text}") for miss in found)


def _summary(session: Session, found: list[Detection], pending: int, *, listed: bool) -> None:
    """What was found by rule, and why it may not be all; `listed`: what is pending was printed, too."""
    from logscope.engine.detection.unknown import unknown_to_rules

    counts = Counter(detection.rule for detection in found)
    rules = ", ".join(f"{rule} {count}" for rule, count in counts.most_common())
    of = several(len(session.detecting.rules), "rule")
    say(f"{several(len(found), 'detection')} by {of}" + (f": {rules}" if rules else ""))
    if pending:
        how = "--at-end decide" if listed else "--pending, --at-end decide"
        say(f"{pending} more {'is' if pending == 1 else 'are'} open at the end or the beginning of the data: {how}")
    words = {
        "keyless": "records lack its key",
        "untimed": "records have no time of their own",
        "evicted": "records were given up, the rule is incomplete",
    }
    for state in session.rule_states():
        for name, text in words.items():
            if state.counts.get(name):
                say(f"rule {state.name}: {state.counts[name]} {text}")
    unknown = unknown_to_rules(session)
    for rule, faults in islice(unknown.items(), _SAID_UNKNOWN):
        say(f"rule {rule}: {'; '.join(faults)}")
    if len(unknown) > _SAID_UNKNOWN:
        say(f"and {len(unknown) - _SAID_UNKNOWN} more rules use names that no record has")
