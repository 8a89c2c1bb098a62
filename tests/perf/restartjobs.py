"""A watch begun again measured: with nothing kept all of its spool is read anew, with a checkpoint what came since."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

Result = dict[str, Any]

_NAME = "syslog+tcp://127.0.0.1:1"


def restart(messages: int, since: int, rules: list[str]) -> Result:
    """A spool of messages of the kill soak, watched three times: from nothing, from its checkpoint, and after more.

    Args:
        messages: On the spool at first.
        since: That come before the third.
        rules: Files.
    """
    from logscope.paths import private_folder, state_folder
    from tests.soak.kills import plan_text

    plan = private_folder(state_folder()) / "plan.toml"
    plan.write_text(plan_text())
    _receive(0, messages)
    first = _watched(plan, rules)
    again = _watched(plan, rules)
    _receive(messages, messages + since)
    after = _watched(plan, rules)
    (kept,) = (state_folder() / "watch").glob("*.checkpoint")
    return {"first": first, "again": again, "after": after, "bytes": kept.stat().st_size}


def _receive(first: int, stop: int) -> None:
    from logscope.sources.spool_writer import SpoolWriter
    from tests.soak.kills import message

    writer = SpoolWriter(_NAME)
    for start in range(first, stop, 10_000):
        numbers = range(start, min(start + 10_000, stop))
        lines = [
            b"%016d 10.0.0.1:1 - %s" % (1_793_000_000_000_000 + number * 100_000, message(number)) for number in numbers
        ]
        writer.add(b"".join(lines), len(lines))
        writer.flush()
    writer.close()


def _watched(plan: Path, rules: list[str]) -> Result:
    """Until all that is there is decided: seconds and records; then to the end, in which the checkpoint is written."""
    from logscope.engine.options import Options
    from logscope.engine.service.watching import Watching
    from logscope.engine.session import Session

    told: list[object] = []
    stop = threading.Event()
    result: Result = {}
    begun, cpu = time.perf_counter(), time.process_time()
    session = Session(Options(sources=(f"spool://{_NAME}",), follow=True, plan=str(plan), rules=tuple(rules)))
    session.open()
    watching = Watching(session, told.extend, lambda _: None)
    read = session.loading.step

    def step() -> bool:
        moved = read()
        if not moved and not stop.is_set():
            result["caught up"] = time.perf_counter() - begun
            result["cpu"] = time.process_time() - cpu
            stop.set()
        return moved

    session.loading.step = step  # type: ignore[method-assign]
    watching.run(stop)
    result |= {"records": session.store.view.records, "told": len(told)}
    result["ended"] = time.perf_counter() - begun - result["caught up"]
    session.close()
    return result
