"""The command line of interface sections 1 and 2. Imports nothing that is slow to load."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from logscope import __version__
from logscope.errors import LogscopeError, UsageError
from logscope.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logscope.engine.options import Options

COMMANDS = (
    "demo", "query", "sql", "keys", "transactions", "templates", "stats", "export", "scan", "watch", "replay", "rules", "formats", "actions", "spool", "cases"
)  # fmt: skip

_DESCRIPTION = """\
Investigate logs of many services at once: see all records in order of time, pivot on any identifier,
see a transaction as a waterfall across services, and find with rules the transactions that failed
without a word.

Without a command the investigator opens on the sources named.
"""

_EPILOG = """\
commands: demo  query  sql  keys  transactions  templates  stats  export  scan  watch  replay  rules  formats  actions  spool  cases
(`logscope COMMAND --help` tells more; a file named like a command is written ./NAME)
"""


OUTPUT_ENDINGS = (".ndjson", ".jsonl", ".csv", ".parquet", ".html")
"""What `--output` can write."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all of logscope does."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, clean(f"logscope: {message.removeprefix('argument ')}; {self.prog} --help tells more") + "\n")


def _span(text: str) -> int:
    from logscope.language.units import parse_duration

    return _parsed(parse_duration, text)


def _size(text: str) -> int:
    from logscope.language.units import parse_size

    return _parsed(parse_size, text)


def _parsed(parse: Callable[[str], int], text: str) -> int:
    try:
        return parse(text)
    except (LogscopeError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines; write 0, 1, 2, ...")
    return int(text)


def _file(text: str) -> str:
    """A file to write, looked at before anything is read."""
    if Path(text).suffix.lower() not in OUTPUT_ENDINGS:
        raise argparse.ArgumentTypeError(f"cannot write {text!r}; end it in .ndjson, .csv, .parquet or .html")
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def reading_options() -> _Parser:
    """Options of every command that reads."""
    parser = _Parser(add_help=False)
    group = parser.add_argument_group("reading")
    group.add_argument("-f", "--follow", action="store_true", help="go on with files that grow")
    group.add_argument("--format", action="append", default=[], metavar="[GLOB=]NAME", help="force a format")
    group.add_argument("--formats", action="append", default=[], metavar="PATH", help="more format definitions")
    group.add_argument("--since", metavar="TIME", help="ISO 8601 or relative (-15m)")
    group.add_argument("--until", metavar="TIME")
    group.add_argument("--tz", action="append", default=[], metavar="[GLOB=]ZONE", help="of stamps without a zone")
    group.add_argument("--offset", action="append", default=[], metavar="GLOB=±D", help="shift a source's clock")
    group.add_argument("--encoding", action="append", default=[], metavar="[GLOB=]NAME")
    group.add_argument("--show-tz", metavar="ZONE", help="zone of times shown to people")
    group.add_argument("--rules", action="append", default=[], metavar="PATH", help="rule files or folders")
    group.add_argument("--memory", type=_size, metavar="SIZE", help="resident memory to use (a quarter of all)")
    group.add_argument("--config", metavar="FILE")
    group.add_argument(
        "--no-cache", action="store_true", help="use and keep no index of files, and no keys that were found before"
    )
    group = parser.add_argument_group("correlation")
    group.add_argument("--key", action="append", default=[], metavar="NAME=REGEX", help="one capture group")
    group.add_argument("--keys", type=_names, default=(), metavar="NAME,...", help="only these keys link")
    group.add_argument("--no-auto-keys", action="store_true", help="only keys given")
    group.add_argument("--grain", metavar="KEY|auto|none", help="what a transaction is")
    group.add_argument("--max-gap", type=_span, metavar="D", help="a silence that starts a new epoch of a value")
    group.add_argument("--max-span", type=_span, default=3_600_000_000, metavar="D", help="longer ones are oversize")
    group.add_argument("--idle", type=_span, default=300_000_000, metavar="D", help="silence that closes one")
    group.add_argument("--plan", metavar="FILE", help="keys and grain as saved by `keys --save`")
    return parser


def _output_options() -> _Parser:
    parser = _Parser(add_help=False)
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="one JSON object a line")
    group.add_argument("--output", type=_file, metavar="FILE", help=".ndjson, .csv, .parquet or .html")
    group.add_argument("--limit", type=_count, metavar="N", help="the first N")
    group.add_argument("--tail", type=_count, metavar="N", help="the last N")
    return parser


