"""Syslog over UDP and Unix datagrams: one blocking loop, hundreds of datagrams a call where the system can."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import threading
import time

from logscope.sources.spool_lines import LOCAL, peer_of, spool_line, stamp
from logscope.sources.spool_writer import SpoolWriter
from logscope.syslog.frames import MESSAGE_LIMIT, trim

ASKED_BUFFER = 4 << 20
"""Less than this is said."""
_MOST_BUFFER = 32 << 20
"""What is asked for: some 80,000 datagrams, 0.4 s at 200,000 a second."""
_SLOTS = 512
_SLOT = 2 << 10
_OVERFLOW = 64 << 10
_ADDRESS = 28  # sockaddr_in6
_MSG_WAITFORONE = 0x10000
_MSG_TRUNC = 0x20
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8
_PEERS = 4096
_FEW = 64
_PAUSE = 0.001
_DRAIN = 2.0


class _IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _MsgHdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.POINTER(_IoVec)),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _MMsgHdr(ctypes.Structure):
    _fields_ = (("header", _MsgHdr), ("length", ctypes.c_uint))


class _Batch:
    """Slots that `recvmmsg` fills; made once.

    A datagram goes to a small slot and what is longer overflows to a large one: the memory that is
    touched for ordinary messages stays in the processor's cache.
    """

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        self._call = library.recvmmsg
        self.bytes = bytearray(_SLOTS * _SLOT)
        self._space = (ctypes.c_char * len(self.bytes)).from_buffer(self.bytes)
        self._overflow = mmap.mmap(-1, _SLOTS * _OVERFLOW)  # 32 MiB, of which only what is used is there
        self._overflow_space = (ctypes.c_char * len(self._overflow)).from_buffer(self._overflow)
        self._addresses = bytearray(_SLOTS * _ADDRESS)
        self._address_space = (ctypes.c_char * len(self._addresses)).from_buffer(self._addresses)
        self._vectors = (_IoVec * (2 * _SLOTS))()
        self._headers = (_MMsgHdr * _SLOTS)()
        base, names = ctypes.addressof(self._space), ctypes.addressof(self._address_space)
        overflow = ctypes.addressof(self._overflow_space)
        for at in range(_SLOTS):
            self._vectors[2 * at] = _IoVec(base + at * _SLOT, _SLOT)
            self._vectors[2 * at + 1] = _IoVec(overflow + at * _OVERFLOW, _OVERFLOW)
            header = self._headers[at].header
            header.name, header.namelen = names + at * _ADDRESS, _ADDRESS
            header.iov, header.iovlen = ctypes.pointer(self._vectors[2 * at]), 2
        words = memoryview(self._headers).cast("B").cast("I")
        step = ctypes.sizeof(_MMsgHdr) // 4
        # Reading 512 structure fields one by one costs more than receiving; a strided view is one list.
        self._lengths = words[_MMsgHdr.length.offset // 4 :: step]
        self._flags = words[_MsgHdr.flags.offset // 4 :: step]

    def receive(self, fd: int) -> int:
        """Wait for one datagram (as long as SO_RCVTIMEO says) and take up to 512; 0 if none came."""
        got = int(self._call(fd, self._headers, _SLOTS, _MSG_WAITFORONE, None))
        if got >= 0:
            return got
        code = ctypes.get_errno()
        if code in (errno.EAGAIN, errno.EINTR, errno.ECONNREFUSED):
            return 0
        raise OSError(code, os.strerror(code))

    def lengths(self, count: int) -> list[int]:
        return self._lengths[:count].tolist()

    def truncated(self, count: int) -> bool:
        """Whether any datagram was longer than both its slots."""
        flags = self._flags[:count].tolist()
        return any(flags) and any(flag & _MSG_TRUNC for flag in flags)

    def long(self, at: int, length: int) -> bytes:
        """A datagram that overflowed its slot."""
        start = at * _OVERFLOW
        return bytes(self.bytes[at * _SLOT : (at + 1) * _SLOT] + self._overflow[start : start + length - _SLOT])

    def addresses(self, count: int) -> list[bytes]:
        """The senders' socket addresses; one only if all are the same."""
        block = bytes(self._addresses[: count * _ADDRESS])
        if block == block[:_ADDRESS] * count:
            return [block[:_ADDRESS]]
        return [block[start : start + _ADDRESS] for start in range(0, len(block), _ADDRESS)]


def _peer_of_bytes(address: bytes, family: int) -> str:
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, address[4:8])
    host = socket.inet_ntop(socket.AF_INET6, address[8:24])
    scope = struct.unpack_from("I", address, 24)[0]
    return peer_of((f"{host}%{scope}" if scope else host,))


def ask_buffer(sock: socket.socket) -> tuple[int, str | None]:
    """Ask for as large a receive buffer as the kernel gives, 32 MiB at most.

    Returns:
        What it gave, and a warning if that is less than 4 MiB.
    """
    with contextlib.suppress(OSError):
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _MOST_BUFFER)  # with rights, beyond rmem_max
    given = _given(sock)
    for size in (_MOST_BUFFER, ASKED_BUFFER):  # Linux gives what it may, others refuse what is too much
        if given < ASKED_BUFFER:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            given = _given(sock)
    if given >= ASKED_BUFFER:
        return given, None
    return given, (
        f"the kernel gives a receive buffer of {given >> 10} KiB only, bursts may be lost; "
        f"as root: sysctl -w net.core.rmem_max={ASKED_BUFFER}"
    )


