"""The action `syslog`: forwards each event as a message of RFC 5424 over UDP, TCP or TLS."""

from __future__ import annotations

import fcntl
import os
import socket
import ssl
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from logscope.actions.base import Down, Failed
from logscope.actions.connecting import Connection, TlsFiles, address_error
from logscope.actions.event import Event
from logscope.actions.settings import Reader
from logscope.syslog.frames import encode
from logscope.syslog.header import format_rfc5424
from logscope.templating import Template

ELEMENT = "logscope@32473"
"""Our structured data; 32473 is the number that RFC 5612 keeps for those without one."""

_SEVERITIES = {"informational": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}
_FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", *(f"local{number}" for number in range(8)),
)  # fmt: skip
_SCHEMES = {"syslog+udp": "udp", "syslog+tcp": "tcp", "syslog+tls": "tls"}
_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
_FAREWELL = 5.0
_REFUSAL = 0.05


class SyslogSender:
    """Forwards to a syslog receiver.

    Args:
        transport: `udp`, `tcp` or `tls`.
        address: Host and port.
        tls: Certificates.
        framing: `octet` or `lf`; of no meaning for UDP.
        message: The text of each.
        facility: 0 to 23.
        longest: Bytes of a message, beyond which it is cut.
        timeout: Seconds for one operation; three times that for a batch.
    """

    TRIES = 12
    FLOOD = "10000/m"

    def __init__(
        self,
        transport: str,
        address: tuple[str, int],
        tls: TlsFiles,
        *,
        framing: str,
        message: Template,
        facility: int,
        longest: int,
        timeout: float,
    ) -> None:
        """Nothing is opened yet."""
        self._transport = transport
        self._address = address
        self._tls = tls
        self._framing = framing
        self._message = message
        self._facility = facility
        self._longest = longest
        self._timeout = timeout
        self._origin = ""
        self._context: ssl.SSLContext | None = None
        self._connection: Connection | None = None
        self.batch = 100
        self.patient = True
        self.target = f"syslog+{transport}://{address[0]}:{address[1]}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self._address

    @classmethod
    def read(cls, table: Reader) -> SyslogSender:
        """From its settings.

        Raises:
            ConfigError: A setting that cannot be used.
        """
        text = table.text("url")
        try:
            url = urlsplit(text)
            transport, host, port = _SCHEMES[url.scheme], url.hostname or "127.0.0.1", url.port
            files = {name: values[-1] for name, values in parse_qs(url.query, strict_parsing=bool(url.query)).items()}
        except (KeyError, ValueError) as error:
            raise table.error("url", f"{text!r} is no syslog URL", 'for example "syslog+tcp://HOST:PORT"') from error
        if set(files) - {"ca", "cert", "key"} or (files and transport != "tls") or url.path.strip("/"):
            raise table.error("url", f"{text!r} says what cannot be", "only syslog+tls has ?ca=FILE&cert=FILE&key=FILE")
        framing = table.text("framing", "octet")
        if framing not in ("octet", "lf"):
            raise table.error("framing", f"no framing {framing!r}", "octet or lf")
        facility = table.text("facility", "local0")
        if facility not in _FACILITIES:
            raise table.error("facility", f"no facility {facility!r}", f"one of {', '.join(_FACILITIES)}")
        base = table.table.path.parent
        ca, cert, key = (_beside(base, files.get(name)) for name in ("ca", "cert", "key"))
        return cls(
            transport,
            (host, port or _PORTS[transport]),
            TlsFiles(str(table.table.path), table.table.line("url"), ca, cert, key),
            framing=framing,
            message=table.template("message", "{title}: {message}"),
            facility=_FACILITIES.index(facility),
            longest=table.number("max_size", 65_000 if transport == "udp" else 1 << 20, 480, 1 << 20),
            timeout=table.seconds("timeout", "10s"),
        )

    def open(self, origin: str) -> None:
        """Look at the certificates.

        Args:
            origin: Stands in each message, so that what comes back in is recognised.

        Raises:
            ConfigError: They cannot be used.
        """
        self._origin = origin
        self._context = self._tls.context() if self._transport == "tls" else None

    def messages(self, events: Sequence[Event]) -> list[bytes]:
        """The events as messages, unframed."""
        return [self._formatted(event) for event in events]

    def _formatted(self, event: Event) -> bytes:
        data = event.data()
        parameters = {
            "detection": event.detection,
            "rule": event.rule,
            "level": str(data.get("level", "")),
            "state": event.state,
            "transaction": str(data.get("transaction") or ""),
            "origin": self._origin,
        }
        message = format_rfc5424(
            _microseconds(data),
            socket.gethostname(),
            "logscope",
            str(os.getpid()),
            {ELEMENT: {name: value for name, value in parameters.items() if value}},
            self._message.render(lambda name: event.lookup(data, name)).encode("utf-8", "replace"),
            _SEVERITIES.get(str(data.get("level")), 5),
            facility=self._facility,
            msgid=event.rule,
        )
        return _cut(message, self._longest)

    def send(self, events: Sequence[Event]) -> None:
        """Send them. TCP: the receiver has read all when it closes its side after ours; UDP: nobody knows.

        Raises:
            Down: No connection.
            Failed: It broke off.
        """
        messages = self.messages(events)
        if self._transport == "udp":
            self._send_datagrams(messages)
        else:
            self._send_stream(b"".join(encode(message, self._framing) for message in messages))

    def _send_datagrams(self, messages: Sequence[bytes]) -> None:
        try:
            found = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, place = min(found, key=lambda item: item[0] != socket.AF_INET)
            with socket.socket(family, kind, protocol) as sender:
                sender.connect(place)
                for message in messages:
                    sender.send(message)
                # Where nobody listens the host says so, a moment later.
                sender.settimeout(_REFUSAL)
                with suppress(TimeoutError):
                    sender.recv(1)
        except OSError as error:
            raise Down(f"cannot be reached: {address_error(error)}") from error

    def _send_stream(self, data: bytes) -> None:
        connection = Connection(*self._address, self._context, self._timeout)
        self._connection = connection
        try:
            with connection.until(time.monotonic() + 3 * self._timeout):
                connection.connect()
                self._write(connection, data)
        finally:
            self._connection = None
            connection.close()

    def _write(self, connection: Connection, data: bytes) -> None:
        stream = connection.stream
        try:
            stream.sendall(data)
            stream.settimeout(min(self._timeout, _FAREWELL))
            try:
                if isinstance(stream, ssl.SSLSocket):
                    stream = stream.unwrap()
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(4096):
                    pass
            except TimeoutError as error:
                # It keeps its side open: what its system has taken is all that can be known.
                if _unsent(stream):
                    raise Failed("does not take what is sent") from error
        except OSError as error:
            raise Failed(
                "does not take what is sent" if connection.overdue else f"broke off: {address_error(error)}"
            ) from error
        if connection.overdue:
            raise Failed("does not take what is sent")

    def close(self) -> None:
        """Break off what is under way."""
        if connection := self._connection:
            connection.abort()


def _beside(base: Path, name: str | None) -> Path | None:
    return None if name is None else base / Path(name).expanduser()


def _microseconds(data: Mapping[str, Any]) -> int | None:
    try:
        return int(datetime.fromisoformat(str(data.get("time"))).timestamp() * 1e6)
    except ValueError:
        return None


def _unsent(stream: socket.socket) -> int:
    """Bytes that the other side's system has not confirmed; 0 where that cannot be told."""
    with suppress(OSError):
        return int.from_bytes(fcntl.ioctl(stream.fileno(), termios.TIOCOUTQ, b"\0" * 4), sys.byteorder)
    return 0


def _cut(message: bytes, longest: int) -> bytes:
    """At most so many bytes, and no half character."""
    return message if len(message) <= longest else message[:longest].decode("utf-8", "ignore").encode()
