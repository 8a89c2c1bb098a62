"""Sockets on a listener's address, and the files that Unix ones leave."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat

from logscope.errors import SourceError
from logscope.sources.urls import Address

_BACKLOG = 512


def bind(address: Address) -> socket.socket:
    """A socket on a listener's address; one of connections listens.

    Raises:
        OSError: As the system says.
        SourceError: What is at a Unix socket's path is not ours to replace.
    """
    return _bind_unix(address) if address.transport == "unix" else _bind_port(address)


def _bind_port(address: Address) -> socket.socket:
    stream = address.transport != "udp"
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    found = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
    # A name such as localhost may stand for both; IPv4 is what senders are told.
    family, _, _, _, place = min(found, key=lambda item: item[0] != socket.AF_INET)
    sock = socket.socket(family, kind)
    try:
        if stream:
            # After a crash the port must be free at once. Never for UDP: two would share it.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        if stream:
            sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_unix(address: Address) -> socket.socket:
    kind = socket.SOCK_STREAM if address.stream else socket.SOCK_DGRAM
    _make_way(address, kind)
    sock = socket.socket(socket.AF_UNIX, kind)
    # Permissions come with the file: between bind and chmod anybody could connect.
    before = os.umask(0o777 & ~address.mode)
    try:
        sock.bind(address.path)
        os.chmod(address.path, address.mode)  # noqa: PTH101 - bind leaves execute bits that umask cannot ask for
        if address.stream:
            sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _make_way(address: Address, kind: socket.SocketKind) -> None:
    """Remove a socket's file that nobody answers on; anything else stays.

    Raises:
        SourceError: A file that is no socket.
        OSError: Somebody listens there.
    """
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SourceError("is a file that is no socket; it is left alone", where=address.url, mend="name another path")
    with socket.socket(socket.AF_UNIX, kind) as caller:
        caller.setblocking(False)
        try:
            caller.connect(address.path)
        except ConnectionRefusedError:
            os.unlink(address.path)  # noqa: PTH108
            return
        except OSError as error:
            if error.errno not in (errno.EPROTOTYPE, errno.EAGAIN):
                raise
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), address.path)


def identity_of(address: Address) -> tuple[int, int] | None:
    """What tells the file of a Unix socket from one that another makes later; None for other transports."""
    if address.transport != "unix":
        return None
    about = os.lstat(address.path)
    return about.st_dev, about.st_ino


def unbind(address: Address, identity: tuple[int, int] | None) -> None:
    """Remove the file of a Unix socket if it is still ours."""
    if identity is None:
        return
    with contextlib.suppress(OSError):
        if identity_of(address) == identity:
            os.unlink(address.path)  # noqa: PTH108