def _given(sock: socket.socket) -> int:
    size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return size // 2 if sys.platform == "linux" else size  # Linux counts its own overhead in


class UdpListener:
    """Spools datagrams, one message each, until it is stopped."""

    def __init__(self, sock: socket.socket, writer: SpoolWriter) -> None:
        """Nothing runs before `start`.

        Args:
            sock: Bound.
            writer: Where messages go.
        """
        self._socket = sock
        self._writer = writer
        self._stopping = threading.Event()
        self._dropped = 0
        self._peers: dict[bytes, bytes] = {}
        self._local = sock.family == socket.AF_UNIX
        # The kernel bounds Unix datagrams by number, and lets their senders wait.
        self.buffer, warning = (0, None) if self._local else ask_buffer(sock)
        if warning:
            writer.say(warning)
        batched = sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8
        self._batch = _Batch() if batched and hasattr(ctypes.CDLL(None), "recvmmsg") else None
        self._thread = threading.Thread(target=self._run, name="datagrams", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def stop(self) -> None:
        """Take what the kernel still holds (2 s at most), count its drops, and end."""
        self._stopping.set()
        self._thread.join(_DRAIN + 1)
        self.count_drops()
        self._socket.close()

    def count_drops(self) -> None:
        """Add what the kernel has dropped since the last call; called every second or so."""
        if sys.platform != "linux" or self._local:
            return
        try:
            info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64)
        except OSError:
            return
        if len(info) >= 4 * (_MEMINFO_DROPS + 1):
            total = struct.unpack_from("I", info, 4 * _MEMINFO_DROPS)[0]
            new = (total - self._dropped) & 0xFFFFFFFF
            self._dropped = total
            if new:
                self._writer.count(dropped=new, kernel_dropped=new)

    def _run(self) -> None:
        # In the kernel's own layout: settimeout() would make the socket non-blocking, and recvmmsg with it.
        self._socket.setblocking(True)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 100_000))
        until = None
        while True:
            try:
                got = self._many() if self._batch is not None else self._one()
            except OSError as error:
                self._writer.say(f"receiving failed: {error.strerror}")
                return
            if got < _FEW and not self._stopping.is_set() and self.buffer >= ASKED_BUFFER:
                # A call for a handful costs as much as one for hundreds; 4 MiB hold some 10,000 datagrams.
                time.sleep(_PAUSE)
            if self._stopping.is_set():
                until = until or time.monotonic() + _DRAIN
                if not got or time.monotonic() > until:
                    return

    def _one(self) -> int:
        try:
            data, address = self._socket.recvfrom(_OVERFLOW)
        except (BlockingIOError, InterruptedError, ConnectionRefusedError):
            return 0
        message = trim(data)
        if message:
            self._store(stamp(LOCAL if self._local else peer_of(address)), message, cut=False)
        return 1

    def _store(self, prefix: bytes, message: bytes, *, cut: bool) -> None:
        cut = cut or len(message) > MESSAGE_LIMIT
        if cut:
            message = message[:MESSAGE_LIMIT]
            self._writer.count(truncated=1)
        self._writer.add(spool_line(prefix, message, "t" if cut else ""), 1, wait=False)

    def _many(self) -> int:
        batch = self._batch
        assert batch is not None
        got = batch.receive(self._socket.fileno())
        if not got:
            return 0
        now = b"%016d " % (time.time_ns() // 1000)
        view = memoryview(batch.bytes)
        if self._local:
            prefixes = [now + LOCAL.encode() + b" - "]
        else:
            prefixes = [now + self._peer(address) for address in batch.addresses(got)]
        if len(prefixes) == 1:
            prefixes *= got
        parts: list[bytes | memoryview] = []
        start = 0
        cut = batch.truncated(got)
        for at, (length, prefix) in enumerate(zip(batch.lengths(got), prefixes, strict=True)):
            message: bytes | memoryview = view[start : start + length] if length <= _SLOT else batch.long(at, length)
            start += _SLOT
            if not length:
                continue
            if message[-1] < 0x0E:
                message = trim(bytes(message))
                if not message:
                    continue
            if length > MESSAGE_LIMIT or cut:
                self._store(prefix[:-2], bytes(message), cut=length > MESSAGE_LIMIT)
                continue
            parts += (prefix, message, b"\n")
        lines = b"".join(parts)
        if lines.count(b"\n") != len(parts) // 3:
            lines = b"".join(
                [spool_line(bytes(parts[at])[:-2], bytes(parts[at + 1]), "") for at in range(0, len(parts), 3)]
            )
        if lines:
            self._writer.add(lines, len(parts) // 3, wait=False)
        return got

    def _peer(self, address: bytes) -> bytes:
        """`PEER - ` of a socket address."""
        # Without the port, which every sender process has its own of.
        key = address[4:8] if self._socket.family == socket.AF_INET else address[8:]
        known = self._peers.get(key)
        if known is None:
            if len(self._peers) >= _PEERS:
                self._peers.clear()
            known = self._peers[key] = _peer_of_bytes(address, self._socket.family).encode() + b" - "
        return known
