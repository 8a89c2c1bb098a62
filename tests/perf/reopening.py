"""Files that were indexed before: opened a second time, and after they have grown."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.perf.commands import files_of, warm
from tests.perf.measuring import Figure, Run, Settings, as_bytes, as_seconds, logscope, median_of

_BUDGET = "instant"


def reopen(settings: Settings) -> Iterator[Figure]:
    """Index and count by level with the index kept on disk, in a folder of its own."""
    files = files_of(settings)
    warm(files)
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory(dir=settings.data) as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield from _opened(settings, files.arguments, files.size, Path(folder))
        finally:
            os.environ.pop("XDG_CACHE_HOME")
            if before is not None:
                os.environ["XDG_CACHE_HOME"] = before


def _opened(settings: Settings, names: list[str], size: int, folder: Path) -> Iterator[Figure]:
    first = logscope("stats", "--json", *names)
    kept = sum(path.stat().st_size for path in folder.rglob("*.index"))
    yield _figure(f"first opening, index kept, {as_bytes(size)}", first, note=f"{as_bytes(kept)} kept on disk")
    again = median_of(settings.repeat, lambda: logscope("stats", "--json", *names))
    yield _figure(f"second opening, {as_bytes(size)}", again, _BUDGET)
    largest = max((Path(name) for name in names), key=lambda path: path.stat().st_size)
    grown = folder / "grown.log"
    shutil.copyfile(largest, grown)
    logscope("stats", "--json", str(grown))
    with largest.open("rb") as source, grown.open("ab") as file:
        more = file.write(source.read(largest.stat().st_size // 50))
    what = f"opening of {as_bytes(largest.stat().st_size)} that grew by {as_bytes(more)}"
    yield _figure(what, logscope("stats", "--json", str(grown)), "its growth")


def _figure(what: str, run: Run, budget: str = "", note: str = "") -> Figure:
    note = note if not run.code else f"ended with {run.code}"
    return Figure(
        what, "logscope stats", as_seconds(run.seconds), f"{run.cpu:.1f} s", as_bytes(run.memory), budget, note
    )
