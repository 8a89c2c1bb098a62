"""A session over more text than it may hold: the job of the benchmark `big`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tests.perf.timing import timed


def within(files: list[str], memory: int, filters: dict[str, str]) -> dict[str, Any]:
    """A session that may take so many bytes: index, order, filters, and what is resident in each."""
    from logscope.engine.api import Cancel
    from logscope.engine.options import Options
    from logscope.engine.session import Session

    result: dict[str, Any] = {}
    session = Session(Options(sources=tuple(files), cache=False, memory=memory))
    session.open()
    with Resident() as resident, timed(result, "index"):
        session.read_all()
    result |= {**resident.told("index"), "index_hits": session.store.view.records}
    for name, text in {"order": "", **filters}.items():
        with Resident() as resident, timed(result, name):
            view = session.view(text, cancel=Cancel())
        result |= {**resident.told(name), name + "_hits": len(view.rows)}
        del view
    session.close()
    return result


class Resident:
    """The most memory of this process within a stretch of time, looked at every 20 ms."""

    def __init__(self) -> None:
        """Nothing is looked at yet."""
        self._end = threading.Event()
        self._most = {"VmRSS:": 0, "RssAnon:": 0}
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Resident:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._end.wait(0.02):
            self._look()

    def _look(self) -> None:
        with Path("/proc/self/status").open() as status:
            for line in status:
                name, _, value = line.partition("\t")
                if name in self._most:
                    self._most[name] = max(self._most[name], int(value.split()[0]) << 10)

    def told(self, name: str) -> dict[str, Any]:
        """Bytes in all, and without mapped files."""
        return {name + "_resident": self._most["VmRSS:"], name + "_own": self._most["RssAnon:"]}
