"""What a watch counts, as Prometheus reads it (text exposition format 0.0.4), and whether it is well."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from logscope.actions.outbox import Depth
from logscope.engine.rendering import json_line
from logscope.errors import LogscopeError, UsageError

_STALLED_SECONDS = 60.0
"""Without a turn for so long a watch is not well."""
_CONNECTIONS = 8
_COUNTED_SECONDS = 1.0
_HELP = {
    "received": "Records received.",
    "stored": "Records kept of those received.",
    "dropped": "Records received and not kept.",
    "late": "Records that came behind the watermark.",
    "parsed": "Records that a format has read.",
    "unparsed": "Records that no format has read.",
    "truncated": "Records that were cut.",
}

Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass
class Measures:
    """The figures of a watch; written by its thread, read by those that serve them."""

    counters: Mapping[str, int] = field(default_factory=dict)
    """As `watch` prints them at its end."""
    detections: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By rule and state."""
    evicted: Mapping[str, int] = field(default_factory=dict)
    """By rule how much of its bounded state was given up."""
    turns: int = 0
    seconds: float = 0.0
    """Spent on linking and deciding."""
    longest: float = 0.0
    depths: Callable[[], Sequence[Depth]] = tuple
    """What the outbox holds; asked by those that serve."""
    folded: int = 0
    looped: int = 0
    last_turn: float = field(default_factory=time.monotonic)
    began: float = field(default_factory=time.time)
    _counted: float = 0.0

    def turned(self, seconds: float, counters: Callable[[], Mapping[str, int]], *, final: bool = False) -> None:
        """A turn is over.

        Args:
            seconds: That linking and deciding took.
            counters: What has come so far; asked once a second.
            final: It was the last one.
        """
        now = time.monotonic()
        self.turns += 1
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
        if final or now - self._counted >= _COUNTED_SECONDS:
            self._counted = now
            self.counters = counters()
        self.last_turn = now

    @property
    def held(self) -> int:
        """Records in memory."""
        return self.counters.get("records", 0) - self.counters.get("let_go", 0)

    @property
    def stalled(self) -> float | None:
        """Seconds since the last turn, if that is too long ago."""
        since = time.monotonic() - self.last_turn
        return since if since > _STALLED_SECONDS else None


def exposition(measures: Measures) -> str:
    """The figures as Prometheus reads them."""
    plain: list[tuple[str, str, str, Samples]] = [
        (f"logscope_{name}_total", "counter", text, [({}, measures.counters.get(name, 0))])
        for name, text in _HELP.items()
    ]
    plain += [
        ("logscope_records", "gauge", "Records held.", [({}, measures.held)]),
        ("logscope_let_go_total", "counter", "Records let go of in memory.", [({}, measures.counters.get("let_go", 0))]),
        (
            "logscope_detections_total", "counter", "Detections told, by rule and state.",
            [({"rule": rule, "state": state}, count) for (rule, state), count in sorted(measures.detections.items())],
        ),
        (
            "logscope_rule_evicted_total", "counter", "What a rule gave up since it held too much: it is incomplete.",
            [({"rule": rule}, count) for rule, count in sorted(measures.evicted.items())],
        ),
        ("logscope_evaluations_total", "counter", "Turns of linking and deciding.", [({}, measures.turns)]),
        ("logscope_evaluation_seconds_total", "counter", "Time they took.", [({}, measures.seconds)]),
        ("logscope_evaluation_longest_seconds", "gauge", "The longest one.", [({}, measures.longest)]),
        ("logscope_folded_total", "counter", "Events told of in summaries only.", [({}, measures.folded)]),
        ("logscope_loops_total", "counter", "Detections on own output, not dispatched.", [({}, measures.looped)]),
        ("logscope_start_time_seconds", "gauge", "When it was started.", [({}, measures.began)]),
    ]  # fmt: skip
    depths = measures.depths()
    for name, kind, text, attribute in (
        ("logscope_outbox_waiting", "gauge", "Events that wait in the outbox.", "waiting"),
        ("logscope_outbox_dead", "gauge", "Dead letters.", "dead"),
        ("logscope_deliveries_total", "counter", "Events delivered.", "delivered"),
        ("logscope_delivery_failures_total", "counter", "Attempts that failed.", "failures"),
        ("logscope_outbox_refused_total", "counter", "Events that the outbox had no room for.", "refused"),
    ):
        plain.append((name, kind, text, [({"action": d.action}, getattr(d, attribute)) for d in depths]))
    return "".join(_family(*family) for family in plain)


def _family(name: str, kind: str, text: str, samples: Samples) -> str:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(given)}"' for label, given in labels.items())
        lines.append(f"{name}{{{inside}}} {value:.17g}" if inside else f"{name} {value:.17g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class MetricsServer:
    """Answers `/metrics` and `/health` on an address.

    Args:
        address: `HOST:PORT`; without HOST on 127.0.0.1.
        measures: To tell.
    """

    def __init__(self, address: str, measures: Measures) -> None:
        """Listen.

        Raises:
            UsageError: Not an address, or it cannot be listened on.
        """
        host, colon, port = address.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise UsageError(f"{address!r} is no address", "--metrics", mend="write HOST:PORT or :PORT")
        try:
            self._server = _Server((host.strip("[]") or "127.0.0.1", int(port)), _Handler)
        except OSError as error:
            raise _taken(error, address) from error
        self._server.measures = measures
        shown, bound = self._server.server_address[:2]
        self.url = f"http://{shown!s}:{bound}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, name="logscope-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def _taken(error: OSError, address: str) -> LogscopeError:
    return UsageError(f"cannot listen on {address}: {error.strerror}", "--metrics", mend="choose another port")


class _Server(ThreadingHTTPServer):
    measures: Measures
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._room = threading.Semaphore(_CONNECTIONS)
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each of a few; more are turned away."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, *_: Any) -> None:
        """A client that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0

    def do_GET(self) -> None:
        measures = self.server.measures
        if self.path == "/metrics":
            self._answer(200, "text/plain; version=0.0.4; charset=utf-8", exposition(measures))
        elif self.path == "/health":
            stalled = measures.stalled
            health: dict[str, Any] = {"status": "ok" if stalled is None else "stalled", **measures.counters}
            health["waiting"] = sum(depth.waiting for depth in measures.depths())
            if stalled is not None:
                health["since_seconds"] = round(stalled)
            self._answer(200 if stalled is None else 503, "application/json", json_line(health) + "\n")
        else:
            self._answer(404, "text/plain; charset=utf-8", "/metrics and /health are here\n")

    def _answer(self, code: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is said of requests."""
