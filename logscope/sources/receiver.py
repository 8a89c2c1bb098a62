"""The receiver: a small process of its own between a socket and the spool.

A stalled, stopped or crashed interface loses nothing that way. The process (`python -m
logscope.sources.receiver`) imports the standard library only; it ends when its control pipe does,
so no orphan keeps a port. `start_receiver` is the parent's side.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from logscope import paths
from logscope.errors import SourceError
from logscope.sources.binding import bind, identity_of, unbind
from logscope.sources.retention import Retention
from logscope.sources.spool import read_json, spool_folder
from logscope.sources.spool_writer import FREE_FLOOR, SEGMENT_SIZE, SpoolWriter
from logscope.sources.trouble import source_error
from logscope.sources.urls import parse_address

FLUSH_SECONDS = 0.1
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_NICE = -10


class Receiver:
    """The parent's hold on a receiver process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, folder: Path, again: Callable[[], Receiver]) -> None:
        """A process that has said it listens.

        Args:
            process: Its standard input is the control pipe, its standard output the status pipe.
            url: With the bound port.
            folder: Its spool's.
            again: Starts another like it on the same port.
        """
        self.again = again
        self._process = process
        self._final: dict[str, Any] | None = None
        self._told = 0
        self._lock = threading.Lock()
        self.url = url
        self.folder = folder
        self.pid = process.pid

    def alive(self) -> bool:
        """Whether it still runs; if not, `again()` gives one that continues the spool."""
        return self._process.poll() is None

    def counters(self) -> dict[str, int]:
        """received, stored, dropped, kernel_dropped, truncated, partial, framing_errors, connections,
        refused, torn, bytes; received = stored + dropped. Final once it has stopped.
        """  # noqa: D205
        state = self._state().items()
        return {name: value for name, value in state if type(value) is int and name != "noticed"}

    def notices(self) -> list[str]:
        """What it has said since the last call."""
        state = self._state()
        said = [str(text) for text in state.get("notices", [])]
        ever = int(state.get("noticed", 0))
        fresh, self._told = ever - self._told, ever
        return said[-fresh:] if fresh > 0 else []

    def _state(self) -> dict[str, Any]:
        return self._final if self._final is not None else read_json(self.folder / "counters.json")

    def stop(self) -> dict[str, int]:
        """Let it drain its sockets, flush and end; returns the final counters. Calling it twice is fine."""
        with self._lock:
            if self._process.stdin is not None and not self._process.stdin.closed:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()
            if self._final is None:
                line = _read_line(self._process.stdout, _STOP_SECONDS)
                try:
                    self._process.wait(_STOP_SECONDS if line else 0.1)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
                final = _object(line).get("final")
                self._final = final if isinstance(final, dict) else read_json(self.folder / "counters.json")
            if self._process.stdout is not None:
                self._process.stdout.close()
        return self.counters()


def start_receiver(
    url: str,
    root: Path | None = None,
    *,
    segment_size: int = SEGMENT_SIZE,
    free_floor: int = FREE_FLOOR,
    retention: Retention | None = None,
) -> Receiver:
    """Start to listen, in a process of its own; returns once it listens.

    Args:
        url: As `parse_address` takes it; port 0: any free one.
        root: Folder of all spools, if not the state folder's.
        segment_size: Bytes of a spool segment.
        free_floor: Bytes that stay free on the spool's disk.
        retention: How much the spool keeps; None: everything.

    Raises:
        SourceError: The port is taken, may not be used, the address is not local ...
    """
    address = parse_address(url)
    # -P: a file of a standard module's name in the current folder must not be run.
    command = [sys.executable, "-S", "-P", "-m", "logscope.sources.receiver", "--url", url]
    command += ["--segment-size", str(segment_size), "--free-floor", str(free_floor)]
    if retention is not None and retention.size is not None:
        command += ["--retain-bytes", str(retention.size)]
    if retention is not None and retention.seconds is not None:
        command += ["--retain-seconds", str(retention.seconds)]
    if root is not None:
        command += ["--root", str(root)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)},
    )
    state = _object(_read_line(process.stdout, _START_SECONDS))
    if "ready" in state:
        bound = str(state["ready"])
        same = replace(address, port=int(state.get("port", 0)))

        def again() -> Receiver:
            return start_receiver(
                same.request, root, segment_size=segment_size, free_floor=free_floor, retention=retention
            )

        return Receiver(process, bound, spool_folder(bound, root), again)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    message = str(state.get("error", "the receiver did not start"))
    raise SourceError(message, where=url, mend=str(state["mend"]) if state.get("mend") else None)


