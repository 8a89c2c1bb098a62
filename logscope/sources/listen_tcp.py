"""Syslog over TCP, TLS and Unix streams: a blocking thread per connection, since a thread that waits costs nothing."""

from __future__ import annotations

import contextlib
import mmap
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

from logscope.sources.spool_lines import LOCAL, bulk, is_plain, peer_of, spool_lines, stamp
from logscope.sources.spool_writer import SpoolWriter
from logscope.sources.tls import HANDSHAKE_SECONDS
from logscope.syslog.frames import FrameCutter

_BUFFER = 1 << 20
_CONNECTIONS = 512
_WAIT = 0.2
_DRAIN = 2.0
_STORE = 3.0
"""Seconds after the drain for what was read to reach the spool."""
_LINGER = 0.5
_SAY_EVERY = 60.0
_FIRST_LINE = 8192

_HTTP = re.compile(rb"(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE) \S+ HTTP/1\.[01]\r?\n|PRI \* HTTP/2\.0\r\n")
_HTTP_BEGUN = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"CONNECT ", b"DELETE ", b"PRI * ")
_PROXY = re.compile(rb"PROXY (?:TCP4|TCP6|UNKNOWN)[ \r]")
_PROXY_BEGUN = b"PROXY "
_LONGEST = 14


def foreign_protocol(head: bytes) -> str | None:
    """What else than syslog speaks there by its first bytes: `TLS`, `HTTP`, `PROXY`.

    Returns:
        Its name, "" for syslog, None if more bytes are needed to tell.
    """
    if head[:1] == b"\x16":
        return None if len(head) < 3 else "TLS" if head[1] == 3 and head[2] <= 4 else ""
    if head.startswith(_HTTP_BEGUN):
        if _HTTP.match(head):
            return "HTTP"
        return "" if b"\n" in head or len(head) > _FIRST_LINE else None
    if head.startswith(_PROXY_BEGUN):
        return "PROXY" if _PROXY.match(head) else None if len(head) < _LONGEST and b"\n" not in head else ""
    begun = any(word.startswith(head) for word in (*_HTTP_BEGUN, _PROXY_BEGUN))
    return None if begun else ""


def _refusal(error: OSError) -> str:
    """Why a handshake failed, in words."""
    if isinstance(error, TimeoutError):
        return f"no handshake within {HANDSHAKE_SECONDS:.0f} s"
    reason = (getattr(error, "reason", None) or error.strerror or str(error)).lower().replace("_", " ")
    known = {
        "wrong version number": "it speaks plain text or an old version",
        "http request": "it speaks HTTP",
        "peer did not return a certificate": "it presented no certificate",
    }
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused ({error.verify_message})"
    return known.get(reason, reason)


def _let_go(secured: ssl.SSLSocket) -> None:
    """Close so that the reason reaches the sender: with bytes unread the kernel would send a reset instead."""
    with secured, contextlib.suppress(OSError):
        secured.settimeout(_LINGER)
        socket.socket.shutdown(secured, socket.SHUT_WR)
        while socket.socket.recv(secured, _BUFFER):
            pass


