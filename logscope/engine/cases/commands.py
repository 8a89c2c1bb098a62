"""The commands that make a report again, and that open the investigator on what it tells."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from logscope.engine.answers import TransactionDetail
from logscope.engine.options import Options


def export_command(
    options: Options, path: Path, details: Sequence[TransactionDetail], *, kept: str, grain: str, redact: bool
) -> str:
    """The command that makes the report again, with every option that decides what belongs together.

    Args:
        options: Of the session.
        path: The report.
        details: The transactions that it tells.
        kept: How `--case` names the case; empty: the transactions are named.
        grain: The grain in force.
        redact: The report is redacted.
    """
    words = ["logscope", "export", str(path)]
    words += ["--case", kept] if kept else [*options.sources, *_ids(details, grain), *_options(options)]
    return shlex.join([*words, *(["--redact"] if redact else [])])


def reopen_command(options: Options, details: Sequence[TransactionDetail], *, kept: str, grain: str) -> str:
    """The command that opens the investigator on the case."""
    if kept:
        return shlex.join(["logscope", "--case", kept])
    return shlex.join(["logscope", *options.sources, *_ids(details, grain), *_options(options)])


def _ids(details: Sequence[TransactionDetail], grain: str) -> Iterator[str]:
    """`--id` of each: its grain's value if that is one alone, for a value may stand in several transactions."""
    for detail in details:
        values = detail.keys.get(grain, ())
        yield "--id"
        yield f"{grain}={values[0]}" if len(values) == 1 else detail.transaction


def _options(options: Options) -> list[str]:
    words: list[str] = []
    for name in ("format", "formats", "tz", "offset", "encoding", "key", "rules"):
        for value in getattr(options, name):
            words += [f"--{name}", value]
    if options.keys:
        words += ["--keys", ",".join(options.keys)]
    if not options.auto_keys:
        words.append("--no-auto-keys")
    for name in ("since", "until", "plan", "config"):
        if getattr(options, name):
            words.append(f"--{name}={getattr(options, name)}")
    usual = Options()
    for name in ("max_gap", "max_span", "idle"):
        if getattr(options, name) != getattr(usual, name):
            words += [f"--{name.replace('_', '-')}", f"{getattr(options, name) // 1000}ms"]
    if options.grain != "auto":
        words += ["--grain", options.grain]
    return words