def _read_line(pipe: IO[bytes] | None, timeout: float) -> bytes:
    """One line of a pipe, or what came of it in time."""
    if pipe is None or pipe.closed:
        return b""
    line = b""
    poller = select.poll()
    poller.register(pipe, select.POLLIN)
    while not line.endswith(b"\n") and poller.poll(timeout * 1000):
        piece = os.read(pipe.fileno(), 65536)
        if not piece:
            break
        line += piece
    return line


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _say(value: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(value).encode() + b"\n")


def _die_with_parent(stop: threading.Event) -> None:
    """End with the parent even if somebody else holds the control pipe open."""
    original = os.getppid()

    def told(_signal: int, _frame: object) -> None:
        # The signal also comes when the thread that started us ends, the parent living on.
        if os.getppid() != original:
            stop.set()

    signal.signal(signal.SIGUSR1, told)
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)


def _go_first() -> None:
    """Ask for the processor before others, where that is allowed: what waits is lost with the kernel's buffer full."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, min(os.getpriority(os.PRIO_PROCESS, 0), _NICE))
    # Where Linux shares the processor among sessions, ours has one process, whose own niceness says nothing.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICE))


def _listen(options: argparse.Namespace) -> None:
    from logscope.sources.listen_tcp import TcpListener
    from logscope.sources.listen_udp import UdpListener
    from logscope.sources.tls import server_context

    address = parse_address(options.url)
    stop = threading.Event()
    _go_first()
    _die_with_parent(stop)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    secure, warning = server_context(address) if address.transport == "tls" else (None, None)
    sock = bind(address)
    identity = identity_of(address)
    if address.transport != "unix":
        address = replace(address, port=sock.getsockname()[1])
    root = Path(options.root) if options.root else None
    try:
        writer = SpoolWriter(
            address.url,
            root,
            segment_size=options.segment_size,
            free_floor=options.free_floor,
            retention=Retention(options.retain_bytes, options.retain_seconds),
        )
    except BaseException:
        unbind(address, identity)
        raise
    if warning:
        writer.say(warning)
    udp = UdpListener(sock, writer) if sock.type == socket.SOCK_DGRAM else None
    listener = udp or TcpListener(sock, writer, secure)
    gc.freeze()
    writer.flush()
    listener.start()
    _say({"ready": address.url, "port": address.port})
    control = select.poll()
    control.register(0, select.POLLIN)
    turns = 0
    while not stop.is_set():
        if control.poll(FLUSH_SECONDS * 1000) and not os.read(0, 4096):
            break
        turns += 1
        if udp is not None and turns % 10 == 0:
            udp.count_drops()
        writer.flush()
    # Before the drain: a sender that finds no file knows that nobody listens.
    unbind(address, identity)
    listener.stop()
    writer.close()
    _say({"final": writer.state()})


def main(arguments: list[str] | None = None) -> int:
    """The process: listens until its control pipe (standard input) ends or it is told to by a signal."""
    parser = argparse.ArgumentParser(prog="logscope-receiver")
    parser.add_argument("--url", required=True)
    parser.add_argument("--root")
    parser.add_argument("--segment-size", type=int, default=SEGMENT_SIZE)
    parser.add_argument("--free-floor", type=int, default=FREE_FLOOR)
    parser.add_argument("--retain-bytes", type=int)
    parser.add_argument("--retain-seconds", type=float)
    options = parser.parse_args(arguments)
    try:
        _listen(options)
    except SourceError as error:
        _say({"error": error.message, "mend": error.mend})
        return 1
    except OSError as error:
        told = source_error(error, options.url)
        mend = told.mend
        address = parse_address(options.url)
        if isinstance(error, PermissionError) and address.transport != "unix" and address.port < 1024:
            mend = "ports below 1024 need rights; use one above, such as 5514"
        _say({"error": f"cannot listen: {told.message}", "mend": mend})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
