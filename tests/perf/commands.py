"""Index and filters over whole files, by command: logscope, and lnav and ripgrep on the same files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence

from tests.perf.inputs import Input, given, shop
from tests.perf.measuring import Figure, Run, Settings, as_bytes, as_seconds, job, logscope, median_of, run

INDEX_BUDGET = "faster than lnav, aim at twice"
FILTER_BUDGET = "5x lnav's filter"

_COUNT = ";SELECT log_level, count(*) FROM all_logs GROUP BY log_level"
# The help view instead of the log: lnav reads and indexes all files, but writes none of them out.
_INDEX_ONLY = ":switch-to-view help"


def files_of(settings: Settings) -> Input:
    """The user's own files, or the shop's."""
    return given(settings.big) if settings.big else shop(settings.data, size=settings.size)


def warm(files: Input) -> None:
    """Read the files once, so that all tools find them in the page cache."""
    for path in files.files:
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def index(settings: Settings) -> Iterator[Figure]:
    """Index of all records, and their count by level."""
    files = files_of(settings)
    warm(files)
    what = f"index and count by level, {as_bytes(files.size)}, {files.lines / 1e6:.2f} M lines"
    best = median_of(settings.repeat, lambda: logscope("stats", "--json", "--no-cache", *files.arguments))
    yield _figure(what, "logscope stats", best, INDEX_BUDGET, f"{files.size / best.seconds / 1e6:.0f} MB/s")
    if lnav := _lnav(settings):
        yield _figure(what, "lnav, SQL count", median_of(settings.repeat, lambda: lnav(_COUNT, files)))
        yield _figure(what, "lnav, index alone", median_of(settings.repeat, lambda: lnav(_INDEX_ONLY, files)))
    else:
        yield _absent(what, "lnav", settings)


def literal(settings: Settings) -> Iterator[Figure]:
    """A literal over all text, cold."""
    yield from _cold(settings, "literal", f'"{settings.literal}"', ["-i", "-F", settings.literal], settings.literal)


def regex(settings: Settings) -> Iterator[Figure]:
    """A regex over all text, cold."""
    yield from _cold(settings, "regex", f"/{settings.regex}/", ["-i", "-e", settings.regex], settings.regex)


def _cold(settings: Settings, kind: str, ours: str, rg: Sequence[str], lnavs: str) -> Iterator[Figure]:
    files = files_of(settings)
    warm(files)
    what = f"cold {kind} filter, hits printed, {as_bytes(files.size)}"
    yield _figure(
        what,
        "logscope query",
        median_of(settings.repeat, lambda: logscope("query", ours, "--json", "--no-cache", *files.arguments)),
    )
    lnav = _lnav(settings)
    if lnav:
        # lnav knows no literal filters: what is a sign of regexes is escaped.
        pattern = re.escape(lnavs).replace("\\ ", " ") if kind == "literal" else lnavs
        yield _figure(what, "lnav :filter-in", median_of(settings.repeat, lambda: lnav(f":filter-in {pattern}", files)))
    else:
        yield _absent(what, "lnav", settings)
    path = shutil.which("rg")
    if path:
        argv = [path, "--no-config", "-N", *rg, *files.arguments]
        yield _figure(what, "rg", median_of(settings.repeat, lambda: run(argv)))
    else:
        yield _absent(what, "rg", settings)


def session(settings: Settings) -> Iterator[Figure]:
    """Filters within one session, where the index is there already."""
    files = files_of(settings)
    warm(files)
    runs = [
        job("filters", files=files.arguments, literal=settings.literal, regex=settings.regex)
        for _ in range(settings.repeat)
    ]
    budget = FILTER_BUDGET
    lnav = _lnav(settings)
    if lnav:
        base = median_of(settings.repeat, lambda: lnav(_INDEX_ONLY, files))
        filtered = median_of(settings.repeat, lambda: lnav(f":filter-in {settings.literal}", files))
        spent, cpu = max(0.0, filtered.seconds - base.seconds), max(0.0, filtered.cpu - base.cpu)
        yield Figure("literal filter alone", "lnav", as_seconds(spent), f"{cpu:.1f} s", note="cold filter less index")
    for name, what in (
        ("literal", "literal filter, first of a session"),
        ("regex", "regex filter, second of the session"),
        ("again", "another literal, third of the session"),
        ("level", "filter on an index column"),
    ):
        yield _phase(what, name, runs, budget if name in ("literal", "regex", "again") else "")
    if not lnav:
        yield _absent("literal filter alone", "lnav", settings)


def _phase(what: str, name: str, runs: Sequence[tuple[Run, dict[str, float]]], budget: str) -> Figure:
    ordered = sorted(runs, key=lambda one: one[1][name])
    run_, found = ordered[(len(ordered) - 1) // 2]
    note = f"{found[name + '_hits']:.0f} records"
    return Figure(
        what, "logscope", as_seconds(found[name]), f"{found[name + '_cpu']:.1f} s", as_bytes(run_.memory), budget, note
    )


def _figure(what: str, tool: str, best: Run, budget: str = "", note: str = "") -> Figure:
    note = note if not best.code else f"ended with {best.code}"
    return Figure(what, tool, as_seconds(best.seconds), f"{best.cpu:.1f} s", as_bytes(best.memory), budget, note)


def _absent(what: str, tool: str, settings: Settings) -> Figure:
    asked = tool != "lnav" or settings.lnav
    return Figure(what, tool, "-", note="not installed" if asked else "left out (--no-lnav)")


def _lnav(settings: Settings) -> Callable[[str, Input], Run] | None:
    path = shutil.which("lnav") if settings.lnav else None
    if path is None:
        return None
    return lambda command, files: run([path, "-n", "-c", command, *files.arguments])