class TcpListener:
    """Accepts connections and spools what they send, until it is stopped."""

    def __init__(self, listening: socket.socket, writer: SpoolWriter, secure: ssl.SSLContext | None = None) -> None:
        """Nothing runs before `start`.

        Args:
            listening: Bound and listening.
            writer: Where messages go.
            secure: What to shake hands with; None: plain.
        """
        self._socket = listening
        self._secure = secure
        self._writer = writer
        self._stopping = threading.Event()
        self._until = 0.0
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._reading: set[threading.Thread] = set()
        """Those that are through with a handshake."""
        self._said: dict[str, float] = {}
        self._accepting = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._accepting.start()

    def stop(self) -> None:
        """Accept no more, take what the connections still hold (2 s at most), and end."""
        self._until = time.monotonic() + _DRAIN
        self._stopping.set()
        # It ends by itself: a socket that is closed under it would have it spin, and serve whom nobody waits for.
        self._accepting.join()
        self._socket.close()
        self._join(self._threads, _WAIT)
        # Nobody reads on after the drain, but what was read must be stored, however busy the machine is.
        self._join(self._reading, _STORE)

    def _join(self, threads: set[threading.Thread], seconds: float) -> None:
        """Wait for threads until so long after the drain."""
        with self._lock:
            waited = list(threads)
        for thread in waited:
            thread.join(max(0.0, self._until + seconds - time.monotonic()))

    def _accept(self) -> None:
        self._socket.setblocking(False)
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while True:
            ready = poller.poll(0 if self._stopping.is_set() else _WAIT * 1000)
            if not ready:
                # What had connected before the stop is served still: it may have sent already.
                if self._stopping.is_set():
                    return
                continue
            if self._stopping.is_set() and time.monotonic() > self._until:
                return
            try:
                connection, address = self._socket.accept()
            except OSError:
                continue
            self._serve(connection, LOCAL if self._socket.family == socket.AF_UNIX else peer_of(address))

    def _serve(self, connection: socket.socket, peer: str) -> None:
        with self._lock:
            full = len(self._threads) >= _CONNECTIONS
            if not full:
                thread = threading.Thread(target=self._run, args=(connection, peer), name=f"from {peer}", daemon=True)
                self._threads.add(thread)
        if full:
            connection.close()
            self._writer.count(refused=1)
            self._say("full", f"more than {_CONNECTIONS} connections at once; further ones are refused")
            return
        self._writer.count(connections=1)
        thread.start()

    def _say(self, what: str, text: str) -> None:
        """A notice, each kind once a minute."""
        now = time.monotonic()
        with self._lock:
            if now - self._said.get(what, -_SAY_EVERY) < _SAY_EVERY:
                return
            if len(self._said) > 1000:
                self._said.clear()
            self._said[what] = now
        self._writer.say(text)

    def _run(self, connection: socket.socket, peer: str) -> None:
        try:
            with connection:
                secured = self._secured(connection, peer)
                if secured is not None:
                    with self._lock:
                        self._reading.add(threading.current_thread())
                    with secured:
                        _Connection(secured, peer, self._writer, self._say).run(self._more)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                self._reading.discard(threading.current_thread())

    def _secured(self, connection: socket.socket, peer: str) -> socket.socket | None:
        """The connection after the handshake, which this thread alone waits for; None if it failed."""
        if self._secure is None:
            return connection
        secured = self._secure.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        secured.settimeout(HANDSHAKE_SECONDS)
        try:
            secured.do_handshake()
        except OSError as error:
            self._writer.count(refused=1)
            text = f"no TLS with {peer}: {_refusal(error)}; closed"
            self._say(text, text)
            _let_go(secured)
            return None
        secured.settimeout(_WAIT)
        return secured

    def _more(self) -> float | None:
        """Seconds to wait for bytes; None if time is up."""
        if not self._stopping.is_set():
            return _WAIT
        return 0.02 if time.monotonic() < self._until else None


class _Connection:
    """One connection's bytes to spool lines."""

    def __init__(
        self, connection: socket.socket, peer: str, writer: SpoolWriter, say: Callable[[str, str], None]
    ) -> None:
        self._socket = connection
        self._peer = peer
        self._writer = writer
        self._say = say
        self._cutter = FrameCutter()
        self._head: bytes | None = b""
        self._counted_errors = 0

    def run(self, more: Callable[[], float | None]) -> None:
        """Read until the sender closes, or until `more()` is None and nothing waits."""
        clean = self._read(more)
        if self._head:
            self._take(self._head)
        self._store(self._cutter.close(clean=clean))

    def _read(self, more: Callable[[], float | None]) -> bool:
        """Whether the sender closed in order."""
        # Zeroed on use: 512 silent connections must not cost 512 MiB.
        buffer = memoryview(mmap.mmap(-1, _BUFFER))
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        held = self._socket.pending if isinstance(self._socket, ssl.SSLSocket) else None
        while True:
            wait = more()
            if wait is None:
                return False
            if not (held and held()) and not poller.poll(wait * 1000):
                if wait < _WAIT:
                    return False
                continue
            try:
                count = self._socket.recv_into(buffer)
            except TimeoutError:  # part of a TLS record only
                continue
            except OSError:
                return False
            if count == 0:
                self._answer()
                return True
            if not self._received(bytes(buffer[:count])):
                return True

    def _answer(self) -> None:
        """Tell a TLS sender that closed in order that everything was read."""
        if isinstance(self._socket, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                self._socket.unwrap()

    def _received(self, data: bytes) -> bool:
        """False if this is no syslog and the connection is to be closed."""
        if self._head is not None:
            data = self._head + data
            protocol = foreign_protocol(data)
            if protocol is None:
                self._head = data
                return True
            self._head = None
            if protocol:
                self._writer.count(refused=1)
                self._say(f"{protocol} {self._peer}", f"{protocol} on a plain syslog port from {self._peer}; closed")
                return False
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        cutter = self._cutter
        whole = data.rfind(b"\n") + 1
        if whole and cutter.idle and is_plain(data[:whole]):
            lines = data[:whole]
            self._writer.add(bulk(stamp(self._peer), lines), lines.count(b"\n"))
            data = data[whole:]
        elif whole and cutter.holds_line:
            # The end of the line that the last read cut; then the bulk of this one.
            first = data.index(b"\n") + 1
            self._store(cutter.feed(data[:first]))
            if first < len(data):
                self._take(data[first:])
            return
        if data:
            self._store(cutter.feed(data))

    def _store(self, frames: list[tuple[bytes, str]]) -> None:
        errors = self._cutter.framing_errors - self._counted_errors
        if errors:
            self._counted_errors += errors
            self._writer.count(framing_errors=errors)
        if not frames:
            return
        flags = "".join([flags for _, flags in frames])
        if flags:
            self._writer.count(truncated=flags.count("t"), partial=flags.count("p"))
        self._writer.add(spool_lines(stamp(self._peer), frames), len(frames))