def _screen_options() -> _Parser:
    parser = _Parser(add_help=False)
    parser.add_argument("--theme", metavar="NAME")
    parser.add_argument("--keymap", metavar="NAME")
    parser.add_argument(
        "--driver", choices=("auto", "diff", "stock"), help="send changed cells only (diff; auto: over SSH), or all"
    )
    parser.add_argument(
        "--low-bandwidth", action="store_true", help="for slow lines: --driver diff, 16 colours, 15 frames a second"
    )
    return parser


def build_parser() -> tuple[_Parser, dict[str, _Parser]]:
    """The parser, and the parsers of the commands by name."""
    reading, output, screen = reading_options(), _output_options(), _screen_options()
    parser = _Parser(
        "logscope",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"logscope {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, summary: str, *parents: _Parser) -> _Parser:
        return commands.add_parser(name, help=summary, description=summary, parents=list(parents), allow_abbrev=False)

    investigate = command("investigate", "the investigator (what a call without a command does)", reading, screen)
    investigate.add_argument("sources", nargs="*", metavar="SOURCE")
    investigate.add_argument(
        "--case", dest="kept", metavar="NAME|FILE", help="open what is pinned in a case, as it was left"
    )
    investigate.add_argument("--id", action="append", default=[], metavar="KEY=VALUE", help="pin these transactions")
    command("demo", "the investigator on the sample logs and shipped rules", reading, screen)
    query = command("query", "records that match a filter", reading, output)
    query.add_argument("filter", metavar="FILTER")
    query.add_argument("sources", nargs="*", metavar="SOURCE")
    query.add_argument("--transactions", action="store_true", help="add the ids of their transactions")
    sql = command("sql", "SQL over records, transactions, detections", reading, output)
    sql.add_argument("query", metavar="QUERY")
    sql.add_argument("sources", nargs="*", metavar="SOURCE")
    keys = command("keys", "correlation keys, found and configured", reading, output)
    keys.add_argument("sources", nargs="*", metavar="SOURCE")
    keys.add_argument("--save", metavar="PLAN", help="write keys and grain to a file")
    transactions = command("transactions", "records tied together by their keys", reading, output)
    transactions.add_argument("sources", nargs="*", metavar="SOURCE")
    transactions.add_argument("--where", default="", metavar="FILTER")
    transactions.add_argument("--id", metavar="KEY=VALUE")
    transactions.add_argument("--members", action="store_true", help="add their records' source and line")
    stats = command("stats", "what was read, per source", reading, output)
    stats.add_argument("sources", nargs="*", metavar="SOURCE")
    stats.add_argument("--transactions", action="store_true", help="add durations, shapes, services, clocks")
    stats.add_argument(
        "--against", nargs="+", default=[], metavar="SOURCE", help="what is new, gone, slower beside these"
    )
    stats.add_argument("--over", action="append", default=[], metavar="KIND|KEY",
                       help="over time, by all, service, rule, shape, source, level or a key's values")  # fmt: skip
    stats.add_argument("--every", type=_span, metavar="D", help="the length of a stretch of time (--over)")
    stats.add_argument("--most", type=int, default=20, metavar="N", help="values of each kind at most (--over)")
    templates = command("templates", "message templates with counts, first and last seen", reading, output)
    templates.add_argument("sources", nargs="*", metavar="SOURCE")
    export = command("export", "a report of transactions, or of a case (.html, .md or .json)", reading)
    export.add_argument("report", metavar="CASE.html|.md|.json")
    export.add_argument("sources", nargs="*", metavar="SOURCE")
    export.add_argument("--id", action="append", default=[], metavar="KEY=VALUE", help="which; several may be named")
    export.add_argument("--case", dest="kept", metavar="NAME|FILE", help="what is pinned in a case")
    export.add_argument("--redact", action="store_true", help="mask ids, addresses and names, equal ones alike")
    export.add_argument("--notes", default="", metavar="TEXT", help="words of your own, put first")
    _detection_commands(command, reading, output)
    _other_commands(command, reading)
    return parser, dict(commands.choices)


def _detection_commands(command: Callable[..., _Parser], reading: _Parser, output: _Parser) -> None:
    scan = command("scan", "what the rules find in what is there", reading, output)
    watch = command("watch", "what the rules find, live, until a signal", reading)
    for parser in (scan, watch):
        parser.add_argument("sources", nargs="*", metavar="SOURCE")
        parser.add_argument("--rule", action="append", default=[], metavar="'seq ...'", help="a sequence in one line")
        parser.add_argument("--fail-on", metavar="LEVEL", help="exit with 3 if one of this level or above is found")
        parser.add_argument("--every", action="store_true", help="tell each time a correlation's condition holds")
        parser.add_argument(
            "--action", action="append", default=[], metavar="NAME", help="dispatch what is found to it"
        )
        parser.add_argument("--strict", action="store_true", help="stop at the first rule that does not compile")
    scan.add_argument("--at-end", choices=("pending", "decide"), default="pending", help="absences open at the end")
    scan.add_argument("--pending", action="store_true", help="tell what is still open too")
    scan.add_argument("--near-misses", action="store_true", help="tell what nearly matched, and by how much not")
    watch.add_argument("--json", action="store_true", help="one JSON object a line")
    watch.add_argument("--lateness", type=_span, default=2_000_000, metavar="D")
    watch.add_argument("--max-skew", type=_span, default=3_600_000_000, metavar="D")
    watch.add_argument("--source-idle", type=_span, default=10_000_000, metavar="D")
    watch.add_argument("--retain", metavar="SIZE|AGE", help="of what listeners receive, keep so much: 2GiB, 7d")
    watch.add_argument("--metrics", metavar="HOST:PORT", help="figures for Prometheus, and /health, by HTTP")
    watch.add_argument("--provisional", action="store_true", help="tell matches on arrival too")


def _other_commands(command: Callable[..., _Parser], reading: _Parser) -> None:
    replay = command("replay", "send logs to a syslog receiver with their own gaps", reading)
    replay.add_argument("sources", nargs="+", metavar="SOURCE")
    replay.add_argument("--to", required=True, metavar="URL", help="syslog+tcp://HOST:PORT; +udp, +tls and +unix too")
    replay.add_argument("--speed", default="1x", metavar="10x|max")
    replay.add_argument("--framing", choices=("octet", "lf"), default="octet")
    rules = command("rules", "check, test, list, enable or disable rules")
    rules.add_argument("action", choices=("check", "test", "list", "enable", "disable"))
    rules.add_argument("paths", nargs="*", metavar="PATH|NAME")
    rules.add_argument("--json", action="store_true", help="one JSON object a line")
    formats = command("formats", "format definitions; which one a file gets")
    formats.add_argument("action", choices=("list", "test", "import"))
    formats.add_argument("file", nargs="?", metavar="FILE")
    formats.add_argument("--lines", type=int, metavar="N", help="test: what is read from each of the first N lines")
    formats.add_argument("--format", metavar="NAME", help="test: read by this one")
    formats.add_argument("--formats", action="append", default=[], metavar="PATH")
    formats.add_argument("--json", action="store_true", help="one JSON object a line")
    actions = command("actions", "what waits in the outbox; send it again, drop it, try an action")
    actions.add_argument("action", choices=("status", "retry", "drop", "test"))
    actions.add_argument("name", nargs="?", metavar="NAME", help="of this action only")
    actions.add_argument("--json", action="store_true", help="one JSON object a line")
    actions.add_argument("--config", metavar="FILE")
    cases = command("cases", "what was pinned in the investigator and kept", _output_options())
    cases.add_argument("action", choices=("list", "drop"))
    cases.add_argument("names", nargs="*", metavar="NAME")
    spool = command("spool", "what listeners left on the spool")
    spool.add_argument("action", choices=("list", "drop"))
    spool.add_argument("names", nargs="*", metavar="NAME")
    spool.add_argument("--json", action="store_true", help="one JSON object a line")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Arguments; a call without a command is the investigator.

    Raises:
        UsageError: Options that do not fit together.
    """
    arguments = list(argv)
    parser, commands = build_parser()
    if arguments and arguments[0] in ("-h", "--help", "--version"):
        return parser.parse_args(arguments)
    name = arguments.pop(0) if arguments and arguments[0] in commands else "investigate"
    arguments, wanted = _dashed(commands[name], arguments, first=name == "query")
    # Intermixed, since people write `logscope transactions a.log --json b.log`.
    namespace = commands[name].parse_intermixed_args(arguments)
    namespace.command = name
    if wanted is not None:
        namespace.filter = wanted
    if getattr(namespace, "limit", None) is not None and namespace.tail is not None:
        raise UsageError("--limit and --tail exclude each other", mend="name one of them")
    return namespace


def _dashed(parser: _Parser, arguments: list[str], *, first: bool) -> tuple[list[str], str | None]:
    """Values that begin with a dash, made safe from argparse, which takes them for options.

    Args:
        parser: Knows the options.
        arguments: As typed: `--since -15m`, `-host:web-3`.
        first: The first positional argument is a filter.

    Returns:
        The arguments, and the filter if there is one.
    """
    options = parser._option_string_actions
    safe: list[str] = []
    wanted: str | None = None
    rest = iter(arguments)
    for argument in rest:
        action = options.get(argument)
        if action is not None and action.nargs is None:
            value = next(rest, None)
            joined = value is not None and value.startswith("-") and argument.startswith("--")
            safe += [f"{argument}={value}"] if joined else [argument] if value is None else [argument, value]
        elif first and wanted is None and not argument.startswith("--") and action is None:
            wanted = argument
            safe.append("FILTER")
        else:
            safe.append(argument)
    return safe, wanted


def options_of(namespace: argparse.Namespace, **more: Any) -> Options:
    """The session's options: what is typed, else what the configuration files set, else defaults.

    Args:
        namespace: Arguments of a command that reads.
        more: Options that the command sets itself.

    Raises:
        ConfigError: A configuration file that cannot be used.
    """
    from logscope.config import load_config
    from logscope.engine.options import Options

    given = vars(namespace)
    names = {name for name in Options.__dataclass_fields__ if name in given}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if name in names
    }
    if "no_auto_keys" in given:
        values["auto_keys"] = not given["no_auto_keys"]
    values["remember"] = not given.get("no_cache", True)
    values["cache"] = not given.get("no_cache", False)
    config = load_config(given.get("config"))
    typed = {text.partition("=")[0] for text in values.get("key", ())}
    values["key"] = (
        *(f"{name}={regex}" for name, regex in config.keys.items() if name not in typed),
        *values.get("key", ()),
    )
    values["formats"] = (*config.formats, *values.get("formats", ()))
    values["strange_rules"] = () if values.get("rules") else config.strange_rules
    values["rules"] = values.get("rules") or config.rules
    values["retain"] = values.get("retain") or config.retain
    values["tz"] = (*config.tz, *values.get("tz", ()))
    if values.get("grain") is None:
        values["grain"] = config.grain or "auto"
    case = given.get("case_options") or {}
    for name, value in case.items():
        if values.get(name, ()) in ((), None) or values[name] == getattr(Options(), name):
            values[name] = value
    for name in ("theme", "keymap", "driver"):
        if name in given and given[name] is None:
            setattr(namespace, name, getattr(config, name))
    return Options(**(values | more))
