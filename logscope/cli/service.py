"""`watch` as a service: what it says of itself, its metrics, reading rules and actions anew."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logscope.cli.dispatch import say_event
from logscope.cli.output import say
from logscope.config import load_config
from logscope.errors import LogscopeError

if TYPE_CHECKING:
    from logscope.engine.service.dispatching import Dispatching
    from logscope.engine.service.metrics import Measures
    from logscope.engine.session import Session

_REPEAT_SECONDS = 60.0


class News:
    """Says what happens, on standard error: lines for people, or a JSON object each.

    Args:
        as_json: `{"time", "event", "action", "text"}` a line.
    """

    def __init__(self, *, as_json: bool) -> None:
        """Nothing was said yet."""
        self._as_json = as_json
        self._said: dict[tuple[str, str, str], float] = {}

    def __call__(self, event: str, action: str, text: str) -> None:
        """Say something; the same again only after a minute.

        Args:
            event: Its kind: `watch`, `fails`, `works`, `dead`, `outbox`, `rule`, `action`, `loop`, `reload`.
            action: The action it is about, if any.
            text: In words.
        """
        now = time.monotonic()
        if now - self._said.get((event, action, text), -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return
        if len(self._said) > 1000:
            self._said.clear()
        self._said[event, action, text] = now
        if not self._as_json:
            say_event(event, action, text)
            return
        from logscope.engine.rendering import json_line

        stamp = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        told = {"time": stamp, "event": event} | ({"action": action} if action else {}) | {"text": text}
        print(json_line(told), file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def metrics_server(address: str | None, measures: Measures, news: News) -> Iterator[None]:
    """Metrics at an address while it lasts; None: nowhere.

    Raises:
        UsageError: It cannot be listened on.
    """
    if address is None:
        yield
        return
    from logscope.actions.outbox import read_depths
    from logscope.engine.service.metrics import MetricsServer

    measures.depths = read_depths
    server = MetricsServer(address, measures)
    say(f"metrics on {server.url}")
    try:
        yield
    finally:
        server.close()


def reload_rules_and_actions(session: Session, dispatching: Dispatching, config: str | None, news: News) -> None:
    """Read the rules, then the actions anew; what is broken is said, and what was runs on."""
    from logscope.engine.rulework.rulefiles import RuleFiles

    reloaded = RuleFiles(session).reload(force=True)
    assert reloaded is not None
    for error in reloaded.broken:
        news("rule", "", error)
    try:
        dispatching.reload(load_config(config).actions)
    except LogscopeError as error:
        news("action", "", f"{error}; the actions that were go on")
    news("reload", "", f"{reloaded.rules} rules run")
