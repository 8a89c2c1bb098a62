"""The action `syslog`, against receivers of UDP, TCP and TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from logscope.errors import ConfigError
from logscope.syslog.frames import FrameCutter
from tests.receivers import free_port
from tests.unit.actions.conftest import Bench, event, until
from tests.unit.actions.test_webhook import Certificates


class Streams:
    """Takes connections; the messages of each are in `messages`."""

    def __init__(self, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        self.messages: list[bytes] = []
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", port))
        self._context = context
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                stream, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            try:
                with self._context.wrap_socket(stream, server_side=True) if self._context else stream as connection:
                    framer = FrameCutter()
                    while data := connection.recv(4096):
                        self.messages += [message for message, _ in framer.feed(data)]
                    self.messages += [message for message, _ in framer.close()]
            except OSError:
                continue

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def streams() -> Iterator[Callable[..., Streams]]:
    made: list[Streams] = []

    def make(**more: Any) -> Streams:
        made.append(Streams(**more))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("framing", ["octet", "lf"])
def test_each_event_is_a_message_whatever_it_holds(bench: Bench, streams: Callable[..., Streams], framing: str) -> None:
    receiver = streams()
    dispatcher = bench.start(
        log={"type": "syslog", "url": f"syslog+tcp://127.0.0.1:{receiver.port}", "framing": framing}
    )
    texts = ["plain", "two\nlines", "nul\0 in it", "x" * 100_000, "9 <34>1 not a frame", "\x1b[2J\u202e"]
    dispatcher.put(
        [("log", event(n, message=text, time="2026-11-01T10:00:00.123456Z")) for n, text in enumerate(texts)]
    )
    assert dispatcher.drain(60, patient=True) == 0
    until(lambda: len(receiver.messages) == len(texts))
    assert receiver.messages[0].startswith(b"<131>1 2026-11-01T10:00:00.123456Z ")
    assert b'[logscope@32473 detection="d000000" rule="charge_never_settled" level="high"' in receiver.messages[0]
    assert f'origin="{bench.outbox.origin}"'.encode() in receiver.messages[0]
    for text, message in zip(texts, receiver.messages, strict=True):
        expected = text.replace("\n", "#012").replace("\0", "#000") if framing == "lf" else text
        assert message.endswith(f"] Charge begun, never settled: {expected}".encode()[-len(message) :]) or (
            len(message) == 65_536 and text.startswith("xx")
        )


def test_datagrams_are_cut_between_letters(bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        url = f"syslog+udp://127.0.0.1:{receiver.getsockname()[1]}"
        dispatcher = bench.start(log={"type": "syslog", "url": url, "max_size": 1024, "facility": "authpriv"})
        dispatcher.put([("log", event(1, message="é" * 2000))])
        message = receiver.recv(65_536)
        assert message.startswith(b"<83>1 ")
        assert 1000 < len(message) <= 1024
        assert message.decode().endswith("é")
        assert dispatcher.drain(60, patient=True) == 0


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_where_nobody_listens_it_waits(bench: Bench, transport: str) -> None:
    url = f"syslog+{transport}://127.0.0.1:{free_port()}"
    dispatcher = bench.start(log={"type": "syslog", "url": url})
    dispatcher.put([("log", event(1))])
    until(lambda: bench.depth("log").failures >= 2)
    assert bench.depth("log").waiting == 1
    assert "refused" in bench.depth("log").reason


def test_a_receiver_that_comes_back_gets_all(bench: Bench, streams: Callable[..., Streams]) -> None:
    receiver = streams()
    url = f"syslog+tcp://127.0.0.1:{receiver.port}"
    dispatcher = bench.start(log={"type": "syslog", "url": url})
    dispatcher.put([("log", event(n)) for n in range(150)])
    assert dispatcher.drain(60, patient=True) == 0
    receiver.close()
    dispatcher.put([("log", event(n)) for n in range(150, 400)])
    until(lambda: bench.depth("log").failures >= 1)
    again = streams(port=receiver.port)
    assert dispatcher.drain(60, patient=True) == 0
    until(lambda: len(receiver.messages) + len(again.messages) >= 400)
    ids = [message.split(b'detection="')[1][:7] for message in receiver.messages + again.messages]
    assert ids == [f"d{n:06}".encode() for n in range(400)]


def test_one_that_never_reads_holds_up_itself_only(bench: Bench, streams: Callable[..., Streams]) -> None:
    good = streams()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        tables = {
            name: {"type": "syslog", "url": f"syslog+tcp://127.0.0.1:{port}", "timeout": timeout}
            for name, port, timeout in (("deaf", deaf.getsockname()[1], "300ms"), ("good", good.port, "30s"))
        }
        dispatcher = bench.start(**tables)
        dispatcher.put([(name, event(n, message="x" * 200_000)) for n in range(100) for name in tables])
        until(lambda: len(good.messages) == 100)
        until(lambda: bench.depth("deaf").failures >= 1)
        assert bench.depth("deaf").waiting == 100


def test_tls_is_verified(bench: Bench, streams: Callable[..., Streams]) -> None:
    certificates = Certificates(bench.folder)
    good, wrong = streams(context=certificates.context("127.0.0.1")), streams(context=certificates.context("h.org"))
    urls = {name: f"syslog+tls://127.0.0.1:{each.port}?ca=ca.pem" for name, each in (("good", good), ("wrong", wrong))}
    dispatcher = bench.start(**{name: {"type": "syslog", "url": url} for name, url in urls.items()})
    dispatcher.put([(name, event(n)) for n in range(10) for name in urls])
    until(lambda: len(good.messages) == 10)
    until(lambda: bench.depth("wrong").failures >= 2)
    assert "not believed" in bench.depth("wrong").reason
    assert wrong.messages == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": "tcp://h"}, "no syslog URL"),
        ({"url": "syslog+tcp://h:port"}, "no syslog URL"),
        ({"url": "syslog+tcp://h?ca=x"}, "says what cannot be"),
        ({"url": "syslog+tls://h?password=x"}, "says what cannot be"),
        ({"framing": "crlf"}, "octet or lf"),
        ({"facility": "local9"}, "no facility"),
        ({"max_size": 10}, "between 480"),
        ({"message": "{"}, "not closed"),
    ],
)
def test_settings_that_cannot_be_are_refused(bench: Bench, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bench.actions(log={"type": "syslog", "url": "syslog+tcp://h:1"} | more)
