"""Receivers on loopback that behave as receivers do, well and badly."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Takes a POST and answers as its server says."""

    protocol_version = "HTTP/1.1"
    server: Server
    body: Any

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(length)
        if len(text) < length:
            return
        self.body = json.loads(text)
        number = self.server.receiver.count()
        answers = self.server.receiver.answers
        answer = answers[min(number, len(answers) - 1)] if answers else status(200)
        with suppress(OSError):
            answer(self)

    def accept(self) -> None:
        """Keep what came."""
        self.server.receiver.keep(self)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    receiver: Receiver
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Clients that are killed break off; that is no news."""


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with a status; 2xx keeps what came."""

    def answer(handler: Handler) -> None:
        if 200 <= code < 300:
            handler.accept()
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(seconds: float) -> Answer:
    """Say nothing for so long, then break off."""

    def answer(handler: Handler) -> None:
        handler.server.receiver.ended.wait(seconds)
        handler.close_connection = True

    return answer


def drip(handler: Handler) -> None:
    """A header that never ends, a byte at a time."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.receiver.ended.wait(0.05):
        handler.wfile.write(b"x")


def flood(code: int) -> Answer:
    """An answer whose body never ends."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 %d Whatever\r\nContent-Length: 10000000000\r\n\r\n" % code)
        if code < 300:
            handler.accept()
        while not handler.server.receiver.ended.is_set():
            handler.wfile.write(b"x" * 65536)

    return answer


def garbage(handler: Handler) -> None:
    """No HTTP at all."""
    handler.close_connection = True
    handler.wfile.write(b"\x1b]0;pwned\x07\x00" * 100 + b"\r\n\r\n")


def echo(handler: Handler) -> None:
    """A refusal that repeats the request's headers."""
    status(400, str(handler.headers).encode())(handler)


class Receiver:
    """An HTTP receiver; what it accepted is in `events`.

    Args:
        answers: To the first request, the second, ...; the last one to all others.
        port: To listen on; 0: any.
        context: For TLS.
    """

    def __init__(self, *answers: Answer, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        self.answers = answers
        self.events: list[dict[str, Any]] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.requests = 0
        self.times: list[float] = []
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", port), Handler)
        self._server.receiver = self
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def count(self) -> int:
        with self._lock:
            self.requests += 1
            self.times.append(time.monotonic())
            return self.requests - 1

    def keep(self, handler: Handler) -> None:
        with self._lock:
            self.bodies.append(handler.body)
            self.headers.append(dict(handler.headers))
            self.events += handler.body if isinstance(handler.body, list) else [handler.body]

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
