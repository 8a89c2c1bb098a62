"""`watch`: detection live until a signal."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from logscope.cli.detection import fail_level, failed, people, say_rule_errors
from logscope.cli.dispatch import WATCH_PATIENCE, dispatched, finish
from logscope.cli.opening import opened, source_exit
from logscope.cli.output import say

if TYPE_CHECKING:
    from types import FrameType

    from logscope.engine.answers import Detection


def run_watch(arguments: argparse.Namespace) -> int:
    """Follow, listen, detect; the first signal drains, the second ends at once."""
    from logscope.engine.listing import with_members
    from logscope.engine.rendering import json_line
    from logscope.engine.watching import Watching

    threshold = fail_level(arguments.fail_on)
    arguments.follow = True
    stop = threading.Event()
    _on_signals(stop)
    with opened(arguments) as session, dispatched(session, arguments, by_rules=True) as dispatching:
        broken = say_rule_errors(session, strict=arguments.strict)
        told: list[Detection] = []

        def tell(detections: list[Detection]) -> None:
            told.extend(detections)
            objects = (with_members(session, detection) for detection in detections)
            lines = map(json_line, objects) if arguments.json else people(iter(list(objects)))
            # One write, so that a kill never leaves half of them.
            os.write(sys.stdout.fileno(), "".join(f"{line}\n" for line in lines).encode())

        for source in session.loading.sources:
            if source.kind == "messages" and not source.finished():
                say(f"listening on {source.name}")
        watching = Watching(session, tell, lambda text: say(f"logscope: {text}"), dispatching.put)
        watching.run(stop)
        finish(dispatching, WATCH_PATIENCE, patient=False)
        print(json_line(session.counters() | {"detections": watching.told}), file=sys.stderr, flush=True)  # noqa: T201
        if broken:
            return 2
        return source_exit(session) or failed(told, threshold)


def _on_signals(stop: threading.Event) -> None:
    """First SIGINT or SIGTERM: drain. The second: out."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
