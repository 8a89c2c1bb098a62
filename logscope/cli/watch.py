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
from logscope.cli.service import News, metrics_server, reload_rules_and_actions

if TYPE_CHECKING:
    from types import FrameType

    from logscope.engine.answers import Detection


def run_watch(arguments: argparse.Namespace) -> int:
    """Follow, listen, detect; the first signal drains, the second ends at once."""
    from logscope.engine.linking.listing import with_members
    from logscope.engine.rendering import json_line
    from logscope.engine.service.metrics import Measures
    from logscope.engine.service.watching import Watching

    threshold = fail_level(arguments.fail_on)
    arguments.follow = True
    stop, again = threading.Event(), threading.Event()
    _on_signals(stop, again)
    news = News(as_json=arguments.json)
    measures = Measures()
    with (
        opened(arguments) as session,
        dispatched(session, arguments, by_rules=True, say=news) as dispatching,
        metrics_server(arguments.metrics, measures, news),
    ):
        broken = say_rule_errors(session, strict=arguments.strict)
        reached = 0

        def tell(detections: list[Detection]) -> None:
            nonlocal reached
            reached = reached or failed(detections, threshold)
            objects = (with_members(session, detection) for detection in detections)
            lines = map(json_line, objects) if arguments.json else people(iter(list(objects)))
            # One write, so that a kill never leaves half of them.
            os.write(sys.stdout.fileno(), "".join(f"{line}\n" for line in lines).encode())

        def reload() -> bool:
            measures.folded, measures.looped = dispatching.folded, dispatching.looped
            if not again.is_set():
                return False
            again.clear()
            reload_rules_and_actions(session, dispatching, arguments.config, news)
            return True

        watching = Watching(session, tell, lambda text: news("watch", "", text), dispatching.put, measures)
        for source in session.loading.sources:
            if source.kind == "messages" and not source.finished():
                say(f"listening on {source.name}")
        watching.run(stop, reload)
        finish(dispatching, WATCH_PATIENCE, patient=False)
        print(json_line(session.counters() | {"detections": watching.told}), file=sys.stderr, flush=True)  # noqa: T201
        if broken:
            return 2
        return source_exit(session, arguments) or reached


def _on_signals(stop: threading.Event, again: threading.Event) -> None:
    """First SIGINT or SIGTERM: drain. The second: out. SIGHUP: read rules and actions anew."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            again.set()
            return
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)
