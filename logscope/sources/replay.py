"""Sending messages to a syslog receiver with the gaps that they had."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable

from logscope.errors import SourceError, UsageError
from logscope.sources.tls import connect_tls, tls_error
from logscope.sources.trouble import source_error
from logscope.sources.urls import Address, parse_address
from logscope.syslog.frames import encode

DATAGRAM_LIMIT = 65_507
"""Bytes of the largest UDP payload over IPv4."""

_BATCH = 256 << 10
_CONNECT_TRIES = 4
_CONNECT_PAUSE = 0.25
_TIMEOUT = 10.0


def replay(
    records: Iterable[tuple[int | None, bytes]],
    url: str,
    *,
    speed: float | None = 1.0,
    framing: str = "octet",
    stop: threading.Event | None = None,
) -> int:
    """Send messages in order, waiting between them as long as their times say.

    Args:
        records: Time (microseconds since 1970 UTC; None: at once) and message. A time before the one
            already reached is sent at once.
        url: As `parse_address` takes it; with TLS, `ca` is who must have signed the receiver's certificate,
            `cert` and `key` are what we present.
        speed: How many times faster than it was; None: as fast as the receiver takes it.
        framing: Over TCP, TLS and Unix streams: `octet` (RFC 6587 counts) or `lf`, where a line end inside is sent as `#012`.
        stop: Set to end early.

    Returns:
        Messages sent. A datagram longer than UDP carries is cut. A TCP connection that breaks is made
        anew once and its last batch sent again, so that messages may arrive twice then.

    Raises:
        SourceError: Nothing listens there, or it went away.
        UsageError: No such framing, or a speed that is not above zero.
    """
    if framing not in ("octet", "lf"):
        raise UsageError(f"no framing {framing!r}", where="--framing", mend="octet or lf")
    if speed is not None and not speed > 0:
        raise UsageError("the speed must be above zero", where="--speed", mend="for example 10x, or max")
    address = parse_address(url)
    if not address.port and address.transport != "unix":
        raise SourceError("port 0 cannot be sent to", where=url, mend="name the receiver's port")
    sender: _Stream | _Datagrams
    if address.transport == "udp" or (address.transport == "unix" and not address.stream):
        sender = _Datagrams(address)
    else:
        sender = _Stream(address, framing)
    with contextlib.closing(sender):
        sent = _send_all(records, sender, speed, stop or threading.Event())
        sender.finish()
    return sent


def _send_all(
    records: Iterable[tuple[int | None, bytes]],
    sender: _Stream | _Datagrams,
    speed: float | None,
    stop: threading.Event,
) -> int:
    sent = 0
    first: int | None = None
    began = time.monotonic()
    for at, message in records:
        if stop.is_set():
            break
        if speed is not None and at is not None:
            first = at if first is None else first
            wait = began + (at - first) / 1e6 / speed - time.monotonic()
            if wait > 0:
                sender.flush()
                if stop.wait(wait):
                    break
        sender.send(message)
        sent += 1
    sender.flush()
    return sent


class _Stream:
    """A connection that collects what need not wait."""

    def __init__(self, address: Address, framing: str) -> None:
        self._address = address
        self._framing = framing
        self._parts: list[bytes] = []
        self._bytes = 0
        self._socket = self._connect()

    def _connect(self) -> socket.socket:
        for left in range(_CONNECT_TRIES - 1, -1, -1):
            try:
                return self._connected()
            except ssl.SSLError as error:
                raise tls_error(error, self._address.url) from error
            except OSError as error:
                if not left:
                    raise source_error(error, self._address.url) from error
                time.sleep(_CONNECT_PAUSE)
        raise AssertionError

    def _connected(self) -> socket.socket:
        address = self._address
        if address.transport == "tls":
            return connect_tls(address, _TIMEOUT)
        if address.transport == "unix":
            return _unix_socket(address.path, socket.SOCK_STREAM)
        return socket.create_connection((address.host, address.port), timeout=_TIMEOUT)

    def send(self, message: bytes) -> None:
        framed = encode(message, self._framing)
        self._parts.append(framed)
        self._bytes += len(framed)
        if self._bytes >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self._parts:
            return
        batch, self._parts, self._bytes = b"".join(self._parts), [], 0
        try:
            self._send(batch)
        except OSError:
            self._socket.close()
            self._socket = self._connect()
            try:
                self._send(batch)
            except OSError as error:
                raise tls_error(error, self._address.url) from error

    def _send(self, batch: bytes) -> None:
        # A receiver may be slow for as long as it likes; only a dead one is an error, which TCP tells.
        self._socket.settimeout(None)
        self._socket.sendall(batch)

    def finish(self) -> None:
        """Wait until the receiver has read everything: it closes its side then.

        Raises:
            SourceError: It refuses what was sent.
        """
        try:
            self._socket.settimeout(_TIMEOUT)
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.unwrap()
            else:
                self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(4096):
                pass
        except ssl.SSLError as error:
            if "ALERT" in (error.reason or ""):
                raise tls_error(error, self._address.url) from error
        except OSError:
            pass

    def close(self) -> None:
        self._socket.close()


def _unix_socket(path: str, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, kind)
    try:
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


class _Datagrams:
    """A connected datagram socket, so that a closed port is told."""

    def __init__(self, address: Address) -> None:
        self._url = address.url
        try:
            if address.transport == "unix":
                self._socket = _unix_socket(address.path, socket.SOCK_DGRAM)
                return
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
            family, _, _, _, place = min(found, key=lambda item: item[0] != socket.AF_INET)
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.connect(place)
        except OSError as error:
            raise source_error(error, address.url) from error

    def send(self, message: bytes) -> None:
        try:
            self._socket.send(message if len(message) <= DATAGRAM_LIMIT else message[:DATAGRAM_LIMIT])
        except OSError as error:
            raise source_error(error, self._url) from error

    def flush(self) -> None:
        """Nothing waits: each message is a datagram."""

    def finish(self) -> None:
        """Nothing tells whether a datagram was read."""

    def close(self) -> None:
        self._socket.close()
