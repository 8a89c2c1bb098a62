"""The benchmark: `python -m tests.perf [--size 1G] [--only NAME,...] [--lnav/--no-lnav]`.

It prints what it measured beside the budget of design section 8, and never fails for being slow.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from logscope.language.units import parse_size
from tests.perf import bigger, bulk, commands, live, packed, receive, reopening, restart, rules, sigma, stalls, terminal
from tests.perf.measuring import ROOT, Figure, Settings, run

BENCHMARKS: dict[str, Callable[[Settings], Iterator[Figure]]] = {
    "index": commands.index,
    "reopen": reopening.reopen,
    "packed": packed.packed,
    "literal": commands.literal,
    "regex": commands.regex,
    "session": commands.session,
    "big": bigger.big,
    "screen": terminal.first_screen,
    "scroll": terminal.scrolling,
    "frame": bulk.frame,
    "stalls": stalls.stalls,
    "link": bulk.link,
    "discovery": bulk.discovery,
    "sequence": bulk.sequence,
    "rules": rules.rules,
    "sigma": sigma.sigma,
    "receive": receive.receive,
    "stages": live.stages,
    "restart": restart.restart,
    "watched": live.watched,
    "live": live.screen,
}
_COLUMNS = ("what", "tool", "measured", "CPU", "peak memory", "budget", "note")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are asked for and print the table."""
    settings, names = _parse(argv)
    # As an installer leaves it: a first start that compiles every module is not what users have.
    compileall.compile_dir(ROOT / "logscope", quiet=2)
    print(f"machine: {_machine()}")
    print(f"tools: {', '.join(_tools())}")
    print(f"median of {settings.repeat} runs each, all files in the page cache; load before: {_load()}\n")
    print(_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), sep="\n", flush=True)
    failed = False
    for name in names:
        try:
            for figure in BENCHMARKS[name](settings):
                print(_row(_cells(figure)), flush=True)
        except (OSError, RuntimeError) as error:
            failed = True
            print(_row([name, "", "failed", "", "", "", str(error)[:200].replace("\n", " ")]), flush=True)
    print(f"\nload after: {_load()}")
    return 1 if failed else 0


def _parse(argv: Sequence[str] | None) -> tuple[Settings, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m tests.perf", description=__doc__)
    parser.add_argument("--size", default="1GiB", help="of the files that are indexed and filtered (1GiB)")
    parser.add_argument("--records", type=int, default=10_000_000, help="linked and matched (10 M)")
    parser.add_argument("--frames", default="10000000,50000000", help="heights of the views painted")
    parser.add_argument("--only", default=",".join(BENCHMARKS), metavar="NAME,...", help=", ".join(BENCHMARKS))
    parser.add_argument("--lnav", action=argparse.BooleanOptionalAction, default=True, help="lnav in the same run")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where inputs are kept; by default a folder in TMPDIR")
    parser.add_argument("--big", nargs="+", type=Path, default=[], metavar="FILE", help="these files, not the shop's")
    parser.add_argument("--literal", metavar="TEXT", help="what the literal filter looks for")
    parser.add_argument("--regex", metavar="REGEX", help="what the regex filter looks for")
    parser.add_argument("--memory", default="2GiB", help="what `big` may take (2GiB)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the median is told (3)")
    given = parser.parse_args(argv)
    names = [name for name in given.only.split(",") if name]
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    settings = Settings(
        data=given.data or Path(tempfile.gettempdir()) / "logscope-perf",
        size=parse_size(given.size),
        records=given.records,
        frames=tuple(int(each) for each in given.frames.split(",") if each),
        big=tuple(path.resolve() for path in given.big),
        repeat=given.repeat,
        lnav=given.lnav,
        memory=parse_size(given.memory),
    )
    settings.literal = given.literal or settings.literal
    settings.regex = given.regex or settings.regex
    settings.data.mkdir(parents=True, exist_ok=True)
    return settings, names


def _cells(figure: Figure) -> list[str]:
    return [figure.what, figure.tool, figure.value, figure.cpu, figure.memory, figure.budget, figure.note]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return f"{os.cpu_count()} cores, {memory} GiB, {platform.system()}, Python {platform.python_version()}"


def _tools() -> list[str]:
    found = []
    for name, flag in (("lnav", "-V"), ("rg", "--version"), ("rsyslogd", "-v"), ("syslog-ng", "--version")):
        path = shutil.which(name)
        found.append(run([path, flag], keep=True).output.split("\n")[0] if path else f"{name} is not installed")
    return found


def _load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
