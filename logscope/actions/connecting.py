"""A connection whose whole life has an end: names, addresses, TLS, and a time by which it is over."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from logscope.actions.base import Down, Refused
from logscope.actions.settings import Reader
from logscope.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificates of an action."""

    where: str
    line: int | None
    ca: Path | None
    """Who is believed; None: the system's."""
    cert: Path | None
    key: Path | None

    def context(self) -> ssl.SSLContext:
        """Verifies the receiver's certificate and name; TLS 1.2 and above.

        Raises:
            ConfigError: A file that cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(path) for path in (self.ca, self.cert, self.key) if path)
            raise ConfigError(
                f"{files}: {address_error(error)}", self.where, self.line, mend="name PEM files"
            ) from error
        return context


def tls_files(table: Reader) -> TlsFiles:
    """The settings `ca`, `cert`, `key` of a table."""
    ca, cert, key = (table.path(name) if table.value(name) is not None else None for name in ("ca", "cert", "key"))
    if key is not None and cert is None:
        raise table.error("key", "has no certificate", "set cert too")
    return TlsFiles(str(table.table.path), table.table.line("cert" if cert else "ca"), ca, cert, key)


class Connection:
    """A TCP connection, perhaps with TLS.

    Args:
        host: Name or address.
        port: Its port.
        context: For TLS; None: in clear.
        timeout: Seconds for one operation.
        deny_private: Refuse addresses that are not out in the world.
    """

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, timeout: float, deny_private: bool = False
    ) -> None:
        """Not connected yet."""
        self._host = host
        self._port = port
        self._context = context
        self._timeout = timeout
        self._deny_private = deny_private
        self._deadline = time.monotonic() + 3600.0
        self._lock = threading.Lock()
        self._raw: socket.socket | None = None
        self._aborted = False
        self.overdue = False
        """Whether it was ended because its time was over."""

    @property
    def stream(self) -> socket.socket:
        """The socket, once it is connected."""
        assert self._raw is not None
        return self._raw

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """End it at a time (monotonic seconds), whatever it does then."""
        self._deadline = deadline
        timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self.overdue = True
        self.abort()

    def abort(self) -> None:
        """Whatever another thread waits for on it ends now."""
        with self._lock:
            self._aborted = True
            if self._raw is not None:
                with suppress(OSError):
                    # Of the plain class: an SSLSocket's own lets go of TLS under the hands of its reader.
                    socket.socket.shutdown(self._raw, socket.SHUT_RDWR)

    def connect(self) -> None:
        """Connect, and greet by TLS.

        Raises:
            Down: That is not possible now.
            Refused: The name stands for an address that is denied.
        """
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Down(f"{self._host} is not known: {address_error(error)}") from error
        if self._deny_private:
            for *_, place in found:
                if not _is_public(str(place[0])):
                    raise Refused(f"{self._host} is the private address {place[0]} (deny_private)")
        trouble: OSError | None = None
        for family, kind, protocol, _, place in found:
            try:
                self._open(socket.socket(family, kind, protocol), place)
            except OSError as error:
                trouble = error
                self.close()
                if self._aborted:
                    break
            else:
                return
        raise Down(f"cannot be reached: {'out of time' if self.overdue else address_error(trouble)}") from trouble

    def _open(self, raw: socket.socket, place: tuple[object, ...]) -> None:
        self._hold(raw)
        raw.settimeout(max(0.01, min(self._timeout, self._deadline - time.monotonic())))
        raw.connect(place)
        raw.settimeout(self._timeout)
        if self._context is not None:
            wrapped = self._context.wrap_socket(raw, server_hostname=self._host, do_handshake_on_connect=False)
            self._hold(wrapped)
            wrapped.do_handshake()

    def _hold(self, raw: socket.socket) -> None:
        with self._lock:
            self._raw = raw
            if self._aborted:
                raise TimeoutError("out of time")

    def close(self) -> None:
        """Close it."""
        with self._lock:
            if self._raw is not None:
                self._raw.close()
                self._raw = None


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global


def address_error(error: BaseException | None) -> str:
    """What went wrong on a socket, in few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) or type(error).__name__
